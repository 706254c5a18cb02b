//! Documents for other systems as text.

use crate::chart::yaml::{self, Node};
use crate::destination::systems::Document;

/// Documents as one stream of YAML, each after its comment. `---` stands before each but the first.
pub(crate) fn text(documents: &[Document]) -> String {
    documents.iter().enumerate().map(|(at, document)| one(at, document)).collect()
}

fn one(at: usize, document: &Document) -> String {
    let mark = if at == 0 { "" } else { "---\n" };
    let comment: String = document.comment.iter().map(|line| format!("# {line}\n")).collect();
    let mut text = yaml::document(&Node::from(&document.value));
    for (line, words) in &document.behind {
        text = text.replacen(&format!("\n{line}\n"), &format!("\n{line} # {words}\n"), 1);
    }
    format!("{mark}{comment}{text}")
}
