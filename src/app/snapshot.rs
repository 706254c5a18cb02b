//! What was read of one namespace at one moment: raw objects in order, saved and replayed whole.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::helm::{self, Lookup, Releases};
use super::redact::{self, NotBase64};
use super::{Object, ObjectId, SecretValues};

/// Version of the format of saved snapshots.
pub const FORMAT: u32 = 1;

/// Most objects that one snapshot holds: 300 is a large application; a namespace of ten thousand
/// objects is a mistake of selection, and still fits.
pub const MAX_OBJECTS: usize = 20_000;

/// Most bytes of JSON that one snapshot holds: etcd keeps at most 1.5 MiB an object and 8 GiB in
/// all, so this is about a thousand of the largest ConfigMaps.
pub const MAX_BYTES: usize = 256 << 20;

/// Raw objects of one namespace, and the cluster-scoped ones that may concern it.
///
/// The values of Secrets are [`super::secret::REDACTED`] in `objects`; so is the last-applied
/// annotation of Secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Version of this format: 1.
    pub format: u32,
    /// When reading began.
    pub taken_at: Timestamp,
    /// Where it was read.
    pub origin: Origin,
    /// The namespace it is about.
    pub namespace: String,
    /// The objects, in the order in which they were read.
    pub objects: Vec<Object>,
    /// What could not be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// Objects that were still changing when reading was given up (after three passes).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<ObjectId>,
    /// `os/architecture` of the cluster's nodes, as far as they could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// What helm noted down of the release of the name that is asked for.
    #[serde(default, skip_serializing_if = "Lookup::is_silent")]
    pub release: Lookup,
    /// The same of every release of the namespace, if all of them were asked for.
    #[serde(default, skip_serializing_if = "Releases::is_empty")]
    pub releases: Releases,
    /// Plaintext of Secrets, if the policy asks for it.
    #[serde(skip)]
    pub secrets: SecretValues,
    /// What has come through the door: a snapshot is made by [`Snapshot::new`] and filled by
    /// [`Snapshot::push`], so that nobody can forget to redact or to count.
    #[serde(skip)]
    door: Door,
}

/// What a snapshot remembers to keep its bounds.
#[derive(Clone, Debug, Default)]
struct Door {
    bytes: usize,
    seen: BTreeSet<ObjectId>,
}

/// What happens to the values of a Secret at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plaintext {
    /// Forgotten; names of keys and the type stay.
    Drop,
    /// Kept, in [`Snapshot::secrets`] and nowhere else.
    Keep,
}

/// Something that does not fit in a snapshot, or a file that is none.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// More objects than [`MAX_OBJECTS`].
    #[error("more than {MAX_OBJECTS} objects")]
    TooManyObjects,
    /// More JSON than [`MAX_BYTES`].
    #[error("more than {} MiB of objects", MAX_BYTES >> 20)]
    TooLarge,
    /// The same object for the second time.
    #[error("{0} is there twice")]
    Twice(ObjectId),
    /// A value of a Secret that is not base64. The value itself is not in the error.
    #[error("Secret {}: key `{}` is not base64", .0.secret, .0.key)]
    NotBase64(NotBase64),
    /// A saved snapshot of another version.
    #[error("saved snapshot has format {0}, this release reads format {FORMAT}")]
    Format(u32),
    /// A saved snapshot that does not parse.
    #[error("not a saved snapshot: {0}")]
    Json(#[source] serde_json::Error),
}

/// Where objects come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// A live cluster, known by the uid of its namespace `kube-system`.
    Cluster {
        /// That uid.
        uid: String,
        /// `gitVersion` of the API server.
        version: String,
    },
    /// Files.
    Manifests,
}

/// A kind that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Such as `roles.rbac.authorization.k8s.io`.
    pub resource: String,
    /// What the server said.
    pub reason: String,
}

impl Snapshot {
    /// An empty snapshot.
    pub fn new(taken_at: Timestamp, origin: Origin, namespace: impl Into<String>) -> Self {
        Self {
            format: FORMAT,
            taken_at,
            origin,
            namespace: namespace.into(),
            objects: Vec::new(),
            unreadable: Vec::new(),
            platforms: Vec::new(),
            moved: Vec::new(),
            release: Lookup::default(),
            releases: Releases::default(),
            secrets: SecretValues::default(),
            door: Door::default(),
        }
    }

    /// Adds an object. A Secret is redacted here, whatever `plaintext` says, and so is a record of
    /// helm's, which holds values in clear; with [`Plaintext::Keep`] the values of a Secret of this namespace go to [`Snapshot::secrets`].
    ///
    /// # Errors
    /// When the snapshot is full, has the object already, or a value to keep is not base64.
    pub fn push(&mut self, mut object: Object, plaintext: Plaintext) -> Result<(), SnapshotError> {
        if helm::is_record(&object) {
            redact::redact_record(&mut object);
        } else if redact::is_secret(&object) {
            let values =
                redact::redact(&mut object, plaintext).map_err(SnapshotError::NotBase64)?;
            if plaintext == Plaintext::Keep && self.holds_namespace_of(&object) {
                self.secrets.0.insert(object.name().to_owned(), values);
            }
        }
        self.admit(&object)?;
        self.objects.push(object);
        Ok(())
    }

