//! Answers as the client decodes them, and what it shows of them. What it dereferences without a look
//! has no default here.

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Errors {
    pub(super) errors: Vec<OneError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OneError {
    pub(super) title: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Me {
    user: String,
    namespaces: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    pub(super) version: String,
    pub(super) kube_version: String,
    pub(super) platform: String,
    pub(super) oidc_enabled: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Matches {
    pub(super) names: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Registry {
    pub(super) name: String,
    pub(super) url: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(rename = "createdAt")]
    pub(super) created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
pub(super) struct Namespace {
    pub(super) meta: Meta,
    #[serde(default)]
    apps: Vec<String>,
    #[serde(default)]
    configurations: Vec<String>,
}

/// As Go formats a time in UTC.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()
}

/// How long ago, to the second.
pub(super) fn age(since: Timestamp) -> String {
    let seconds = (Timestamp::now().as_second() - since.as_second()).max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, s) => format!("{h}h{m}m{s}s"),
    }
}

pub(super) fn sorted(names: &[String]) -> String {
    let mut names = names.to_vec();
    names.sort();
    names.join(", ")
}

impl Namespace {
    pub(super) fn row(&self) -> Vec<String> {
        let created = time(self.meta.created_at);
        let names = [sorted(&self.apps), sorted(&self.configurations)];
        [self.meta.name.clone(), created].into_iter().chain(names).collect()
    }
}
