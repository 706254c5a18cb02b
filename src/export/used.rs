//! Which images a published chart refers to, as the annotations of its manifest say it.

use serde::Deserialize;

use super::Target;
use crate::registry::{Digest, Reference, RepositoryName};

/// Annotation of a chart: its images, as a list in YAML.
pub(super) const IMAGES: &str = "images";

/// An image that a chart refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Used {
    reference: Reference,
    pub(super) digest: Digest,
}

/// An entry of the list.
#[derive(Deserialize)]
struct Listed {
    image: String,
}

impl Used {
    /// Repository as the chart names it.
    pub(super) fn named(&self) -> &RepositoryName {
        &self.reference.repository
    }

    /// # Errors
    /// Why this is no image by digest.
    pub(super) fn parse(image: &str) -> Result<Self, String> {
        let reference: Reference = image.parse().map_err(|error| format!("`{image}`: {error}"))?;
        let digest = reference.digest.clone().ok_or_else(|| format!("`{image}` has no digest"))?;
        Ok(Self { reference, digest })
    }

    /// Repository of the image at `target`, if it is there: as the chart refers to it, in the place of
    /// what clients pull from.
    pub(super) fn repository(&self, target: &Target) -> Option<RepositoryName> {
        let Reference { host, repository, .. } = &self.reference;
        let address = format!("{host}/{repository}");
        let pull = target.pull_address.as_deref();
        let below = pull.and_then(|pull| address.strip_prefix(pull)?.strip_prefix('/'));
        match below {
            Some(name) => name.parse::<RepositoryName>().ok()?.under(target.prefix.as_ref()).ok(),
            None => (target.host() == Some(host)).then(|| repository.clone()),
        }
    }
}

/// The images of a list.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn listed(list: &str) -> Result<Vec<Used>, String> {
    let listed: Vec<Listed> = serde_saphyr::from_str(list).map_err(|error| error.to_string())?;
    listed.iter().map(|entry| Used::parse(&entry.image)).collect()
}
