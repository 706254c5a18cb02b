//! What Nokia EDA keeps of registries in a cluster: resources `Registry`, and the Secrets that they name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::MAX_DOCUMENT;
use super::discover::Resource;
use super::epinio::kind;
use super::secret::secret_path;
use super::{Error, Live};
use crate::app::Object;

/// Group of `Registry` (nokia-eda/kpt, `appstore.eda.nokia.com_registries.yaml`).
const GROUP: &str = "appstore.eda.nokia.com";

/// Its only version.
const VERSION: &str = "v1";

impl Live {
    /// The resources `Registry` of a namespace by name, and behind them each Secret that one of them
    /// names (`spec.authSecretRef`), once: documents as the API server has them, with the values of
    /// those Secrets, so that they belong into no message. A Secret that is not there is left out. None
    /// where the cluster does not serve the kind.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the kind is served and may not be listed, or one of those Secrets may
    /// not be read; when the cluster does not answer.
    pub async fn eda_registries(&self, namespace: &str) -> Result<Vec<Value>, Error> {
        let mut found = match self.by_name(&registry(), Some(namespace), "").await {
            Err(Error::Api { status: 404, .. }) => return Ok(Vec::new()),
            // Who has no right is told so before the server looks whether there is anything.
            Err(Error::Forbidden { .. }) if !self.serves_registries().await? => {
                return Ok(Vec::new());
            }
            found => found?,
        };
        let named = |registry: &Object| registry.text("/spec/authSecretRef").map(str::to_owned);
        let names: BTreeSet<_> =
            found.iter().filter_map(named).filter(|name| !name.is_empty()).collect();
        for name in names {
            found.extend(self.object(&secret_path(namespace, &name)).await?);
        }
        Ok(found.into_iter().map(Value::from).collect())
    }

    /// Whether the cluster serves the group, which everybody who has logged in may ask
    /// (`system:discovery`); where that is refused as well, it may.
    async fn serves_registries(&self) -> Result<bool, Error> {
        let path = format!("/apis/{GROUP}/{VERSION}");
        match self.api.get::<Value>(&path, "application/json", MAX_DOCUMENT).await {
            Ok(_) | Err(Error::Forbidden { .. }) => Ok(true),
            Err(Error::Api { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn registry() -> Resource {
    kind(GROUP, VERSION, "registries", "Registry")
}
