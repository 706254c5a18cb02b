//! Exports as resources: what one asks for as a [`Request`], and what became of it as its status says
//! it. The wire types are `cluster::record`'s, so that a `Request` may change without them.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::moving::EPINIO;
use super::perform::Step;
use super::report::{Bytes, ImageReport};
use super::request::{ChartFrom, ChosenNames, ScheduledRun};
use super::rollout::LONGEST_WAIT;
use super::{Action, Error, Gate, Plan, Report, Request, Status};
use crate::app::{Finding, JobsPolicy, Options, SecretsPolicy, Selection, Severity};
use crate::chart::Templates;
use crate::cluster::record::{
    self, ExportOptions, ExportResult, ExportSpec, MAX_CODES, MAX_IMAGES,
};
use crate::registry::Digest;

/// Longest command that a result has.
const MAX_INSTALL: usize = 2048;

/// Both ways between a wire type and ours, variant by variant.
macro_rules! pairs {
    ($($wire:ty, $ours:ty: $($variant:ident)+;)+) => {$(
        impl From<$wire> for $ours {
            fn from(wire: $wire) -> Self {
                match wire { $(<$wire>::$variant => Self::$variant,)+ }
            }
        }

        impl From<$ours> for $wire {
            fn from(ours: $ours) -> Self {
                match ours { $(<$ours>::$variant => Self::$variant,)+ }
            }
        }
    )+};
}

pairs! {
    record::SecretsPolicy, SecretsPolicy: Reference Require Encrypt Include;
    record::ChartFrom, ChartFrom: Live Release;
    record::Jobs, JobsPolicy: Skip Hook;
    record::PlannedAction, Action: Push Unchanged Restore;
    record::Outcome, Status: Exported Unchanged Restored;
}

/// What the spec of an export in `namespace` asks for. Who asks, the destination, and what is of the
/// server (pull secrets, the report, Epinio's version) are no part of a request.
///
/// # Errors
/// [`Error::Spec`] for what the schema of the resource cannot refuse, or an old one did not.
pub fn request(spec: &ExportSpec, namespace: &str) -> Result<Request, Error> {
    if !spec.age_recipients.is_empty() {
        let reason = "recipients are those of the destination".to_owned();
        return Err(Error::Spec { field: "ageRecipients", reason });
    }
    let options = &spec.options;
    Ok(Request {
        selection: selection(spec)?,
        namespace: Some(spec.namespace.clone().unwrap_or_else(|| namespace.to_owned())),
        options: Options {
            exclude: options
                .exclude
                .iter()
                .map(|text| exclusion(text))
                .collect::<Result<_, _>>()?,
            include_crds: options.include_crds,
            jobs: options.jobs.into(),
            rewrite_namespace: options.rewrite_namespace,
            keep_images: all("keepImages", &options.keep_images)?,
        },
        secrets: spec.secrets.into(),
        templates: Templates::default(),
        recipients: Vec::new(),
        chart_from: options.chart_from.into(),
        names: names(&spec.names),
        platforms: all("platforms", &options.platforms)?,
        release_record: true,
        moving: spec.epinio.then_some(EPINIO),
        adopt: options.adopt,
        allow_oversize: options.allow_oversize,
        skip_unreadable: options.skip_unreadable,
        allow_differences: options.allow_differences,
        allow_terminating: false,
        wait_rollout: options.wait_rollout.as_deref().map(wait).transpose()?,
        emit: Vec::new(),
        gate: Gate {
            fail_on: all("failOn", &options.fail_on)?,
            accept: all("accept", &options.accept)?,
        },
        scheduled: spec.scheduled.as_ref().map(|run| ScheduledRun {
            namespace: namespace.to_owned(),
            name: run.name.clone(),
            due: run.due,
            even_if_unchanged: run.even_if_unchanged,
        }),
    })
}

/// The spec that asks for `request` at a destination, by hand. Templates, and going on in a namespace that is
/// being deleted, cannot be asked for; with recipients of its own it is refused.
pub fn spec(request: &Request, destination: &str) -> ExportSpec {
    let (app, selector, all) = match &request.selection {
        Selection::Name(name) => (name, None, false),
        Selection::Labels { name, selector } => (name, Some(selector.clone()), false),
        Selection::All { name } => (name, None, true),
    };
    let Options { exclude, include_crds, jobs, rewrite_namespace, keep_images } = &request.options;
    let names = request.names.clone();
    ExportSpec {
        namespace: request.namespace.clone(),
        selector,
        all,
        secrets: request.secrets.into(),
        age_recipients: texts(&request.recipients),
        names: record::ChosenNames {
            chart_name: names.chart_name,
            chart_version: names.chart_version,
            image_name: names.image_name,
            image_tag: names.image_tag,
        },
        options: ExportOptions {
            chart_from: request.chart_from.into(),
            platforms: texts(&request.platforms),
            exclude: exclude.iter().map(|(kind, name)| format!("{kind}/{name}")).collect(),
            keep_images: texts(keep_images),
            include_crds: *include_crds,
            rewrite_namespace: *rewrite_namespace,
            adopt: request.adopt,
            allow_oversize: request.allow_oversize,
            allow_differences: request.allow_differences,
            skip_unreadable: request.skip_unreadable,
            jobs: (*jobs).into(),
            wait_rollout: request.wait_rollout.map(duration),
            fail_on: texts(&request.gate.fail_on),
            accept: request.gate.accept.iter().map(|code| code.as_str().to_owned()).collect(),
            ..ExportOptions::default()
        },
        epinio: request.moving.is_some(),
        ..ExportSpec::new(app, destination)
    }
}

