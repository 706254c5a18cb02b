//! From documents to rows. What a document is shows in its fields: none of them has a kind.

use serde_json::Value;

use super::secrets::Strongbox;
use crate::app::{Code, Finding, ObjectId};
use crate::destination::secret::is_pem;
use crate::destination::systems::{
    Address, Error, Fields, Read, Registries, Row, Rule, Scope, SecretName, System,
};

/// Reads settings, remote registries and secrets in any order, alone, in lists, or under the names
/// of their paths (`image-registry`, `remote-registries`, `settings`, `vaults`).
///
/// # Errors
/// When there is neither a setting nor a registry, or the document is an error of the API.
pub fn read(documents: Vec<Value>) -> Result<Read, Error> {
    let mut reading = Reading::default();
    for document in documents {
        refused(&document)?;
        reading.take(document);
    }
    if reading.rows.is_empty() && reading.default_address.is_none() {
        return Err(Error::NotOfSystem { system: System::Avassa });
    }
    Ok(reading.finish())
}

/// Names of paths, below which documents stand.
const PATHS: [&str; 5] = ["image-registry", "remote-registries", "settings", "strongbox", "vaults"];

/// Whether a document is one of Control Tower about registries or their secrets, or an answer that
/// refuses one.
pub(crate) fn is_document(document: &Value) -> bool {
    match document {
        Value::Array(items) => items.iter().any(is_document),
        Value::Object(map) if map.contains_key("kind") || map.contains_key("apiVersion") => false,
        Value::Object(map) => {
            let has = |key: &str| map.contains_key(key);
            has("address")
                || has("default-remote-registry")
                || map.get("errors").is_some_and(Value::is_array)
                || PATHS.into_iter().any(has)
                || Strongbox::is_vault(map)
                || Strongbox::is_secret(map)
        }
        _ => false,
    }
}

#[derive(Default)]
struct Reading {
    rows: Vec<Row>,
    default_address: Option<String>,
    strongbox: Strongbox,
    findings: Vec<Finding>,
}

impl Reading {
    fn take(&mut self, document: Value) {
        match document {
            Value::Array(items) => items.into_iter().for_each(|item| self.take(item)),
            Value::Object(mut map) if map.contains_key("address") => {
                let value = Value::Object(std::mem::take(&mut map));
                let row = Row::noting(&mut self.findings, |found| row(value, found));
                self.add(row);
            }
            Value::Object(map) if map.contains_key("default-remote-registry") => {
                let id = object("settings", "settings");
                let mut settings = Fields::new(map.into(), "", id, &mut self.findings);
                self.default_address = host(&mut settings, "default-remote-registry");
                settings.pass_over();
            }
            Value::Object(map) if Strongbox::is_vault(&map) || Strongbox::is_secret(&map) => {
                self.strongbox.take(map, None, &mut self.findings);
            }
            Value::Object(map) => {
                let inner = map.into_iter().filter(|(name, _)| PATHS.contains(&name.as_str()));
                inner.for_each(|(_, value)| self.take(value));
            }
            _ => {}
        }
    }

    /// `address` is the key of the list: a second one replaces the first.
    fn add(&mut self, row: Row) {
        let same = |known: &Row| known.address.host == row.address.host && row.is_usable();
        if let Some(at) = self.rows.iter().position(same) {
            let text =
                "the address is there twice; the last one is taken, as `supctl replace` would";
            let finding = Finding::new(Code::RegistryDuplicate, text).field("address");
            self.findings.push(finding.on(row.object()).remedy("keep one of them"));
            self.rows[at] = row;
        } else {
            self.rows.push(row);
        }
    }

    fn finish(mut self) -> Read {
        for rule in self.rows.iter_mut().flat_map(|row| &mut row.credentials) {
            rule.login = rule.secret.as_ref().and_then(|name| self.strongbox.login(name));
        }
        if !self.strongbox.is_empty() {
            self.missing();
        }
        let registries = Registries { rows: self.rows, default_address: self.default_address };
        Read { registries, findings: self.findings }
    }

