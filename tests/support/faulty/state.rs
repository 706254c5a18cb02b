//! What the registry stores and remembers, and the answers it makes of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::body::Bytes;
use serde_json::{Value, json};

use super::{Fault, Options, Request};
use crate::support::images::digest;

/// Everything behind one lock.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) faults: Vec<Fault>,
    /// By arrival.
    pub(super) log: BTreeMap<usize, Request>,
    /// Whether an `Authorization` header came to the other host.
    pub(super) leaked: bool,
    /// Scopes by token, each `repository:NAME:ACTION`.
    pub(super) tokens: HashMap<String, BTreeSet<String>>,
    pub(super) uploads: HashMap<String, Upload>,
    pub(super) repositories: BTreeMap<String, Repository>,
    /// Numbers requests, tokens and uploads.
    pub(super) counter: usize,
}

#[derive(Default)]
pub(super) struct Repository {
    pub(super) blobs: HashMap<String, Bytes>,
    pub(super) manifests: BTreeMap<String, Manifest>,
    pub(super) tags: BTreeMap<String, String>,
}

pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

pub(super) struct Upload {
    pub(super) repository: String,
    pub(super) bytes: Vec<u8>,
}

/// An answer before it is sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            faults: Vec::new(),
            log: BTreeMap::new(),
            leaked: false,
            tokens: HashMap::new(),
            uploads: HashMap::new(),
            repositories: BTreeMap::new(),
            counter: 0,
        }
    }

    pub(super) fn name(&mut self, what: &str) -> String {
        self.counter += 1;
        format!("{what}-{}", self.counter)
    }

    /// A new upload session's answer.
    pub(super) fn open_upload(&mut self, repository: &str) -> Reply {
        let id = self.name("upload");
        let upload = Upload { repository: repository.to_owned(), bytes: Vec::new() };
        self.uploads.insert(id.clone(), upload);
        Reply::status(202)
            .header("location", format!("/v2/{repository}/blobs/uploads/{id}?state=1"))
            .header("range", "0-0")
            .header("docker-upload-uuid", id)
    }
}

impl Repository {
    /// The digest behind a tag or a digest, whether or not anything has it.
    pub(super) fn resolve(&self, reference: &str) -> Option<String> {
        if reference.contains(':') {
            return Some(reference.to_owned());
        }
        self.tags.get(reference).cloned()
    }

    /// The first part of a manifest that is not here.
    pub(super) fn missing(&self, manifest: &Value) -> Option<String> {
        let digests = |key: &str| {
            let list = manifest[key].as_array().cloned().unwrap_or_default();
            list.into_iter().filter_map(|part| Some(part["digest"].as_str()?.to_owned()))
        };
        let config = manifest["config"]["digest"].as_str().map(str::to_owned);
        let mut blobs = digests("layers").chain(config);
        let blob = blobs.find(|digest| !self.blobs.contains_key(digest));
        blob.or_else(|| digests("manifests").find(|digest| !self.manifests.contains_key(digest)))
    }
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// An error in the specification's form.
    pub(super) fn error(status: u16, code: &str) -> Self {
        let body = json!({ "errors": [{ "code": code, "message": code.to_lowercase() }] });
        Self::json(status, &body)
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::content(status, "application/json", Bytes::from(body.to_string()))
    }

    pub(super) fn content(status: u16, media_type: &str, body: Bytes) -> Self {
        Self { status, headers: vec![("content-type", media_type.to_owned())], body }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.into()));
        self
    }

    /// With the digest of its body.
    pub(super) fn digested(self) -> Self {
        let digest = digest(&self.body);
        self.header("docker-content-digest", digest)
    }
}
