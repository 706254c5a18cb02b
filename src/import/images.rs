//! Whether the images can be pulled with the credentials at hand: asked for by HEAD.

use futures_util::{StreamExt as _, stream};

use super::plan::{Check, Request, What};
use super::rendered::Rendered;
use crate::export::Sources;
use crate::registry::{Error, Located, Reference};

/// Images asked for at once, as an export does.
const MAX_AT_ONCE: usize = 8;

/// One check for each image.
pub(super) async fn all(request: &Request, rendered: &Rendered, sources: &Sources) -> Vec<Check> {
    let images = rendered.images();
    let checks = images.iter().map(|image| check(request, image, sources));
    stream::iter(checks).buffered(MAX_AT_ONCE).collect().await
}

async fn check(request: &Request, image: &str, sources: &Sources) -> Check {
    match (is_there(image, sources).await, &request.layout) {
        (Ok(true), _) => Check::ok(What::Image, image),
        (Ok(false), None) => {
            let remedy = "Copy the export to a registry that has it with `outhaul app copy`.";
            Check::missing(What::Image, image, "it is not at that address", remedy)
        }
        // A layout has the images, and no node pulls from it: where they are must be certain.
        (answer, Some(layout)) => {
            let text = answer
                .err()
                .map_or_else(|| "it is not at that address".to_owned(), |error| error.to_string());
            let remedy = format!(
                "Copy the export to a registry first, and import it from there: \
                 `outhaul app copy NAME --from {} DESTINATION`.",
                layout.display()
            );
            Check::missing(What::Image, image, text, remedy)
        }
        // From here is not from the nodes: who cannot reach the registry does not know.
        (Err(error @ (Error::Unreachable { .. } | Error::UntrustedCertificate { .. })), _) => {
            Check::unknown(What::Image, image, error.to_string())
        }
        (Err(error), _) => {
            let remedy = remedy(&error);
            Check::missing(What::Image, image, error.to_string(), remedy)
        }
    }
}

async fn is_there(image: &str, sources: &Sources) -> Result<bool, Error> {
    let reference: Reference = image.parse().map_err(|_| Error::NotFound {
        host: String::new(),
        what: format!("`{image}`, which is no reference"),
    })?;
    let Located { store, repository } = sources.locate(&reference)?;
    Ok(store.manifest_digest(&repository, &reference.revision()).await?.is_some())
}

/// What to do about a registry that does not give the image.
fn remedy(error: &Error) -> String {
    match error {
        Error::Unauthorized { host, .. } => format!(
            "Log in with `docker login {host}`; nodes need the same right: `--pull-secret NAME`."
        ),
        Error::Forbidden { host, .. } => format!(
            "Ask who runs {host} for the right to pull it, and give nodes the same: \
             `--pull-secret NAME`."
        ),
        _ => "Try again when the registry answers, or copy the export to another with \
              `outhaul app copy`."
            .to_owned(),
    }
}
