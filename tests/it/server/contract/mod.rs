//! The contract: what the description of the API says, and what the server does. Every operation of
//! the document is called, and a test here fails for one that is not.

mod document;
mod epinio;
mod exchanges;
mod native;
mod schema;

use std::fmt;

use serde_json::Value;

/// An operation of the document.
#[derive(Clone, Copy)]
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    id: &'a str,
    what: &'a Value,
}

impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.to_uppercase(), self.path)
    }
}

/// All of them.
fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap().iter();
    let each = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, what)| {
            let id = what["operationId"].as_str().unwrap();
            Operation { path, method, id, what }
        })
    });
    each.collect()
}
