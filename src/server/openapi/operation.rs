//! One route as an operation of OpenAPI.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::schemas::{Schemas, without_null};
use crate::error::Code;
use crate::server::problem::{self, Document};
use crate::server::routes::{Answer, Header, Need, Route};

/// With these, a client is told when to come back.
const LATER: [u16; 2] = [429, 503];

pub(super) fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "description": needed(route),
        "tags": [tag(route.path)],
        "security": if route.takes.sender { json!([{"token": []}, {"password": []}]) } else { json!([]) },
    });
    let parameters = parameters(route, schemas);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.takes.body {
        let schema = schemas.taken(body);
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation["responses"] = responses(route, schemas).into();
    operation
}

/// Who may, in the words of Kubernetes.
fn needed(route: &Route) -> String {
    let needs: Vec<_> = route.needs.iter().copied().map(Need::as_str).collect();
    match (route.takes.sender, needs.is_empty()) {
        (false, _) => "Anybody may.".to_owned(),
        (true, true) => "Whoever is known may.".to_owned(),
        (true, false) => format!("Needs {}.", needs.join("; ")),
    }
}

/// What it is about: the last word of its path that says so.
fn tag(path: &str) -> &'static str {
    let about = |what: &str| path.split('/').any(|part| part == what);
    ["exports", "schedules", "apps", "destinations"]
        .into_iter()
        .find(|what| about(what))
        .unwrap_or("server")
}

fn parameters(route: &Route, schemas: &mut Schemas) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = names.map(in_path).collect();
    if let Some(query) = route.takes.query {
        all.extend(in_query(&schemas.taken(query)));
    }
    all.extend(route.takes.headers.iter().map(|Header { name, text }| {
        json!({"name": name, "in": "header", "description": text, "schema": {"type": "string"}})
    }));
    all
}

fn in_path(name: &str) -> Value {
    let text = match name {
        "ns" => "Namespace.",
        "app" => "Name of the application.",
        _ => "Its name.",
    };
    let schema = json!({"type": "string", "minLength": 1});
    json!({"name": name, "in": "path", "required": true, "description": text, "schema": schema})
}

/// A parameter for each field of the type that reads the query.
fn in_query(query: &Value) -> Vec<Value> {
    let required = |name: &str| {
        let names = query["required"].as_array().into_iter().flatten();
        names.into_iter().any(|required| required == name)
    };
    let fields = query["properties"].as_object().into_iter().flatten();
    let parameter = |(name, field): (&String, &Value)| {
        let mut schema = without_null(field);
        let text = schema.as_object_mut().and_then(|schema| schema.shift_remove("description"));
        let required = required(name);
        json!({
            "name": name, "in": "query", "required": required, "description": text, "schema": schema,
        })
    };
    fields.map(parameter).collect()
}

fn responses(route: &Route, schemas: &mut Schemas) -> Map<String, Value> {
    let mut responses = Map::new();
    for answer in &route.answers {
        responses.insert(answer.status.to_string(), answered(answer, schemas));
    }
    let mut problems = BTreeMap::<u16, Vec<&str>>::new();
    for code in route.takes.refuses.iter().chain(&route.refuses) {
        problems.entry(code.status()).or_default().push(code.as_str());
    }
    let schema = schemas.given(|generator| generator.subschema_for::<Document<'static>>());
    let problem = |description: String| {
        let content = json!({problem::MEDIA_TYPE: {"schema": schema}});
        json!({"description": description, "content": content})
    };
    for (status, mut codes) in problems {
        codes.sort_unstable();
        codes.dedup();
        let mut written = problem(format!("`{}`.", codes.join("`, `")));
        if LATER.contains(&status) {
            let text = "Seconds after which it may be better.";
            let seconds = json!({"type": "integer", "minimum": 1});
            written["headers"] = json!({"Retry-After": {"description": text, "schema": seconds}});
        }
        responses.insert(status.to_string(), written);
    }
    let title = Code::Internal.title();
    responses.insert("default".to_owned(), problem(format!("Anything else, such as: {title}.")));
    responses
}

fn answered(answer: &Answer, schemas: &mut Schemas) -> Value {
    let schema = match answer.schema {
        Some(schema) => schemas.given(schema),
        None if answer.media_type == "application/json" => {
            json!({"type": "object", "additionalProperties": true})
        }
        None => json!({"type": "string"}),
    };
    let content = json!({answer.media_type: {"schema": schema}});
    let mut written = json!({"description": answer.text, "content": content});
    let text = json!({"type": "string"});
    for Header { name, text: meaning } in answer.headers {
        written["headers"][name] = json!({"description": meaning, "schema": text});
    }
    written
}
