use serde_json::{Value, json};

use super::{listed, mirrored, read, references, resolve, write};
use crate::cluster;
use crate::destination::systems::fixtures::{codes, file, fixture, text};
use crate::destination::systems::{CredentialUse, Error, System, WriteOptions};

fn recorded(name: &str) -> Value {
    let text = file("recorded/eda-registry.txt");
    let applied = text.split("### kubectl apply\n").skip(1);
    let yaml: Vec<&str> = applied.filter_map(|part| part.split("--- answer").next()).collect();
    let found = yaml.iter().find(|yaml| yaml.contains(&format!("name: {name},"))).unwrap();
    cluster::parsed(name, found).unwrap().remove(0)
}

#[test]
fn the_vendors_page_as_it_is_pasted_says_where_it_is_broken() {
    for name in ["seeds/eda-secret.verbatim.yaml", "seeds/eda-registry.verbatim.yaml"] {
        let error = cluster::parsed(name, &file(name)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}:")), "{error}");
        assert!(!error.contains("your-"), "{error}");
    }
}

#[test]
fn the_vendors_example_is_read_with_its_placeholders_and_its_faults() {
    let found = fixture(System::Eda, "seeds/eda.yaml");
    let row = &found.registries.rows[0];
    assert!(!row.is_usable());
    assert_eq!(row.credentials[0].secret.as_ref().unwrap().name, "your-registry-creds");
    let expected = ["REGISTRY_ADDRESS_INVALID", "REGISTRY_PLACEHOLDER", "REGISTRY_SECRET_MISSING"];
    assert_eq!(codes(&found.findings), expected);
    let flag = found.findings.iter().find(|f| f.text.contains("{true|false}")).unwrap();
    assert_eq!(flag.field.as_deref(), Some("spec.skipTLSVerify"));
}

