//! The example's images: two platforms each, one small layer, the same bytes on every machine.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::error::Error;
use crate::registry::blob::InMemory;
use crate::registry::manifest::{OCI_INDEX, OCI_MANIFEST};
use crate::registry::{Descriptor, Digest, Layout, Manifest, RepositoryName, Revision, Store, Tag};

/// Repository and tag of each image of `examples/shop`.
const IMAGES: [(&str, &str); 3] = [("shop/web", "1.4.2"), ("shop/api", "2.0.0"), ("shop/db", "15")];

/// Platforms of each image.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Bytes of each layer's only file.
const LAYER_BYTES: usize = 64 << 10;

/// Writes the images into a layout at `directory`.
pub(super) async fn generate(directory: &Path) -> Result<Arc<dyn Store>, Error> {
    let layout = Layout::create(directory)?;
    for (repository, tag) in IMAGES {
        let repository: RepositoryName = repository.parse().map_err(crate::export::Error::from)?;
        let tag: Tag = tag.parse().map_err(crate::export::Error::from)?;
        image(&layout, &repository, tag).await?;
    }
    Ok(Arc::new(layout))
}

async fn image(layout: &Layout, repository: &RepositoryName, tag: Tag) -> Result<(), Error> {
    let mut children = Vec::new();
    for architecture in ARCHITECTURES {
        let layer = layer(&format!("{repository}:{tag} for linux/{architecture}\n"));
        let diff = Digest::of(&layer);
        let config = json!({
            "architecture": architecture, "os": "linux",
            "config": {"Entrypoint": ["/app"]},
            "rootfs": {"type": "layers", "diff_ids": [diff]},
        });
        let config = push(layout, repository, CONFIG, config.to_string().into()).await?;
        let layer = push(layout, repository, LAYER, layer.into()).await?;
        let manifest = Manifest::new(
            OCI_MANIFEST,
            json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]})
                .to_string(),
        );
        let revision = Revision::Digest(manifest.digest.clone());
        layout.put_manifest(repository, &revision, &manifest).await?;
        let mut child = json!(manifest.descriptor());
        child["platform"] = json!({"architecture": architecture, "os": "linux"});
        children.push(child);
    }
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children});
    let index = Manifest::new(OCI_INDEX, index.to_string());
    Ok(layout.put_manifest(repository, &Revision::Tag(tag), &index).await?)
}

async fn push(
    layout: &Layout,
    repository: &RepositoryName,
    media_type: &str,
    bytes: Bytes,
) -> Result<Descriptor, Error> {
    let blob = Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64);
    layout.push_blob(repository, &blob, None, &InMemory(bytes)).await?;
    Ok(blob)
}

/// A tar of one file: a line of text, then bytes that do not repeat.
fn layer(text: &str) -> Vec<u8> {
    let mut content = text.as_bytes().to_vec();
    let mut random = fastrand::Rng::with_seed(content.iter().map(|b| u64::from(*b)).sum());
    content.resize_with(LAYER_BYTES, || random.u8(..));
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(Vec::new());
    // Writing to memory cannot fail, and an empty layer would still be a valid one.
    let _ = archive.append_data(&mut header, "app", content.as_slice());
    archive.into_inner().unwrap_or_default()
}
