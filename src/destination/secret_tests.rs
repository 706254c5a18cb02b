//! Secrets as people write them, good and bad.

use std::collections::BTreeMap;

use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::super::Error;
use super::super::select::{list, named};
use super::*;
use crate::cluster::{Manifests, SecretReader};
use crate::registry::Credential;

/// The example of Epinio's documentation, as it stands there but for the placeholders.
const EPINIO_EXAMPLE: &str = r#"---
apiVersion: v1
kind: Secret
type: Opaque
metadata:
  annotations:
    epinio.io/registry-namespace: "acme"
  labels:
    epinio.io/api-export-registry: "true"
  name: "hub"
  namespace: epinio
stringData:
  # certs: "<name of cert secret here>"
  .dockerconfigjson: |-
    {
      "auths": {
        "registry.hub.docker.com": {
          "auth":"PHVzZXI+OjxwYXNzd29yZD4=",
          "username":"carol",
          "password":"s3cret"
        }
      }
    }
"#;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBAA==\n-----END CERTIFICATE-----\n";

fn secret(data: &[(&str, &str)], labels: &[(&str, &str)], notes: &[(&str, &str)]) -> SecretObject {
    let texts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let data = data.iter().map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec().into()));
    SecretObject {
        name: "team".to_owned(),
        labels: texts(labels),
        annotations: texts(notes),
        data: data.collect(),
        malformed: Vec::new(),
    }
}

fn with(json: &str, notes: &[(&str, &str)]) -> Destination {
    parse(&secret(&[(DOCKER_CONFIG, json)], &[], notes))
}

