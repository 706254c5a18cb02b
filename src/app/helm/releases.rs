//! What was found of all releases of a namespace.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Lookup;
use super::record::MAX_UNPACKED;

/// Most releases of one namespace that are looked at: each is at least one object of a snapshot.
const MAX_RELEASES: usize = crate::app::snapshot::MAX_OBJECTS;

/// Most bytes of records that are kept whole: as much as the largest one has.
const MAX_KEPT: usize = MAX_UNPACKED;

/// By name of the release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Releases {
    found: BTreeMap<String, Lookup>,
    /// Bytes of the records that are kept.
    #[serde(skip)]
    kept: usize,
}

impl Releases {
    /// Adds what was found of a release. Beyond a limit the record itself is dropped, and what
    /// was read in it stays.
    pub fn add(&mut self, name: String, mut lookup: Lookup) {
        if self.found.len() >= MAX_RELEASES {
            return;
        }
        if let Lookup::Found(release) = &mut lookup
            && let Some(record) = &release.record
        {
            let size = record.size();
            if size > MAX_KEPT - self.kept {
                release.record = None;
            } else {
                self.kept += size;
            }
        }
        self.found.insert(name, lookup);
    }

    /// What was found of the release; `None`: nothing.
    pub fn get(&self, name: &str) -> Option<&Lookup> {
        self.found.get(name)
    }

    /// All of them, in order of name.
    pub fn all(&self) -> impl Iterator<Item = &Lookup> {
        self.found.values()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}
