//! `outhaul registry …`: what other systems say of registries, from files alone.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

/// What each system's examples are called.
const EXAMPLES: [(&str, &str); 9] = [
    ("eda", "seeds/eda-filled.yaml"),
    ("eda", "made/eda-whole.yaml"),
    ("avassa", "seeds/avassa.yaml"),
    ("avassa", "made/avassa-whole.yaml"),
    ("iofog", "seeds/iofog-list.json"),
    ("iofog", "made/iofog.yaml"),
    ("edgelet", "made/edgelet.yaml"),
    ("epinio", "seeds/epinio.yaml"),
    ("epinio", "made/epinio.yaml"),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/systems").join(name)
}

fn registry(args: &[&str]) -> Output {
    Outhaul::new().run(&[&["registry"], args].concat())
}

fn resolved(from: &str, name: &str, image: &str) -> Output {
    registry(&["resolve", "--from", from, fixture(name).to_str().unwrap(), image])
}

#[test]
fn avassa_s_prefixes_pick_the_credentials_that_its_page_says() {
    for (image, secret) in [
        ("registry.gitlab.com/other/thing:1", "a"),
        ("registry.gitlab.com/avassa-public/kettle-popper-manager:1", "b"),
        ("registry.gitlab.com/avassa-public/digital-assets-manager:1", "c"),
    ] {
        let found = resolved("avassa", "made/avassa-prefixes.yaml", image).ok();
        let said = format!("image       {image}\ncredential  vault/v/secrets/{secret}\n");
        assert_eq!(found.stdout, said);
    }
}

#[test]
fn the_list_and_the_table_of_edgectl_are_reproduced() {
    let list = fixture("seeds/iofog-list.json");
    let list = list.to_str().unwrap();
    let printed = registry(&["list", "--from", "iofog", list]).ok();
    assert_eq!(printed.stdout, std::fs::read_to_string(list).unwrap());
    let table = registry(&["list", "--from", "iofog", list, "-t"]).ok();
    assert!(table.stdout.starts_with("ID  URL "), "{table:?}");
    assert_eq!(table.stdout.lines().count(), 3, "{table:?}");
}

#[test]
fn every_example_becomes_that_of_every_system_without_a_secret_in_it() {
    for (from, name) in EXAMPLES {
        let path = fixture(name);
        for to in ["epinio", "eda", "avassa", "iofog", "edgelet"] {
            let base = ["convert", "--from", from, "--to", to, path.to_str().unwrap()];
            let written = registry(&base).ok();
            assert!(!written.mentions("canary"), "{from} to {to}: {written:?}");
            let json = registry(&[&base[..], &["-o", "json"]].concat()).ok().json();
            let documents = json["documents"].as_array().unwrap();
            // With its secrets, what was written is read again by its own system, if there is anything in
            // it. Names of edgelet's documents are made of the address.
            if documents.is_empty() || to == "edgelet" {
                continue;
            }
            let written = registry(&[&base[..], &["--with-secrets"]].concat()).ok().stdout;
            let again = ["registry", "convert", "--from", to, "--to", to, "-", "--with-secrets"];
            let again = Outhaul::new().run_with(&again, written.as_bytes());
            assert_eq!(again.ok().stdout, written, "{from} to {to}");
        }
    }
}

#[test]
fn what_is_lost_is_said_on_stderr_and_in_json() {
    let path = fixture("made/avassa-whole.yaml");
    let base = ["convert", "--from", "avassa", "--to", "eda", path.to_str().unwrap()];
    let said = registry(&base).ok();
    assert!(said.stderr.starts_with("findings\n"), "{said:?}");
    let codes = |of: &Value| -> Vec<String> {
        let all = of["findings"].as_array().unwrap().iter();
        all.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    };
    let json = registry(&[&base[..], &["-o", "json", "-q"]].concat()).ok();
    assert_eq!(json.stderr, "");
    for code in codes(&json.json()) {
        assert!(said.stderr.contains(&code), "{code}: {said:?}");
    }
    assert!(codes(&json.json()).contains(&"REGISTRY_CA_LOST".to_owned()));
}

#[test]
fn a_new_row_is_shown_as_edgectl_does_and_written_for_every_system() {
    let key = "{\n  \"private_key\": \"canary\"\n}\n";
    let create = |further: &[&str]| {
        let row = ["registry", "create", "--url", "gcr.io", "--username", "_json_key"];
        let password =
            ["--password-stdin", "--email", "s3g9gxfxpixcelledgeproject1@api.edgeworx.io"];
        let args = [&row[..], &password, &["--id", "3"], further].concat();
        Outhaul::new().run_with(&args, key.as_bytes())
    };
    let made = create(&[]).ok();
    let table = std::fs::read_to_string(fixture("seeds/iofog-table.txt")).unwrap();
    assert_eq!(made.stderr, table);
    assert!(made.stdout.contains("outhaul.dev/registry-id: \"3\""), "{made:?}");
    let json = create(&["-j"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&json.stderr).unwrap()["isPublic"], false);
    for to in ["epinio", "eda", "avassa", "iofog", "edgelet"] {
        let open = create(&["--format", to]).ok();
        assert!(!open.mentions("canary"), "{to}: {open:?}");
        let whole = create(&["--format", to, "--with-secrets"]).ok();
        let again = ["registry", "convert", "--from", to, "--to", "iofog", "-", "--with-secrets"];
        let row = Outhaul::new().run_with(&again, whole.stdout.as_bytes()).ok();
        assert!(
            row.stdout.contains("canary") && row.stdout.contains("url: gcr.io"),
            "{to}: {row:?}"
        );
    }
    let create = |args: &[&str]| registry(&[&["create"], args].concat()).exits(2);
    for (args, says) in [
        (&["--url", "gcr.io"][..], "Field username does not meet minimum length of 1"),
        (&["--url", "gcr.io", "--username", "a"], "a private registry needs a password"),
        (&["--url", "ftp://x", "--public"], "is not the address of a registry"),
        (&["--url", "gcr.io", "--public", "--email", "nomail"], "Invalid format for field 'email'"),
        (&["--url", "gcr.io", "--public", "--requires-cert"], "\"certificate\" is required"),
        (&["--url", "gcr.io", "--public", "--id", "2"], "2 is not in 3..="),
    ] {
        let refused = create(args);
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    let pasted = fixture("seeds/epinio.verbatim.yaml");
    let pasted = pasted.to_str().unwrap();
    let broken = registry(&["convert", "--from", "epinio", "--to", "eda", pasted]).exits(5);
    assert!(
        broken.stderr.contains("epinio.verbatim.yaml:") && broken.stdout.is_empty(),
        "{broken:?}"
    );
    let eda = fixture("made/eda-whole.yaml");
    let other = registry(&["list", "--from", "avassa", eda.to_str().unwrap()]).exits(5);
    assert!(other.stderr.contains("nothing here describes registries of Avassa"), "{other:?}");
    assert!(other.stderr.contains("hint: give what `supctl show"), "{other:?}");
    let lost = resolved("avassa", "made/avassa-prefixes.yaml", "redis").exits(10);
    assert!(lost.stderr.contains("default-remote-registry"), "{lost:?}");
    let format = registry(&["list", "--from", "harbor", eda.to_str().unwrap()]).exits(2);
    assert!(format.stderr.contains("possible values: epinio, eda, avassa"), "{format:?}");
    registry(&["list", "--from", "eda", "no-such-file.yaml"]).exits(5);
}
