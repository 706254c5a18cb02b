//! What `/v1` takes and gives for an export.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::record::{
    ChartFrom, ChosenNames, Door, Export, ExportOptions, ExportResult, ExportSpec, ExportStatus,
    Jobs, Phase, Planned, Progress, SecretsPolicy, Step,
};
use crate::server::work::queue::Key;

/// What an export is asked for with. Who asks and where the application is are not in it: those are
/// the token's and the path's to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExportRequest {
    /// Name of the application.
    app: String,
    /// Name of the destination. An address is none.
    destination: String,
    /// Labels that select the objects, such as `app=shop,tier!=test`. If absent, the name says which
    /// they are.
    #[serde(default)]
    selector: Option<String>,
    /// Whether the whole namespace is exported, under the name of `app`.
    #[serde(default)]
    all: bool,
    /// What happens to the values of Secrets.
    #[serde(default)]
    secrets: SecretsPolicy,
    /// What the chart is made of.
    #[serde(default)]
    chart_from: ChartFrom,
    /// Names at the destination, instead of the defaults.
    #[serde(default)]
    names: Names,
    /// Only these platforms of each image, such as `linux/amd64`. If empty, all.
    #[serde(default)]
    platforms: Vec<String>,
    /// Objects to leave out, as `KIND/NAME`.
    #[serde(default)]
    exclude: Vec<String>,
    /// Images to leave where they are, as patterns such as `docker.io/*`.
    #[serde(default)]
    keep_images: Vec<String>,
    /// Whether the definitions of custom resources come along.
    #[serde(default)]
    include_crds: bool,
    /// What happens to Jobs that nothing owns.
    #[serde(default)]
    jobs: Jobs,
    /// Whether the chart writes the release's namespace where texts have an address in the
    /// application's.
    #[serde(default)]
    rewrite_namespace: bool,
    /// Whether a chart repository of another application is taken over.
    #[serde(default)]
    adopt: bool,
    /// Whether a chart is made that is larger than helm takes.
    #[serde(default)]
    allow_oversize: bool,
    /// Whether a chart is made that does not give back everything as it runs.
    #[serde(default)]
    allow_differences: bool,
    /// Whether it goes on without kinds that cannot be read.
    #[serde(default)]
    skip_unreadable: bool,
    /// Whether images are read with the credentials in the application's own pull secrets.
    #[serde(default)]
    use_pull_secrets: bool,
    /// How long to wait at most until the application is rolled out, such as `90s` or `10m`. If
    /// absent, it does not wait.
    #[serde(default)]
    wait_rollout: Option<String>,
    /// Severities and codes of findings that stop the export before anything is pushed.
    #[serde(default)]
    fail_on: Vec<String>,
    /// Codes of findings that do not.
    #[serde(default)]
    accept: Vec<String>,
    /// Whether the report is attached to the chart.
    #[serde(default = "yes")]
    attach_report: bool,
}

/// Names at the destination, instead of the defaults.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RequestedNames")]
struct Names {
    /// Name of the chart and of its repository.
    #[serde(default)]
    chart_name: Option<String>,
    /// Version of the chart.
    #[serde(default)]
    chart_version: Option<String>,
    /// Repository of the images.
    #[serde(default)]
    image_name: Option<String>,
    /// A further tag for the image.
    #[serde(default)]
    image_tag: Option<String>,
}

/// An export as callers see it. What is not known yet is null.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Export")]
pub(super) struct View<'a> {
    /// Namespace of the record.
    namespace: &'a str,
    /// Name of the record.
    name: &'a str,
    /// When the record was made.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    created_at: Option<Timestamp>,
    /// What was asked for.
    request: ExportSpec,
    /// Who asked.
    requested_by: By<'a>,
    /// How far it is, roughly. Succeeded, Failed and Cancelled never change again.
    phase: Phase,
    /// What is being done.
    step: Option<Step>,
    /// How many start before it, while it waits for its turn.
    queue_position: Option<usize>,
    /// Why it is so, in a sentence.
    message: Option<&'a str>,
    /// Why it is so, in a word: a code of `docs/PROBLEMS.md`, or a word of the controller's.
    code: Option<&'a str>,
    /// What can be done about it.
    hint: Option<&'a str>,
    /// How a command would end that had done it; null until the end.
    exit_code: Option<u8>,
    /// When it was put into the queue.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    queued_at: Option<Timestamp>,
    /// When it was first started.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    finished_at: Option<Timestamp>,
    /// How often it was started.
    attempts: u32,
    /// What is going to be at the destination.
    planned: Option<&'a Planned>,
    /// How much is done.
    progress: Option<&'a Progress>,
    /// What it did; null until the end.
    result: Option<&'a ExportResult>,
    /// Paths of what belongs to it.
    links: Links,
}

/// Who asked, and by which door.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Requester")]
pub(super) struct By<'a> {
    /// Name of the user.
    pub(super) user: &'a str,
    /// By which door the user came.
    pub(super) via: Door,
}

/// Paths of what belongs to an export.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExportLinks")]
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
            names: ChosenNames { chart_name, chart_version, image_name, image_tag },
            options: ExportOptions {
                chart_from: asked.chart_from,
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
            },
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
