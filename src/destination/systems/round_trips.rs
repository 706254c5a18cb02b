//! Every example goes to every other system and back; what differs is what findings said.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::fixtures::{codes, documents, file, recorded, text};
use super::{Document, Registries, Row, System, Username, WriteOptions, convert, read, write};
use crate::app::{Code, Finding};
use crate::cluster;
use crate::destination::iofog;

const WITH: WriteOptions = WriteOptions { with_secrets: true, namespace: None, vault: None };

pub(super) const EXAMPLES: [(System, &str); 11] = [
    (System::Epinio, "seeds/epinio.yaml"),
    (System::Epinio, "made/epinio.yaml"),
    (System::Eda, "seeds/eda.yaml"),
    (System::Eda, "seeds/eda-filled.yaml"),
    (System::Eda, "made/eda-whole.yaml"),
    (System::Avassa, "seeds/avassa.yaml"),
    (System::Avassa, "made/avassa-prefixes.yaml"),
    (System::Avassa, "made/avassa-whole.yaml"),
    (System::Iofog, "seeds/iofog-list.json"),
    (System::Iofog, "made/iofog.yaml"),
    (System::Edgelet, "made/edgelet.yaml"),
];

/// A row as fields of text, which can be compared.
fn fields(row: &Row) -> BTreeMap<&'static str, String> {
    let mut fields = BTreeMap::new();
    let mut put = |name, value: Option<String>| drop(value.map(|value| fields.insert(name, value)));
    put("name", row.name.clone());
    put("namespace", row.namespace.clone());
    put("id", row.id.map(|id| id.to_string()));
    put("host", Some(row.address.host.clone()));
    put("path", Some(row.address.rest.clone()).filter(|rest| !rest.is_empty()));
    put("http", row.address.plain_http().then(String::new));
    put("registry-namespace", row.path.clone());
    put("mirror", row.mirror.clone());
    put("skipTLSVerify", row.skip_tls_verify.then(String::new));
    put("certificate", row.ca.clone());
    // Private is what a row is that says nothing.
    put("public", row.is_public.filter(|public| *public).map(|_| String::new()));
    put("requiresCert", row.requires_cert.filter(|yes| *yes).map(|_| String::new()));
    put("email", row.email.clone());
    put("title", row.title.clone());
    let mut rules = Vec::new();
    let mut secrets = Vec::new();
    for rule in &row.credentials {
        secrets.extend(rule.secret.as_ref().map(ToString::to_string));
        let login = rule.login.as_ref();
        let username = login.map(|login| match &login.username {
            Username::Unknown => "?".to_owned(),
            Username::Token => "token".to_owned(),
            Username::Shown(name) => name.clone(),
            Username::Hidden(name) => name.expose_secret().to_owned(),
        });
        let password = login.and_then(|login| login.password.as_ref());
        let password = password.map(|password| password.expose_secret().to_owned());
        let (username, password) = (username.unwrap_or("?".into()), password.unwrap_or("?".into()));
        rules.push(format!("{} {username} {password}", rule.scope.as_str()));
    }
    put("credentials", Some(rules.join("\n")).filter(|rules| !rules.is_empty()));
    put("secrets", Some(secrets.join("\n")).filter(|names| !names.is_empty()));
    fields
}

/// Codes of which one has to be there if the field comes back another.
fn covering(field: &str) -> &'static [Code] {
    match field {
        "name" | "namespace" | "secrets" => &[Code::RegistryNameLost],
        "id" => &[Code::RegistryIdLost],
        "path" => &[Code::RegistryAddressPath],
        "http" => &[Code::RegistryPlainHttpLost, Code::RegistrySkipVerifyLost],
        "registry-namespace" => &[Code::RegistryPathLost],
        "mirror" => &[Code::RegistryMirrorLost, Code::RegistryPlainHttpLost],
        "skipTLSVerify" => &[Code::RegistrySkipVerifyLost],
        "certificate" => &[Code::RegistryCaLost, Code::RegistryCaInvalid],
        "email" | "title" | "public" | "requiresCert" => &[Code::RegistryFieldLost],
        "credentials" => &[
            Code::RegistryCredentialsLost,
            Code::RegistryCredentialsSplit,
            Code::RegistryUsernameMissing,
            Code::RegistryFieldLost,
            Code::RegistryDuplicate,
        ],
        "default" => &[Code::RegistryDefaultLost],
        "rows" => &[
            Code::RegistryCacheOnly,
            Code::RegistryCredentialsSplit,
            Code::RegistryDuplicate,
            Code::RegistryIdLost,
        ],
        _ => &[],
    }
}

