//! Small images to export, and the least of a client to push and read them without our own code.

use std::collections::BTreeMap;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::block_on;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const PLAIN_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image of two platforms: an index, its manifests, and their blobs.
pub(crate) struct Image {
    /// The bytes of the index.
    pub(crate) index: Vec<u8>,
    /// The manifest of each platform, amd64 first.
    pub(crate) manifests: Vec<Vec<u8>>,
    /// Configs and layers by digest.
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
}

/// Where a registry is and how to get in.
#[derive(Clone)]
pub(crate) struct Target {
    /// Without a slash at the end.
    pub(crate) url: String,
    pub(crate) login: Option<(String, String)>,
    /// PEM of the only authority to trust.
    pub(crate) ca: Option<String>,
}

/// `sha256:…` of these bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

impl Image {
    /// `layers` layers of `size` pseudo-random bytes for each platform. One seed, one image.
    pub(crate) fn new(seed: u64, layers: usize, size: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let run = json!({ "Cmd": ["/app"], "Labels": { "seed": seed.to_string() } });
        Self::of_platforms(&run, |image| {
            let mut bytes = || std::iter::repeat_with(|| random.u8(..)).take(size).collect();
            (0..layers).map(|_| image.add(LAYER, bytes())).collect()
        })
    }

    /// `run` is what the configuration says of running it; `layers` adds those of a platform.
    fn of_platforms(run: &Value, mut layers: impl FnMut(&mut Self) -> Vec<Value>) -> Self {
        let mut image = Self { index: Vec::new(), manifests: Vec::new(), blobs: BTreeMap::new() };
        let mut children = Vec::new();
        for architecture in ["amd64", "arm64"] {
            let layers = layers(&mut image);
            let config = json!({
                "architecture": architecture,
                "os": "linux",
                "config": run,
                "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|l| &l["digest"]).collect::<Vec<_>>() },
            });
            let config = image.add(CONFIG, config.to_string().into_bytes());
            let manifest = json!({
                "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
            });
            let manifest = manifest.to_string().into_bytes();
            let mut child = descriptor(MANIFEST, &manifest);
            child["platform"] = json!({ "os": "linux", "architecture": architecture });
            children.push(child);
            image.manifests.push(manifest);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
        image.index = index.to_string().into_bytes();
        image
    }

    /// An image that runs: the machine's static busybox with `entrypoint`, and `page` as
    /// `/www/index.html`. Both platforms hold this machine's program.
    pub(crate) fn runnable(entrypoint: &[&str], page: &str) -> Self {
        let busybox = std::fs::read("/bin/busybox").unwrap();
        let mut layer = tar::Builder::new(Vec::new());
        for (path, bytes) in [("bin/busybox", &*busybox), ("www/index.html", page.as_bytes())] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_size(bytes.len() as u64);
            layer.append_data(&mut header, path, bytes).unwrap();
        }
        let layer = layer.into_inner().unwrap();
        Self::of_platforms(&json!({ "Entrypoint": entrypoint }), |image| {
            vec![image.add(PLAIN_LAYER, layer.clone())]
        })
    }

    /// The digest of the index: what a pod runs, and what has to arrive.
    pub(crate) fn digest(&self) -> String {
        digest(&self.index)
    }

    /// Pushes it whole, and gives its digest.
    pub(crate) fn push(&self, target: &Target, repository: &str, tag: &str) -> String {
        block_on(async {
            for blob in self.blobs.values() {
                target.push_blob(repository, blob).await;
            }
            for manifest in &self.manifests {
                target.push_manifest(repository, &digest(manifest), MANIFEST, manifest).await;
            }
            target.push_manifest(repository, tag, INDEX, &self.index).await;
        });
        self.digest()
    }

    fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let descriptor = descriptor(media_type, &bytes);
        self.blobs.insert(digest(&bytes), bytes);
        descriptor
    }
}

impl Target {
    /// GET of a path that starts with `/v2/`.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path, "*/*", Vec::new()).await.unwrap()
    }

    /// The bytes behind a tag or digest, if they are there.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<Vec<u8>> {
        // Distribution denies that a manifest exists whose type is not accepted by name.
        self.read(
            &format!("/v2/{repository}/manifests/{reference}"),
            &format!("{INDEX}, {MANIFEST}"),
        )
    }

    /// The bytes of a blob, if they are there.
    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        self.read(&format!("/v2/{repository}/blobs/{digest}"), "*/*")
    }

    /// The tags of a repository, sorted; none if it does not exist.
    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        let Some(bytes) = self.read(&format!("/v2/{repository}/tags/list"), "*/*") else {
            return Vec::new();
        };
        let list: Value = serde_json::from_slice(&bytes).unwrap();
        let tags = list["tags"].as_array().cloned().unwrap_or_default();
        let mut tags: Vec<_> = tags.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect();
        tags.sort();
        tags
    }

    /// Deletes a tag or a manifest, as somebody else would behind our back.
    pub(crate) fn delete_manifest(&self, repository: &str, reference: &str) {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = block_on(self.request(Method::DELETE, &path, "*/*", Vec::new())).unwrap();
        assert_eq!(answer.status(), 202, "DELETE {path}");
    }

    /// Pushes a manifest of any type under a tag or its digest.
    pub(crate) async fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = self.request(Method::PUT, &path, media_type, bytes.to_vec()).await.unwrap();
        assert_eq!(answer.status(), 201, "PUT {path}: {}", answer.text().await.unwrap());
    }

    /// Pushes a blob in one piece.
    pub(crate) async fn push_blob(&self, repository: &str, bytes: &[u8]) {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = self
            .request(Method::POST, &path, "application/octet-stream", Vec::new())
            .await
            .unwrap();
        assert_eq!(answer.status(), 202, "POST {path}");
        let location = answer.headers()["location"].to_str().unwrap();
        let location = location.strip_prefix(&self.url).unwrap_or(location);
        let separator = if location.contains('?') { '&' } else { '?' };
        let path = format!("{location}{separator}digest={}", digest(bytes));
        let answer = self
            .request(Method::PUT, &path, "application/octet-stream", bytes.to_vec())
            .await
            .unwrap();
        assert_eq!(answer.status(), 201, "PUT {path}");
    }

    fn read(&self, path: &str, accept: &str) -> Option<Vec<u8>> {
        block_on(async {
            let answer = self.request(Method::GET, path, accept, Vec::new()).await.unwrap();
            match answer.status().as_u16() {
                200 => Some(answer.bytes().await.unwrap().to_vec()),
                404 => None,
                status => panic!("GET {path}: {status}"),
            }
        })
    }

    /// One request, no redirect followed. `media_type` is what is sent, or what a GET accepts.
    ///
    /// # Errors
    ///
    /// When no answer comes; every status is an answer.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: Vec<u8>,
    ) -> Result<Response, reqwest::Error> {
        // No authorities but the one: reading the system's takes longer than the request.
        let roots = self.ca.iter().map(|pem| Certificate::from_pem(pem.as_bytes()).unwrap());
        let client = Client::builder().no_proxy().redirect(Policy::none()).tls_certs_only(roots);
        let header = if method == Method::GET { "accept" } else { "content-type" };
        let mut request = client.build()?.request(method, format!("{}{path}", self.url));
        if let Some((user, password)) = &self.login {
            request = request.basic_auth(user, Some(password));
        }
        request.header(header, media_type).body(body).send().await
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() })
}
