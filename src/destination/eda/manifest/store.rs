//! The documents with which a store finds the App image and its catalog, and installs the application.

use serde_json::json;

use super::{Names, Place, Store};
use crate::destination::eda::{API_VERSION, LABEL, NAMESPACE, write};
use crate::destination::systems::{
    Address, Document, File, Registries, Row, Rule, Scope, SecretName, WriteOptions, placeholder,
    slug,
};

/// Name of the file with `Registry` and `Catalog`.
pub(super) const STORE: &str = "store.yaml";

/// Name of the file with the `AppInstaller`.
pub(super) const INSTALL: &str = "install.yaml";

/// `Registry`, `Catalog` and `AppInstaller` of an application, each Secret with a name of its own.
pub(super) struct Trio<'a> {
    pub(super) names: &'a Names,
    pub(super) place: &'a Place,
    pub(super) store: &'a Store,
}

impl Trio<'_> {
    /// Their files.
    pub(super) fn files(&self) -> [File; 2] {
        let registry = if self.store.has_registry { Vec::new() } else { self.registry() };
        let documents = registry.into_iter().chain(self.catalog()).collect();
        let store = File { path: STORE.to_owned(), documents };
        [store, File::one(INSTALL, self.installer())]
    }

    fn catalog_name(&self) -> String {
        format!("{}-catalog", self.names.app)
    }

    /// With the host alone: `remoteURL` has no path.
    fn registry(&self) -> Vec<Document> {
        let host = self.place.address.split('/').next().unwrap_or_default();
        let scheme = if self.place.plain_http { "http://" } else { "https://" };
        let name = slug(host);
        let secret = SecretName { vault: None, name: format!("{name}-registry") };
        let row = Row {
            name: Some(name),
            address: Address::parse(&format!("{scheme}{host}")),
            credentials: vec![Rule {
                scope: Scope::All,
                secret: Some(secret),
                login: self.store.login.clone(),
            }],
            ..Row::default()
        };
        write(
            &Registries::one(row),
            &WriteOptions { with_secrets: true, ..WriteOptions::default() },
        )
    }

    fn catalog(&self) -> [Document; 2] {
        let name = self.catalog_name();
        let secret = format!("{name}-git");
        let credentials = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": secret, "namespace": NAMESPACE, "labels": {LABEL: "true"}},
            "stringData": {
                "username": placeholder("username"),
                "password": placeholder("password or token"),
            },
        });
        let catalog = json!({
            "apiVersion": API_VERSION,
            "kind": "Catalog",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "remoteURL": placeholder("URL of the git repository of edabuilder publish"),
                "authSecretRef": secret,
                "remoteType": "git",
            },
        });
        let credentials = Document::new(credentials).comment("Fill in user name and password.");
        [credentials, Document::new(catalog).comment("Fill in `remoteURL`.")]
    }

    fn installer(&self) -> Document {
        let Names { app, group, version, .. } = self.names;
        Document::new(json!({
            "apiVersion": API_VERSION,
            "kind": "AppInstaller",
            "metadata": {"name": format!("{app}-install"), "namespace": NAMESPACE},
            "spec": {
                "operation": "install",
                "apps": [{
                    "appId": group,
                    "catalog": self.catalog_name(),
                    "version": {"type": "semver", "value": version},
                }],
            },
        }))
    }
}