/// What tells one thing to be done from another: the same for all who ask for it.
pub fn digest(spec: &ExportSpec, namespace: &str) -> Digest {
    let target = spec.namespace.clone().unwrap_or_else(|| namespace.to_owned());
    let asked = ExportSpec { namespace: Some(target), requested_by: None, ..spec.clone() };
    Digest::of(json!(asked).to_string().as_bytes())
}

/// What is going to be at the destination, as the status says it.
pub fn planned(plan: &Plan, at: Timestamp) -> record::Planned {
    record::Planned {
        version: plan.version.to_string(),
        digest: plan.digest.to_string(),
        content: plan.content.to_string(),
        action: plan.action.into(),
        at,
    }
}

/// What an export did, as the status says it: without what is only in the whole report.
pub fn result(report: &Report) -> ExportResult {
    let more = report.images.len().saturating_sub(MAX_IMAGES);
    ExportResult {
        status: report.status.into(),
        chart: record::ResultChart {
            repository: report.chart.repository.clone(),
            version: report.chart.version.clone(),
            digest: report.chart.digest.to_string(),
            content: report.chart.content.to_string(),
        },
        images: report.images.iter().take(MAX_IMAGES).map(image).collect(),
        more_images: count(more),
        bytes: bytes(report.bytes),
        elapsed_ms: report.elapsed_ms,
        findings: findings(&report.findings),
        install: report.install.clone().filter(|text| text.len() <= MAX_INSTALL),
        report: report.attached.as_ref().map(Digest::to_string),
    }
}

impl From<Step> for record::Step {
    fn from(step: Step) -> Self {
        match step {
            Step::Waiting => Self::Waiting,
            Step::Reading => Self::Reading,
            Step::Planning => Self::Planning,
            Step::Pushing => Self::Pushing,
            Step::Checking => Self::Checking,
        }
    }
}

fn selection(spec: &ExportSpec) -> Result<Selection, Error> {
    let name = spec.app.clone();
    match (&spec.selector, spec.all) {
        (None, false) => Ok(Selection::Name(name)),
        (Some(selector), false) => Ok(Selection::Labels { name, selector: selector.clone() }),
        (None, true) => Ok(Selection::All { name }),
        (Some(_), true) => {
            let reason = "give either selector or all".to_owned();
            Err(Error::Spec { field: "selector", reason })
        }
    }
}

/// The names that a spec chooses.
pub fn names(chosen: &record::ChosenNames) -> ChosenNames {
    let record::ChosenNames { chart_name, chart_version, image_name, image_tag } = chosen.clone();
    ChosenNames { chart_name, chart_version, image_name, image_tag }
}

fn exclusion(text: &str) -> Result<(String, String), Error> {
    let parts = text.split_once('/').filter(|(kind, name)| !kind.is_empty() && !name.is_empty());
    let (kind, name) = parts.ok_or_else(|| Error::Spec {
        field: "exclude",
        reason: format!("`{text}` is not KIND/NAME, such as ConfigMap/web"),
    })?;
    Ok((kind.to_owned(), name.to_owned()))
}

fn all<T: FromStr<Err: ToString>>(field: &'static str, texts: &[String]) -> Result<Vec<T>, Error> {
    let parsed = texts.iter().map(|text| text.parse());
    parsed
        .collect::<Result<_, T::Err>>()
        .map_err(|error| Error::Spec { field, reason: error.to_string() })
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(T::to_string).collect()
}

/// Units in which a wait is written, the largest first.
const UNITS: [(char, u64); 3] = [('h', 3600), ('m', 60), ('s', 1)];

fn wait(text: &str) -> Result<Duration, Error> {
    let parsed = UNITS.iter().find_map(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(*unit)?.parse().ok()?;
        number.checked_mul(*seconds).map(Duration::from_secs)
    });
    parsed.filter(|time| !time.is_zero() && *time <= LONGEST_WAIT).ok_or_else(|| Error::Spec {
        field: "waitRollout",
        reason: format!("`{text}` is no time between 1s and {}h", LONGEST_WAIT.as_secs() / 3600),
    })
}

/// A wait as an `Export` has it, in the largest unit that fits. A part of a second is one more.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let fits = |(_, unit): &&(char, u64)| seconds > 0 && seconds.is_multiple_of(*unit);
    let (unit, size) = UNITS.iter().find(fits).unwrap_or(&UNITS[2]);
    format!("{}{unit}", seconds / size)
}

fn image(image: &ImageReport) -> record::ResultImage {
    record::ResultImage {
        key: image.key.clone(),
        repository: image.repository.clone(),
        digest: image.digest.to_string(),
        kept: image.kept,
    }
}

fn bytes(bytes: Bytes) -> record::Bytes {
    let Bytes { copied, mounted, present } = bytes;
    record::Bytes { copied, mounted, present }
}

/// Numbers by severity, and the codes, the worst first.
fn findings(findings: &[Finding]) -> record::Findings {
    let number = |severity| count(findings.iter().filter(|of| of.severity == severity).count());
    let mut codes: Vec<_> = findings.iter().map(|of| of.code).collect();
    codes.sort_by_key(|code| (std::cmp::Reverse(code.severity()), *code));
    codes.dedup();
    record::Findings {
        error: number(Severity::Error),
        warning: number(Severity::Warning),
        info: number(Severity::Info),
        codes: codes.iter().take(MAX_CODES).map(|code| code.as_str().to_owned()).collect(),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
