//! Which part of an index is meant by `--platform`.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::Platform;
use crate::registry::manifest::PlatformFields;
use crate::registry::reference::InvalidReference;
use crate::registry::{Descriptor, Digest, Error, Manifest};

/// Annotation of an index made here: digest of the index that it is a part of.
pub(super) const DERIVED_FROM: &str = "dev.outhaul.derived-from";

/// Marks a child of an index that describes another child (BuildKit, "Attestation storage").
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// Digest of the child that it describes.
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// A child of an index: as it is written there, and as it is understood.
#[derive(Clone, Debug)]
pub(super) struct Child {
    raw: Value,
    pub(super) descriptor: Descriptor,
}

/// What the chosen platforms leave of an index.
#[derive(Debug)]
pub(super) enum Selection {
    /// All of it.
    Whole,
    /// One image, which becomes the root.
    One(Descriptor),
    /// A new index of several.
    Several(Manifest),
    /// Nothing; the platforms that it has.
    Nothing(Vec<String>),
}

impl Platform {
    /// Whether an index's child is of this platform.
    pub fn matches(&self, fields: &PlatformFields) -> bool {
        let same = |ours: &str, theirs: &str| ours.eq_ignore_ascii_case(theirs);
        same(&self.os, &fields.os)
            && same(&self.architecture, &fields.architecture)
            && self.variant.as_deref().is_none_or(|variant| {
                same(variant, fields.variant.as_deref().unwrap_or(self.plain_variant()))
            })
    }

    /// What a child without a variant is: containerd writes `arm64` for `arm64/v8` and `arm` for
    /// `arm/v7` (`platforms.normalizeArch`).
    fn plain_variant(&self) -> &'static str {
        match self.architecture.as_str() {
            "arm64" => "v8",
            "arm" => "v7",
            "amd64" => "v1",
            _ => "",
        }
    }
}

impl FromStr for Platform {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let lower = |part: &str| part.to_ascii_lowercase();
        let parts: Vec<&str> = text.split('/').filter(word).collect();
        match parts[..] {
            [os, architecture] if text.split('/').count() == 2 => {
                Ok(Self { os: lower(os), architecture: lower(architecture), variant: None })
            }
            [os, architecture, variant] if text.split('/').count() == 3 => Ok(Self {
                os: lower(os),
                architecture: lower(architecture),
                variant: Some(lower(variant)),
            }),
            _ => Err(InvalidReference {
                text: text.to_owned(),
                what: "platform",
                reason: "os/architecture or os/architecture/variant, such as linux/arm64",
            }),
        }
    }
}

impl TryFrom<String> for Platform {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

impl Child {
    /// Whether it is an index of its own that says nothing of its platform, so that its children
    /// have to be looked at.
    pub(super) fn is_opaque_index(&self) -> bool {
        self.descriptor.platform.is_none()
            && crate::registry::manifest::is_index(&self.descriptor.media_type)
    }

    fn describes(&self) -> Option<&str> {
        let annotations = &self.descriptor.annotations;
        annotations
            .contains_key(REFERENCE_TYPE)
            .then(|| annotations.get(REFERENCE_DIGEST))?
            .map(String::as_str)
    }

    /// Whether it is an image of one of these platforms.
    fn is_of(&self, wanted: &[Platform]) -> bool {
        let fields = self.descriptor.platform.as_ref();
        self.describes().is_none()
            && fields.is_some_and(|fields| wanted.iter().any(|platform| platform.matches(fields)))
    }

    fn platform_text(&self) -> Option<String> {
        let fields = self.descriptor.platform.as_ref().filter(|_| self.describes().is_none())?;
        Some(text(fields))
    }
}

/// `os/architecture[/variant]`.
pub(super) fn text(fields: &PlatformFields) -> String {
    let PlatformFields { os, architecture, variant, .. } = fields.clone();
    Platform { os, architecture, variant }.to_string()
}

/// The children of an index, in order.
///
/// # Errors
/// When it is no index.
pub(super) fn children(index: &Manifest) -> Result<Vec<Child>, Error> {
    let document = parse(index)?;
    let list = document.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default();
    let child = |raw: Value| {
        let descriptor = serde_json::from_value(raw.clone()).map_err(malformed(&index.digest))?;
        Ok(Child { raw, descriptor })
    };
    list.into_iter().map(child).collect()
}

/// Chooses among `children`, all of `index` with nested indexes opened. Descriptions of a chosen
/// child (BuildKit's attestations) go along into a new index.
///
/// # Errors
/// When `index` is no JSON object.
pub(super) fn select(
    index: &Manifest,
    children: &[Child],
    wanted: &[Platform],
) -> Result<Selection, Error> {
    let images: Vec<&Child> = children.iter().filter(|child| child.is_of(wanted)).collect();
    let chosen = |digest: &str| images.iter().any(|i| i.descriptor.digest.as_str() == digest);
    let goes_along = |child: &&Child| match child.describes() {
        Some(subject) => chosen(subject),
        None => chosen(child.descriptor.digest.as_str()),
    };
    let parts: Vec<&Child> = children.iter().filter(goes_along).collect();
    Ok(match images[..] {
        [] => Selection::Nothing(existing(children)),
        _ if parts.len() == children.len() => Selection::Whole,
        [one] => Selection::One(one.descriptor.clone()),
        _ => Selection::Several(derive(index, &parts)?),
    })
}

/// The first image among `children` that is of a platform.
///
/// # Errors
/// The platforms that they are of, when none of them is.
pub(super) fn first<'c>(
    children: &'c [Child],
    wanted: &[Platform],
) -> Result<&'c Descriptor, Vec<String>> {
    let found = children.iter().find(|child| child.is_of(wanted));
    found.map(|child| &child.descriptor).ok_or_else(|| existing(children))
}

fn existing(children: &[Child]) -> Vec<String> {
    let mut existing: Vec<_> = children.iter().filter_map(Child::platform_text).collect();
    existing.dedup();
    existing
}

/// A new index of the same type with `parts` as its only children. The same input gives the same
/// bytes.
fn derive(index: &Manifest, parts: &[&Child]) -> Result<Manifest, Error> {
    let mut document = parse(index)?;
    document["manifests"] = parts.iter().map(|child| child.raw.clone()).collect();
    match document.get_mut("annotations").and_then(Value::as_object_mut) {
        Some(annotations) => {
            annotations.insert(DERIVED_FROM.to_owned(), json!(index.digest));
        }
        None => document["annotations"] = json!({ DERIVED_FROM: index.digest }),
    }
    Ok(Manifest::new(&index.media_type, document.to_string()))
}

fn parse(index: &Manifest) -> Result<Value, Error> {
    let document: Value = serde_json::from_slice(&index.bytes).map_err(malformed(&index.digest))?;
    if document.is_object() {
        Ok(document)
    } else {
        let reason = "it is no JSON object".to_owned();
        Err(Error::MalformedManifest { digest: index.digest.clone(), reason })
    }
}

fn malformed(digest: &Digest) -> impl FnOnce(serde_json::Error) -> Error {
    let digest = digest.clone();
    move |error| Error::MalformedManifest { digest, reason: error.to_string() }
}
