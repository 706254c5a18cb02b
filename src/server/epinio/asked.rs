//! What handlers get of who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::envelope::Refusal;
use crate::app::Object;
use crate::destination::select;
use crate::error::Error;
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::epinio::{Action, Lacking, Refused, User};
use crate::server::auth::{Denied, Right, Via, readable};
use crate::server::caller::Sender;
use crate::server::state::State;

/// A request whose sender is known. Handlers cannot be written without, and there is none where
/// [`door::known`](super::door::known) has not been.
pub(super) struct Asked {
    pub(super) state: Arc<State>,
    pub(super) sender: Sender,
}

impl Asked {
    /// Refuses what the caller may not, before anything is looked up. Names are those of the path.
    ///
    /// # Errors
    /// 403 in Epinio's words, which is written into the audit, or 503 when it cannot be found out.
    pub(super) async fn need(
        &self,
        action: Action,
        event: Event,
        about: About<'_>,
    ) -> Result<(), Refusal> {
        let refused = match self.may(action, about.namespace).await {
            Ok(()) => return Ok(()),
            Err(Refused::Unavailable) => return Err(unavailable()),
            Err(Refused::Lacking(Lacking::Role)) => "user unauthorized".to_owned(),
            Err(Refused::Lacking(Lacking::Namespace)) => {
                format!("user unauthorized for namespace {}", about.namespace.unwrap_or_default())
            }
        };
        self.sender.audit(event, about, Decision::Deny, Some(&refused));
        Err(Refusal::new(StatusCode::FORBIDDEN, refused))
    }

    async fn may(&self, action: Action, namespace: Option<&str>) -> Result<(), Refused> {
        if namespace.is_some_and(|namespace| !self.state.namespaces.has(namespace)) {
            return Err(Refused::Lacking(Lacking::Namespace));
        }
        if self.sender.caller.via == Via::Epinio {
            return self.state.users.may(&self.sender.caller, action, namespace).await;
        }
        // For others, what is in no namespace is decided item by item.
        let Some(namespace) = namespace else { return Ok(()) };
        match self.allows(&Right::ReadNamespace(namespace.to_owned())).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused::Lacking(Lacking::Namespace)),
            Err(_) => Err(Refused::Unavailable),
        }
    }

    /// Whether the caller has the right, where the answer only decides what is shown.
    ///
    /// # Errors
    /// 503 when it cannot be found out.
    pub(super) async fn allows(&self, right: &Right) -> Result<bool, Refusal> {
        match self.state.authorizer.allow(&self.sender.caller, right).await {
            Ok(()) => Ok(true),
            Err(Denied::Unavailable) => Err(unavailable()),
            Err(_) => Ok(false),
        }
    }

    /// Whether the caller is told which configurations a namespace has: they are names of Secrets.
    ///
    /// # Errors
    /// 503 when it cannot be found out.
    pub(super) async fn sees_configurations(&self, namespace: &str) -> Result<bool, Refusal> {
        let right = Right::ListSecrets(namespace.to_owned());
        Ok(self.sender.caller.via == Via::Epinio || self.allows(&right).await?)
    }

    /// The user of Epinio that asks; `None` of Kubernetes' callers.
    ///
    /// # Errors
    /// 503 when the users cannot be read.
    pub(super) async fn user(&self) -> Result<Option<Arc<User>>, Refusal> {
        self.state.users.user(&self.sender.caller).await.map_err(|_| unavailable())
    }

    /// Those namespaces of Epinio's that lists show the caller.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub(super) async fn namespaces(&self) -> Result<Vec<Object>, Refusal> {
        let mut seen = self.state.live.epinio_namespaces().await?;
        seen.retain(|namespace| self.state.namespaces.has(namespace.name()));
        if self.sender.caller.via == Via::Epinio {
            let user = self.user().await?;
            seen.retain(|namespace| user.as_ref().is_some_and(|user| user.sees(namespace.name())));
            return Ok(seen);
        }
        let names = seen.iter().map(|namespace| namespace.name().to_owned()).collect();
        let allowed = readable(&*self.state.authorizer, &self.sender.caller, names).await;
        let allowed = allowed.map_err(|_| unavailable())?;
        seen.retain(|namespace| allowed.iter().any(|name| name == namespace.name()));
        Ok(seen)
    }

    /// Names of the applications of a namespace, in order.
    ///
    /// # Errors
    /// When they are not known, and the cluster does not answer.
    pub(super) async fn app_names(&self, namespace: &str) -> Result<Vec<String>, Error> {
        if let Some(known) = self.state.index.epinio_apps(namespace) {
            return Ok(known);
        }
        let apps = self.state.live.epinio_apps(namespace).await?;
        Ok(apps.iter().map(|app| app.name().to_owned()).collect())
    }

    /// A namespace of Epinio's, of which the caller may know.
    ///
    /// # Errors
    /// 404 if there is none.
    pub(super) async fn namespace(&self, name: &str) -> Result<Object, Refusal> {
        let found = self.state.live.epinio_namespace(name).await?;
        found.ok_or_else(|| Refusal::absent("namespace", name))
    }

    /// The namespace of Epinio itself, with its destinations.
    ///
    /// # Errors
    /// When there is none, or the cluster does not answer.
    pub(super) async fn system_namespace(&self) -> Result<String, Refusal> {
        let wanted = self.state.system_namespace.as_deref();
        Ok(select::system_namespace(&self.state.live, wanted).await.map_err(Error::from)?)
    }
}

fn unavailable() -> Refusal {
    Refusal::away("rights cannot be verified now")
}

impl FromRequestParts<Arc<State>> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<State>,
    ) -> Result<Self, Self::Rejection> {
        let sender = Sender::from_request_parts(parts, state).await?;
        Ok(Self { state: Arc::clone(state), sender })
    }
}
