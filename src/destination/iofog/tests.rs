use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{
    InvalidRow, NewRow, id_of, read, resolve, system_rows, table, write_edgelet, write_json,
    write_yaml,
};
use crate::cluster;
use crate::destination::systems::fixtures::{codes, documents, file, fixture, recorded, text};
use crate::destination::systems::{CredentialUse, Registries, System, WriteOptions};

const WITH: WriteOptions = WriteOptions { with_secrets: true, namespace: None, vault: None };

#[test]
fn the_page_s_list_is_reproduced() {
    let ours = Registries { rows: system_rows().to_vec(), default_address: None };
    let seed = file("seeds/iofog-list.json");
    assert_eq!(serde_json::to_string_pretty(&write_json(&ours)).unwrap() + "\n", seed);
    let found = fixture(System::Iofog, "seeds/iofog-list.json");
    assert_eq!(codes(&found.findings), [""; 0]);
    assert_eq!(serde_json::to_string_pretty(&write_json(&found.registries)).unwrap() + "\n", seed);
}

#[test]
fn the_page_s_table_is_reproduced() {
    let row = json!([{"id": 3, "url": "gcr.io", "isPublic": false, "username": "_json_key",
        "email": "s3g9gxfxpixcelledgeproject1@api.edgeworx.io"}]);
    let found = read(vec![row]).unwrap();
    assert_eq!(table(&found.registries), file("seeds/iofog-table.txt"));
}

#[test]
fn every_recorded_list_is_read_and_every_refusal_says_what_to_do() {
    let mut lists = 0;
    for exchange in recorded("recorded/iofog-registries.txt") {
        let json: Option<Value> = serde_json::from_str(&exchange.body).ok();
        match (exchange.status, json) {
            (200, Some(body)) => {
                lists += 1;
                let found = read(vec![body]).unwrap();
                assert!(found.registries.rows.len() >= 2, "{}", exchange.request);
                assert_eq!(&found.registries.rows[0].address.host, "registry.hub.docker.com");
            }
            (201 | 204, _) => {}
            (status, Some(body)) => {
                let message = body["message"].as_str().unwrap().to_owned();
                let error = read(vec![body]).unwrap_err().to_string();
                assert!(error.contains(&message), "{status}: {error}");
            }
            (status, None) => panic!("{status} {}", exchange.request),
        }
    }
    assert_eq!(lists, 3);
}

#[test]
fn rows_of_the_recording_show_what_is_odd() {
    let exchanges = recorded("recorded/iofog-registries.txt");
    let full = exchanges.iter().find(|e| e.body.contains("\"id\":4,\"url\"")).unwrap();
    let found = read(vec![serde_json::from_str(&full.body).unwrap()]).unwrap();
    let expected = ["IOFOG_CERTIFICATE_UNUSED", "IOFOG_PUBLIC_CREDENTIALS", "REGISTRY_CA_INVALID"];
    assert_eq!(codes(&found.findings), expected);
    assert_eq!(found.registries.rows[2].email.as_deref(), Some("ann@example.com"));
    let written = write_json(&found.registries);
    assert_eq!(written[3]["url"], "https://registry.example.com:5000");
}

