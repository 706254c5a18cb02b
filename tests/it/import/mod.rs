//! `app import`: a published export into a cluster that never saw it, by the user's helm.

mod again;
mod checks;
mod drill;
mod elsewhere;
mod history;
mod install;
mod namespace;
mod sealed;
mod site;
mod versions;