fn differences(before: &Registries, after: &Registries) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    if before.default_address != after.default_address {
        found.insert("default");
    }
    if before.rows.len() != after.rows.len() {
        found.insert("rows");
    }
    for row in &before.rows {
        let same = |other: &&Row| other.address.host == row.address.host;
        let Some(other) = after.rows.iter().find(same) else {
            found.insert("rows");
            continue;
        };
        let (left, right) = (fields(row), fields(other));
        let names: BTreeSet<_> = left.keys().chain(right.keys()).copied().collect();
        found.extend(names.into_iter().filter(|name| left.get(name) != right.get(name)));
    }
    found
}

/// Documents as values, with the rows that an ioFog has by itself where `from` shows them.
fn values(from: System, system: System, documents: Vec<Document>) -> Vec<Value> {
    let mut values: Vec<_> = documents.into_iter().map(|document| document.value).collect();
    if from == System::Iofog && matches!(system, System::Iofog | System::Edgelet) {
        let rows = iofog::system_rows().to_vec();
        values.push(iofog::write_json(&Registries { rows, default_address: None }));
    }
    values
}

/// What a system's own documents keep of the registries.
fn settled(system: System, registries: &Registries) -> Registries {
    let values = values(system, system, write(system, registries, &WITH));
    read(system, values).map(|read| read.registries).unwrap_or_default()
}

/// What differs after a way there and back, and what was said of it.
fn there_and_back(
    (from, to): (System, System),
    name: &str,
    documents: &[Value],
) -> (BTreeSet<&'static str>, Vec<Finding>) {
    let before = settled(from, &read(from, documents.to_vec()).unwrap().registries);
    let converted = convert(from, to, documents.to_vec(), &WITH).unwrap();
    let after = match read(to, values(from, to, converted.documents)) {
        Ok(read) => settled(from, &read.registries),
        Err(_) => Registries::default(),
    };
    let differ = differences(&before, &after);
    let said: BTreeSet<Code> = converted.findings.iter().map(|finding| finding.code).collect();
    for field in &differ {
        let covered = covering(field).iter().any(|code| said.contains(code));
        assert!(covered, "{name} → {to:?}: `{field}` is lost in silence; said: {said:?}");
    }
    (differ, converted.findings)
}

#[test]
fn every_example_comes_back_with_the_losses_that_were_said() {
    let mut table = String::new();
    for (from, name) in EXAMPLES {
        for to in System::ALL.into_iter().filter(|to| *to != from) {
            let (differ, findings) = there_and_back((from, to), name, &documents(name));
            let differ = differ.into_iter().collect::<Vec<_>>().join(" ");
            table += &format!("{name} → {}\n  lost: {differ}\n", to.as_str());
            table += &format!("  said: {}\n", codes(&findings).join(" "));
        }
    }
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        let path = format!("{}/tests/fixtures/systems/losses.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, &table).unwrap();
    }
    assert_eq!(table, file("losses.txt"));
}

#[test]
fn everything_that_was_recorded_comes_back_so_too() {
    let mut all = Vec::new();
    for exchange in recorded("recorded/iofog-registries.txt") {
        if exchange.body.starts_with("{\"registries\"") {
            all.push((System::Iofog, vec![serde_json::from_str(&exchange.body).unwrap()]));
        }
    }
    for yaml in file("recorded/eda-registry.txt").split("### kubectl apply\n").skip(1) {
        let yaml = yaml.split("--- answer").next().unwrap();
        if yaml.contains("kind: Registry") {
            all.push((System::Eda, cluster::parsed("recorded", yaml).unwrap()));
        }
    }
    assert_eq!(all.len(), 8);
    for (from, documents) in &all {
        for to in System::ALL.into_iter().filter(|to| to != from) {
            there_and_back((*from, to), "recorded", documents);
        }
    }
}

#[test]
fn no_conversion_prints_a_secret_unless_it_is_told_to() {
    for (from, name) in EXAMPLES {
        for to in System::ALL {
            let converted = convert(from, to, documents(name), &WriteOptions::default()).unwrap();
            let printed = text(&converted.documents);
            for secret in ["canary", "MBWUIX", "robot$"] {
                assert!(!printed.contains(secret), "{name} → {to:?}\n{printed}");
                let said = format!("{converted:?}");
                assert!(!said.contains(secret), "{said}");
            }
        }
    }
}

#[test]
fn placeholders_are_read_again_as_nothing() {
    for (from, name) in EXAMPLES {
        for to in System::ALL {
            let converted = convert(from, to, documents(name), &WriteOptions::default()).unwrap();
            let values = converted.documents.into_iter().map(|document| document.value).collect();
            let Ok(again) = read(to, values) else { continue };
            let logins = again.registries.rows.iter().flat_map(|row| &row.credentials);
            for login in logins.filter_map(|rule| rule.login.as_ref()) {
                assert!(login.password.is_none(), "{name} → {to:?}");
            }
        }
    }
}
