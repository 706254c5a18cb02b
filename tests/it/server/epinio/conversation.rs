//! The conversation of Epinio's own server, recorded, held with ours: the same bytes, but for what the
//! table here says.

use regex::Regex;
use reqwest::Method;

use super::{RECORDED, Site, basic};
use crate::support::helm::Helm;
use crate::support::server::{Answer, Server};

const HTTP: &str = include_str!("../../../fixtures/epinio/http.txt");
const HTTP_APP: &str = include_str!("../../../fixtures/epinio/http-app.txt");
const SHOP: &str = include_str!("../../../fixtures/epinio/shop.yaml");
const FOX: &str = include_str!("../../../fixtures/epinio/fox.yaml");

/// How we answer otherwise.
#[derive(Clone, Copy)]
enum Ours {
    /// The same, but that lists tell no values of variables.
    Names,
    /// A JWT that nothing takes.
    Token,
    /// With another status or title.
    Refused(u16, &'static str),
    /// The same chart in other bytes.
    Rebuilt,
}

/// The differences, by the request as it was recorded. Of several the first counts.
const DIFFERENCES: &[(&str, Ours)] = &[
    // There is no dex, and a token of Kubernetes would be taken.
    ("-H Authorization: Bearer x", Ours::Refused(401, "token verification failed")),
    ("admin /api/v1/authtoken", Ours::Token),
    // Nothing is made by way of this API but exports.
    (
        "-X POST admin /api/v1/namespaces/workspace/applications -d",
        Ours::Refused(405, "Method not allowed"),
    ),
    (
        "-X POST admin /api/v1/namespaces/workspace/applications/nope/export",
        Ours::Refused(404, "application 'nope' does not exist"),
    ),
    // Epinio sends what it would install now; ours is what helm has noted down.
    ("admin /api/v1/namespaces/workspace/applications/fox/part/chart", Ours::Rebuilt),
    ("admin /api/v1/namespaces/workspace/applications?search=fo", Ours::Names),
    ("admin /api/v1/applications?search=fo", Ours::Names),
    ("admin /api/v1/applications/grouped", Ours::Names),
];

/// What every export of the recording is asked with.
const EXPORT: &str =
    "-X POST admin /api/v1/namespaces/workspace/applications/shop/export -d {\"destination\":";

/// Our answers to exports to destinations, all of which Epinio answers with 500.
const EXPORTS: &[(&str, u16, &str)] = &[
    ("nosuch", 400, "bad export destination: secrets \"nosuch\" not found"),
    ("unlabelled", 400, "bad export destination: marker label is missing"),
    ("bad-label", 400, "bad export destination: bad value for marker label"),
    (
        "bad-noann",
        422,
        "bad export destination: bad url: missing annotation 'epinio.io/registry-namespace'",
    ),
    ("bad-nokey", 422, "bad export destination: bad url: missing key `.dockerconfigjson`"),
    ("bad-json", 422, "bad export destination: bad url: invalid JSON"),
    (
        "bad-two",
        422,
        "bad export destination: bad url: more than one url found in `auths` in `.dockerconfigjson`",
    ),
    (
        "bad-none",
        422,
        "bad export destination: bad url: no url found in `auths` in `.dockerconfigjson`",
    ),
    ("bad-cert", 422, "bad export destination: secrets \"nosuch\" not found"),
    ("good-two", 400, "no chart available for application without workload"),
    ("emptyns", 400, "no chart available for application without workload"),
];

/// The release of `fox`, and the values that Epinio gave it.
const RELEASE: &str = "fox-ff0f0a8b656f0b44c26933acd2e367b6c1211290";
const GIVEN: &str = r#"{"epinio": {"tlsIssuer": "", "appName": "fox", "configpaths": [],
"configurations": [], "env": [{"name": "GREETING", "origin": "", "value": "hello {{ world }}"},
{"value": "CANARY-epinio", "origin": "", "name": "PASSWORD"}],
"imageURL": "127.0.0.1:15001/demo/web:1", "ingress": null, "replicaCount": 1, "routes": [],
"stageID": "", "start": null, "username": "admin"}}"#;

/// One request, and what Epinio answered.
struct Exchange {
    request: String,
    status: u16,
    headers: String,
    text: String,
}

#[test]
fn the_recorded_conversation() {
    let site = Site::start();
    let workspace = site.namespace("workspace");
    let server = site.serve(&["--epinio-version", "v0.0.0-dev"]);
    assert!(RECORDED.contains("name: good-two"));
    server.wait_for_status("/ready", 200);
    let mut held = 0;
    for exchange in exchanges(HTTP) {
        hold(&server, &exchange, true);
        if exchange.request.contains("/applications -d") {
            workspace.apply(SHOP);
        }
        held += 1;
    }
    workspace.apply(FOX);
    let made: Vec<serde_json::Value> = serde_saphyr::from_multiple(FOX).unwrap();
    for pod in made.iter().filter(|object| object["kind"] == "Pod") {
        let name = pod["metadata"]["name"].as_str().unwrap();
        workspace.patch_status("v1", "Pod", name, &pod["status"]);
    }
    install(&site, workspace.name());
    for exchange in exchanges(HTTP_APP) {
        hold(&server, &exchange, false);
        held += 1;
    }
    assert_eq!(held, 58, "every exchange of both recordings");
}

