//! From a live object to what a person would have written: without what servers, controllers and
//! admission filled in, with everything that a person set.
//!
//! The order matters: defaults first, while the lists of the object still are as managedFields
//! describe them, then what is specific to kinds, then lists.

mod admission;
mod claims;
mod defaults;
mod extension;
mod kind;
mod lists;
mod metadata;
mod pod;
#[cfg(test)]
mod properties;
mod service;

pub(super) use admission::is_injected;
pub(crate) use kind::{HOOK, HOOK_ANNOTATIONS};
pub(super) use metadata::is_foreign_annotation;
pub(super) use pod::pull_secrets_dropped;

use super::helm::Installed;
use super::{Finding, Object, kinds};
use claims::Claims;

/// What normalising has to know beyond the object.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The application's namespace.
    pub(super) namespace: &'a str,
    /// Whether the object is in that namespace, or in none.
    pub(super) here: bool,
    /// Whether an autoscaler sets the number of its replicas.
    pub(super) scaled: bool,
    /// Whether its pull secrets stay, for images that do.
    pub(super) keeps_pull_secrets: bool,
    /// The export that was installed here.
    pub(super) installed: Option<&'a Installed<'a>>,
}

impl<'a> Context<'a> {
    /// An object of the application's namespace of which nothing else is known.
    pub(super) const fn of(namespace: &'a str) -> Self {
        Self { namespace, here: true, scaled: false, keeps_pull_secrets: false, installed: None }
    }
}

/// What came of it.
pub(super) struct Normalised {
    pub(super) object: Object,
    /// Pull secrets that it named.
    pub(super) pull_secrets: Vec<String>,
    pub(super) findings: Vec<Finding>,
}

/// Normalises one object.
pub(super) fn normalise(live: &Object, context: Context<'_>) -> Normalised {
    let mut id = live.id();
    if context.here {
        id.namespace = None;
    }
    let written = context.installed.and_then(|installed| installed.written(&id));
    let claims = Claims::read(live, written);
    let mut object = live.clone();
    let mut findings = Vec::new();
    defaults::remove(&mut object, &claims);
    kind::normalise(&mut object, &claims, context, &mut findings);
    if let Some(template) = kinds::pod_template(&object) {
        pod::normalise(&mut object, template, &claims, &mut findings);
        lists::deduplicate(&mut object, template, &mut findings);
    }
    let pull_secrets = pod::pull_secrets(&mut object, context.keeps_pull_secrets);
    metadata::clean(&mut object, &id, context, &claims);
    if !context.keeps_pull_secrets && !pull_secrets.is_empty() {
        findings.push(pull_secrets_dropped(&id, &pull_secrets));
    }
    let findings = findings.into_iter().map(|finding| finding.on(id.clone())).collect();
    Normalised { object, pull_secrets, findings }
}
