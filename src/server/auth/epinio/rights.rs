//! Rights in the words of Epinio's roles.

use async_trait::async_trait;

use super::{Action, Refused, Users};
use crate::server::auth::{Authorizer, Caller, Denied, Right, Verb};

/// What a user needs for a right.
#[derive(Debug, PartialEq, Eq)]
enum Needs<'r> {
    /// An action, in a namespace or where there is none.
    Action(Action, Option<&'r str>),
    /// To be admin.
    Admin,
}

/// An application and all that belongs to it is seen by who may see applications of the namespace,
/// and exported with the names of its Secrets. Whatever hands out values of any Secret of the
/// namespace, or speaks of all namespaces, is for admins.
fn needs(right: &Right) -> Needs<'_> {
    let read = |namespace| Needs::Action(Action::AppRead, Some(namespace));
    let export = |namespace| Needs::Action(Action::AppExport, Some(namespace));
    match right {
        Right::ReadNamespace(namespace) | Right::ReadKinds { namespace, .. } => read(namespace),
        Right::ListSecrets(namespace) | Right::UseDestination { namespace, .. } => {
            export(namespace)
        }
        Right::ReadNamespaces | Right::ReadSecrets(_) | Right::Metrics => Needs::Admin,
        Right::SeeDestination { .. } => Needs::Action(Action::ExportRegistriesRead, None),
        Right::Exports { namespace: None, .. } | Right::Schedules { namespace: None, .. } => {
            Needs::Admin
        }
        Right::Exports { verb, namespace: Some(namespace) }
        | Right::Schedules { verb, namespace: Some(namespace) } => match verb {
            Verb::Get | Verb::List => read(namespace),
            Verb::Create | Verb::Update | Verb::Delete => export(namespace),
        },
    }
}

#[async_trait]
impl Authorizer for Users {
    async fn allow(&self, caller: &Caller, right: &Right) -> Result<(), Denied> {
        let allowed = match needs(right) {
            Needs::Action(action, namespace) => {
                self.may(caller, action, namespace).await.map_err(|refused| match refused {
                    Refused::Lacking(_) => Denied::Forbidden,
                    Refused::Unavailable => Denied::Unavailable,
                })
            }
            Needs::Admin => match self.user(caller).await {
                Ok(Some(user)) if user.is_admin() => Ok(()),
                Ok(_) => Err(Denied::Forbidden),
                Err(_) => Err(Denied::Unavailable),
            },
        };
        match (allowed, right) {
            // The same refusal as of Kubernetes, which names kinds only.
            (Err(Denied::Forbidden), Right::ReadKinds { kinds, .. }) => {
                Err(Denied::Kinds(kinds.clone()))
            }
            (allowed, _) => allowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_for_admins() {
        assert_eq!(needs(&Right::ReadSecrets("shop".into())), Needs::Admin);
        let list = Right::ListSecrets("shop".into());
        assert_eq!(needs(&list), Needs::Action(Action::AppExport, Some("shop")));
        let everywhere = Right::Exports { verb: Verb::List, namespace: None };
        assert_eq!(needs(&everywhere), Needs::Admin);
    }
}