    /// Counts an object, if it fits.
    fn admit(&mut self, object: &Object) -> Result<(), SnapshotError> {
        if self.objects.len() >= MAX_OBJECTS {
            return Err(SnapshotError::TooManyObjects);
        }
        let bytes = self.door.bytes.saturating_add(json_len(object));
        if bytes > MAX_BYTES {
            return Err(SnapshotError::TooLarge);
        }
        let mut key = object.id();
        key.namespace.get_or_insert_with(|| self.namespace.clone());
        if !self.door.seen.insert(key) {
            return Err(SnapshotError::Twice(object.id()));
        }
        self.door.bytes = bytes;
        Ok(())
    }

    /// Whether the object is of this namespace; files may leave the namespace out.
    fn holds_namespace_of(&self, object: &Object) -> bool {
        object.namespace().is_none_or(|namespace| namespace == self.namespace)
    }

    /// What is known of the release of this name, or of the one that was asked for.
    pub fn release_of(&self, name: &str) -> &Lookup {
        self.releases.get(name).unwrap_or(&self.release)
    }

    /// The snapshot as a file: one JSON document, without plaintext of Secrets.
    ///
    /// # Errors
    /// Never in practice: objects are JSON already.
    pub fn to_json(&self) -> Result<Vec<u8>, SnapshotError> {
        let mut json = serde_json::to_vec_pretty(self).map_err(SnapshotError::Json)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads a saved snapshot. Every object goes through the door again, so a file that someone
    /// edited holds no plaintext and keeps the bounds.
    ///
    /// # Errors
    /// When it does not parse, is of another format or does not fit.
    pub fn from_json(json: &[u8]) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let Version { format } = serde_json::from_slice(json).map_err(SnapshotError::Json)?;
        if format != FORMAT {
            return Err(SnapshotError::Format(format));
        }
        let saved: Self = serde_json::from_slice(json).map_err(SnapshotError::Json)?;
        let mut snapshot = Self { objects: Vec::new(), door: Door::default(), ..saved };
        for object in saved.objects {
            snapshot.push(object, Plaintext::Drop)?;
        }
        Ok(snapshot)
    }
}

/// Length of the object as compact JSON, without building the text.
fn json_len(object: &Object) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.saturating_add(buf.len());
            Ok(buf.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, object.fields()) {
        Ok(()) => count.0,
        // Cannot happen with a JSON tree; counting it as too large is the safe side.
        Err(_) => usize::MAX,
    }
}

impl Origin {
    /// The first part of an export's identity: the cluster's uid, or `manifests`.
    pub fn id(&self) -> &str {
        match self {
            Self::Cluster { uid, .. } => uid,
            Self::Manifests => "manifests",
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn empty() -> Snapshot {
        Snapshot::new(Timestamp::UNIX_EPOCH, Origin::Manifests, "shop")
    }

    fn secret(name: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "data": {"token": "Y2FuYXJ5", "both": "b2xk"}, "stringData": {"both": "new"}}))
        .unwrap()
    }

    #[test]
    fn values_are_kept_apart_and_only_when_wanted() {
        let mut snapshot = empty();
        snapshot.push(secret("kept"), Plaintext::Keep).unwrap();
        snapshot.push(secret("dropped"), Plaintext::Drop).unwrap();
        let kept = &snapshot.secrets.0["kept"];
        assert_eq!(kept["token"].expose_secret(), b"canary");
        assert_eq!(kept["both"].expose_secret(), b"new");
        assert!(!snapshot.secrets.0.contains_key("dropped"));
        let text = String::from_utf8(snapshot.to_json().unwrap()).unwrap();
        assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5") && !text.contains("new"));
        assert!(!format!("{snapshot:?}").contains("canary"));
    }

    #[test]
    fn a_secret_of_another_namespace_gives_no_values() {
        let mut snapshot = empty();
        let mut other = secret("other");
        other.fields_mut()["metadata"]["namespace"] = json!("elsewhere");
        snapshot.push(other, Plaintext::Keep).unwrap();
        assert!(snapshot.secrets.0.is_empty());
    }

    #[test]
    fn a_saved_snapshot_comes_back_and_is_redacted_again() {
        let mut snapshot = empty();
        snapshot.push(secret("a"), Plaintext::Keep).unwrap();
        let json = snapshot.to_json().unwrap();
        let edited = String::from_utf8(json).unwrap().replacen("redacted", "Y2FuYXJ5", 1);
        let back = Snapshot::from_json(edited.as_bytes()).unwrap();
        assert_eq!(back.objects, snapshot.objects);
        assert!(back.secrets.0.is_empty());
    }

    #[test]
    fn another_format_is_refused_before_its_contents_are_read() {
        let error = Snapshot::from_json(br#"{"format": 2, "objects": "elsewhere"}"#).unwrap_err();
        assert_eq!(error.to_string(), "saved snapshot has format 2, this release reads format 1");
    }

    #[test]
    fn the_same_object_does_not_fit_twice() {
        let mut snapshot = empty();
        snapshot.push(secret("a"), Plaintext::Drop).unwrap();
        let mut again = secret("a");
        again.fields_mut()["metadata"]["namespace"] = json!("shop");
        let error = snapshot.push(again, Plaintext::Drop).unwrap_err();
        assert_eq!(error.to_string(), "Secret shop/a is there twice");
    }

    #[test]
    fn the_bounds_hold() {
        let mut snapshot = empty();
        snapshot.door.bytes = MAX_BYTES - 10;
        assert!(matches!(
            snapshot.push(secret("a"), Plaintext::Drop),
            Err(SnapshotError::TooLarge)
        ));
    }
}
