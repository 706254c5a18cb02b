//! From resources to rows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::Value;

use super::{GROUP, LABEL};
use crate::app::{Code, Finding, ObjectId};
use crate::destination::systems::{
    Address, Error, Fields, Login, Read, Registries, Reported, Row, Rule, Scope, SecretName,
    System, Username,
};

/// A Secret as far as it matters here.
struct Credentials {
    name: String,
    namespace: Option<String>,
    labelled: bool,
    login: Login,
}

/// Reads `Registry` resources and the Secrets beside them; other objects are passed over. A
/// resource without `apiVersion`, as the vendor's page shows it, is taken for one of EDA.
///
/// # Errors
/// When there is no `Registry` at all.
pub fn read(documents: Vec<Value>) -> Result<Read, Error> {
    let mut findings = Vec::new();
    let mut secrets = Vec::new();
    let mut registries = Vec::new();
    for object in documents.into_iter().flat_map(items) {
        match object["kind"].as_str() {
            Some("Secret") => secrets.push(credentials(object, &mut findings)),
            Some("Registry") if is_registry(&object) => registries.push(object),
            _ => {}
        }
    }
    if registries.is_empty() {
        return Err(Error::NotOfSystem { system: System::Eda });
    }
    let rows: Vec<Row> = registries
        .into_iter()
        .map(|object| Row::noting(&mut findings, |findings| row(object, &secrets, findings)))
        .collect();
    duplicates(&rows, &mut findings);
    Ok(Read { registries: Registries { rows, default_address: None }, findings })
}

/// The objects of a document: itself, or the items of a list.
fn items(mut document: Value) -> Vec<Value> {
    match document.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => vec![document],
    }
}

/// Whether an object is a `Registry` of EDA.
pub(crate) fn is_registry(object: &Value) -> bool {
    let version = object["apiVersion"].as_str();
    object["kind"] == "Registry" && version.is_none_or(|version| version.starts_with(GROUP))
}

fn row(mut object: Value, secrets: &[Credentials], findings: &mut Vec<Finding>) -> Row {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
    let id = ObjectId {
        group: GROUP.to_owned(),
        kind: "Registry".to_owned(),
        namespace: namespace.clone(),
        name: name.clone(),
    };
    let reported = reported(&object["status"]);
    let spec = object.get_mut("spec").map(Value::take).unwrap_or_default();
    let mut spec = Fields::new(spec, "spec.", id, findings);
    let address = address(&mut spec);
    let mut row = Row {
        name: Some(name).filter(|name| !name.is_empty()),
        namespace,
        address,
        mirror: mirror(&mut spec),
        skip_tls_verify: spec.flag("skipTLSVerify").unwrap_or_default(),
        title: spec.text("title"),
        reported,
        ..Row::default()
    };
    row.credentials.extend(rule(&mut spec, row.namespace.as_deref(), secrets));
    row.unknown = spec.rest();
    row
}

fn address(spec: &mut Fields<'_>) -> Address {
    let written = spec.text("remoteURL");
    let address = Address::parse(written.as_deref().unwrap_or_default());
    if address.host.is_empty() {
        let (text, remedy) = match written {
            None => ("it is missing", "write the host of the registry there"),
            Some(_) => ("it is no address", "write `[https://|http://]HOST[:PORT]`"),
        };
        spec.odd(Code::RegistryAddressInvalid, "remoteURL", text, remedy);
    } else if !address.rest.is_empty() {
        let text = "it has a path; EDA compares the host alone";
        spec.odd(Code::RegistryAddressPath, "remoteURL", text, "leave the path out");
    }
    address
}

