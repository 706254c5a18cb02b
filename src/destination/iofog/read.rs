//! From any of ioFog's documents to rows.

use secrecy::SecretString;
use serde_json::Value;

use super::{CERTIFICATE_UNUSED, FROM_CACHE, LAST_ID, REMOTE, UNUSED, edgelet, is_system, yaml};
use crate::app::{Code, Finding, ObjectId};
use crate::destination::secret::is_pem;
use crate::destination::systems::{
    Address, Error, Fields, Login, Read, Registries, Row, Rule, Scope, System, Username,
};

/// Docker Hub as a default registry is written (Avassa's page).
const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// Reads the JSON array of `edgectl`, an answer of `/api/v3/registries`, and YAML of kind
/// `Registry`; other documents are passed over.
///
/// # Errors
/// When there is no row at all, or the document is an error of the Controller.
pub fn read(documents: Vec<Value>) -> Result<Read, Error> {
    let mut findings = Vec::new();
    let mut rows = Vec::new();
    let mut found = false;
    for document in documents {
        refused(&document)?;
        match document {
            Value::Array(items) => {
                found = true;
                rows.extend(
                    items
                        .into_iter()
                        .map(|item| Row::noting(&mut findings, |found| row(item, found))),
                );
            }
            mut object if object["registries"].is_array() => {
                found = true;
                let items = object["registries"].as_array_mut().map(std::mem::take);
                rows.extend(
                    items
                        .into_iter()
                        .flatten()
                        .map(|item| Row::noting(&mut findings, |found| row(item, found))),
                );
            }
            object if object["kind"] == "Registry" => {
                let version = object["apiVersion"].as_str().unwrap_or_default().to_owned();
                if version.starts_with("iofog.org/") {
                    rows.push(Row::noting(&mut findings, |found| yaml::row(object, found)));
                } else if version.starts_with("edgelet.iofog.org/") {
                    rows.push(Row::noting(&mut findings, |found| edgelet::row(object, found)));
                }
            }
            object if object["url"].is_string() => {
                rows.push(Row::noting(&mut findings, |found| row(object, found)));
            }
            _ => {}
        }
    }
    if rows.is_empty() && !found {
        return Err(Error::NotOfSystem { system: System::Iofog });
    }
    duplicates(&rows, &mut findings);
    // `remote` is what an application gets that names no row.
    let remote = rows.iter().any(|row| row.id == Some(REMOTE.0) && is_system(row));
    let default_address = remote.then(|| DOCKER_HUB_API.to_owned());
    Ok(Read { registries: Registries { rows, default_address }, findings })
}

/// Whose document about registries this is: ioFog's or edgelet's. An answer of the Controller that
/// refuses one is ioFog's.
pub(crate) fn system_of(document: &Value) -> Option<System> {
    let is_row = |value: &Value| value["kind"].is_null() && value["url"].is_string();
    let version = document["apiVersion"].as_str().unwrap_or_default();
    let is_iofog = match document {
        Value::Array(items) => items.iter().all(is_row),
        _ if document["kind"] == "Registry" && version.starts_with("edgelet.iofog.org/") => {
            return Some(System::Edgelet);
        }
        _ if document["kind"] == "Registry" => version.starts_with("iofog.org/"),
        _ => is_row(document) || document["registries"].is_array() || refused(document).is_err(),
    };
    is_iofog.then_some(System::Iofog)
}

/// A row of JSON. The e-mail address is `email` to edgectl and in requests, `userEmail` in
/// answers; no answer has a password, but a request may be saved with one.
fn row(value: Value, findings: &mut Vec<Finding>) -> Row {
    let about = object(&Address::name(value["url"].as_str()));
    let mut fields = Fields::new(value, "", about, findings);
    let id = id(&mut fields, "id");
    let mut row = Row {
        id,
        address: address(&mut fields),
        is_public: Some(fields.flag("isPublic").unwrap_or_default()),
        is_secure: fields.flag("isSecure"),
        requires_cert: fields.flag("requiresCert"),
        ca: certificate(&mut fields),
        email: fields.text("email"),
        ..Row::default()
    };
    row.email = row.email.or(fields.text("userEmail"));
    row.credentials.extend(login(&mut fields, row.is_public));
    drop(fields.value("userId"));
    check(&row, &mut fields);
    row.unknown = fields.rest();
    row
}

