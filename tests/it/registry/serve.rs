//! A layout served as a registry: by the letter of the specification, and by helm.

use std::net::SocketAddr;
use std::sync::Arc;

use outhaul::registry::manifest::{OCI_INDEX, OCI_MANIFEST};
use outhaul::registry::progress::Quiet;
use outhaul::registry::{
    Copier, CopyOptions, Digest, Endpoint, Keychain, Layout, Registry, Store as _, serve,
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::fixture::*;
use crate::support::helm::Helm;

/// A running server and a client of it.
struct Served {
    layout: Arc<Layout>,
    address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    _dir: tempfile::TempDir,
}

impl Served {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let layout = Arc::new(Layout::create(dir.path().join("layout")).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve::serve(listener, Arc::clone(&layout), async {
            let _ = stopped.await;
        }));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { layout, address, client, stop: Some(stop), server, _dir: dir }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    /// Begins an upload; the answer is where it goes on.
    async fn upload(&self, repository: &str) -> String {
        let begun =
            self.request("POST", &format!("/v2/{repository}/blobs/uploads/")).send().await.unwrap();
        assert_eq!(begun.status(), StatusCode::ACCEPTED);
        header(&begun, "location")
    }

    /// Files in the layout that are being written.
    fn unfinished(&self) -> usize {
        let names = std::fs::read_dir(self.layout.dir()).unwrap();
        names.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')).count()
    }
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap().to_owned()
}

#[track_caller]
fn code(body: &Value) -> &str {
    assert!(body["errors"][0]["message"].is_string(), "{body}");
    body["errors"][0]["code"].as_str().unwrap()
}

async fn refused(response: Response, status: u16, expected: &str) {
    assert_eq!(response.status(), status);
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(code(&body), expected, "{body}");
}

#[tokio::test]
async fn it_says_that_it_is_a_registry() {
    let served = Served::start().await;
    for path in ["/v2/", "/v2"] {
        let response = served.get(path).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "docker-distribution-api-version"), "registry/2.0");
    }
    assert_eq!(served.get("/").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn blobs_come_whole_in_part_and_by_head() {
    let served = Served::start().await;
    let bytes = content("blob", 300_000);
    let blob = push(&*served.layout, "a/b", LAYER, &bytes).await;
    let path = format!("/v2/a/b/blobs/{}", blob.digest);
    let whole = served.get(&path).await;
    assert_eq!(header(&whole, "docker-content-digest"), blob.digest.as_str());
    assert_eq!(header(&whole, "content-length"), "300000");
    assert_eq!(whole.bytes().await.unwrap(), bytes);
    let head = served.request("HEAD", &path).send().await.unwrap();
    assert_eq!(
        (head.status(), header(&head, "content-length").as_str()),
        (StatusCode::OK, "300000")
    );
    let part = served.request("GET", &path).header("range", "bytes=299990-").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), "bytes 299990-299999/300000");
    assert_eq!(part.bytes().await.unwrap(), bytes[299_990..]);
    let beyond =
        served.request("GET", &path).header("range", "bytes=300000-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let missing = served.get(&format!("/v2/a/b/blobs/{}", Digest::of(b"none"))).await;
    refused(missing, 404, "BLOB_UNKNOWN").await;
    refused(served.get("/v2/a/b/blobs/sha256:0").await, 400, "DIGEST_INVALID").await;
    refused(served.get("/v2/A/blobs/sha256:0").await, 400, "NAME_INVALID").await;
}

