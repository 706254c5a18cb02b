//! One command, one file: a function from plain values to a result.

pub(super) mod app_copy;
pub(super) mod app_diff;
mod app_diff_versions;
pub(super) mod app_export;
pub(super) mod app_export_all;
pub(super) mod app_history;
pub(super) mod app_import;
pub(super) mod app_import_all;
pub(super) mod app_list;
pub(super) mod app_pin;
pub(super) mod app_show;
pub(super) mod copy;
mod copy_list;
pub(super) mod demo;
pub(super) mod drill;
pub(super) mod export;
pub(super) mod export_registries;
pub(super) mod layout_serve;
pub(super) mod prune;
pub(super) mod registry;
pub(super) mod run_export;
pub(super) mod schedule;
pub(super) mod serve;
pub(super) mod verify;
