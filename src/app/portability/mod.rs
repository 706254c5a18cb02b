//! What an application asks of the cluster that it comes to, and what it takes for granted of the
//! one that it came from.
//!
//! Pure, over normalised objects. Each part is a table of fields and of what they mean elsewhere;
//! what an ordinary application has in every cluster is not worth a word.

mod addons;
mod addresses;
mod api;
mod clouds;
mod definitions;
mod host;
mod namespace;
mod nodes;
mod pod_security;
mod pods;
mod releases;
mod required;
mod rights;
mod text;
mod volumes;
mod webhooks;

use super::view::View;
use super::{Finding, NamespacePlace, Object, Options, Requirement};

/// What was found.
#[derive(Default)]
pub(super) struct Portability {
    /// What a target cluster must have.
    pub(super) requirements: Vec<Requirement>,
    pub(super) findings: Vec<Finding>,
    /// Where the chart writes the release's namespace.
    pub(super) rewrites: Vec<NamespacePlace>,
}

/// Looks at one object.
type Look = fn(&Object, &mut Portability);

const LOOKS: [Look; 8] = [
    addresses::check,
    api::check,
    clouds::check,
    host::check,
    nodes::check,
    releases::check,
    text::check,
    volumes::check,
];

/// Looks at every normalised object of an application.
pub(super) fn check(view: &View<'_>, objects: &[Object], options: &Options) -> Portability {
    let mut found = Portability::default();
    for object in objects {
        LOOKS.iter().for_each(|look| look(object, &mut found));
    }
    required::check(view, objects, &mut found);
    addons::check(view, objects, &mut found);
    namespace::check(view, objects, options.rewrite_namespace, &mut found);
    pod_security::check(objects, &mut found);
    rights::check(objects, &mut found);
    webhooks::check(view, objects, &mut found);
    found
}