/// The id of a row; none where it is no id.
pub(super) fn id(fields: &mut Fields<'_>, name: &str) -> Option<u32> {
    let value = fields.value(name)?;
    let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
    let id = id.filter(|id| (1..=LAST_ID).contains(id));
    if id.is_none() && value != 0 {
        let text = format!("it is no id: ids are numbers from 1 to {LAST_ID}");
        fields.odd(Code::RegistryIdInvalid, name, &text, "leave it out, and the server gives one");
    }
    id
}

/// The URL, which the Controller takes as free text: a host or a URL.
pub(super) fn address(fields: &mut Fields<'_>) -> Address {
    let written = fields.text("url");
    let address = Address::parse(written.as_deref().unwrap_or_default());
    if address.host.is_empty() {
        let text = if written.is_some() { "it is no address" } else { "it is missing" };
        fields.odd(Code::RegistryAddressInvalid, "url", text, "write `[https://]HOST[:PORT]`");
    } else if !address.rest.is_empty() {
        let text = "it has a path, which no agent looks at";
        fields.odd(Code::RegistryAddressPath, "url", text, "leave the path out");
    }
    address
}

/// The certificate as written, with what is wrong with it.
pub(super) fn certificate(fields: &mut Fields<'_>) -> Option<String> {
    let pem = fields.text("certificate")?;
    if !is_pem(pem.as_bytes()) {
        let remedy = "paste whole PEM blocks";
        fields.odd(Code::RegistryCaInvalid, "certificate", "it is no certificate in PEM", remedy);
    }
    Some(pem)
}

/// User name and password. A private row needs them, even where they are not known.
pub(super) fn login(fields: &mut Fields<'_>, is_public: Option<bool>) -> Option<Rule> {
    let used = |text: &String| text != UNUSED || is_public != Some(true);
    let username = fields.text("username").filter(used);
    let password = fields.text("password").filter(used).map(SecretString::from);
    if username.is_none() && password.is_none() {
        let private = is_public == Some(false);
        if private {
            let text = "the row is private and has no user name";
            fields.odd(Code::IofogKeyMissing, "username", text, "give user name and password");
        }
        return private.then_some(Rule { scope: Scope::All, secret: None, login: None });
    }
    let username = username.map_or(Username::Unknown, Username::Shown);
    let login = Some(Login { username, password });
    Some(Rule { scope: Scope::All, secret: None, login })
}

/// What is odd about a row as a whole.
pub(super) fn check(row: &Row, fields: &mut Fields<'_>) {
    if row.is_public == Some(true) && !row.credentials.is_empty() {
        let text = "the row is public: its credentials are not used, and every agent gets them";
        fields.odd(Code::IofogPublicCredentials, "isPublic", text, "make the row private");
    }
    if row.ca.is_some() || row.requires_cert == Some(true) {
        let (text, remedy) = CERTIFICATE_UNUSED;
        fields.odd(Code::IofogCertificateUnused, "certificate", text, remedy);
    }
    if row.requires_cert == Some(true) && row.ca.is_none() {
        let text =
            "`requiresCert` is true and there is no certificate; the Controller refuses that";
        fields.odd(Code::RegistryCaInvalid, "certificate", text, "give a certificate");
    }
}

pub(super) fn object(name: &str) -> ObjectId {
    ObjectId {
        group: "iofog.org".to_owned(),
        kind: "Registry".to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

/// `{"name": "AuthenticationError", "message": …}` in place of rows (recorded).
fn refused(document: &Value) -> Result<(), Error> {
    let text = |field: &str| document[field].as_str().map(str::to_owned);
    match (text("name"), text("message")) {
        (Some(name), Some(message)) if name.ends_with("Error") => {
            Err(Error::Refused { system: System::Iofog, name, message })
        }
        _ => Ok(()),
    }
}

/// Rows with one id, and rows with one URL: the second are allowed, and applications must choose.
fn duplicates(rows: &[Row], findings: &mut Vec<Finding>) {
    for (at, row) in rows.iter().enumerate() {
        let before = &rows[..at];
        if row.id.is_some() && before.iter().any(|first| first.id == row.id) {
            let finding = Finding::new(Code::RegistryDuplicate, "another row has the same id");
            findings.push(finding.on(row.object()).field("id").remedy("keep one of them"));
        }
        let same = |first: &&Row| first.address == row.address && row.is_usable();
        if let Some(first) = before.iter().find(same).filter(|_| row.address.host != FROM_CACHE) {
            let text = format!("row `{}` has the same URL", first.object().name);
            let finding = Finding::new(Code::RegistryDuplicate, text).field("url");
            let remedy = "applications choose by id; name the right one in `images.registry`";
            findings.push(finding.on(row.object()).remedy(remedy));
        }
    }
}
