//! What makes a document unreadable as a whole.

use super::System;

/// Documents that are not a system's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing in them is about registries of the system.
    #[error("nothing here describes registries of {}", .system.title())]
    NotOfSystem {
        /// Which one was asked for.
        system: System,
    },
    /// An answer of a server in place of a document.
    #[error("this is what {} answers when it refuses: {name}: {message}", .system.title())]
    Refused {
        /// Which one.
        system: System,
        /// The name of its error.
        name: String,
        /// Its words.
        message: String,
    },
}

impl Error {
    /// What the user can do about it, in a sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotOfSystem { system } => match system {
                System::Epinio => {
                    "give Secrets with label `epinio.io/api-export-registry: \"true\"`, as \
                     `kubectl get secrets -n epinio -o yaml` prints them"
                }
                System::Eda => {
                    "give resources of kind Registry (appstore.eda.nokia.com/v1) and their Secrets, \
                     as `kubectl get registries,secrets -n eda-system -o yaml` prints them"
                }
                System::Avassa => {
                    "give what `supctl show image-registry remote-registries` prints: a list of \
                     mappings with `address`"
                }
                System::Iofog | System::Edgelet => {
                    "give what `edgectl -j get registries` prints, an answer of \
                     /api/v3/registries, or YAML of kind Registry"
                }
            },
            Self::Refused { .. } => "log in, and ask for the list again",
        }
    }
}
