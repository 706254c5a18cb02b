//! From the documents of one system to those of another.

use serde_json::Value;

use super::{Document, Error, Registries, System, WriteOptions, losses, read, write};
use crate::app::{Code, Finding};

/// Documents of another system, and what there is to know about them.
#[derive(Debug)]
pub struct Converted {
    /// The documents.
    pub documents: Vec<Document>,
    /// What was odd in the original, then what is lost.
    pub findings: Vec<Finding>,
}

/// Reads documents of `from` and writes those of `to`. To its own system nothing is lost.
///
/// # Errors
/// When the documents are not those of `from`.
pub fn convert(
    from: System,
    to: System,
    documents: Vec<Value>,
    options: &WriteOptions,
) -> Result<Converted, Error> {
    let mut found = read(from, documents)?;
    if from != to {
        found.findings.extend(losses(&found.registries, to));
        if matches!(to, System::Eda | System::Avassa) {
            once(&mut found.registries, to, &mut found.findings);
        }
        // Unknown fields mean something to their own system alone.
        found.registries.rows.iter_mut().for_each(|row| row.unknown = super::Unknown::default());
    }
    let documents = write(to, &found.registries, options);
    Ok(Converted { documents, findings: found.findings })
}

/// EDA and Avassa find a registry by its host: of several rows with one host the first is kept.
fn once(registries: &mut Registries, to: System, findings: &mut Vec<Finding>) {
    let mut hosts = std::collections::BTreeSet::new();
    registries.rows.retain(|row| {
        let first = !row.is_usable() || row.is_cache() || hosts.insert(row.address.host.clone());
        if !first {
            let text = format!("{} finds registries by host; the first is written", to.title());
            let finding = Finding::new(Code::RegistryDuplicate, text).field("address");
            findings
                .push(finding.on(row.object()).remedy("keep the row whose key reads all images"));
        }
        first
    });
}
