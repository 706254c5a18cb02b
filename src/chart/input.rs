//! What a chart is made of, and what comes out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::app::{App, ContainerRef, SecretValues, SecretsPolicy};

/// Everything that decides the bytes of a chart, apart from this release of Outhaul.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The application.
    pub app: &'a App,
    /// Name of the chart: `[a-z0-9-]`, 53 characters at most.
    pub name: String,
    /// Version of the chart.
    pub version: semver::Version,
    /// The images, one for each of `app.images`, in that order.
    pub images: Vec<Image>,
    /// What to do with Secrets.
    pub secrets: SecretsPolicy,
    /// Their values, under [`SecretsPolicy::Encrypt`] and [`SecretsPolicy::Include`].
    pub secret_values: &'a SecretValues,
    /// Templates of the user's for the texts.
    pub templates: Templates,
    /// The same encrypted, under [`SecretsPolicy::Encrypt`]: what becomes [`super::sealed::FILE`].
    pub sealed: Option<&'a str>,
    /// Annotations for `Chart.yaml` and the OCI manifest (`dev.outhaul.*`).
    pub annotations: BTreeMap<String, String>,
    /// RFC 3339, for `org.opencontainers.image.created`.
    pub created: String,
}

/// Templates for the texts of a chart, in place of our own. `docs/TEMPLATES.md` says what they may
/// use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Templates {
    /// Of `README.md`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// Of `NOTES.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// One image as the chart refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Key in `values.yaml`.
    pub key: String,
    /// Host and path prefix: what `global.imageRegistry` replaces.
    pub registry: String,
    /// The rest of the repository.
    pub repository: String,
    /// Tag, for people; rendered only if the digest is emptied.
    pub tag: String,
    /// `sha256:…`.
    pub digest: String,
    /// The reference that the source used, for the comment and the lock.
    pub source: String,
    /// `os/arch[/variant]` of the index's children, for the lock; empty for a single manifest.
    pub platforms: Vec<String>,
    /// The containers that use it.
    pub uses: Vec<ContainerRef>,
    /// Whether it stays where it is: `global.imageRegistry` does not replace its registry.
    pub kept: bool,
}

impl Image {
    /// Whether a field of an object names it, so that a value can change it.
    pub fn has_place(&self) -> bool {
        self.uses.iter().any(|of| !of.pointer.is_empty())
    }
}

/// A chart as files by path below its own folder (`Chart.yaml`, `templates/…`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// Its files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// `Chart.yaml` as the JSON that is the config of the OCI artefact.
    pub config: Vec<u8>,
    /// Annotations of the OCI manifest.
    pub annotations: BTreeMap<String, String>,
}

/// A chart that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that Helm refuses.
    #[error(
        "`{0}` is not a chart name: lower-case letters, digits and `-`, starting with a letter, at most 53"
    )]
    Name(String),
    /// A text template that does not render.
    #[error("{place}: {reason}")]
    Template {
        /// Its file, and the line where that is known.
        place: String,
        /// What handlebars said.
        reason: String,
    },
}
