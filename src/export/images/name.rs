//! What errors call an image: its reference and who uses it.

use std::fmt;

use crate::app::{ContainerRef, ImageUse, ObjectId};

use super::ResolvedImage;
use crate::registry::Reference;

/// An image in an error: the reference as it is written, and the objects that use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// The reference.
    pub image: String,
    /// The objects, each once.
    pub users: Vec<ObjectId>,
}

impl ImageName {
    /// The name of what no object is known to use: an image or a chart of a registry.
    pub fn alone(image: impl Into<String>) -> Self {
        Self { image: image.into(), users: Vec::new() }
    }

    fn new(image: &str, uses: &[ContainerRef]) -> Self {
        let mut users: Vec<ObjectId> = uses.iter().map(|of| of.object.clone()).collect();
        users.sort();
        users.dedup();
        Self { image: image.to_owned(), users }
    }
}

impl ImageName {
    /// The host of the reference, if only a cluster may know it.
    pub fn in_cluster(&self) -> Option<&str> {
        let reference: Reference = self.image.parse().ok()?;
        let written = self.image.split('/').next();
        written.filter(|_| reference.host.is_in_cluster())
    }
}

impl From<&ImageUse> for ImageName {
    fn from(image: &ImageUse) -> Self {
        Self::new(image.read_as(), &image.uses)
    }
}

impl From<&ResolvedImage> for ImageName {
    fn from(image: &ResolvedImage) -> Self {
        Self::new(&image.written, &image.uses)
    }
}

/// ``image `web:1` of Deployment web and 2 more``.
impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "image `{}`", self.image)?;
        match self.users.as_slice() {
            [] => Ok(()),
            [user] => write!(f, " of {user}"),
            [user, more @ ..] => write!(f, " of {user} and {} more", more.len()),
        }
    }
}
