//! Applications: of the Controller's checks those of images and registries.

use serde_json::{Value, json};

use super::rows::Rows;
use super::{Answer, refusal};

/// One that was taken.
pub(super) struct Application {
    /// Ids of the rows that its images name.
    pub(super) rows: Vec<u64>,
}

/// What `images.registry` says where it is left out: Docker Hub.
const REMOTE: u64 = 1;

/// Reads a document, and keeps it if nothing is wrong with it.
pub(super) fn create(text: &str, rows: &Rows, known: &mut Vec<Application>) -> Answer {
    let Ok(document) = serde_saphyr::from_str::<Value>(text) else {
        return refusal(500, "YAMLException", "it is no YAML");
    };
    let invalid = |text: &str| refusal(400, "ValidationError", text);
    if document["kind"] != "Application" {
        let kind = document["kind"].as_str().unwrap_or("undefined");
        return invalid(&format!("Invalid kind {kind}"));
    }
    if document["metadata"].is_null() || document["spec"].is_null() {
        return invalid("Invalid YAML format");
    }
    let none = Vec::new();
    let microservices = document["spec"]["microservices"].as_array().unwrap_or(&none);
    let mut used = Vec::new();
    for (at, microservice) in microservices.iter().enumerate() {
        let Some(id) = registry(&microservice["images"]["registry"]) else {
            let field = format!("microservices[{at}].registryId");
            return invalid(&format!("Field '{field}' is not of a type(s) integer"));
        };
        used.push(id);
    }
    for (microservice, id) in microservices.iter().zip(&used) {
        // Agents here are of type x86, as the recorded one is.
        if !microservice["images"]["x86"].is_string() {
            let name = microservice["name"].as_str().unwrap_or_default();
            let text =
                format!("Microservice {name} does not have a valid image for its Agent type");
            return invalid(&text);
        }
        if !rows.has(*id) {
            return refusal(500, "NotFoundError", &format!("Invalid registry id '{id}'"));
        }
    }
    known.push(Application { rows: used });
    (201, json!({"id": known.len(), "name": document["metadata"]["name"]}))
}

/// The id that is meant; nothing for what is no number to JavaScript.
fn registry(value: &Value) -> Option<u64> {
    match value {
        Value::Null => Some(REMOTE),
        Value::String(text) if text == "remote" => Some(REMOTE),
        Value::String(text) if text == "local" => Some(2),
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}

/// The text of a part of a form (`multipart/form-data`).
pub(super) fn part(content_type: &str, body: &[u8], name: &str) -> String {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let boundary =
        content_type.split_once("boundary=").map_or("", |(_, rest)| rest.trim_matches('"'));
    let is_named = |head: &str| head.contains(&format!("name=\"{name}\""));
    body.split(&format!("--{boundary}"))
        .filter_map(|part| part.split_once("\r\n\r\n"))
        .find(|(head, _)| is_named(head))
        .map(|(_, text)| text.strip_suffix("\r\n").unwrap_or(text).to_owned())
        .unwrap_or_default()
}
