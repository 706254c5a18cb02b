//! What tests share: fixtures, and what was recorded of a real Controller.

use serde_json::Value;

use super::{Document, Read, System, read};
use crate::app::{Code, Finding};
use crate::cluster;

/// A file of `tests/fixtures/systems/`.
pub(crate) fn file(name: &str) -> String {
    let path = format!("{}/tests/fixtures/systems/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Its documents.
pub(crate) fn documents(name: &str) -> Vec<Value> {
    cluster::parsed(name, &file(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// What a system's reader makes of it.
pub(crate) fn fixture(system: System, name: &str) -> Read {
    read(system, documents(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The codes of findings, each once.
pub(crate) fn codes(findings: &[Finding]) -> Vec<&'static str> {
    let mut codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Code::as_str).collect()
}

/// One exchange of a recording.
pub(crate) struct Exchange {
    /// `METHOD path body`, and for YAML what follows.
    pub(crate) request: String,
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
}

/// The exchanges of `recorded/iofog-….txt`.
pub(crate) fn recorded(name: &str) -> Vec<Exchange> {
    let text = file(name);
    let parts = text.split("### ").skip(1);
    parts.map(exchange).collect()
}

fn exchange(text: &str) -> Exchange {
    let (request, answer) = match text.split_once("\n--- answer\n") {
        Some(parts) => parts,
        None => text.split_once('\n').unwrap_or((text, "")),
    };
    let (first, rest) = answer.split_once('\n').unwrap_or((answer, ""));
    let status = first.get(..3).and_then(|status| status.parse().ok());
    let body = if status.is_some() { rest } else { answer };
    Exchange {
        request: request.to_owned(),
        status: status.unwrap_or(200),
        body: body.trim().to_owned(),
    }
}

/// Documents as a stream of YAML, JSON in each.
pub(crate) fn text(documents: &[Document]) -> String {
    let texts = documents.iter().map(|document| {
        let comment: String = document.comment.iter().map(|line| format!("# {line}\n")).collect();
        format!("{comment}{:#}\n", document.value)
    });
    texts.collect::<Vec<_>>().join("---\n")
}
