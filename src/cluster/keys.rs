//! A secret that the replicas of the server share: in a Secret that the first of them makes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::http::Method;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde_json::{Value, json};

use super::client::JSON;
use super::secret::secrets_path;
use super::{Error, Live, SecretReader as _};

/// Key of the value in the Secret.
const KEY: &str = "key";

impl Live {
    /// The value under `key` in a Secret of the server's own. `fresh` is what it is made with where
    /// there is none, or where it has no value.
    ///
    /// # Errors
    /// When it can be neither read nor made, or has no value of that length.
    pub async fn shared_key(
        &self,
        namespace: &str,
        name: &str,
        fresh: &SecretSlice<u8>,
    ) -> Result<SecretSlice<u8>, Error> {
        if let Some(key) = self.kept_key(namespace, name, fresh).await? {
            return Ok(key);
        }
        let value = STANDARD.encode(fresh.expose_secret());
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"namespace": namespace, "name": name}, "data": {KEY: value},
        });
        let path = secrets_path(namespace);
        match self.api.send_once::<Value>(Method::POST, &path, JSON, &secret).await {
            // Somebody else was faster.
            Ok(_) | Err(Error::Api { status: 409, .. }) => {}
            Err(error) => return Err(error),
        }
        let kept = self.kept_key(namespace, name, fresh).await?;
        kept.ok_or_else(|| Error::Conflict { what: format!("Secret {namespace}/{name}") })
    }

    async fn kept_key(
        &self,
        namespace: &str,
        name: &str,
        like: &SecretSlice<u8>,
    ) -> Result<Option<SecretSlice<u8>>, Error> {
        let Some(mut secret) = self.secret(namespace, name).await? else { return Ok(None) };
        let key = secret.data.remove(KEY);
        let long = |key: &SecretSlice<u8>| key.expose_secret().len() >= like.expose_secret().len();
        key.filter(long).map(Some).ok_or_else(|| Error::Protocol {
            server: self.server().to_owned(),
            path: format!("Secret {namespace}/{name}"),
            reason: format!("`data.{KEY}` is too short to be a key; delete the Secret"),
        })
    }
}
