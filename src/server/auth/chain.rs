//! Everybody who can be known: Epinio's users by Basic and by tokens of dex, all others by Kubernetes.

use std::sync::Arc;

use async_trait::async_trait;

use super::epinio::{self, Users};
use super::{
    AuthError, Authenticator, Authorizer, Caller, Credentials, Denied, Kubernetes, Right, Served,
    Via,
};

/// Asks whoever knows the caller.
#[derive(Debug)]
pub struct Chain {
    kubernetes: Arc<Kubernetes>,
    epinio: Arc<Users>,
    served: Served,
}

impl Chain {
    /// Both. Whoever asks has no right where nothing is served.
    pub fn new(kubernetes: Arc<Kubernetes>, epinio: Arc<Users>, served: Served) -> Self {
        Self { kubernetes, epinio, served }
    }
}

#[async_trait]
impl Authenticator for Chain {
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthError> {
        match credentials {
            Credentials::Basic { .. } => self.epinio.authenticate(credentials).await,
            Credentials::Proxy(_) => self.of_kubernetes(credentials).await,
            Credentials::Bearer(token) => match self.epinio.bearer(token).await {
                Ok(Some(caller)) => Ok(caller),
                Ok(None) => self.of_kubernetes(credentials).await,
                // Whom Kubernetes knows is let in; of others it may be dex who knows them.
                Err(AuthError::Unavailable) => match self.of_kubernetes(credentials).await {
                    Err(AuthError::Token) => Err(AuthError::Unavailable),
                    answer => answer,
                },
                Err(error) => Err(error),
            },
        }
    }
}

impl Chain {
    async fn of_kubernetes(&self, credentials: &Credentials) -> Result<Caller, AuthError> {
        let caller = self.kubernetes.authenticate(credentials).await?;
        // What is kept of a caller is a name: it must not be one of Epinio's users.
        if caller.user.starts_with(epinio::PREFIX) { Err(AuthError::Token) } else { Ok(caller) }
    }
}

#[async_trait]
impl Authorizer for Chain {
    async fn allow(&self, caller: &Caller, right: &Right) -> Result<(), Denied> {
        self.served.check(right)?;
        match caller.via {
            Via::Epinio => self.epinio.allow(caller, right).await,
            Via::Kubernetes | Via::FrontProxy => self.kubernetes.allow(caller, right).await,
        }
    }
}
