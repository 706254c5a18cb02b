//! Manifests as raw bytes with their media type, and the few fields that a copy must read.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Digest, Error};

/// Media type of an OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of a Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Media type of a Docker manifest list.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Layer types that registries need not hold, because their `urls` say where else they are
/// (image-spec, "Non-Distributable Layers"; Docker's "foreign" layers).
const NON_DISTRIBUTABLE: [&str; 5] = [
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
];

/// What the configuration of an image is called.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// Largest configuration that is read: it lists an image's history and is a few KiB long.
pub const MAX_CONFIG_BYTES: u64 = 4 << 20;

/// Largest manifest that is read: what the distribution specification tells registries to
/// accept at least ("manifest … 4 megabytes"), and what they in fact enforce.
pub const MAX_MANIFEST_BYTES: usize = 4 << 20;

/// A pointer to content: what, how big and which digest (image-spec, descriptor).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Type of the content.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Length of the content in bytes.
    pub size: u64,
    /// Where else the content may be had; such ("foreign") layers are not pushed.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Free-form facts.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Type of the artefact, in answers of the referrers API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Platform of an index's child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformFields>,
}

/// The platform of an index's child, as written there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformFields {
    /// `GOARCH`.
    pub architecture: String,
    /// `GOOS`.
    pub os: String,
    /// Such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Everything else that stands there.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// A manifest as it is stored: never written again from parsed fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its `Content-Type`.
    pub media_type: String,
    /// Digest of `bytes`.
    pub digest: Digest,
    /// The body.
    pub bytes: Bytes,
}

/// The fields of any manifest or index that lead on to other content.
#[derive(Debug, Default, Deserialize)]
pub struct Links {
    /// Type that the body states of itself.
    #[serde(rename = "mediaType")]
    pub media_type: Option<String>,
    /// Children of an index.
    #[serde(default, deserialize_with = "nullable")]
    pub manifests: Vec<Descriptor>,
    /// Configuration of an image.
    pub config: Option<Descriptor>,
    /// Layers of an image.
    #[serde(default, deserialize_with = "nullable")]
    pub layers: Vec<Descriptor>,
    /// What this manifest is attached to.
    pub subject: Option<Descriptor>,
    /// Annotations of the manifest itself.
    #[serde(default, deserialize_with = "nullable")]
    pub annotations: BTreeMap<String, String>,
}

/// Go writes an empty list as `null` unless told otherwise, and tools that push manifests are
/// mostly written in Go.
pub(super) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Manifest {
    /// Wraps bytes and computes their digest.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { media_type: media_type.into(), digest: Digest::of(&bytes), bytes }
    }

    /// Whether this is an index (or Docker manifest list).
    pub fn is_index(&self) -> bool {
        is_index(&self.media_type)
    }

    /// A descriptor that points to this manifest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(&self.media_type, self.digest.clone(), self.bytes.len() as u64)
    }

    /// What this manifest refers to.
    ///
    /// # Errors
    /// When the bytes are not a JSON object of the expected fields.
    pub fn links(&self) -> Result<Links, Error> {
        serde_json::from_slice(&self.bytes).map_err(|source| Error::MalformedManifest {
            digest: self.digest.clone(),
            reason: source.to_string(),
        })
    }
}

impl Descriptor {
    /// A descriptor with nothing but the three required fields.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        }
    }

    /// Whether it points to a manifest or an index rather than to a blob.
    pub fn is_manifest(&self) -> bool {
        is_index(&self.media_type)
            || matches!(self.media_type.as_str(), OCI_MANIFEST | DOCKER_MANIFEST)
    }

    /// Whether it points to the configuration of an image, of a size that is read.
    pub fn is_image_config(&self) -> bool {
        IMAGE_CONFIGS.contains(&self.media_type.as_str()) && self.size <= MAX_CONFIG_BYTES
    }

    /// Whether it is a layer that is fetched from elsewhere and never pushed.
    pub fn is_foreign(&self) -> bool {
        !self.urls.is_empty() && NON_DISTRIBUTABLE.contains(&self.media_type.as_str())
    }
}

/// Whether the media type is an index's.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_INDEX)
}