#[test]
fn label_and_alias_are_warned_of_and_written_right() {
    let found = fixture(System::Eda, "seeds/eda-filled.yaml");
    assert_eq!(codes(&found.findings), ["EDA_MIRROR_ALIAS", "EDA_SECRET_LABEL"]);
    let options = WriteOptions { with_secrets: true, ..WriteOptions::default() };
    let written = text(&write(&found.registries, &options));
    assert!(
        written.contains(r#""mirror": "mirror.example.com""#) && !written.contains("mirrorUrl")
    );
    assert!(written.contains(r#""eda.nokia.com/backup": "true""#), "{written}");
    let again = read(cluster::parsed("f", &written).unwrap()).unwrap();
    assert_eq!(codes(&again.findings), [""; 0]);
}

#[test]
fn placeholders_stand_for_secrets_unless_they_are_asked_for() {
    let found = fixture(System::Eda, "made/eda-whole.yaml");
    assert_eq!(codes(&found.findings), [""; 0]);
    let written = text(&write(&found.registries, &WriteOptions::default()));
    assert!(!written.contains("canary") && !written.contains("bob"), "{written}");
    assert!(written.contains(r#""password": "<password or token>""#), "{written}");
    assert!(!format!("{:?}", found.registries).contains("canary"));
}

#[test]
fn the_recorded_resources_come_back_unchanged() {
    for name in ["hub2", "hub3", "hub4"] {
        let object = recorded(name);
        let found = read(vec![object.clone()]).unwrap();
        let written = write(&found.registries, &WriteOptions::default());
        match name {
            "hub2" => {
                let mut expected = object;
                expected["spec"]["skipTLSVerify"] = json!(false); // the definition's default
                assert_eq!(codes(&found.findings), ["REGISTRY_ADDRESS_PATH"]);
                assert_eq!(written[0].value, expected);
            }
            _ => {
                assert_eq!(written, []);
                assert!(codes(&found.findings).contains(&"REGISTRY_ADDRESS_INVALID"), "{name}");
            }
        }
    }
    let found = read(vec![recorded("hub")]).unwrap();
    assert_eq!(codes(&found.findings), ["EDA_MIRROR_ALIAS", "REGISTRY_SECRET_MISSING"]);
    let error = read(vec![recorded("shop")]).unwrap_err();
    assert_eq!(error, Error::NotOfSystem { system: System::Eda });
}

#[test]
fn images_are_read_from_the_mirror_of_their_host() {
    let found = fixture(System::Eda, "made/eda-whole.yaml");
    let resolved = resolve(&found.registries, "registry.example.com:5000/org/app:v1.0.0").unwrap();
    assert_eq!(resolved.address, "mirror.example.com");
    assert!(!resolved.plain_http);
    assert_eq!((resolved.repository.as_str(), resolved.version.as_str()), ("org/app", "v1.0.0"));
    assert_eq!(resolved.credential, CredentialUse::Named("hub-auth".to_owned()));
    for image in ["registry.example.com/org/app:v1", "app:v1", "Registry.example.com:5000/a:v1"] {
        assert!(resolve(&found.registries, image).is_err(), "{image}");
    }
}

#[test]
fn a_secret_of_another_namespace_is_not_the_registry_s() {
    let registry = json!({"kind": "Registry", "metadata": {"name": "r", "namespace": "a"},
        "spec": {"remoteURL": "r.example", "authSecretRef": "s"}});
    let secret = |metadata: Value| json!({"kind": "Secret", "metadata": metadata, "stringData": {"username": "u", "password": "p"}});
    for (metadata, is_found) in [
        (json!({"name": "s", "namespace": "b"}), false),
        (json!({"name": "s", "namespace": "a"}), true),
        (json!({"name": "s"}), true),
    ] {
        let found = read(vec![secret(metadata), registry.clone()]).unwrap();
        assert_eq!(found.registries.rows[0].credentials[0].login.is_some(), is_found);
    }
}

#[test]
fn two_registries_of_one_host_and_a_mirror_with_a_path_are_findings() {
    let one = |name: &str| {
        json!({"kind": "Registry", "apiVersion": "appstore.eda.nokia.com/v1",
        "metadata": {"name": name}, "spec": {"remoteURL": "a.example", "mirror": "m.example/x"}})
    };
    let found = read(vec![one("a"), one("b")]).unwrap();
    assert_eq!(codes(&found.findings), ["EDA_MIRROR_PATH", "REGISTRY_DUPLICATE"]);
}

#[test]
fn a_long_title_is_cut_between_characters() {
    let mut found = fixture(System::Eda, "made/eda-whole.yaml");
    found.registries.rows[0].title = Some("é".repeat(30));
    let written = write(&found.registries, &WriteOptions::default());
    let title = written.last().unwrap().value["spec"]["title"].as_str().unwrap().to_owned();
    assert_eq!(title, "é".repeat(25));
}

#[test]
fn a_mirror_has_every_image_of_a_catalog_under_the_same_name() {
    let mut embedded = recorded("shop");
    embedded["spec"]["dependencies"][0]["container"]["image"] = "image/web".into();
    let found = references(&[recorded("shop"), embedded, json!({"kind": "Other"})]);
    let images = ["registry.example.com/org/shop:v1.0.0", "registry.example.com/org/web:v1"];
    assert_eq!(found, images);
    let list = format!("# ours\n\n{}\n  {} # the web\n", images[0], images[1]);
    let named: Vec<String> = listed(&list).unwrap().into_iter().map(|(_, image)| image).collect();
    assert_eq!(named, images);
    assert_eq!(listed("# list\n\nr.example/a:1\nnot an image\n").unwrap()[1].0, 4);
    assert_eq!(listed("kind: Manifest\nspec: {}\n"), None);
    let at = |image: &str| mirrored(image, "mirror.example.com:5000");
    assert_eq!(at(images[0]).unwrap(), "mirror.example.com:5000/org/shop:v1.0.0");
    assert_eq!(at("r.example:1/a@sha256:00").unwrap(), "mirror.example.com:5000/a@sha256:00");
    assert_eq!((at("nginx:1"), mirrored(images[0], "m.example/path")), (None, None));
}
