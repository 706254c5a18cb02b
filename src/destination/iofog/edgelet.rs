//! The Registry of edgelet, ioFog's agent of 2026 (eclipse-iofog/edgelet, manifest reference).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::is_system;
use super::read::{address, id, login, object};
use crate::app::{Code, Finding};
use crate::destination::secret::is_pem;
use crate::destination::systems::{
    Address, Document, Fields, Registries, Row, WriteOptions, fill, fill_username, slug,
};

/// API version of edgelet's documents.
pub(super) const API_VERSION: &str = "edgelet.iofog.org/v1";

/// The first id that users may give; smaller ones are edgelet's own.
pub(crate) const FIRST_ID: u32 = 4;

/// Reads one. Rows of type `hf` are no registries of images and are passed over by their address.
pub(super) fn row(mut value: Value, findings: &mut Vec<Finding>) -> Row {
    let spec = value.get_mut("spec").map(Value::take).unwrap_or_default();
    let object = object(&Address::name(spec["url"].as_str()));
    let mut fields = Fields::new(spec, "spec.", object, findings);
    let id = id(&mut fields, "id");
    let mut address = address(&mut fields);
    if fields.text("type").is_some_and(|kind| kind != "oci") {
        let text = "a registry of another type than `oci` has no images";
        fields.odd(Code::RegistryFieldInvalid, "type", text, "leave the row out");
        address = Address::default();
    }
    let insecure = fields.flag("insecure").unwrap_or_default();
    // It allows HTTP without TLS as well; no password is sent so unless the URL says it.
    let mut row = Row {
        id,
        address,
        skip_tls_verify: insecure,
        is_public: fields.flag("private").map(|private| !private),
        ca: ca(&mut fields),
        email: fields.text("email"),
        ..Row::default()
    };
    row.credentials.extend(login(&mut fields, row.is_public));
    row.unknown = fields.rest();
    row
}

/// `ca`: PEM in base64.
fn ca(fields: &mut Fields<'_>) -> Option<String> {
    let text: String = fields.text("ca")?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let pem = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let sound = pem.filter(|pem| is_pem(pem.as_bytes()));
    if sound.is_none() {
        let text = "it is not base64 of certificates in PEM";
        fields.odd(Code::RegistryCaInvalid, "ca", text, "give `base64 -w0 ca.pem`");
    }
    sound
}

/// The rows that edgelet does not have by itself, with the field `ca` that it reads and `insecure`.
pub fn write(registries: &Registries, options: &WriteOptions) -> Vec<Document> {
    let own = |row: &&Row| row.is_usable() && !row.is_cache() && !is_system(row);
    registries.rows.iter().filter(own).flat_map(|row| documents(row, options)).collect()
}

fn documents(row: &Row, options: &WriteOptions) -> Vec<Document> {
    let with = options.with_secrets;
    let mut documents = Vec::new();
    for (at, rule) in row.credentials.iter().map(Some).chain([None]).enumerate() {
        // The row itself, without credential, only where it has none.
        if rule.is_none() && at > 0 {
            continue;
        }
        let mut spec = Map::new();
        let id = row.id.filter(|id| *id >= FIRST_ID && at == 0);
        spec.extend(id.map(|id| ("id".to_owned(), id.into())));
        spec.insert("url".to_owned(), row.address.host.as_str().into());
        let private = rule.is_some() && row.is_public != Some(true);
        spec.insert("private".to_owned(), private.into());
        if let Some(rule) = rule {
            let login = rule.login.as_ref();
            spec.insert("username".to_owned(), fill_username(login, "username", with).into());
            spec.insert("password".to_owned(), fill(login, "password", with).into());
        }
        spec.extend(row.email.as_ref().map(|email| ("email".to_owned(), email.as_str().into())));
        let ca = row.ca.as_ref().map(|pem| STANDARD.encode(pem));
        spec.extend(ca.map(|ca| ("ca".to_owned(), ca.into())));
        let insecure = row.skip_tls_verify || row.address.plain_http();
        spec.insert("insecure".to_owned(), insecure.into());
        spec.extend(row.unknown.written_beside_secrets(with));
        let name = row.name.as_deref().map_or_else(|| slug(&row.address.host), slug);
        let name = if at == 0 { name } else { format!("{name}-{}", at + 1) };
        documents.push(Document::new(json!({
            "apiVersion": API_VERSION,
            "kind": "Registry",
            "metadata": {"name": name},
            "spec": Value::Object(spec),
        })));
    }
    documents
}
