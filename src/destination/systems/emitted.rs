//! What a system needs to consume an export.

use super::Document;
use crate::app::Finding;

/// Files of one directory, and what there is to know about them.
#[derive(Clone, Debug, Default)]
pub struct Emitted {
    /// The files, in the order in which people read them.
    pub files: Vec<File>,
    /// What is lost or open.
    pub findings: Vec<Finding>,
    /// What is to be done with the files, a line each.
    pub steps: Vec<String>,
}

/// One file of YAML.
#[derive(Clone, Debug)]
pub struct File {
    /// Path in the directory, with `/`.
    pub path: String,
    /// Its documents.
    pub documents: Vec<Document>,
}

impl File {
    /// A file of one document.
    pub fn one(path: impl Into<String>, document: Document) -> Self {
        Self { path: path.into(), documents: vec![document] }
    }
}

#[cfg(test)]
#[path = "emitted_tests.rs"]
mod tests;