/// Installs the release of `fox`. What its chart makes is there already.
fn install(site: &Site, namespace: &str) {
    let helm = Helm::v3().kubeconfig(site.cluster().kubeconfig("admin"));
    std::fs::create_dir(helm.folder().join("chart")).unwrap();
    helm.write("chart/Chart.yaml", "apiVersion: v2\nname: epinio-application\nversion: 0.1.26\n");
    helm.write("given.json", GIVEN);
    helm.run(&["install", RELEASE, "chart", "-n", namespace, "-f", "given.json"]).ok();
}

/// Asks as it was asked, and compares.
fn hold(server: &Server, exchange: &Exchange, with_version: bool) {
    let request = &exchange.request;
    let ours = DIFFERENCES.iter().find(|(prefix, _)| request.starts_with(prefix));
    let answer = ask(server, request);
    if let Some(destination) = request.strip_prefix(EXPORT) {
        let destination = destination.trim_matches(['"', '}']);
        let (_, status, title) = EXPORTS.iter().find(|(name, ..)| *name == destination).unwrap();
        return assert_eq!(super::refused(&answer, *status), *title, "{request}");
    }
    if let Some((_, Ours::Refused(status, title))) = ours {
        return assert_eq!(super::refused(&answer, *status), *title, "{request}");
    }
    assert_eq!(answer.status, exchange.status, "{request}: {answer:?}");
    for name in ["Content-Type", "Location", "Allow"] {
        // Epinio says of two of its refusals that they are text; they are JSON.
        let value = exchange.header(name).filter(|value| !value.starts_with("text/plain"));
        let value = value.map(|value| value.split(" (").next().unwrap_or_default());
        if let Some(value) = value {
            assert_eq!(answer.header(name), value, "{request}: {name}");
        }
    }
    if with_version {
        let version = exchange.header("Epinio-Version").unwrap_or_default();
        assert_eq!(answer.header("Epinio-Version"), version, "{request}");
    }
    let theirs = timeless(&exchange.text);
    match ours {
        Some((_, Ours::Token)) => assert!(answer.text.starts_with(r#"{"token":"ey"#)),
        Some((_, Ours::Rebuilt)) => assert!(answer.bytes.starts_with(&[0x1f, 0x8b])),
        Some((_, Ours::Names)) => {
            let values = Regex::new(r#""(GREETING|PASSWORD|K)":"[^"]*""#).unwrap();
            let names = values.replace_all(&theirs, r#""$1":"""#);
            assert_eq!(timeless(&answer.text), names, "{request}");
        }
        _ => {
            assert_eq!(timeless(&answer.text), theirs, "{request}");
            if let Some(length) = exchange.header("Content-Length") {
                assert_eq!(answer.text.len().to_string(), length, "{request}");
            }
        }
    }
}

/// Sends `[-X METHOD] [admin | dev | -u USER:PASSWORD | -H HEADER] PATH [-d BODY]`.
fn ask(server: &Server, request: &str) -> Answer {
    let (options, rest) = request.split_at(request.find('/').unwrap());
    let (path, body) = rest.split_once(" -d ").unwrap_or((rest, ""));
    let is_post = options.contains("-X POST");
    let method = if is_post { Method::POST } else { Method::GET };
    let who = options.trim_start_matches("-X POST").trim();
    let authorization = match who.split_once(' ') {
        Some(("-u", user)) => user.split_once(':').map(|(user, word)| basic(user, word)),
        Some(("-H", header)) => header.strip_prefix("Authorization: ").map(str::to_owned),
        _ if who.is_empty() => None,
        _ => Some(basic(who, "pw")),
    };
    let headers: Vec<_> = authorization.iter().map(|of| ("Authorization", of.as_str())).collect();
    server.send(method, path, &headers, body)
}

fn exchanges(recording: &str) -> Vec<Exchange> {
    let parts = recording.split("### ").skip(1).map(|part| {
        let mut lines = part.splitn(3, '\n');
        let request = lines.next().unwrap().to_owned();
        let (status, headers) = lines.next().unwrap().split_once(' ').unwrap();
        let text = lines.next().unwrap_or_default();
        Exchange {
            request,
            status: status.parse().unwrap(),
            headers: headers.to_owned(),
            text: text.strip_suffix('\n').unwrap_or(text).to_owned(),
        }
    });
    parts.collect()
}

impl Exchange {
    /// The value of a header, up to the next one.
    fn header(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.headers.split_once(&format!("{name}: "))?;
        let end = Regex::new(r" [A-Z][A-Za-z]*-?[A-Za-z]*: ").unwrap().find(rest);
        Some(rest[..end.map_or(rest.len(), |end| end.start())].trim())
    }
}

/// Times are those of another day.
fn timeless(text: &str) -> String {
    let times = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    times.replace_all(text, "2026-11-22T00:00:00Z").into_owned()
}