fn one(key: &str) -> String {
    format!(r#"{{"auths": {{"{key}": {{"username": "u", "password": "canary"}}}}}}"#)
}

fn credential(destination: &Destination) -> Credential {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(destination.keychain.resolve_host(&destination.host)).unwrap()
}

fn basic(destination: &Destination) -> (String, String) {
    match credential(destination) {
        Credential::Basic { username, password } => (username, password.expose_secret().to_owned()),
        other => panic!("{other:?}"),
    }
}

async fn listed(yaml: &str, namespace: &str) -> Vec<Destination> {
    let manifests =
        Manifests::from_reader(yaml.as_bytes(), "t.yaml", jiff::Timestamp::UNIX_EPOCH).unwrap();
    list(&manifests, namespace).await.unwrap()
}

#[tokio::test]
async fn the_example_of_epinio_works_as_it_stands() {
    let found = listed(EPINIO_EXAMPLE, "epinio").await;
    let hub = named(&found, "hub").unwrap();
    assert_eq!(hub.address(), "docker.io/acme");
    assert_eq!(hub.written_host, "registry.hub.docker.com");
    let resolved = hub.keychain.resolve_host(&hub.host).await.unwrap();
    assert_eq!(resolved.user(), Some("carol"));
    assert_eq!(hub.problems.len(), 1, "the placeholder left in `auth` is told");
    assert!(hub.problems[0].text.contains("`auth` says something else"), "{:?}", hub.problems);
    assert!(!format!("{hub:?}").contains("s3cret"));
    assert!(!serde_json::to_string(&hub).unwrap().contains("s3cret"));
}

#[test]
fn malformed_secrets_have_their_reason() {
    let two = r#"{"auths": {"a.example": {}, "b.example": {}}}"#;
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        ("", &[], "no valid JSON"),
        ("{\"auths\": {\"a.b\": {\"password\": \"canary", &[], "no valid JSON"),
        ("[]", &[], "no JSON object"),
        ("{}", &[], "no entry in `auths`"),
        (r#"{"credsStore": "canary"}"#, &[], "no entry in `auths`"),
        (r#"{"auths": {}}"#, &[], "no entry in `auths`"),
        (r#"{"auths": "canary"}"#, &[], "`auths` is not an object"),
        (r#"{"auths": {"a.b": "canary"}}"#, &[], "not an object"),
        (r#"{"auths": {"a.b": {"username": ["canary"]}}}"#, &[], "`username` is not text"),
        (r#"{"auths": {"a.b": {"auth": "canary!"}}}"#, &[], "not base64"),
        (r#"{"auths": {"a.b": {"auth": "Y2FuYXJ5"}}}"#, &[], "no colon"),
        (r#"{"auths": {"a.b": {"password": "canary"}}}"#, &[], "without a user name"),
        (r#"{"auths": {"<host here>": {}}}"#, &[], "not the name of a host"),
        (r#"{"auths": {"a.b/UPPER": {}}}"#, &[], "not a valid repository name"),
        (two, &[], "several entries (`a.example`, `b.example`)"),
        (two, &[(REGISTRY, "c.example")], "no entry for `c.example`"),
        ("GOOD", &[(EPINIO_NAMESPACE, "<registry-org>")], EPINIO_NAMESPACE),
        ("GOOD", &[(NAMESPACE, "Upper")], NAMESPACE),
        ("GOOD", &[(PLAIN_HTTP, "yes")], PLAIN_HTTP),
        ("GOOD", &[(SKIP_VERIFY, "1")], SKIP_VERIFY),
        ("GOOD", &[(PULL_ADDRESS, "ftp://x")], PULL_ADDRESS),
    ];
    for (json, notes, expected) in cases {
        let good = one("a.example");
        let destination = with(if *json == "GOOD" { &good } else { json }, notes);
        let problem = destination.fatal().unwrap_or_else(|| panic!("{json} {notes:?} is fine"));
        assert!(problem.text.contains(expected), "{json}: {}", problem.text);
        assert!(!format!("{destination:?}").contains("canary"), "{json}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let epinio: &[(&str, &str)] = &[(EPINIO_LABEL, "true")];
    let json = one("a.example");
    let destination = parse(&secret(&[(DOCKER_CONFIG, &json)], epinio, &[]));
    assert!(destination.fatal().unwrap().text.contains("annotation epinio.io/registry-namespace"));
    let empty = parse(&secret(&[(DOCKER_CONFIG, &json)], epinio, &[(EPINIO_NAMESPACE, "")]));
    assert_eq!(empty.fatal(), None);
    let none = parse(&secret(&[], &[], &[]));
    assert!(none.fatal().unwrap().text.contains("`.dockerconfigjson` is missing"));
    assert_eq!((none.written_host.as_str(), none.host.as_str()), ("", Host::unknown().as_str()));
    assert_eq!((none.address(), none.pull_address()), (String::new(), String::new()));
    let written = serde_json::to_string(&none).unwrap();
    assert!(written.contains(r#""host":null"#) && !written.contains("invalid"), "{written}");
    let mut broken = secret(&[], &[], &[]);
    broken.malformed = vec![DOCKER_CONFIG.to_owned(), CERTS.to_owned()];
    let texts: Vec<_> = parse(&broken).problems.into_iter().map(|p| p.text).collect();
    assert_eq!(texts, ["key `.dockerconfigjson` is not base64", "key `certs` is not base64"]);
}

#[test]
fn docker_hub_under_several_names_is_one_entry() {
    let json = r#"{"auths": {"https://index.docker.io/v1/": {},
        "registry-1.docker.io": {"auth": "dTpwOng="}, "docker.io": {}}}"#;
    let destination = with(json, &[(NAMESPACE, "acme")]);
    assert_eq!(destination.fatal(), None);
    assert_eq!(destination.address(), "docker.io/acme");
    assert_eq!(basic(&destination), ("u".to_owned(), "p:x".to_owned()));
}

#[test]
fn the_annotation_chooses_among_entries() {
    let json = r#"{"auths": {"a.example": {"auth": "YTphCg=="},
        "b.example:5000/deep": {"identitytoken": "canary"}}}"#;
    for chosen in ["b.example:5000/deep", "https://B.example:5000/deep/"] {
        let destination = with(json, &[(REGISTRY, chosen), (NAMESPACE, "deep/er")]);
        assert_eq!(destination.problems, [], "{chosen}");
        assert_eq!(destination.address(), "b.example:5000/deep/er");
        assert!(matches!(credential(&destination), Credential::IdentityToken(_)));
    }
}

#[test]
fn paths_of_entry_and_annotation_are_joined_once() {
    for (key, annotation, expected) in [
        ("r.example", "", "r.example"),
        ("r.example", "/a/b/", "r.example/a/b"),
        ("r.example/apps", "", "r.example/apps"),
        ("r.example/apps", "team", "r.example/apps/team"),
        ("r.example/apps", "apps/team", "r.example/apps/team"),
        ("https://r.example/v2/", "team", "r.example/team"),
    ] {
        let destination = with(&one(key), &[(EPINIO_NAMESPACE, annotation)]);
        assert_eq!((destination.fatal(), destination.address().as_str()), (None, expected));
    }
}

#[test]
fn annotations_say_the_rest() {
    let notes = [
        (NAMESPACE, "ours"),
        (EPINIO_NAMESPACE, "theirs"),
        (PULL_ADDRESS, "https://mirror.example:8443/apps/"),
        (PLAIN_HTTP, "true"),
        (SKIP_VERIFY, "true"),
        (ALLOWED, "shop, blog wiki"),
        (DESCRIPTION, "The team's registry"),
    ];
    let destination = with(&one("http://r.example:80"), &notes);
    assert_eq!(destination.address(), "r.example/ours");
    assert_eq!(destination.pull_address(), "mirror.example:8443/apps");
    assert!(destination.endpoint.plain_http && destination.endpoint.tls.skip_verify);
    assert_eq!(destination.allowed_namespaces, ["shop", "blog", "wiki"]);
    assert_eq!(destination.description.as_deref(), Some("The team's registry"));
    assert_eq!(destination.problems.len(), 1, "{:?}", destination.problems);
    let https = with(&one("http://r.example"), &[]);
    assert!(!https.endpoint.plain_http && https.problems[0].text.contains("http://"));
}

#[test]
fn roots_come_from_the_secret_that_certs_names() {
    let data = [(DOCKER_CONFIG, &*one("a.example")), (CERTS, "ca\n")];
    let fresh = || parse(&secret(&data, &[], &[]));
    assert_eq!(fresh().ca_secret.as_deref(), Some("ca"));
    let mut good = fresh();
    add_roots(&mut good, Some(&secret(&[(ROOTS, CERTIFICATE)], &[], &[])));
    assert_eq!(good.problems, []);
    assert_eq!(good.endpoint.tls.extra_roots, CERTIFICATE.as_bytes());
    let bad: [(Option<SecretObject>, &str); 4] = [
        (None, "does not exist"),
        (Some(secret(&[("ca.crt", CERTIFICATE)], &[], &[])), "has no key `tls.crt`"),
        (Some(secret(&[(ROOTS, "canary")], &[], &[])), "no certificates in PEM"),
        (Some(secret(&[(ROOTS, &CERTIFICATE[..40])], &[], &[])), "no certificates in PEM"),
    ];
    for (certs, expected) in bad {
        let mut destination = fresh();
        add_roots(&mut destination, certs.as_ref());
        let text = &destination.fatal().unwrap().text;
        assert!(text.contains(expected) && text.contains("`ca`"), "{text}");
    }
    for value in [CERTIFICATE, "../../other", "Upper"] {
        let data = [(DOCKER_CONFIG, &*one("a.example")), (CERTS, value)];
        let destination = parse(&secret(&data, &[], &[]));
        assert_eq!(destination.fatal().unwrap().text, "key `certs` must be the name of a Secret");
        assert_eq!(destination.ca_secret, None);
    }
}

#[tokio::test]
async fn every_labelled_secret_is_listed_by_name() {
    let yaml = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: z, namespace: sys,
    labels: {outhaul.dev/destination: 'true', epinio.io/api-export-registry: 'true'}}}
- {apiVersion: v1, kind: Secret, metadata: {name: a, namespace: sys,
    labels: {outhaul.dev/destination: 'true'}},
    stringData: {.dockerconfigjson: '{\"auths\": {\"a.b\": {}}}', certs: nowhere}}
- {apiVersion: v1, kind: Secret, metadata: {name: unset, namespace: sys,
    labels: {outhaul.dev/destination: 'false'}}}
- {apiVersion: v1, kind: Secret, metadata: {name: elsewhere, namespace: other,
    labels: {outhaul.dev/destination: 'true'}}}
";
    let found = listed(yaml, "sys").await;
    let names: Vec<_> = found.iter().map(|destination| destination.name.as_str()).collect();
    assert_eq!(names, ["a", "z"]);
    let error = named(&found, "a").unwrap_err().to_string();
    assert!(error.contains("bad export destination `a`: Secret `nowhere`"), "{error}");
    let error = named(&found, "b").unwrap_err().to_string();
    assert_eq!(error, "bad export destination `b`: there is no such destination; known: a, z");
}

/// A cluster whose namespaces may not be seen; the Secrets of one may be.
struct Hidden {
    open: Option<&'static str>,
    epinio: bool,
}

#[async_trait::async_trait]
impl SecretReader for Hidden {
    async fn has_namespace(&self, name: &str) -> Result<bool, cluster::Error> {
        if self.epinio && name == "epinio" { Ok(true) } else { Err(forbidden(name)) }
    }

    async fn labelled_secrets(
        &self,
        namespace: &str,
        _: &str,
    ) -> Result<Vec<SecretObject>, cluster::Error> {
        match self.open {
            Some(open) if open == namespace => Ok(vec![secret(&[], &[], &[])]),
            _ => Err(forbidden(namespace)),
        }
    }

    async fn secret(
        &self,
        namespace: &str,
        _: &str,
    ) -> Result<Option<SecretObject>, cluster::Error> {
        Err(forbidden(namespace))
    }
}

fn forbidden(namespace: &str) -> cluster::Error {
    let resource = format!("/api/v1/namespaces/{namespace}");
    cluster::Error::Forbidden { resource, reason: "no".to_owned() }
}

#[tokio::test]
async fn a_namespace_that_may_not_be_seen_is_not_called_absent() {
    let found = |open, epinio| async move {
        super::super::select::system_namespace(&Hidden { open, epinio }, None).await
    };
    let error = found(None, false).await.unwrap_err();
    let Error::Unreadable { namespace, source } = error else { panic!("{error}") };
    assert_eq!(namespace, "outhaul-system");
    assert!(matches!(*source, cluster::Error::Forbidden { .. }), "{source}");
    assert_eq!(found(Some("outhaul-system"), true).await.unwrap(), "outhaul-system");
    assert_eq!(found(Some("epinio"), false).await.unwrap(), "epinio");
    assert_eq!(found(None, true).await.unwrap(), "epinio");
}

#[test]
fn a_password_in_an_address_is_not_repeated_and_the_hint_is_about_it() {
    let access = super::super::Access::default();
    for address in ["carol:hunter2@r.example/q", "carol:x@hunter2@r.example/q"] {
        let error = super::super::direct::destination(address, &access).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        assert!(error.hint().unwrap().contains("--password-stdin"), "{error}");
    }
}

proptest! {
    #[test]
    fn no_document_makes_the_parser_panic_or_quote_a_value(json in ".{0,200}", note in ".{0,40}") {
        let _ = with(&json, &[(NAMESPACE, &note), (PULL_ADDRESS, &note), (REGISTRY, &note)]);
    }

    #[test]
    fn no_entry_makes_the_parser_panic(
        key in ".{0,40}", field in "auth|username|password|identitytoken|x", value in ".{0,40}",
    ) {
        let json = serde_json::json!({"auths": {key: {field: value}}}).to_string();
        let _ = with(&json, &[]);
    }
}

#[tokio::test]
async fn credentials_for_deleting_are_another_secrets() {
    let team = EPINIO_EXAMPLE
        .replace("  annotations:\n", "  annotations:\n    outhaul.dev/delete-secret: hub-delete\n");
    let deleting = |host: &str| {
        let auths = one(host).replace("canary", "canary-delete");
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: hub-delete, namespace: epinio}}\nstringData:\n  .dockerconfigjson: '{auths}'\n"
        )
    };
    let own = &listed(&format!("{team}{}", deleting("docker.io")), "epinio").await[0];
    let keychain = own.deleting.clone().unwrap();
    let credential = keychain.resolve_host(&own.host).await.unwrap();
    assert_eq!(credential.user(), Some("u"));
    let pushing = own.keychain.resolve_host(&own.host).await.unwrap();
    assert_eq!(pushing.user(), Some("carol"));
    assert_eq!(own.problems.len(), 1, "that of the example itself: {:?}", own.problems);
    assert!(!format!("{own:?}").contains("canary"));
    // Whoever named a Secret did not mean the other credentials.
    for rest in [deleting("other.example"), String::new()] {
        let none = &listed(&format!("{team}{rest}"), "epinio").await[0];
        let keychain = none.deleting.clone().unwrap();
        assert!(keychain.resolve_host(&none.host).await.unwrap().is_anonymous());
        let [_, problem] = none.problems.as_slice() else { panic!("{:?}", none.problems) };
        assert!(!problem.fatal && problem.text.contains("hub-delete"), "{problem:?}");
    }
}
