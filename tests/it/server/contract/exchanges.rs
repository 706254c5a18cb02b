//! Requests and answers, each held with what the description says of its operation.

use std::cell::RefCell;
use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::schema::Schemas;
use super::{Operation, operations};
use crate::support::server::{Answer, Server};

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// Name of the operation.
    pub(super) id: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a str,
}

/// A server, the description, and what was asked so far.
pub(super) struct Contract<'a> {
    server: &'a Server,
    document: &'a Value,
    pub(super) schemas: Schemas<'a>,
    /// Operation and status of each exchange.
    held: RefCell<BTreeSet<(String, u16)>>,
    /// Bodies of all answers.
    told: RefCell<Vec<(String, String)>>,
}

impl<'a> Contract<'a> {
    pub(super) fn of(server: &'a Server, document: &'a Value) -> Self {
        let (held, told) = (RefCell::default(), RefCell::default());
        Self { server, document, schemas: Schemas::of(document), held, told }
    }

    /// Asks as `who`, or as nobody, and holds the answer with the description.
    pub(super) fn ask(&self, who: Option<&str>, ask: Ask<'_>) -> Answer {
        self.ask_of(self.server, who, ask)
    }

    /// The same of another server.
    pub(super) fn ask_of(&self, server: &Server, who: Option<&str>, ask: Ask<'_>) -> Answer {
        let operation = self.operation(ask.id);
        self.is_asked_well(&operation, &ask);
        let who: Vec<_> = who.iter().map(|token| ("Authorization", *token)).collect();
        let method = operation.method.to_uppercase().parse::<Method>().unwrap();
        let answer = server.send(method, ask.path, &[&who, ask.headers].concat(), ask.body);
        self.is_answered_well(&operation, &answer);
        if answer.status < 400 {
            self.query_is_of_its_schemas(&operation, ask.path);
        }
        self.held.borrow_mut().insert((ask.id.to_owned(), answer.status));
        self.told.borrow_mut().push((format!("{operation}"), answer.text.clone()));
        answer
    }

    /// The operation of this name.
    pub(super) fn operation(&self, id: &str) -> Operation<'a> {
        let mut all = operations(self.document).into_iter();
        all.find(|operation| operation.id == id).unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// What was answered, by operation.
    pub(super) fn told(&self) -> Vec<(String, String)> {
        self.told.borrow().clone()
    }

    /// Fails for an operation that was not asked: each of its answers, and a problem.
    pub(super) fn is_whole(&self) {
        let held = self.held.borrow();
        let mut missing = Vec::new();
        for operation in operations(self.document) {
            let statuses = held.iter().filter(|(id, _)| id == operation.id).map(|(_, it)| *it);
            let statuses: BTreeSet<u16> = statuses.collect();
            let (problems, answers): (Vec<_>, Vec<_>) =
                responses(&operation).into_iter().partition(|(_, media)| media.contains("problem"));
            let answered = answers.iter().all(|(status, _)| statuses.contains(status));
            let refused = problems.iter().any(|(status, _)| statuses.contains(status));
            if !answered || (!problems.is_empty() && !refused) {
                missing.push(format!("{operation}: {statuses:?}"));
            }
        }
        assert_eq!(missing, [""; 0], "no operation without an exchange in `native.rs`");
    }

    fn is_asked_well(&self, operation: &Operation<'_>, ask: &Ask<'_>) {
        let (path, query) = ask.path.split_once('?').unwrap_or((ask.path, ""));
        let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (template, asked) = (parts(operation.path), parts(path));
        let fits = |(of, is): (&String, &String)| of.starts_with('{') || of == is;
        assert_eq!(template.len(), asked.len(), "{operation}: {path}");
        assert!(template.iter().zip(&asked).all(fits), "{operation}: {path}");
        let declared: Vec<&Value> =
            operation.what["parameters"].as_array().into_iter().flatten().collect();
        let is_declared = |at: &str, name: &str| {
            declared.iter().any(|one| {
                one["in"] == at && one["name"].as_str().unwrap().eq_ignore_ascii_case(name)
            })
        };
        for (name, _) in pairs(query) {
            assert!(is_declared("query", name), "{operation}: {name}");
        }
        for (name, _) in ask.headers {
            assert!(is_declared("header", name), "{operation}: {name}");
        }
        let body = &operation.what["requestBody"];
        assert_eq!(body.is_object(), !ask.body.is_empty(), "{operation}");
        if body.is_object() {
            let schema = &body["content"]["application/json"]["schema"];
            let sent = serde_json::from_str(ask.body).unwrap();
            self.schemas
                .check(schema, &sent)
                .unwrap_or_else(|error| panic!("{operation}: {error}"));
        }
    }

    /// What a query may say is what its parameters' schemas say.
    fn query_is_of_its_schemas(&self, operation: &Operation<'_>, path: &str) {
        for (name, value) in pairs(path.split_once('?').map_or("", |(_, query)| query)) {
            let parameters = operation.what["parameters"].as_array().unwrap();
            let schema = &parameters.iter().find(|one| one["name"] == name).unwrap()["schema"];
            let is_text = !["integer", "boolean"].iter().any(|of| schema["type"] == **of);
            let value = if is_text { Value::from(value) } else { value.parse().unwrap() };
            self.schemas.check(schema, &value).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }

    fn is_answered_well(&self, operation: &Operation<'_>, answer: &Answer) {
        let responses = &operation.what["responses"];
        let response = &responses[answer.status.to_string()];
        assert!(response.is_object(), "{operation}: {answer:?} is not described");
        let media_type = answer.header("content-type");
        let content = &response["content"][media_type];
        assert!(content.is_object(), "{operation}: {media_type} in {response:#}");
        for (name, _) in response["headers"].as_object().into_iter().flatten() {
            let is_there = !answer.header(name).is_empty();
            // Only some answers are of what was asked for before.
            assert!(is_there || name == "Outhaul-Joined", "{operation}: no {name}");
        }
        if !media_type.contains("json") {
            return;
        }
        let told = answer.json();
        let fault = self.schemas.check(&content["schema"], &told);
        fault.unwrap_or_else(|error| panic!("{operation}, {}: {error}", answer.status));
        if media_type == "application/problem+json" {
            let codes = response["description"].as_str().unwrap();
            let code = told["code"].as_str().unwrap();
            assert!(codes.contains(&format!("`{code}`")), "{operation}: {code} of {codes}");
        }
    }
}

/// Names and values of a query.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter_map(|pair| pair.split_once('='))
}

/// Status and media type of each answer that is described, but those of the default.
fn responses<'a>(operation: &Operation<'a>) -> Vec<(u16, &'a str)> {
    let all = operation.what["responses"].as_object().unwrap().iter();
    let with_status = all.filter_map(|(status, response)| Some((status.parse().ok()?, response)));
    let each = with_status.flat_map(|(status, response)| {
        let content = response["content"].as_object().unwrap().keys();
        content.map(move |media| (status, media.as_str()))
    });
    each.collect()
}
