use serde_json::json;

use super::{read, resolve, write};
use crate::cluster;
use crate::destination::systems::fixtures::{codes, documents, fixture, text};
use crate::destination::systems::{CredentialUse, Error, System, WriteOptions};

fn who(image: &str, of: &str) -> (String, String) {
    let found = fixture(System::Avassa, of);
    let resolved = resolve(&found.registries, image).unwrap();
    let credential = match resolved.credential {
        CredentialUse::Named(name) => name,
        CredentialUse::Anonymous => String::new(),
    };
    (format!("{}/{}:{}", resolved.address, resolved.repository, resolved.version), credential)
}

#[test]
fn the_longest_prefix_of_whole_segments_wins() {
    for (repository, secret) in [
        ("avassa-public/kettle-popper-manager", "b"),
        ("avassa-public/digital-assets-manager", "c"),
        ("avassa-public/digital-assets-manager/deep", "c"),
        ("avassa-public", "b"),
        ("avassa-publicity/x", "a"),
        ("redis", "a"),
    ] {
        let image = format!("registry.gitlab.com/{repository}:1");
        let expected = (image.clone(), format!("vault/v/secrets/{secret}"));
        assert_eq!(who(&image, "made/avassa-prefixes.yaml"), expected);
    }
}

#[test]
fn images_are_resolved_by_letter_then_by_default_then_anonymously() {
    let of = "seeds/avassa.yaml";
    let named = "vault/registry-credentials/secrets/example-registry".to_owned();
    let none = String::new();
    for (image, expected, credential) in [
        ("registry.example.com:6000/a/b", "registry.example.com:6000/a/b:latest", &named),
        ("registry.example.com/a/b:1", "registry.example.com/a/b:1", &none),
        ("redis", "registry-1.docker.io/redis:latest", &none),
        ("team/app:2", "registry-1.docker.io/team/app:2", &none),
        // Names of Docker Hub are not folded.
        ("docker.io/x", "docker.io/x:latest", &none),
    ] {
        assert_eq!(who(image, of), (expected.to_owned(), credential.clone()), "{image}");
    }
    let found = fixture(System::Avassa, "made/avassa-prefixes.yaml");
    let error = resolve(&found.registries, "redis").unwrap_err();
    assert!(error.to_string().contains("default-remote-registry"), "{error}");
    assert_eq!(who("redis@sha256:00", of).0, "registry-1.docker.io/redis:sha256:00");
}

#[test]
fn override_address_takes_the_place_of_the_address() {
    let image = "registry.example.com:6000/team/a/x:1";
    let (at, credential) = who(image, "made/avassa-whole.yaml");
    assert_eq!(at, "mirror.example.com:8443/team/a/x:1");
    assert_eq!(credential, "vault/ours/secrets/token");
}

#[test]
fn the_page_as_it_is_pasted_has_lost_its_indentation_and_prints_no_password() {
    let found = fixture(System::Avassa, "seeds/avassa-remote.verbatim.yaml");
    assert_eq!(codes(&found.findings), ["REGISTRY_FIELD_INVALID", "REGISTRY_FIELD_UNKNOWN"]);
    let mut all = documents("seeds/avassa-remote.verbatim.yaml");
    all.extend(documents("seeds/avassa-secret.verbatim.yaml"));
    let found = read(all).unwrap();
    let told = format!("{found:?}");
    assert!(!told.contains("MBWUIX00NS4szxSwHS"), "{told}");
    let fields: Vec<_> = found.findings.iter().filter_map(|f| f.field.as_deref()).collect();
    assert!(fields.contains(&"password") && fields.contains(&"vault"), "{fields:?}");
}

#[test]
fn what_was_read_is_written_and_read_again() {
    for name in ["seeds/avassa.yaml", "made/avassa-whole.yaml", "made/avassa-prefixes.yaml"] {
        let found = fixture(System::Avassa, name);
        assert_eq!(codes(&found.findings), [""; 0], "{name}");
        let options = WriteOptions { with_secrets: true, ..WriteOptions::default() };
        let written = text(&write(&found.registries, &options));
        let again = read(cluster::parsed("f", &written).unwrap()).unwrap();
        assert_eq!(text(&write(&again.registries, &options)), written, "{name}");
        assert!(written.contains("# supctl create image-registry remote-registries"), "{written}");
        let open = text(&write(&found.registries, &WriteOptions::default()));
        for secret in ["canary", "MBWUIX", "bob"] {
            assert!(!open.contains(secret), "{open}");
        }
    }
    let found = fixture(System::Avassa, "seeds/avassa.yaml");
    let written = text(&write(&found.registries, &WriteOptions::default()));
    let path = "# The path of the secret is vault/registry-credentials/secrets/example-registry.";
    assert!(written.contains(path), "{written}");
    let alone = fixture(System::Avassa, "seeds/avassa-settings.yaml");
    assert_eq!(alone.registries.default_address.as_deref(), Some("registry-1.docker.io"));
}

#[test]
fn bad_documents_are_findings_or_errors() {
    let twice = json!([{"address": "a.example"}, {"address": "a.example"}]);
    let found = read(vec![twice]).unwrap();
    assert_eq!(
        (codes(&found.findings), found.registries.rows.len()),
        (vec!["REGISTRY_DUPLICATE"], 1)
    );
    let bad = json!({"address": "https://a.example/x", "ca-cert": "x", "skip-verify": true});
    let expected = ["REGISTRY_ADDRESS_INVALID", "REGISTRY_CA_INVALID", "REGISTRY_FIELD_UNKNOWN"];
    assert_eq!(codes(&read(vec![bad]).unwrap().findings), expected);
    let refused =
        json!({"errors": [{"error-tag": "unavailable", "error-message": "strongbox sealed"}]});
    let error = read(vec![refused]).unwrap_err();
    assert!(error.to_string().contains("strongbox sealed"), "{error}");
    let nothing = read(vec![json!({"kind": "Registry"})]).unwrap_err();
    assert_eq!(nothing, Error::NotOfSystem { system: System::Avassa });
}