    /// Where secrets are given, one that is named and not among them is odd.
    fn missing(&mut self) {
        for row in &self.rows {
            for rule in row.credentials.iter().filter(|rule| rule.login.is_none()) {
                let Some(name) = &rule.secret else { continue };
                let text = format!("`{name}` is not among the secrets that were given");
                let finding = Finding::new(Code::RegistrySecretMissing, text).field("credentials");
                let remedy = "make the secret with `supctl create strongbox vaults VAULT secrets`";
                self.findings.push(finding.on(row.object()).remedy(remedy));
            }
        }
    }
}

fn row(value: Value, findings: &mut Vec<Finding>) -> Row {
    let id = object("remote-registries", &Address::name(value["address"].as_str()));
    let mut fields = Fields::new(value, "", id, findings);
    let address = fields.text("address").map(|text| Address::parse(&text)).unwrap_or_default();
    if address.host.is_empty() || address.scheme.is_some() || !address.rest.is_empty() {
        let text = "an address is a host and a port, without scheme and path";
        fields.odd(Code::RegistryAddressInvalid, "address", text, "write `HOST[:PORT]`");
    }
    let mirror = host(&mut fields, "override-address");
    let ca = fields.text("ca-cert");
    if ca.as_ref().is_some_and(|pem| !is_pem(pem.as_bytes())) {
        let text = "it holds no certificates in PEM";
        fields.odd(Code::RegistryCaInvalid, "ca-cert", text, "paste whole PEM blocks");
    }
    let rules = rules(&mut fields);
    let unknown = fields.rest();
    Row { address, mirror, ca, credentials: rules, unknown, ..Row::default() }
}

/// A field that is the address of a registry, which is passed over where it is none.
fn host(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let written = fields.text(name)?;
    let valid = !Address::parse(&written).host.is_empty();
    if !valid {
        let text = "it is no address and is passed over";
        fields.odd(Code::RegistryAddressInvalid, name, text, "write `HOST[:PORT]`");
    }
    valid.then_some(written)
}

fn rules(fields: &mut Fields<'_>) -> Vec<Rule> {
    let items = match fields.value("credentials") {
        Some(Value::Array(items)) => items,
        Some(_) => {
            let remedy = "write a list of mappings with repository, vault and secret";
            fields.odd(Code::RegistryFieldInvalid, "credentials", "it is no list", remedy);
            Vec::new()
        }
        None => Vec::new(),
    };
    items.iter().filter_map(|item| rule(item, fields)).collect()
}

fn rule(item: &Value, fields: &mut Fields<'_>) -> Option<Rule> {
    let text = |name: &str| item[name].as_str().filter(|text| !text.is_empty());
    let (Some(repository), Some(vault), Some(secret)) =
        (text("repository"), text("vault"), text("secret"))
    else {
        let text = "an entry lacks repository, vault or secret, and is passed over";
        let remedy = "write all three, each below the entry's `-`";
        fields.odd(Code::RegistryFieldInvalid, "credentials", text, remedy);
        return None;
    };
    let scope = match repository {
        "*" => Scope::All,
        prefix => Scope::Below(prefix.trim_matches('/').to_owned()),
    };
    let secret = SecretName { vault: Some(vault.to_owned()), name: secret.to_owned() };
    Some(Rule { scope, secret: Some(secret), login: None })
}

pub(super) fn object(kind: &str, name: &str) -> ObjectId {
    ObjectId {
        group: "image-registry".to_owned(),
        kind: kind.to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

/// An answer such as `{"errors": …}` in place of a list.
fn refused(document: &Value) -> Result<(), Error> {
    let Some(errors) = document.get("errors") else { return Ok(()) };
    let message = errors[0]["error-message"].as_str().or_else(|| errors.as_str());
    Err(Error::Refused {
        system: System::Avassa,
        name: errors[0]["error-tag"].as_str().unwrap_or("error").to_owned(),
        message: message.unwrap_or("it says no more").to_owned(),
    })
}
