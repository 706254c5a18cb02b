//! From labelled Secrets to rows.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::{CERTS, LABEL, OWN_LABEL, annotation};
use crate::app::{Code, Finding, ObjectId};
use crate::destination::secret::{DOCKER_CONFIG, EPINIO_NAMESPACE, is_pem};
use crate::destination::systems::{
    Address, Error, Fields, Login, Read, Registries, Row, Rule, Scheme, Scope, SecretName, System,
    Username, is_placeholder,
};

/// One Secret with its values in clear, within this file alone.
struct Plain {
    name: String,
    namespace: Option<String>,
    annotations: BTreeMap<String, String>,
    is_destination: bool,
    values: BTreeMap<String, SecretString>,
}

/// Reads Secrets; those without the label are looked up by name only, for certificates.
///
/// # Errors
/// When no Secret has the label.
pub fn read(documents: Vec<Value>) -> Result<Read, Error> {
    let mut findings = Vec::new();
    let secrets: Vec<Plain> = documents
        .into_iter()
        .flat_map(items)
        .filter(|object| object["kind"] == "Secret")
        .map(|object| plain(object, &mut findings))
        .collect();
    let labelled = secrets.iter().filter(|secret| secret.is_destination);
    let rows: Vec<Row> = labelled
        .map(|secret| Row::noting(&mut findings, |found| row(secret, &secrets, found)))
        .collect();
    if rows.is_empty() {
        return Err(Error::NotOfSystem { system: System::Epinio });
    }
    Ok(Read { registries: Registries { rows, default_address: None }, findings })
}

fn items(mut document: Value) -> Vec<Value> {
    match document.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => vec![document],
    }
}

fn plain(mut object: Value, findings: &mut Vec<Finding>) -> Plain {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().map(str::to_owned);
    let (name, namespace) = (text("name").unwrap_or_default(), text("namespace"));
    let is_true = |label: &str| metadata["labels"][label] == "true";
    let is_destination = is_true(LABEL) || is_true(OWN_LABEL);
    let texts = metadata["annotations"].as_object().into_iter().flatten();
    let annotations = texts
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.trim().to_owned())))
        .collect();
    let mut take = |key: &str| object.get_mut(key).map(Value::take).unwrap_or_default();
    let (data, string_data) = (take("data"), take("stringData"));
    let id = object_id(&name, namespace.as_deref());
    let mut values = BTreeMap::new();
    for (fields, encoded) in [(data, true), (string_data, false)] {
        let path = if encoded { "data." } else { "stringData." };
        let mut fields = Fields::new(fields, path, id.clone(), findings);
        for key in [DOCKER_CONFIG, CERTS.0, CERTS.1] {
            let Some(text) = fields.text(key) else { continue };
            match if encoded { decoded(&text) } else { Some(text) } {
                Some(value) => drop(values.insert(key.to_owned(), SecretString::from(value))),
                None => {
                    fields.odd(Code::RegistryFieldInvalid, key, "it is not base64", "encode it");
                }
            }
        }
    }
    Plain { name, namespace, annotations, is_destination, values }
}

fn decoded(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    String::from_utf8(STANDARD.decode(bare).ok()?).ok()
}

fn object_id(name: &str, namespace: Option<&str>) -> ObjectId {
    ObjectId {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    }
}

fn row(secret: &Plain, all: &[Plain], findings: &mut Vec<Finding>) -> Row {
    let note = |key: &str| secret.annotations.get(key).filter(|text| !text.is_empty()).cloned();
    let flag = |key: &str| note(key).map(|text| text == "true");
    let own = "outhaul.dev/registry-namespace";
    let path = note(own).or_else(|| note(EPINIO_NAMESPACE));
    let open = path.as_deref().is_some_and(is_placeholder);
    if open {
        let finding = Finding::new(Code::RegistryPlaceholder, "a placeholder stands here");
        let id = object_id(&secret.name, secret.namespace.as_deref());
        findings.push(finding.on(id).field(EPINIO_NAMESPACE).remedy("write the path, or nothing"));
    }
    let path = path.filter(|_| !open);
    let mut row = Row {
        name: Some(secret.name.clone()),
        namespace: secret.namespace.clone(),
        path,
        title: note(annotation::DESCRIPTION),
        skip_tls_verify: flag(annotation::SKIP_VERIFY).unwrap_or_default(),
        id: note(annotation::ID).and_then(|id| id.parse().ok()),
        email: note(annotation::EMAIL),
        is_public: flag(annotation::PUBLIC),
        requires_cert: flag(annotation::REQUIRES_CERT),
        ..Row::default()
    };
    entry(secret, &mut row, findings);
    if flag(annotation::PLAIN_HTTP) == Some(true) {
        row.address.scheme = Some(Scheme::Http);
    }
    roots(secret, all, &mut row, findings);
    row
}

