//! Documents for Avassa Control Tower, sent where their comments say.

use crate::support::outhaul::Outhaul;
use crate::support::tower::{TOKEN, Tower};

/// The documents of a stream: the words of the `supctl` line that takes each, and the document.
fn documents(stream: &str) -> Vec<(Vec<&str>, &str)> {
    let each = stream.split("\n---\n").map(|document| {
        let line = document.lines().find_map(|line| line.strip_prefix("# supctl ")).unwrap();
        (line.split(' ').collect(), document)
    });
    each.collect()
}

/// Sends a document as its line of `supctl` does, by the analogy of the API reference: `create A B` is a
/// POST to `/v1/config/A/B`, and settings, which always exist, are put.
fn send(tower: &Tower, words: &[&str], query: &str, document: &str, token: &str) -> u16 {
    let (method, path) = match words {
        ["create", path @ ..] => ("POST", path),
        ["topdc", "create", path @ ..] => ("PUT", path),
        other => panic!("{other:?}"),
    };
    tower.send(method, &format!("{}{query}", path.join("/")), document, token)
}

fn printed(args: &[&str], stdin: &str) -> String {
    Outhaul::new().run_with(&[&["registry"], args].concat(), stdin.as_bytes()).ok().stdout
}

fn created() -> String {
    let row = ["create", "--url", "https://registry.example.com:6000", "--username", "bob"];
    let how = ["--password-stdin", "--format", "avassa", "--with-secrets"];
    printed(&[&row[..], &how].concat(), "canary\n")
}

#[test]
fn a_new_registry_is_taken_by_control_tower_s_rest() {
    let tower = Tower::start();
    let stream = created();
    for (words, document) in documents(&stream) {
        // A vault that is only validated is not there for its secrets.
        let expected = if words.last() == Some(&"secrets") { 404 } else { 201 };
        let validated = send(&tower, &words, "?validate=true", document, TOKEN);
        assert_eq!(validated, expected, "{document}");
    }
    assert!(tower.made().is_empty(), "validated and not made");
    for (words, document) in documents(&stream) {
        assert_eq!(send(&tower, &words, "", document, TOKEN), 201, "{document}");
    }
    let made = tower.made();
    let registry = &made["image-registry/remote-registries/registry.example.com:6000"];
    let credential = &registry["credentials"][0];
    let (vault, secret) = (credential["vault"].as_str(), credential["secret"].as_str());
    let path = format!("strongbox/vaults/{}/secrets/{}", vault.unwrap(), secret.unwrap());
    assert_eq!(made[&path]["data"]["username"], "bob");
    assert_eq!(made[&path]["data"]["password"], "canary");
    for (words, document) in documents(&stream) {
        assert_eq!(send(&tower, &words, "", document, TOKEN), 409, "{document}");
    }
}

#[test]
fn every_kind_of_document_is_taken_in_the_order_in_which_it_is_printed() {
    let tower = Tower::start();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/systems");
    let example = format!("{folder}/made/avassa-whole.yaml");
    let args = ["convert", "--from", "avassa", "--to", "avassa", &example, "--with-secrets"];
    let stream = printed(&args, "") + "---\n" + &printed(&["policy"], "");
    let all = documents(&stream);
    for (words, document) in &all {
        let status = send(&tower, words, "", document, TOKEN);
        assert!((200..300).contains(&status), "{status}: {document}");
    }
    assert_eq!(tower.made().len(), all.len());
    let settings = &tower.made()["image-registry/settings"];
    assert_eq!(settings["default-remote-registry"], "registry-1.docker.io");
}

#[test]
fn what_control_tower_does_not_take_is_refused_with_its_documented_statuses() {
    let tower = Tower::start();
    let stream = created();
    let (words, vault) = documents(&stream)[0].clone();
    let (of_secrets, secret) = documents(&stream)[1].clone();
    assert_eq!(send(&tower, &words, "", vault, "expired"), 401);
    assert_eq!(send(&tower, &of_secrets, "", secret, TOKEN), 404, "its vault is not there");
    assert_eq!(send(&tower, &words, "", "name: Not A Name\n", TOKEN), 400);
    let unknown = format!("{vault}\ncolour: red\n");
    assert_eq!(send(&tower, &words, "", &unknown, TOKEN), 400);
    tower.deny_push(true);
    assert_eq!(send(&tower, &words, "", vault, TOKEN), 403);
    tower.seal(true);
    assert_eq!(send(&tower, &words, "", vault, TOKEN), 503);
    assert!(tower.made().is_empty());
}
