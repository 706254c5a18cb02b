//! The values of a chart as one tree of settings: default, comment and schema side by side, so
//! that `values.yaml`, `values.schema.json` and the table in the README cannot drift apart.

mod describe;
mod types;

use std::collections::BTreeMap;

use serde_json::Value;

use super::yaml::{Node, Row};

pub use describe::{Described, describe};
pub(in crate::chart) use describe::{default_cell, path};
pub(crate) use types::*;

/// Headings of the sections, in the order of the file.
const SECTIONS: [(&str, &str); 12] = [
    ("global", "Values that this chart shares with its parent and siblings."),
    ("imagePullSecrets", ""),
    (
        "images",
        "The images, each pinned to the content that ran where the chart was made. Workloads name \
         them by key.",
    ),
    ("workloads", "What runs: replicas, images, environment, resources and scheduling."),
    ("cronJobs", "What runs on a schedule."),
    ("services", "How the workloads are reached within the cluster."),
    ("ingresses", "How they are reached from outside."),
    ("configs", "Configuration, by ConfigMap and key."),
    (
        "storage",
        "Volumes. Claims cannot be changed after the first install, but for growing where the \
         class allows it. Their data is not in the chart.",
    ),
    ("serviceAccounts", "Service accounts, such as for the identity at a cloud."),
    (
        "secrets",
        "Secrets that the workloads use. With `create: false` a Secret of that name must exist \
         before the chart is installed; with `create: true` the chart makes it of `data`.",
    ),
    ("clusterScoped", "Objects outside of the release's namespace: cluster roles and bindings."),
];

/// One setting or a group of them.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What it is and where it comes from; may be empty where the group says it.
    pub comment: String,
    /// Whether the templates cannot do without it. Helm takes out what a user sets to null: the
    /// schema then says what is missing, and the templates need not.
    pub needed: bool,
    /// What is in it.
    pub content: Content,
}

/// What a [`Setting`] holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Settings by name, in this order.
    Group(Vec<(String, Setting)>),
    /// A value of the user's.
    Value {
        /// As the application runs.
        default: Value,
        /// What else may be put there.
        schema: Value,
    },
}

/// All values.
#[derive(Clone, Debug, Default)]
pub struct Values {
    sections: BTreeMap<&'static str, Setting>,
}

impl Setting {
    /// A value.
    pub fn value(comment: impl Into<String>, default: impl Into<Value>, schema: Value) -> Self {
        let default = default.into();
        Self { comment: comment.into(), needed: false, content: Content::Value { default, schema } }
    }

    /// The same, and the templates cannot do without it.
    #[must_use]
    pub fn needed(mut self) -> Self {
        self.needed = true;
        self
    }

    /// A group.
    pub fn group<K: Into<String>>(
        comment: impl Into<String>,
        settings: impl IntoIterator<Item = (K, Self)>,
    ) -> Self {
        let settings = settings.into_iter().map(|(key, setting)| (key.into(), setting)).collect();
        Self { comment: comment.into(), needed: true, content: Content::Group(settings) }
    }
}

impl Values {
    /// Adds a whole section.
    pub fn section(&mut self, name: &'static str, setting: Setting) {
        self.sections.insert(name, setting);
    }

    /// Adds an entry to a section.
    pub fn entry(&mut self, section: &'static str, key: impl Into<String>, entry: Setting) {
        let none = || Setting::group("", Vec::<(String, Setting)>::new());
        let section = self.sections.entry(section).or_insert_with(none);
        if let Content::Group(entries) = &mut section.content {
            entries.push((key.into(), entry));
        }
    }

    /// The names in a section.
    pub fn keys(&self, section: &str) -> impl Iterator<Item = &str> {
        let entries = match self.sections.get(section).map(|section| &section.content) {
            Some(Content::Group(entries)) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, _)| key.as_str())
    }

    /// The sections with their headings, in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = (&'static str, &'static str, &Setting)> {
        SECTIONS
            .into_iter()
            .filter_map(|(name, heading)| Some((name, heading, self.sections.get(name)?)))
    }

    /// `values.yaml`.
    pub fn to_yaml(&self, introduction: &str) -> Node {
        let mut rows = vec![Row::Comment(introduction.to_owned())];
        for (name, heading, setting) in self.sections() {
            rows.push(Row::Blank);
            for comment in [heading, &setting.comment] {
                if !comment.is_empty() {
                    rows.push(Row::Comment(comment.to_owned()));
                }
            }
            rows.push(Row::field(name, section_node(setting)));
        }
        Node::Map(rows)
    }
}

/// A section: its entries apart from each other if they are groups.
fn section_node(setting: &Setting) -> Node {
    let Content::Group(entries) = &setting.content else { return node(setting) };
    let mut rows = Vec::new();
    for (at, (key, entry)) in entries.iter().enumerate() {
        if at > 0 && matches!(entry.content, Content::Group(_)) {
            rows.push(Row::Blank);
        }
        add(&mut rows, key, entry);
    }
    Node::Map(rows)
}

fn node(setting: &Setting) -> Node {
    match &setting.content {
        Content::Value { default, .. } => Node::from(default),
        Content::Group(settings) => {
            let mut rows = Vec::new();
            for (key, setting) in settings {
                add(&mut rows, key, setting);
            }
            Node::Map(rows)
        }
    }
}

fn add(rows: &mut Vec<Row<super::yaml::Field>>, key: &str, setting: &Setting) {
    if !setting.comment.is_empty() {
        rows.push(Row::Comment(setting.comment.clone()));
    }
    rows.push(Row::field(key, node(setting)));
}
