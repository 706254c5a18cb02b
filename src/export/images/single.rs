//! One image of an application, of one platform: what a door hands out by itself.

use crate::app::ImageUse;
use crate::export::learn::{Images, learn};
use crate::export::{Error, Sources};
use crate::registry::{Located, Manifest, Platform, copy};

use super::{find, open};

/// An image of one platform, where it is read.
#[derive(Debug)]
pub struct Single {
    /// The repository, by its digests alone: tags move.
    pub from: Located,
    /// Its manifest, which is no index.
    pub manifest: Manifest,
}

/// Finds what runs of the one image of `images`, as an export does. Of an index the image of
/// `platform` is taken.
///
/// # Errors
/// When the image cannot be read anywhere, or has no such platform.
pub async fn single(
    images: Images<'_>,
    image: &ImageUse,
    sources: &Sources,
    platform: &Platform,
) -> Result<Single, Error> {
    learn(sources, images).await?;
    // What an export tells of the image beside it, the image alone has no place for.
    let found = find::find(image, sources, &mut Vec::new()).await?;
    let from = open(image, &found.reference, sources)?;
    let manifest = copy::one(&from, found.manifest, platform).await;
    let manifest =
        manifest.map_err(|source| Error::Copy { image: image.into(), vendor: None, source })?;
    Ok(Single { from, manifest })
}