/// The mirror under the name that the definition has, or under those that the vendor's page and
/// its readers use (recorded: `strict decoding error: unknown field "spec.mirrorUrl"`).
fn mirror(spec: &mut Fields<'_>) -> Option<String> {
    let mut written = spec.text("mirror");
    for alias in ["mirrorUrl", "mirrorURL"] {
        if let Some(text) = spec.text(alias) {
            let remedy = "write `mirror`: the API server refuses this field, or drops it";
            spec.odd(Code::EdaMirrorAlias, alias, "the definition only knows `mirror`", remedy);
            written.get_or_insert(text);
        }
    }
    let written = written?;
    let address = Address::parse(&written);
    if address.host.is_empty() {
        let text = "it is no address and is passed over";
        spec.odd(Code::RegistryAddressInvalid, "mirror", text, "write the host of the mirror");
        return None;
    }
    if !address.rest.is_empty() {
        let text = "it has a path; EDA exchanges the host, and keeps repositories and tags";
        spec.odd(Code::EdaMirrorPath, "mirror", text, "mirror to the root of a host of its own");
    }
    Some(written)
}

/// The Secret "must be in the same namespace as the registry"; an object that names none may be of any.
fn rule(spec: &mut Fields<'_>, namespace: Option<&str>, secrets: &[Credentials]) -> Option<Rule> {
    let name = spec.text("authSecretRef")?;
    let is_beside = |secret: &&Credentials| {
        let own = secret.namespace.as_deref();
        secret.name == name && (own.is_none() || namespace.is_none() || own == namespace)
    };
    // The last of a name is what `kubectl apply` leaves.
    let login = match secrets.iter().rev().find(is_beside) {
        None => {
            let text = format!("there is no Secret `{name}` beside it");
            let remedy = "make the Secret, or correct the name: it is that of a Secret in the \
                          namespace of the Registry";
            spec.odd(Code::RegistrySecretMissing, "authSecretRef", &text, remedy);
            None
        }
        Some(found) => {
            if !found.labelled {
                let text = format!("Secret `{name}` lacks the label `{LABEL}: \"true\"`");
                let remedy = "add the label: the EDA Store does not pick the Secret up without it";
                spec.odd(Code::EdaSecretLabel, "authSecretRef", &text, remedy);
            }
            Some(found.login.clone())
        }
    };
    Some(Rule { scope: Scope::All, secret: Some(SecretName { vault: None, name }), login })
}

fn reported(status: &Value) -> Option<Reported> {
    let reachable = status["reachable"].as_bool()?;
    let error = status["error"].as_str().filter(|error| !error.is_empty()).map(str::to_owned);
    Some(Reported { reachable, error })
}

fn credentials(mut object: Value, findings: &mut Vec<Finding>) -> Credentials {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
    let labelled = object["metadata"]["labels"][LABEL].as_str() == Some("true");
    let id = ObjectId {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: None,
        name: name.clone(),
    };
    let texts = object.get_mut("stringData").map(Value::take).unwrap_or_default();
    let mut texts = Fields::new(texts, "stringData.", id.clone(), findings);
    let (mut username, mut password) = (texts.text("username"), texts.text("password"));
    drop(texts);
    let data = object.get_mut("data").map(Value::take).unwrap_or_default();
    let mut data = Fields::new(data, "data.", id, findings);
    username = username.or_else(|| decoded(&mut data, "username"));
    password = password.or_else(|| decoded(&mut data, "password"));
    let username =
        username.map_or(Username::Unknown, |name| Username::Hidden(SecretString::from(name)));
    let login = Login { username, password: password.map(Into::into) };
    Credentials { name, namespace, labelled, login }
}

fn decoded(data: &mut Fields<'_>, key: &str) -> Option<String> {
    let text: String = data.text(key)?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    if bytes.is_none() {
        data.odd(Code::RegistryFieldInvalid, key, "it is not base64 of text", "encode it");
    }
    bytes
}

/// Two Registries of one host: which one EDA takes is not documented.
fn duplicates(rows: &[Row], findings: &mut Vec<Finding>) {
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.is_usable()) {
        if let Some(first) = rows[..at].iter().find(|first| first.address.host == row.address.host)
        {
            let text = format!(
                "Registry `{}` has the same host `{}`, and EDA does not say which one it takes",
                first.object().name,
                row.address.host
            );
            let finding = Finding::new(Code::RegistryDuplicate, text).field("spec.remoteURL");
            findings.push(finding.on(row.object()).remedy("keep one of them"));
        }
    }
}
