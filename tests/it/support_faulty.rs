//! The registry with faults: it keeps to the protocol where it is to, and fails as it was told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::block_on;
use crate::support::faulty::{Auth, Fault, Faulty, Options, Place, Trouble};
use crate::support::images::{Image, MANIFEST, Target, digest};

const UPLOADS: &str = "/v2/demo/web/blobs/uploads/";

fn front(faulty: &Faulty) -> Target {
    Target { url: format!("http://{}", faulty.address()), login: None, ca: None }
}

/// Status, headers and body; nothing when the connection broke.
fn ask(
    faulty: &Faulty,
    method: Method,
    path: &str,
    body: &[u8],
) -> Option<(u16, HeaderMap, String)> {
    block_on(async {
        let target = front(faulty);
        let answer = target.request(method, path, MANIFEST, body.to_vec()).await.ok()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Some((status, headers, answer.text().await.ok()?))
    })
}

/// Status, `Location` or `Link`, and body.
fn send(faulty: &Faulty, method: Method, path: &str, body: &[u8]) -> (u16, String, String) {
    let (status, headers, body) = ask(faulty, method, path, body).unwrap();
    let place = headers.get("location").or(headers.get("link"));
    (status, place.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default(), body)
}

/// The bytes of an answer up to where the connection ends, from its status line on.
fn raw(faulty: &Faulty, request: &str) -> String {
    let mut stream = TcpStream::connect(faulty.address()).unwrap();
    let head = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn images_come_back_as_they_went_and_incomplete_ones_are_refused() {
    let faulty = Faulty::start();
    let image = Image::new(1, 2, 500);
    let (status, _, body) = send(&faulty, Method::PUT, "/v2/demo/web/manifests/1", &image.index);
    assert_eq!((status, body.contains("MANIFEST_BLOB_UNKNOWN")), (400, true));

    let root = image.push(&front(&faulty), "demo/web", "1");
    assert_eq!(faulty.target().manifest("demo/web", "1").as_ref(), Some(&image.index));
    let (layer, bytes) = image.blobs.first_key_value().unwrap();
    assert_eq!(front(&faulty).blob("demo/web", layer).as_ref(), Some(bytes));
    assert_eq!(faulty.count("POST", "/blobs/uploads/"), image.blobs.len());
    assert!(faulty.requests().iter().all(|request| request.status != 0));

    let mount = format!("/v2/other/app/blobs/uploads/?mount={layer}&from=demo/web");
    assert_eq!(send(&faulty, Method::POST, &mount, b"").0, 201);
    assert_eq!(faulty.target().blob("other/app", layer).as_ref(), Some(bytes));
    assert_eq!(
        send(&faulty, Method::DELETE, &format!("/v2/demo/web/manifests/{root}"), b"").0,
        202
    );
    assert_eq!(faulty.target().tags("demo/web"), [""; 0]);
}

#[test]
fn tags_come_in_pages_and_referrers_when_there_are_any() {
    let faulty = Faulty::with(Options { referrers: true, page: 2, ..Options::default() });
    let image = Image::new(2, 1, 10);
    for tag in ["a", "b", "c"] {
        image.push(&faulty.target(), "demo/web", tag);
    }
    let (_, next, page) = send(&faulty, Method::GET, "/v2/demo/web/tags/list", b"");
    assert!(
        page.contains(r#"["a","b"]"#)
            && next == r#"</v2/demo/web/tags/list?last=b&n=2>; rel="next""#
    );
    let (_, next, page) = send(&faulty, Method::GET, "/v2/demo/web/tags/list?last=b&n=2", b"");
    assert!(page.contains(r#"["c"]"#) && next.is_empty());

    let signature = json!({ "schemaVersion": 2, "artifactType": "test/signature",
        "config": { "digest": image.blobs.keys().next() }, "subject": { "digest": image.digest() } });
    let put =
        send(&faulty, Method::PUT, "/v2/demo/web/manifests/sig", signature.to_string().as_bytes());
    assert_eq!(put.0, 201);
    let (_, _, index) =
        send(&faulty, Method::GET, &format!("/v2/demo/web/referrers/{}", image.digest()), b"");
    let index: Value = serde_json::from_str(&index).unwrap();
    assert_eq!(index["manifests"][0]["artifactType"], "test/signature");
}

#[test]
fn uploads_go_in_chunks_and_on_from_where_they_broke_off() {
    let faulty = Faulty::start();
    let (status, session, _) = send(&faulty, Method::POST, UPLOADS, b"");
    assert_eq!(status, 202);
    faulty.fault(Fault::on("PATCH", UPLOADS, Trouble::DropUploadAfter(3)));
    assert!(ask(&faulty, Method::PATCH, &session, b"hello").is_none());
    let (status, session, _) = send(&faulty, Method::GET, &session, b"");
    assert_eq!((status, faulty.open_uploads()), (204, 1));
    let (status, session, _) = send(&faulty, Method::PATCH, &session, b"lo");
    assert_eq!(status, 202);
    let finish = |digest: &str| format!("{session}&digest={digest}");
    assert_eq!(send(&faulty, Method::PUT, &finish(&digest(b"hello")), b"").0, 201);
    assert_eq!(send(&faulty, Method::PUT, &finish(&digest(b"hello")), b"").0, 404);

    let (_, session, _) = send(&faulty, Method::POST, UPLOADS, b"");
    assert_eq!(send(&faulty, Method::PUT, &format!("{session}&digest=sha256:0"), b"hi").0, 400);
    let (_, session, _) = send(&faulty, Method::POST, UPLOADS, b"");
    assert_eq!(send(&faulty, Method::DELETE, &session, b"").0, 204);
}

#[test]
fn tokens_open_what_they_were_asked_for() {
    let faulty = Faulty::with_auth(Auth::Token("carol", "s3cret"));
    let manifest = "/v2/demo/web/manifests/1";
    let answer = block_on(front(&faulty).get(manifest));
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    let realm = format!("http://{}/token", faulty.address());
    let scope = "repository:demo/web:pull";
    assert_eq!(challenge, format!(r#"Bearer realm="{realm}",service="faulty",scope="{scope}""#));

    let token = |login: bool, scope: &str| {
        let login = login.then(|| ("carol".to_owned(), "s3cret".to_owned()));
        let target = Target { login, ..front(&faulty) };
        let answer = block_on(async {
            target.get(&format!("/token?service=faulty&scope={scope}")).await.text().await.unwrap()
        });
        serde_json::from_str::<Value>(&answer).unwrap()["token"].as_str().map(str::to_owned)
    };
    let status = |token: &Option<String>, method: Method, path: &str| {
        let header = format!("Bearer {}", token.as_ref().unwrap());
        let url = format!("http://{}{path}", faulty.address());
        let request = async {
            reqwest::Client::new().request(method, url).header("authorization", header).send().await
        };
        block_on(request).unwrap().status().as_u16()
    };
    let reader = token(true, scope);
    assert_eq!(status(&reader, Method::GET, manifest), 404);
    assert_eq!(status(&reader, Method::POST, UPLOADS), 401);
    let both = "repository:demo/web:pull,push";
    assert_eq!(status(&token(false, both), Method::POST, UPLOADS), 401);
    let writer = token(true, both);
    assert_eq!(status(&writer, Method::POST, UPLOADS), 202);
    faulty.expire_tokens();
    assert_eq!(status(&writer, Method::POST, UPLOADS), 401);
    assert_eq!(token(true, "nonsense"), None);
    assert_eq!(faulty.count("GET", "/token"), 4);
    faulty.forget_uploads();
}

#[test]
fn faults_strike_where_and_as_often_as_they_are_told() {
    let faulty = Faulty::start();
    let image = Image::new(3, 1, 1000);
    image.push(&faulty.target(), "demo/web", "1");
    let (layer, bytes) = image.blobs.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let blob = format!("/v2/demo/web/blobs/{layer}");
    let get = |path: &str| send(&faulty, Method::GET, path, b"");

    faulty.fault(Fault::on("GET", "/blobs/", Trouble::Status(503)).after(1).times(2));
    assert_eq!([200, 503, 503, 200], [0; 4].map(|_| get(&blob).0));

    faulty.fault(Fault::on("GET", "/v2/", Trouble::RetryAfter(429, "1".to_owned())));
    let answer = block_on(front(&faulty).get("/v2/"));
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );

    faulty.fault(Fault::on("GET", "/v2/", Trouble::Page(502, "<h1>Bad</h1>".to_owned())));
    assert_eq!(get("/v2/").2, "<h1>Bad</h1>");
    faulty.fault(Fault::on("GET", "/v2/", Trouble::Drop));
    assert_eq!(raw(&faulty, "GET /v2/"), "");
    faulty.fault(Fault::on("GET", "/blobs/", Trouble::CutAfter(10)));
    let cut = raw(&faulty, &format!("GET {blob}"));
    assert!(cut.starts_with("HTTP/1.1 200") && cut.contains("content-length: 1000"), "{cut}");
    assert!(cut.len() < 500, "{cut}");

    faulty.fault(Fault::on("GET", "/manifests/", Trouble::WrongBytes));
    assert_eq!(get("/v2/demo/web/manifests/1").2.len(), image.index.len());
    faulty.fault(Fault::on("HEAD", "/manifests/", Trouble::WrongDigest));
    let head = ask(&faulty, Method::HEAD, "/v2/demo/web/manifests/1", b"").unwrap().1;
    assert_ne!(head["docker-content-digest"], image.digest());
    assert_eq!(head["content-length"], image.index.len().to_string());

    let mount = format!("/v2/other/app/blobs/uploads/?mount={layer}&from=demo/web");
    faulty.fault(Fault::on("POST", "mount=", Trouble::RefuseMount));
    let (status, session, _) = send(&faulty, Method::POST, &mount, b"");
    assert_eq!(status, 202);
    faulty.fault(Fault::on("PUT", "/uploads/", Trouble::LoseAnswer));
    let finish = format!("{session}&digest={layer}");
    assert!(ask(&faulty, Method::PUT, &finish, bytes).is_none());
    assert_eq!(faulty.target().blob("other/app", layer).as_ref(), Some(bytes));

    faulty.fault(Fault::on("GET", "/blobs/", Trouble::Redirect(Place::OtherHost)));
    assert_eq!(get(&blob).1, format!("http://{}{blob}", faulty.other_host()));
    faulty.fault(Fault::on("POST", "/uploads/", Trouble::Location(Place::OtherHost)));
    let (_, place, _) = send(&faulty, Method::POST, UPLOADS, b"");
    assert!(place.starts_with(&format!("http://{}{UPLOADS}", faulty.other_host())), "{place}");
    let elsewhere = block_on(reqwest::get(format!("http://{}{blob}", faulty.other_host())));
    assert!(elsewhere.is_ok() && faulty.requests().last().unwrap().other_host);
    faulty.forget_uploads();
}

#[test]
fn what_is_left_over_fails_the_test() {
    let ends_badly = |faulty: Faulty| catch_unwind(AssertUnwindSafe(|| drop(faulty))).is_err();
    assert!(!ends_badly(Faulty::start()));

    let with_upload = Faulty::start();
    send(&with_upload, Method::POST, UPLOADS, b"");
    assert!(ends_badly(with_upload));

    let with_fault = Faulty::start();
    with_fault.fault(Fault::on("GET", "/v2/", Trouble::Drop));
    assert!(ends_badly(with_fault));

    let with_leak = Faulty::start();
    let login = Some(("carol".to_owned(), "s3cret".to_owned()));
    let url = format!("http://{}", with_leak.other_host());
    block_on(Target { url, login, ca: None }.get("/v2/"));
    assert!(ends_badly(with_leak));
}