#[tokio::test]
async fn a_blob_is_pushed_in_one_request_in_two_and_in_chunks() {
    let served = Served::start().await;
    let repository = repository("a");
    let there = |bytes: &[u8]| {
        let (layout, blob) = (Arc::clone(&served.layout), blob(LAYER, bytes));
        let repository = repository.clone();
        async move { layout.has_blob(&repository, &blob).await.unwrap() }
    };
    let one = format!("/v2/a/blobs/uploads/?digest={}", Digest::of(b"one"));
    let created = served.request("POST", &one).body("one").send().await.unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
    assert_eq!(header(&created, "location"), format!("/v2/a/blobs/{}", Digest::of(b"one")));
    assert!(there(b"one").await);

    let two = format!("{}?digest={}", served.upload("a").await, Digest::of(b"two"));
    let created = served.request("PUT", &two).body("two").send().await.unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
    assert!(there(b"two").await);

    let chunks = served.upload("a").await;
    let patch = |range: &'static str, body: &'static str| {
        served.request("PATCH", &chunks).header("content-range", range).body(body).send()
    };
    let first = patch("0-4", "first").await.unwrap();
    assert_eq!((first.status(), header(&first, "range").as_str()), (StatusCode::ACCEPTED, "0-4"));
    let again = patch("0-4", "first").await.unwrap();
    assert_eq!(again.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let status = served.get(&chunks).await;
    assert_eq!(
        (status.status(), header(&status, "range").as_str()),
        (StatusCode::NO_CONTENT, "0-4")
    );
    patch("5-10", "second").await.unwrap();
    let last = format!("{chunks}?digest={}", Digest::of(b"firstsecondlast"));
    let created = served.request("PUT", &last).header("content-range", "11-14").body("last").send();
    assert_eq!(created.await.unwrap().status(), StatusCode::CREATED);
    assert!(there(b"firstsecondlast").await);
    assert_eq!(served.unfinished(), 0);
    refused(served.get(&chunks).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
}

#[tokio::test]
async fn sha512_is_known_too() {
    let served = Served::start().await;
    let hasher = "sha512:".to_owned() + &"0".repeat(128);
    let mut hasher = hasher.parse::<Digest>().unwrap().hasher();
    hasher.update(b"content");
    let digest = hasher.finish();
    let put = format!("{}?digest={digest}", served.upload("a").await);
    let created = served.request("PUT", &put).body("content").send().await.unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
    let read = served.get(&format!("/v2/a/blobs/{digest}")).await;
    assert_eq!(read.bytes().await.unwrap(), "content");
}

#[tokio::test]
async fn wrong_uploads_leave_nothing() {
    let served = Served::start().await;
    let wrong = format!("?digest={}", Digest::of(b"right"));
    let post = format!("/v2/a/blobs/uploads/{wrong}");
    refused(
        served.request("POST", &post).body("wrong").send().await.unwrap(),
        400,
        "DIGEST_INVALID",
    )
    .await;
    let put = format!("{}{wrong}", served.upload("a").await);
    refused(served.request("PUT", &put).body("wrong").send().await.unwrap(), 400, "DIGEST_INVALID")
        .await;
    refused(
        served.request("PUT", &put).body("right").send().await.unwrap(),
        404,
        "BLOB_UPLOAD_UNKNOWN",
    )
    .await;
    let begun = served.upload("a").await;
    refused(
        served.request("PUT", &begun).body("right").send().await.unwrap(),
        400,
        "DIGEST_INVALID",
    )
    .await;
    let elsewhere = begun.replace("/v2/a/", "/v2/b/");
    refused(served.get(&elsewhere).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    assert_eq!(served.unfinished(), 1);
    let cancelled = served.request("DELETE", &begun).send().await.unwrap();
    assert_eq!(cancelled.status(), StatusCode::NO_CONTENT);
    assert_eq!(served.unfinished(), 0);
    assert_eq!(std::fs::read_dir(served.layout.dir().join("blobs/sha256")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_whose_client_went_away_goes_on_where_it_was() {
    use futures_util::{StreamExt as _, stream};
    let served = Served::start().await;
    let upload = served.upload("a").await;
    let broken =
        stream::iter([Ok("first"), Err(std::io::Error::other("gone"))]).then(|item| async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            item
        });
    let sent =
        served.request("PATCH", &upload).body(reqwest::Body::wrap_stream(broken)).send().await;
    assert!(sent.is_err());
    let status = served.get(&upload).await;
    assert_eq!(header(&status, "range"), "0-4");
    let put = format!("{upload}?digest={}", Digest::of(b"firstsecond"));
    let created = served.request("PUT", &put).body("second").send().await.unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn uploads_are_bounded_and_removed_at_the_end() {
    let mut served = Served::start().await;
    for _ in 0..256 {
        served.upload("a").await;
    }
    let one_more = served.request("POST", "/v2/a/blobs/uploads/").send().await.unwrap();
    refused(one_more, 429, "TOOMANYREQUESTS").await;
    assert_eq!(served.unfinished(), 256);
    served.stop.take().unwrap().send(()).unwrap();
    (&mut served.server).await.unwrap().unwrap();
    assert_eq!(served.unfinished(), 0);
}

#[tokio::test]
async fn a_mount_needs_no_bytes() {
    let served = Served::start().await;
    let blob = push(&*served.layout, "from", LAYER, &content("blob", 10)).await;
    let mount = |digest: &Digest| format!("/v2/to/blobs/uploads/?mount={digest}&from=from");
    let mounted = served.request("POST", &mount(&blob.digest)).send().await.unwrap();
    assert_eq!(mounted.status(), StatusCode::CREATED);
    let unknown = served.request("POST", &mount(&Digest::of(b"none"))).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::ACCEPTED);
    assert!(header(&unknown, "location").starts_with("/v2/to/blobs/uploads/"));
}

async fn put_bytes(
    served: &Served,
    at: &str,
    media_type: &str,
    body: impl Into<reqwest::Body>,
) -> Response {
    let request = served.request("PUT", &format!("/v2/{at}")).header("content-type", media_type);
    request.body(body).send().await.unwrap()
}

#[tokio::test]
async fn manifests_are_checked_before_they_are_taken() {
    let served = Served::start().await;
    let config = push(&*served.layout, "a", "application/json", &"{}".into()).await;
    // As helm writes it: without a type of its own.
    let body = json!({ "schemaVersion": 2, "config": config, "layers": [] }).to_string();
    let put = |at: &str, media_type: &str, body: &str| {
        let (at, media_type, body) = (at.to_owned(), media_type.to_owned(), body.to_owned());
        let served = &served;
        async move { put_bytes(served, &at, &media_type, body).await }
    };
    let created = put("a/manifests/1", OCI_MANIFEST, &body).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let digest = Digest::of(body.as_bytes());
    assert_eq!(header(&created, "docker-content-digest"), digest.as_str());
    for at in ["1", digest.as_str()] {
        let read = served.get(&format!("/v2/a/manifests/{at}")).await;
        assert_eq!(header(&read, "content-type"), OCI_MANIFEST);
        assert_eq!(header(&read, "docker-content-digest"), digest.as_str());
        assert_eq!(read.text().await.unwrap(), body);
        let head = served.request("HEAD", &format!("/v2/a/manifests/{at}")).send().await.unwrap();
        assert_eq!(header(&head, "content-length"), body.len().to_string());
    }
    let at = format!("a/manifests/{}", Digest::of(b"other"));
    refused(put(&at, OCI_MANIFEST, &body).await, 400, "DIGEST_INVALID").await;
    refused(put("a/manifests/1", OCI_INDEX, &body).await, 400, "MANIFEST_INVALID").await;
    for wrong in ["", "[]", "{", "{}", r#"{"layers":[{}]}"#, r#"{"layers":1}"#] {
        refused(put("a/manifests/1", OCI_MANIFEST, wrong).await, 400, "MANIFEST_INVALID").await;
    }
    let missing = json!({ "schemaVersion": 2, "config": blob("x", b"not pushed"), "layers": [] });
    let refusal = put("a/manifests/1", OCI_MANIFEST, &missing.to_string()).await;
    refused(refusal, 404, "MANIFEST_BLOB_UNKNOWN").await;
    let large = put_bytes(&served, "a/manifests/1", OCI_MANIFEST, vec![b' '; (4 << 20) + 1]).await;
    refused(large, 413, "MANIFEST_INVALID").await;
    refused(served.get("/v2/a/manifests/2").await, 404, "MANIFEST_UNKNOWN").await;
    let delete = served.request("DELETE", "/v2/a/manifests/1").send().await.unwrap();
    refused(delete, 405, "UNSUPPORTED").await;
}

#[tokio::test]
async fn tags_are_listed_in_pages() {
    let served = Served::start().await;
    let image = image(&*served.layout, "a/b", &[]).await;
    for name in ["3", "1", "2", "a", "B"] {
        put_tag(&*served.layout, "a/b", name, &image).await;
    }
    let mut next = Some("/v2/a/b/tags/list?n=2".to_owned());
    let mut pages = Vec::new();
    while let Some(path) = next {
        let response = served.get(&path).await;
        next = response.headers().get("link").map(|link| {
            let link = link.to_str().unwrap();
            link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
        });
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(body["name"], "a/b");
        pages.push(body["tags"].clone());
    }
    assert_eq!(pages, [json!(["1", "2"]), json!(["3", "B"]), json!(["a"])]);
    let none: Value =
        serde_json::from_slice(&served.get("/v2/a/b/tags/list?n=0").await.bytes().await.unwrap())
            .unwrap();
    assert_eq!(none["tags"], json!([]));
    refused(served.get("/v2/none/tags/list").await, 404, "NAME_UNKNOWN").await;
    refused(served.get("/v2/a/b/tags/list?n=x").await, 400, "UNSUPPORTED").await;
    let all = served.get("/v2/_catalog").await.text().await.unwrap();
    assert_eq!(all, r#"{"repositories":["a/b"]}"#);
}

#[tokio::test]
async fn referrers_are_listed_and_filtered() {
    let served = Served::start().await;
    let image = image(&*served.layout, "a", &[]).await;
    let one = referrer(&*served.layout, "a", &image, "application/vnd.example.one").await;
    let two = referrer(&*served.layout, "a", &image, "application/vnd.example.two").await;
    let list = async |query: &str| {
        let response = served.get(&format!("/v2/a/referrers/{}{query}", image.digest)).await;
        assert_eq!(header(&response, "content-type"), OCI_INDEX);
        let filtered = response.headers().contains_key("oci-filters-applied");
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        let digests = body["manifests"].as_array().unwrap().iter();
        let mut digests: Vec<_> =
            digests.map(|m| m["digest"].as_str().unwrap().to_owned()).collect();
        digests.sort();
        (digests, filtered)
    };
    let mut both = vec![one.digest.to_string(), two.digest.to_string()];
    both.sort();
    assert_eq!(list("").await, (both, false));
    let filtered = list("?artifactType=application/vnd.example.two").await;
    assert_eq!(filtered, (vec![two.digest.to_string()], true));
    // A client that pushes one is told that it need not keep a list of its own.
    let again =
        put_bytes(&served, &format!("a/manifests/{}", one.digest), OCI_MANIFEST, one.bytes).await;
    assert_eq!(header(&again, "oci-subject"), image.digest.as_str());
}

#[tokio::test]
async fn our_own_client_copies_from_one_to_another() {
    let (from, to) = (Served::start().await, Served::start().await);
    let [source, destination] = [&from, &to].map(|served| {
        let host = served.address.to_string().parse().unwrap();
        let endpoint = Endpoint { plain_http: true, ..Endpoint::new(host) };
        Registry::connect(&endpoint, Keychain::default()).unwrap()
    });
    let one = image(&*from.layout, "a", &[content("one", 700_000), content("both", 10)]).await;
    let two = image(&*from.layout, "a", &[content("two", 300_000), content("both", 10)]).await;
    let children = [child(&one, "linux/amd64"), child(&two, "linux/arm64")];
    let root = index(&*from.layout, "a", &children).await;
    put_tag(&*from.layout, "a", "1", &root).await;
    let signature = referrer(&*from.layout, "a", &root, "application/vnd.example.signature").await;
    let copier = Copier::new(destination.clone(), CopyOptions::default());
    let (source, tags) = (located(&source, "a"), [tag("1")]);
    let (revision, target) = (tag("1").into(), repository("b"));
    let copied = copier.copy(&source, &revision, &target, &tags, &Quiet).await.unwrap();
    assert_eq!((copied.blobs, copied.referrers, copied.bytes_present), (7, 1, 0));
    let arrived = to.layout.manifest(&target, &revision).await.unwrap();
    assert_eq!(arrived, Some(root.clone()));
    let listed = destination.referrers(&target, &root.digest).await.unwrap();
    assert_eq!(listed[0].digest, signature.digest);
    let names = to.layout.tags(&target).await.unwrap().unwrap();
    assert_eq!(names, tags, "a server that lists referrers needs no fallback tag");
    let again = Copier::new(destination, CopyOptions::default());
    let again = again.copy(&source, &revision, &target, &tags, &Quiet).await.unwrap();
    assert_eq!((again.bytes_copied, again.bytes_present), (0, copied.bytes_copied));
    assert_eq!(to.unfinished(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_pushes_to_it_and_pulls_from_it() {
    let served = Served::start().await;
    let registry = format!("oci://{}/charts", served.address);
    for (helm, version) in Helm::both().into_iter().zip(["1.2.3", "1.2.4+build.5"]) {
        helm.run(&["create", "shop"]).ok();
        helm.run(&["package", "shop", "--version", version]).ok();
        let archive = format!("shop-{version}.tgz");
        helm.run(&["push", &archive, &registry, "--plain-http"]).ok();
        std::fs::remove_file(helm.folder().join(&archive)).unwrap();
        let chart = format!("{registry}/shop");
        helm.run(&["pull", &chart, "--version", version, "--plain-http"]).ok();
        assert!(helm.folder().join(&archive).exists());
        let rendered =
            helm.run(&["template", "x", &chart, "--version", version, "--plain-http"]).ok();
        assert!(rendered.mentions("kind: Deployment"));
    }
    let tags = served.layout.tags(&repository("charts/shop")).await.unwrap().unwrap();
    assert_eq!(tags, [tag("1.2.3"), tag("1.2.4_build.5")]);
}
