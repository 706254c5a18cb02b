//! What systems say of registries, in terms of all of them: one model between their documents.
//!
//! ```text
//!  eda ────┐                          ┌─► eda
//!  avassa ─┤                          ├─► avassa
//!  iofog ──┼─► Registries ─ losses ───┼─► iofog, edgelet
//!  epinio ─┘        └─► resolve       └─► epinio
//! ```
//!
//! Readers and writers are pure: documents in, [`Registries`] and findings out, and back. What is
//! odd is a [`Finding`]; only what is no document of the system at all is an [`Error`].

mod address;
mod convert;
mod document;
mod emitted;
mod error;
mod fields;
mod find;
#[cfg(test)]
pub(crate) mod fixtures;
mod image;
mod losses;
#[cfg(test)]
mod mutations;
mod names;
mod resolve;
#[cfg(test)]
mod round_trips;
mod row;
mod shown;
mod unknown;
mod workload;

pub use address::{Address, Scheme};
pub use convert::{Converted, convert};
pub use document::{Document, WriteOptions};
pub use emitted::{Emitted, File};
pub use error::Error;
pub use find::NotFound;
pub use image::Image;
pub use losses::losses;
pub(crate) use resolve::rule_for;
pub use resolve::{CredentialUse, Resolved, Unresolved, resolve};
pub use row::{Login, Registries, Reported, Row, Rule, Scope, SecretName, Username};
pub use shown::ShownRow;
pub use unknown::Unknown;
#[cfg(test)]
pub(crate) use workload::tests::{made, made_of};
pub use workload::{
    Application as ModelledApplication, Container, Content, Exported, Exposed, Lost, Mount,
    Setting, Shipped, Variable, Volume, Workload, application,
};

pub(crate) use document::{fill, fill_secret, fill_username, is_placeholder, placeholder};
pub(crate) use fields::Fields;
pub(crate) use names::{is_subdomain, slug, unique};

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::Finding;

/// A system that describes registries in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Epinio, whose labelled Secrets are our native form.
    Epinio,
    /// Nokia EDA.
    Eda,
    /// Avassa Control Tower.
    Avassa,
    /// Edgeworx Cloud and Eclipse ioFog with Java agents.
    Iofog,
    /// Eclipse ioFog's edgelet.
    Edgelet,
}

/// What a reader found.
#[derive(Debug, Default)]
pub struct Read {
    /// The registries.
    pub registries: Registries,
    /// What is odd about their description.
    pub findings: Vec<Finding>,
}

impl System {
    /// Every system, in the order of the help.
    pub const ALL: [Self; 5] = [Self::Epinio, Self::Eda, Self::Avassa, Self::Iofog, Self::Edgelet];

    /// The word for `--from` and `--to`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Epinio => "epinio",
            Self::Eda => "eda",
            Self::Avassa => "avassa",
            Self::Iofog => "iofog",
            Self::Edgelet => "edgelet",
        }
    }

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Epinio => "Epinio",
            Self::Eda => "Nokia EDA",
            Self::Avassa => "Avassa Control Tower",
            Self::Iofog => "ioFog",
            Self::Edgelet => "edgelet",
        }
    }
}

/// A word that names no system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of epinio, eda, avassa, iofog, edgelet")]
pub struct UnknownSystem;

impl FromStr for System {
    type Err = UnknownSystem;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|system| system.as_str() == word).ok_or(UnknownSystem)
    }
}

/// Reads the documents of one system.
///
/// # Errors
/// When none of them is about registries of that system.
pub fn read(system: System, documents: Vec<Value>) -> Result<Read, Error> {
    match system {
        System::Epinio => crate::destination::epinio::read(documents),
        System::Eda => crate::destination::eda::read(documents),
        System::Avassa => crate::destination::avassa::read(documents),
        System::Iofog | System::Edgelet => crate::destination::iofog::read(documents),
    }
}

/// Writes the documents of one system. What it cannot say is left out; [`losses`] says what.
pub fn write(system: System, registries: &Registries, options: &WriteOptions) -> Vec<Document> {
    match system {
        System::Epinio => crate::destination::epinio::write(registries, options),
        System::Eda => crate::destination::eda::write(registries, options),
        System::Avassa => crate::destination::avassa::write(registries, options),
        System::Iofog => crate::destination::iofog::write_yaml(registries, options),
        System::Edgelet => crate::destination::iofog::write_edgelet(registries, options),
    }
}