/// The entry of `auths` that is meant: the one that annotation `outhaul.dev/registry` names, else
/// the first, with a finding where there are more.
fn entry(secret: &Plain, row: &mut Row, findings: &mut Vec<Finding>) {
    let id = object_id(&secret.name, secret.namespace.as_deref());
    let mut odd = |code, text: &str, remedy: &str| {
        findings.push(Finding::new(code, text).on(id.clone()).field(DOCKER_CONFIG).remedy(remedy));
    };
    let auths = secret.values.get(DOCKER_CONFIG).and_then(|json| auths(json.expose_secret()));
    let Some(mut auths) = auths else {
        let remedy = "write `{\"auths\": {HOST: {\"username\": …, \"password\": …}}}`";
        odd(Code::RegistryAddressInvalid, "there is no JSON with `auths`", remedy);
        return;
    };
    let chosen = secret.annotations.get(annotation::REGISTRY);
    let key = chosen.filter(|key| auths.contains_key(*key)).or_else(|| auths.keys().next());
    let Some(key) = key.cloned() else {
        odd(Code::RegistryAddressInvalid, "`auths` is empty", "add an entry for the registry");
        return;
    };
    if auths.len() > 1 && chosen.is_none() {
        let remedy = "say which with annotation outhaul.dev/registry";
        odd(Code::RegistryDuplicate, "`auths` has several entries; the first is taken", remedy);
    }
    row.address = Address::parse(&key);
    if row.address.host.is_empty() {
        odd(Code::RegistryAddressInvalid, "the key of `auths` is no host", "write `HOST[:PORT]`");
    }
    let (login, disagree, open) = login(auths.shift_remove(&key).unwrap_or_default());
    if disagree {
        let text = "`auth` says something else than `username` and `password`, which are used";
        odd(Code::RegistryFieldInvalid, text, "leave one of them out");
    }
    if open {
        let text = "placeholders stand for user name or password";
        odd(Code::RegistryPlaceholder, text, "put the values in their places");
    }
    if let Some(login) = login {
        let name = SecretName { vault: None, name: secret.name.clone() };
        row.credentials.push(Rule { scope: Scope::All, secret: Some(name), login: Some(login) });
    }
}

fn auths(json: &str) -> Option<Map<String, Value>> {
    let root: Value = serde_json::from_str(json).ok()?;
    root.get("auths")?.as_object().cloned()
}

/// `username` and `password`, else `auth`, which the first colon divides; whether both are there
/// and differ, and whether a placeholder is among them.
fn login(mut entry: Value) -> (Option<Login>, bool, bool) {
    let mut take = |key: &str| match entry.get_mut(key).map(Value::take) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let token = take("identitytoken").or_else(|| take("registrytoken"));
    let pair = take("username").zip(take("password"));
    let packed = take("auth").and_then(|auth| decoded(&auth));
    let packed = packed.and_then(|text| {
        text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    });
    let disagree = pair.is_some() && packed.is_some() && pair != packed;
    if let Some(token) = token {
        let login = Login { username: Username::Token, password: Some(token.into()) };
        return (Some(login), false, false);
    }
    let known = pair.or(packed);
    let open = known.as_ref().is_some_and(|(u, p)| is_placeholder(u) || is_placeholder(p));
    let login = known.map(|(user, password)| {
        let closed = |text: String| Some(text).filter(|text| !is_placeholder(text));
        let username = closed(user).map_or(Username::Unknown, |user| Username::Hidden(user.into()));
        Login { username, password: closed(password).map(Into::into) }
    });
    (login, disagree, open)
}

fn roots(secret: &Plain, all: &[Plain], row: &mut Row, findings: &mut Vec<Finding>) {
    let Some(name) = secret.values.get(CERTS.0).map(|name| name.expose_secret().trim()) else {
        return;
    };
    let id = object_id(&secret.name, secret.namespace.as_deref());
    let mut odd = |code, text: String| {
        findings.push(Finding::new(code, text).on(id.clone()).field(CERTS.0));
    };
    if !crate::destination::systems::is_subdomain(name) {
        // Not the value: people put the certificate itself here.
        return odd(Code::RegistryFieldInvalid, "it must be the name of a Secret".to_owned());
    }
    row.ca_secret = Some(name.to_owned());
    let found = all.iter().find(|other| other.name == name);
    match found.and_then(|found| found.values.get(CERTS.1)) {
        None => odd(
            Code::RegistrySecretMissing,
            format!("there is no Secret `{name}` with `{}` beside it", CERTS.1),
        ),
        Some(pem) if !is_pem(pem.expose_secret().as_bytes()) => odd(
            Code::RegistryCaInvalid,
            format!("`{}` of Secret `{name}` holds no certificates in PEM", CERTS.1),
        ),
        Some(pem) => row.ca = Some(pem.expose_secret().to_owned()),
    }
}