#[test]
fn yaml_is_read_with_its_defaults_and_written_without() {
    let found = fixture(System::Iofog, "made/iofog.yaml");
    assert_eq!(codes(&found.findings), ["IOFOG_CERTIFICATE_UNUSED", "IOFOG_PUBLIC_CREDENTIALS"]);
    let [gcr, forgotten] = &found.registries.rows[..] else { panic!() };
    assert_eq!((gcr.id, gcr.is_public, forgotten.is_public), (Some(3), Some(false), Some(true)));
    let password = gcr.credentials[0].login.as_ref().unwrap().password.as_ref().unwrap();
    assert!(password.expose_secret().contains("\"private_key\": \"canary\"\n"));
    let written = text(&write_yaml(&found.registries, &WITH));
    let again = read(cluster::parsed("f", &written).unwrap()).unwrap();
    assert_eq!(text(&write_yaml(&again.registries, &WITH)), written);
    let open = text(&write_yaml(&found.registries, &WriteOptions::default()));
    assert!(!open.contains("canary") && open.contains(r#""private": true"#), "{open}");
}

#[test]
fn edgelet_has_a_form_of_its_own() {
    let found = fixture(System::Edgelet, "made/edgelet.yaml");
    assert_eq!(codes(&found.findings), ["REGISTRY_FIELD_INVALID"]);
    let row = &found.registries.rows[0];
    assert!(row.ca.as_ref().unwrap().contains("BEGIN CERTIFICATE"));
    assert!(!found.registries.rows[1].is_usable());
    let written = write_edgelet(&found.registries, &WITH);
    assert_eq!(written.len(), 1);
    let spec = &written[0].value["spec"];
    let original = &documents("made/edgelet.yaml")[0]["spec"];
    for field in ["id", "url", "private", "username", "password", "ca", "insecure"] {
        assert_eq!(spec[field], original[field], "{field}");
    }
}

#[test]
fn ids_and_their_aliases() {
    assert_eq!((id_of("remote"), id_of("local"), id_of("3")), (Some(1), Some(2), Some(3)));
    for bad in ["", "0", "-1", "nonsense", "2147483648", "1.5"] {
        assert_eq!(id_of(bad), None, "{bad}");
    }
    let rows = json!([{"id": -1, "url": "a.example"}, {"id": 7, "url": "b.example"},
        {"id": 7, "url": "b.example"}, {"id": 4294967296u64, "url": "c.example"}]);
    let found = read(vec![rows]).unwrap();
    let expected = ["IOFOG_KEY_MISSING", "REGISTRY_DUPLICATE", "REGISTRY_ID_INVALID"];
    assert_eq!(codes(&found.findings), expected);
    assert_eq!(found.registries.rows[3].id, None);
}

#[test]
fn the_host_says_where_and_the_row_says_as_whom() {
    let found = fixture(System::Iofog, "made/iofog.yaml");
    let at = |image, id| resolve(System::Iofog, &found.registries, image, id);
    let resolved = at("gcr.io/org/web:1", Some("3")).unwrap();
    assert_eq!(resolved.credential, CredentialUse::Named("3".to_owned()));
    assert_eq!(resolved.address, "gcr.io");
    let other = at("quay.io/org/web:1", Some("3")).unwrap();
    assert_eq!(other.credential, CredentialUse::Anonymous);
    let hub = at("nginx", None).unwrap();
    assert_eq!((hub.address.as_str(), hub.repository.as_str()), ("docker.io", "library/nginx"));
    assert!(at("nginx", Some("local")).unwrap_err().reason.contains("cache"));
    assert!(at("nginx", Some("99")).unwrap_err().reason.contains("Invalid registry id '99'"));
    assert!(at("nginx", Some("nonsense")).is_err());
    let odd = at("gcr.io:5000/org/web@sha256:00", Some("3")).unwrap();
    assert_eq!(odd.findings.len(), 2);
    let edgelet = resolve(System::Edgelet, &found.registries, "gcr.io:5000/a@sha256:00", Some("3"));
    assert_eq!(edgelet.unwrap().findings, []);
}

#[test]
fn a_public_row_has_what_the_controller_asks_for_and_nothing_uses() {
    let rows = json!([{"id": 9, "url": "quay.io", "isPublic": true, "email": "a@b.example"}]);
    let found = read(vec![rows]).unwrap();
    let written = write_yaml(&found.registries, &WITH);
    assert_eq!(written[0].value["spec"]["username"], "unused");
    let again = read(vec![written[0].value.clone()]).unwrap();
    assert_eq!((codes(&again.findings), again.registries.rows[0].credentials.len()), (vec![], 0));
}

fn new_row() -> NewRow {
    NewRow {
        url: "gcr.io".into(),
        username: "_json_key".into(),
        password: "{\n\"type\":\"service_account\"\n}".into(),
        email: Some("ann@example.com".into()),
        is_public: false,
        requires_cert: false,
        certificate: None,
    }
}

#[test]
fn what_the_controller_refuses_is_refused_before_it_is_asked() {
    // The bodies and answers of the recording, by hand, as a body may lack fields that we have.
    let with = |change: fn(&mut NewRow)| {
        let mut row = new_row();
        change(&mut row);
        row.check()
    };
    assert_eq!(with(|_| ()), Ok(()));
    type Change = fn(&mut NewRow);
    let cases: [(Change, InvalidRow); 7] = [
        (|row| row.url.clear(), InvalidRow::Url),
        (|row| row.url = "ftp://x".into(), InvalidRow::Address("ftp://x".into())),
        (|row| row.username.clear(), InvalidRow::Username),
        (|row| row.email = Some("nomail".into()), InvalidRow::Email),
        (|row| row.requires_cert = true, InvalidRow::Certificate),
        (|row| row.certificate = Some("certs".into()), InvalidRow::NotPem),
        (|row| row.password = String::new().into(), InvalidRow::Password),
    ];
    let said: Vec<String> = recorded("recorded/iofog-registries.txt")
        .iter()
        .filter(|e| e.status == 400)
        .filter_map(|e| serde_json::from_str::<Value>(&e.body).ok())
        .filter_map(|body| body["message"].as_str().map(str::to_owned))
        .collect();
    for (change, expected) in cases {
        assert_eq!(with(change), Err(expected.clone()));
        let ours = matches!(
            expected,
            InvalidRow::Password
                | InvalidRow::Address(_)
                | InvalidRow::Username
                | InvalidRow::NotPem
        );
        assert!(ours || said.contains(&expected.to_string()), "{expected}");
    }
}
