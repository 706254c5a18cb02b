//! The namespaces of applications that a server is for. Of others it says what it says to whoever may
//! not see them, so that nobody learns which it serves.

use super::{Denied, Right};

/// These namespaces, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served(Vec<String>);

impl Served {
    /// These; without any, all.
    pub fn new(namespaces: Vec<String>) -> Self {
        Self(namespaces)
    }

    /// Whether the namespace is one of them.
    pub fn has(&self, namespace: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|served| served == namespace)
    }

    /// Their names; none where it is all.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Refuses a right in a namespace that is none of them.
    pub(super) fn check(&self, right: &Right) -> Result<(), Denied> {
        match namespace(right) {
            Some(namespace) if !self.has(namespace) => Err(Denied::Forbidden),
            _ => Ok(()),
        }
    }
}

/// The namespace that a right is about.
fn namespace(right: &Right) -> Option<&str> {
    match right {
        Right::ReadNamespace(namespace)
        | Right::ListSecrets(namespace)
        | Right::ReadSecrets(namespace)
        | Right::ReadKinds { namespace, .. }
        | Right::UseDestination { namespace, .. } => Some(namespace),
        Right::Exports { namespace, .. } | Right::Schedules { namespace, .. } => {
            namespace.as_deref()
        }
        Right::ReadNamespaces | Right::SeeDestination { .. } | Right::Metrics => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::Verb;

    #[test]
    fn rights_elsewhere_are_refused() {
        let served = Served::new(vec!["shop".into(), "blog".into()]);
        let exports = |namespace: Option<&str>| Right::Exports {
            verb: Verb::List,
            namespace: namespace.map(str::to_owned),
        };
        for right in [
            Right::ReadNamespace("shop".into()),
            exports(Some("blog")),
            exports(None),
            Right::ReadNamespaces,
            Right::Metrics,
        ] {
            assert_eq!(served.check(&right), Ok(()), "{right:?}");
            assert_eq!(Served::default().check(&right), Ok(()));
        }
        for right in [
            Right::ReadNamespace("sho".into()),
            Right::ReadSecrets("bank".into()),
            Right::UseDestination { name: "team".into(), namespace: "bank".into() },
            exports(Some("bank")),
            Right::Schedules { verb: Verb::Create, namespace: Some("bank".into()) },
        ] {
            assert_eq!(served.check(&right), Err(Denied::Forbidden), "{right:?}");
            assert_eq!(Served::default().check(&right), Ok(()));
        }
    }
}
