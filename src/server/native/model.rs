//! What `/v1` takes and gives for an export.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cluster::record::{
    ChartFrom, ChosenNames, Door, Export, ExportResult, ExportSpec, ExportStatus, Jobs, Phase,
    Planned, Progress, SecretsPolicy, Step,
};
use crate::server::work::queue::Key;

/// What an export is asked for with. Who asks and where the application is are not in it: those are
/// the token's and the path's to say.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExportRequest {
    app: String,
    destination: String,
    #[serde(default)]
    selector: Option<String>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    secrets: SecretsPolicy,
    #[serde(default)]
    chart_from: ChartFrom,
    #[serde(default)]
    names: Names,
    #[serde(default)]
    platforms: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    keep_images: Vec<String>,
    #[serde(default)]
    include_crds: bool,
    #[serde(default)]
    jobs: Jobs,
    #[serde(default)]
    rewrite_namespace: bool,
    #[serde(default)]
    adopt: bool,
    #[serde(default)]
    allow_oversize: bool,
    #[serde(default)]
    allow_differences: bool,
    #[serde(default)]
    skip_unreadable: bool,
    #[serde(default)]
    use_pull_secrets: bool,
    #[serde(default)]
    wait_rollout: Option<String>,
    #[serde(default)]
    fail_on: Vec<String>,
    #[serde(default)]
    accept: Vec<String>,
    #[serde(default = "yes")]
    attach_report: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Names {
    #[serde(default)]
    chart_name: Option<String>,
    #[serde(default)]
    chart_version: Option<String>,
    #[serde(default)]
    image_name: Option<String>,
    #[serde(default)]
    image_tag: Option<String>,
}

/// An export as callers see it. What is not known yet is null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    namespace: &'a str,
    name: &'a str,
    created_at: Option<Timestamp>,
    request: ExportSpec,
    requested_by: By<'a>,
    phase: Phase,
    step: Option<Step>,
    queue_position: Option<usize>,
    message: Option<&'a str>,
    code: Option<&'a str>,
    hint: Option<&'a str>,
    exit_code: Option<u8>,
    queued_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    attempts: u32,
    planned: Option<&'a Planned>,
    progress: Option<&'a Progress>,
    result: Option<&'a ExportResult>,
    links: Links,
}

#[derive(Serialize)]
struct By<'a> {
    user: &'a str,
    via: Door,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: String,
    events: String,
    report: String,
}

/// Who asked, where nobody has said it. Such a record came by the API of Kubernetes, which knows.
const UNKNOWN: &str = "unknown (Kubernetes API)";

impl From<ExportRequest> for ExportSpec {
    fn from(asked: ExportRequest) -> Self {
        let Names { chart_name, chart_version, image_name, image_tag } = asked.names;
        Self {
            selector: asked.selector,
            all: asked.all,
            secrets: asked.secrets,
            chart_from: asked.chart_from,
            names: ChosenNames { chart_name, chart_version, image_name, image_tag },
            platforms: asked.platforms,
            exclude: asked.exclude,
            keep_images: asked.keep_images,
            include_crds: asked.include_crds,
            jobs: asked.jobs,
            rewrite_namespace: asked.rewrite_namespace,
            adopt: asked.adopt,
            allow_oversize: asked.allow_oversize,
            allow_differences: asked.allow_differences,
            skip_unreadable: asked.skip_unreadable,
            use_pull_secrets: asked.use_pull_secrets,
            wait_rollout: asked.wait_rollout,
            fail_on: asked.fail_on,
            accept: asked.accept,
            attach_report: asked.attach_report,
            ..Self::new(asked.app, asked.destination)
        }
    }
}

impl<'a> View<'a> {
    /// `places` are those of the exports that wait.
    pub(super) fn of(export: &'a Export, places: &BTreeMap<Key, usize>) -> Self {
        let own = location(export);
        let status = export.status.as_ref();
        let text =
            |of: fn(&ExportStatus) -> Option<&String>| status.and_then(of).map(String::as_str);
        let by = export.spec.requested_by.as_ref();
        let user = by.map_or(UNKNOWN, |by| &by.user);
        let via = by.and_then(|by| by.via).unwrap_or(Door::Kubernetes);
        Self {
            namespace: export.namespace(),
            name: export.name(),
            created_at: export.created(),
            request: ExportSpec { requested_by: None, ..export.spec.clone() },
            requested_by: By { user, via },
            phase: export.phase().unwrap_or(Phase::Pending),
            queue_position: places.get(&Key::of(export)).copied(),
            step: status.and_then(|status| status.step),
            message: text(|status| status.message.as_ref()),
            code: text(|status| status.reason.as_ref()),
            hint: text(|status| status.hint.as_ref()),
            exit_code: status.and_then(|status| status.exit_code),
            queued_at: status.and_then(|status| status.queued_at),
            started_at: status.and_then(|status| status.started_at),
            finished_at: status.and_then(|status| status.finished_at),
            attempts: status.map_or(0, |status| status.attempts),
            planned: status.and_then(|status| status.planned.as_ref()),
            progress: status.and_then(|status| status.progress.as_ref()),
            result: status.and_then(|status| status.result.as_ref()),
            links: Links { events: format!("{own}/events"), report: format!("{own}/report"), own },
        }
    }
}

/// Where the export is found.
pub(super) fn location(export: &Export) -> String {
    format!("/v1/namespaces/{}/exports/{}", export.namespace(), export.name())
}

fn yes() -> bool {
    true
}
