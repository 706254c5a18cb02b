//! Where helm keeps its records: Secrets or ConfigMaps, one for each revision, told by labels.

use super::RecordError;
use super::record::MAX_PACKED;
use crate::app::Object;
use crate::app::redact;

/// What the names of records begin with.
const PREFIX: &str = "sh.helm.release.v1.";

/// Longest name of a release (helm, `pkg/chartutil/validate_name.go`).
const LONGEST_NAME: usize = 53;

/// What became of a revision (helm, `pkg/release/v1/status.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It is installed.
    Deployed,
    /// A later one took its place.
    Superseded,
    /// It did not come to its end.
    Failed,
    /// It has begun and not ended: `pending-install`, `pending-upgrade`, `pending-rollback`.
    Pending,
    /// It is being removed.
    Uninstalling,
    /// It is removed, and its history kept.
    Uninstalled,
    /// Anything else.
    Unknown,
}

/// A record as its metadata describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name of the Secret or ConfigMap.
    pub record: String,
    /// Revision of the release.
    pub revision: u32,
    /// What became of it.
    pub status: Status,
}

/// The record that says what is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// That record.
    pub taken: Entry,
    /// Later ones, in order: upgrades that failed or did not end.
    pub newer: Vec<Entry>,
}

impl Status {
    /// The status that helm calls so.
    pub fn new(text: &str) -> Self {
        match text {
            "deployed" => Self::Deployed,
            "superseded" => Self::Superseded,
            "failed" => Self::Failed,
            "pending-install" | "pending-upgrade" | "pending-rollback" => Self::Pending,
            "uninstalling" => Self::Uninstalling,
            "uninstalled" => Self::Uninstalled,
            _ => Self::Unknown,
        }
    }

    /// For a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Uninstalling => "being uninstalled",
            Self::Uninstalled => "uninstalled",
            Self::Unknown => "of unknown status",
        }
    }
}

impl Entry {
    /// Reads the metadata of a record: labels first, which helm selects by itself, else the name.
    pub fn new(record: &str, version: Option<&str>, status: Option<&str>) -> Self {
        let of_name = || record.rsplit_once(".v").map(|(_, number)| number);
        let revision = version.or_else(of_name).and_then(|number| number.parse().ok());
        Self {
            record: record.to_owned(),
            revision: revision.unwrap_or_default(),
            status: Status::new(status.unwrap_or_default()),
        }
    }
}

/// Which of the records of one release says what is installed: the newest that is deployed, or the
/// newest at all where none is. `None`: there are none, or the release has been uninstalled.
pub fn choose(mut entries: Vec<Entry>) -> Option<Choice> {
    entries.sort_by(|a, b| (a.revision, &a.record).cmp(&(b.revision, &b.record)));
    let deployed = entries.iter().rposition(|entry| entry.status == Status::Deployed);
    let at = deployed.or_else(|| entries.len().checked_sub(1))?;
    if entries[at].status == Status::Uninstalled {
        return None;
    }
    let newer = entries.split_off(at + 1);
    entries.pop().map(|taken| Choice { taken, newer })
}

/// Whether a release may have this name; others are not looked for.
pub fn is_release_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
}

/// Whether the object is a record, of any release.
pub fn is_record(object: &Object) -> bool {
    let holds =
        redact::is_secret(object) || (object.kind() == "ConfigMap" && object.group().is_empty());
    holds && is_record_name(object.name()) && object.label("owner") == Some("helm")
}

/// Whether helm calls records so.
pub fn is_record_name(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// What a record holds, as helm encoded it: base64 text. In a Secret it is encoded once more.
///
/// # Errors
/// When it is not there, too large, or not base64.
pub fn payload(record: &Object) -> Result<Vec<u8>, RecordError> {
    let field = |field: &str| record.at(field)?.get("release")?.as_str();
    let bounded = |text: &str, most: usize| {
        if text.len() > most { Err(RecordError::TooLarge) } else { Ok(()) }
    };
    if redact::is_secret(record) {
        if let Some(text) = field("/stringData") {
            bounded(text, MAX_PACKED)?;
            return Ok(text.as_bytes().to_vec());
        }
        let text = field("/data").ok_or(RecordError::Empty)?;
        // Four characters for three bytes, and line breaks of YAML.
        bounded(text, MAX_PACKED * 3 / 2)?;
        return super::record::base64(text.as_bytes());
    }
    let text = field("/data").ok_or(RecordError::Empty)?;
    bounded(text, MAX_PACKED)?;
    Ok(text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(of: &[(u32, &str)]) -> Vec<Entry> {
        let entry = |(revision, status): &(u32, &str)| {
            Entry::new("r", Some(&revision.to_string()), Some(status))
        };
        of.iter().map(entry).collect()
    }

    #[test]
    fn the_newest_deployed_revision_is_what_is_installed() {
        for (of, taken, newer) in [
            (&[(1, "superseded"), (2, "deployed")][..], Some(2), 0),
            (
                &[(2, "deployed"), (3, "failed"), (4, "pending-upgrade"), (1, "superseded")],
                Some(2),
                2,
            ),
            (&[(1, "failed")], Some(1), 0),
            (&[(1, "pending-install")], Some(1), 0),
            (&[(9, "superseded"), (10, "uninstalling")], Some(10), 0),
            (&[(1, "superseded"), (2, "uninstalled")], None, 0),
            (&[], None, 0),
        ] {
            let choice = choose(entries(of));
            assert_eq!(choice.as_ref().map(|choice| choice.taken.revision), taken, "{of:?}");
            assert_eq!(choice.map_or(0, |choice| choice.newer.len()), newer, "{of:?}");
        }
    }

    #[test]
    fn the_name_tells_the_revision_where_no_label_does() {
        assert_eq!(Entry::new("sh.helm.release.v1.shop.v12", None, None).revision, 12);
        assert_eq!(Entry::new("x", None, Some("deployed")).revision, 0);
    }
}
