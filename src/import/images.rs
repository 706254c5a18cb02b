//! Whether the images can be pulled with the credentials at hand: asked for by HEAD.

use futures_util::{StreamExt as _, stream};

use super::plan::{Check, What};
use super::rendered::Rendered;
use crate::export::Sources;
use crate::registry::{Error, Reference};

/// Images asked for at once, as an export does.
const MAX_AT_ONCE: usize = 8;

/// One check for each image.
pub(super) async fn all(rendered: &Rendered, sources: &Sources) -> Vec<Check> {
    let images = rendered.images();
    let checks = images.iter().map(|image| check(image, sources));
    stream::iter(checks).buffered(MAX_AT_ONCE).collect().await
}

async fn check(image: &str, sources: &Sources) -> Check {
    match is_there(image, sources).await {
        Ok(true) => Check::ok(What::Image, image),
        Ok(false) => {
            let remedy = "Copy the export to a registry that has it with `outhaul app copy`.";
            Check::missing(What::Image, image, "it is not at that address", remedy)
        }
        // From here is not from the nodes: who cannot reach the registry does not know.
        Err(error @ (Error::Unreachable { .. } | Error::UntrustedCertificate { .. })) => {
            Check::unknown(What::Image, image, error.to_string())
        }
        Err(error) => {
            let remedy = "Log in with `docker login`; nodes need the same right: `--pull-secret`.";
            Check::missing(What::Image, image, error.to_string(), remedy)
        }
    }
}

async fn is_there(image: &str, sources: &Sources) -> Result<bool, Error> {
    let reference: Reference = image.parse().map_err(|_| Error::NotFound {
        host: String::new(),
        what: format!("`{image}`, which is no reference"),
    })?;
    let store = sources.store(&reference.host)?;
    let found = store.manifest_digest(&reference.repository, &reference.revision()).await?;
    Ok(found.is_some())
}
