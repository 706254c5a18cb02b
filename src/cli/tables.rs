//! What people see of plans, reports and lists.

mod between;

use comfy_table::{Table, presets};

use super::commands::app_export_all::{Failure, Outcome, Summary};
use super::commands::app_import::Imported;
use super::commands::app_import_all::{Outcome as Restore, Restored};
use super::commands::drill::Drilled;
use super::planned::Planned;
use crate::app::{App, Candidate, Code, Finding, FoundBy, Severity, Shared};
use crate::export::diff::{ChangedField, ChangedObject, Diff};
use crate::export::history::{Listing, Published};
use crate::export::prune::{self, Left, Other, Pruned};
use crate::export::report::Bytes;
use crate::export::verify::Verification;
use crate::export::{Fidelity, Plan, Report, Status};
use crate::import;
use crate::import::drill::{Egress, Plan as DrillPlan, State as Leftover};
use crate::import::restore::Compared;

pub(crate) use between::between;

/// Longest value that is shown in full, in bytes of JSON: about two lines of a terminal.
const LONGEST_VALUE: usize = 200;

/// Digits of a cluster's uid that tell it from others.
const CLUSTER: usize = 8;

/// A table without borders: it pastes well and greps well.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// The applications of a namespace.
pub(crate) fn candidates(candidates: &[Candidate]) -> String {
    table(
        &["NAME", "NAMESPACE", "WORKLOADS", "FOUND BY"],
        candidates.iter().map(|candidate| {
            vec![
                candidate.name.clone(),
                candidate.namespace.clone(),
                candidate.workloads.len().to_string(),
                found_by(&candidate.found_by),
            ]
        }),
    )
}

/// What an application holds.
pub(crate) fn app(app: &App) -> String {
    let mut text = format!("{}/{}, by {}\n", app.namespace, app.name, found_by(&app.found_by));
    text.push_str("\nOBJECTS\n");
    for object in &app.objects {
        text.push_str(&format!("  {}\n", object.id()));
    }
    text.push_str("\nIMAGES\n");
    for image in &app.images {
        let running = image.running.iter().map(|r| r.image_id.as_str()).collect::<Vec<_>>();
        let running =
            if running.is_empty() { "no pod runs".to_owned() } else { running.join(", ") };
        text.push_str(&format!("  {}  {}  ({running})\n", image.key, image.image));
    }
    if !app.secrets.is_empty() {
        text.push_str("\nSECRETS (values are not read)\n");
        for secret in &app.secrets {
            text.push_str(&format!("  {}: {}\n", secret.name, secret.keys.join(", ")));
        }
    }
    text + &findings(&app.findings)
}

/// What an export will do.
pub(crate) fn plan(plan: &Plan) -> String {
    Planned::from(plan).whole()
}

/// A number of bytes with three digits or so.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    if value < 1.0 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// What an export did, and what there is to know about it.
pub(crate) fn report(report: &Report) -> String {
    let install = report.install.as_ref().map(|line| format!("  {line}\n")).unwrap_or_default();
    shipped(report) + &install + &findings(&report.findings)
}

/// What an export did.
pub(crate) fn shipped(report: &Report) -> String {
    let mut chart = format!("{}:{}", report.chart.repository, report.chart.version);
    if report.install.is_none() {
        chart = format!("{}, as {chart}", report.target);
    }
    let mut text = match report.status {
        Status::Exported => format!("exported {} to {chart}\n", report.app),
        Status::Unchanged => format!("unchanged: {chart} holds {} as it is\n", report.app),
        Status::Restored => format!("unchanged: {chart}; missing images were copied again\n"),
    };
    text.push_str(&format!("  chart  {}\n", report.chart.digest));
    for image in &report.images {
        text.push_str(&format!("  image  {}  {}@{}\n", image.key, image.repository, image.digest));
    }
    text.push_str(&fidelity(&report.fidelity));
    let Bytes { copied, mounted, present } = report.bytes;
    if report.status != Status::Unchanged {
        text.push_str(&format!(
            "  bytes  {copied} copied, {mounted} mounted, {present} present, in {:.1} s\n",
            report.elapsed_ms as f64 / 1000.0
        ));
    }
    text
}

/// What has changed since a chart was published: `+` is new, `-` is gone, `~` is another.
pub(crate) fn diff(diff: &Diff) -> String {
    let mut text = format!("--- {}\n+++ {} as it runs\n", diff.chart, diff.app);
    for (mark, objects) in [('+', &diff.added), ('-', &diff.removed)] {
        for object in objects {
            text.push_str(&format!("{mark} {object}\n"));
        }
    }
    for ChangedObject { object, fields } in &diff.changed {
        text.push_str(&format!("~ {object}\n"));
        fields.iter().for_each(|field| text.push_str(&changed(field)));
    }
    if diff.count() == 0 { format!("{text}no difference\n") } else { text }
}

/// One field that differs, on a line.
fn changed(field: &ChangedField) -> String {
    let ChangedField { field: name, before, after, hidden } = field;
    let text = |value: &serde_json::Value| {
        let text = value.to_string();
        let shown = &text[..text.floor_char_boundary(LONGEST_VALUE)];
        if shown == text { text } else { format!("{shown}… (`-o json` has all of it)") }
    };
    match (before.as_ref().map(text), after.as_ref().map(text)) {
        _ if *hidden => format!("    {name}: (hidden)\n"),
        (None, Some(after)) => format!("  + {name}: {after}\n"),
        (Some(before), None) => format!("  - {name}: {before}\n"),
        (before, after) => {
            let [before, after] = [before, after].map(Option::unwrap_or_default);
            format!("    {name}: {before} -> {after}\n")
        }
    }
}

/// The versions of an application; tags that are none if `all` is asked for.
pub(crate) fn history(listing: &Listing, all: bool) -> String {
    let head = ["VERSION", "TAKEN AT", "CLUSTER", "BY", "SIZE", "OWN", "OBJECTS", "", "DIGEST"];
    let rows = listing.versions.iter().map(|row| {
        let Published { version, digest, origin, schedule, taken_at, .. } = &row.past.published;
        let cluster = origin.as_deref().and_then(|origin| origin.split('/').next());
        let cluster = cluster.map(|uid| uid.chars().take(CLUSTER).collect());
        let by = schedule.as_deref().and_then(|schedule| schedule.rsplit('/').next());
        let fidelity = row.past.fidelity.map(|of| format!("{}/{}", of.identical, of.objects));
        let marks = [(row.past.pinned, "pinned"), (row.past.signed, "signed")];
        let marks = marks.iter().filter(|(holds, _)| *holds).map(|(_, mark)| (*mark).to_owned());
        let marks: Vec<String> = marks.chain(row.oddities.iter().cloned()).collect();
        vec![
            version.to_string(),
            taken_at.map(|at| at.to_string()).unwrap_or_default(),
            cluster.unwrap_or_default(),
            by.unwrap_or("hand").to_owned(),
            size(row.bytes),
            size(row.own_bytes),
            fidelity.unwrap_or_default(),
            marks.join(", "),
            digest.short().to_owned(),
        ]
    });
    let mut text = format!("{}\n\n{}\n", listing.chart, table(&head, rows));
    if listing.more > 0 {
        text.push_str(&format!("and {} older; `--limit` shows more\n", listing.more));
    }
    if all {
        let others = listing.others.iter();
        let rows = others.map(|other| vec![other.tag.to_string(), other.what.clone()]);
        text.push_str(&format!("\n{}\n", table(&["TAG", "WHAT"], rows)));
    }
    text
}

/// What a prune would do, or did.
pub(crate) fn pruned(pruned: &Pruned) -> String {
    let mut text = prune_plan(&pruned.plan);
    let Some(outcome) = &pruned.outcome else { return text };
    text.push_str(&format!(
        "\ndeleted {} versions and {} images; {} images go later, if nothing needs them then\n",
        outcome.versions.len(),
        outcome.images.len(),
        outcome.waiting
    ));
    for Left { what, reason } in &outcome.left {
        text.push_str(&format!("  left  {what}: {reason}\n"));
    }
    for image in &outcome.missing {
        text.push_str(&format!("  gone  {image}: a kept chart needs it\n"));
    }
    if !outcome.versions.is_empty() || !outcome.images.is_empty() {
        text.push_str("the registry's own garbage collector frees the space\n");
    }
    text
}

/// What goes and what stays, each with its reason.
pub(crate) fn prune_plan(plan: &prune::Plan) -> String {
    let rows = plan.versions.iter().map(|of| {
        let what = if of.goes { "goes" } else { "stays" };
        let taken = of.taken_at.map(|at| at.to_string()).unwrap_or_default();
        vec![what.to_owned(), of.version.to_string(), taken, of.reasons.join("; ")]
    });
    let others = plan.others.iter().map(|Other { tag, what }| {
        vec!["stays".to_owned(), tag.to_string(), String::new(), what.clone()]
    });
    let rows = rows.chain(others);
    format!(
        "{} of {}\n\n{}\n",
        plan.chart,
        plan.origin,
        table(&["", "VERSION", "TAKEN AT", "WHY"], rows)
    )
}

/// What was found of a published export.
pub(crate) fn verification(found: &Verification) -> String {
    let rows = found
        .checks
        .iter()
        .map(|check| vec![check.name.clone(), check.state.to_string(), check.detail.clone()]);
    let head = format!("{}\n{} of {}\n", found.chart, found.digest, found.origin);
    format!("{head}\n{}\n", table(&["CHECK", "STATE", "FOUND"], rows))
}

/// How many objects the chart gives back; nothing for one that is copied as it is.
pub(crate) fn fidelity(fidelity: &Fidelity) -> String {
    match fidelity {
        Fidelity { objects: 0, .. } => String::new(),
        Fidelity { objects, identical, .. } => {
            format!("  {objects} objects, {identical} of them rendered as they ran\n")
        }
    }
}

/// What became of all applications of a namespace. What several of them need and none has is said
/// once.
pub(crate) fn summary(summary: &Summary) -> String {
    let mut text = String::new();
    let own = |all: &[Finding]| {
        let said =
            |of: &Finding| summary.shared.iter().any(|s| Some(&s.object) == of.object.as_ref());
        let own = all.iter().filter(|of| of.code != Code::NotExported || !said(of)).cloned();
        findings(&own.collect::<Vec<_>>())
    };
    for outcome in &summary.apps {
        text.push_str(&match outcome {
            Outcome::Plan(plan) => Planned::from(plan.as_ref()).steps() + &own(&plan.findings),
            Outcome::Report(report) => shipped(report) + &own(&report.findings),
            Outcome::Failure(Failure { app, error, .. }) => {
                format!("not exported: {}/{app}: {error}\n", summary.namespace)
            }
        });
        text.push('\n');
    }
    let failed =
        summary.apps.iter().filter(|outcome| matches!(outcome, Outcome::Failure(_))).count();
    let (all, namespace) = (summary.apps.len(), &summary.namespace);
    text.push_str(&format!("{} of {all} applications of {namespace}\n", all - failed));
    if !summary.excluded_apps.is_empty() {
        text.push_str(&format!("left out on request: {}\n", summary.excluded_apps.join(", ")));
    }
    if !summary.shared.is_empty() {
        text.push_str("\nin no chart, and needed\n");
        for Shared { object, apps, reasons } in &summary.shared {
            text.push_str(&format!("  {object}, by {}\n", apps.join(", ")));
            for reason in reasons {
                text.push_str(&format!("      {reason}\n"));
            }
        }
    }
    if !summary.left_over.is_empty() {
        text.push_str("\nin no chart, because no application uses it\n");
        for object in &summary.left_over {
            text.push_str(&format!("  {object}\n"));
        }
    }
    text
}

/// What an import will do, and what stands against it. What is in order is counted.
pub(crate) fn import(plan: &import::Plan) -> String {
    let what = match plan.action {
        import::Action::Install => "install",
        import::Action::Upgrade => "upgrade",
    };
    let mut text =
        format!("plan: {what} release {} in namespace {}\n", plan.release, plan.namespace);
    if plan.new_namespace {
        text.push_str("  the namespace is made first\n");
    }
    text.push_str(&format!("  chart    {}:{}\n", plan.chart, plan.version));
    text.push_str(&format!("  cluster  {}\n  helm     {}\n", plan.server, plan.helm));
    for secret in &plan.secrets {
        text.push_str(&format!("  secret   {}: {}\n", secret.name, secret.keys.join(", ")));
    }
    let ok = plan.checks.iter().filter(|check| check.state == import::State::Ok).count();
    text.push_str(&format!("  {ok} of {} checks are in order\n\n", plan.checks.len()));
    for check in plan.checks.iter().filter(|check| check.state != import::State::Ok) {
        let state = if check.state == import::State::Missing { "missing" } else { "unknown" };
        text.push_str(&format!("  {state}  {}: {}\n", check.subject, check.text));
        if !check.remedy.is_empty() {
            text.push_str(&format!("           {}\n", check.remedy));
        }
    }
    text
}

/// What an import did, and how that stands to the export; or what stands against it.
pub(crate) fn imported(imported: &Imported) -> String {
    let Imported { plan, compared, .. } = imported;
    let import::Plan { chart, version, release, namespace, .. } = plan;
    let done =
        format!("imported {chart}:{version} as release {release} in namespace {namespace}\n");
    match compared {
        None => import(plan),
        Some(Compared::Differences(found)) if found.count() == 0 => {
            done + "  as it was exported; data in volumes is not in an export\n"
        }
        Some(Compared::Differences(found)) => format!("{done}\n{}", diff(found)),
        Some(Compared::NotCompared(reason)) => {
            format!("{done}  it could not be compared with the export: {reason}\n")
        }
    }
}

/// What became of every application of a namespace.
pub(crate) fn restored(restored: &Restored) -> String {
    let Restored { namespace, cluster, apps } = restored;
    let mut text = String::new();
    for outcome in apps {
        text.push_str(&match outcome {
            Restore::Plan(one) | Restore::Report(one) => imported(one),
            Restore::Failure(Failure { app, error, .. }) => {
                format!("not restored: {namespace}/{app}: {error}\n")
            }
        });
        text.push('\n');
    }
    let done = apps.iter().filter(|outcome| matches!(outcome, Restore::Report(_))).count();
    let all = apps.len();
    text + &format!("{done} of {all} applications of {namespace} of cluster {cluster} restored\n")
}

/// What a drill will do or did.
pub(crate) fn drilled(drilled: &Drilled) -> String {
    let Drilled { plan, report, leftovers, .. } = drilled;
    let mut text = drill_plan(plan);
    for of in leftovers {
        let state = match of.state {
            Leftover::InUse => "in use by another drill",
            Leftover::Abandoned => "left behind by a drill; removed before this one begins",
            Leftover::Kept => "kept by a drill",
        };
        text.push_str(&format!("  namespace {}  {state}\n", of.namespace));
    }
    let Some(report) = report else { return text };
    for up in &report.objects {
        let why = up.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let state = up.seconds.map_or(format!("not ready{why}"), |s| format!("ready after {s} s"));
        text.push_str(&format!("  {}  {state}\n", up.object));
    }
    let network = match report.egress {
        Egress::Denied => "pods could not leave the namespace",
        Egress::NotProbed => "nobody looked whether pods could leave the namespace",
    };
    let gone = if drilled.removed == Some(true) { "is removed" } else { "stays" };
    let state = if report.ready { "ready" } else { "not ready" };
    text + &format!(
        "  {network}\n{state} after {} s; namespace {} {gone}\n",
        report.seconds, plan.namespace
    )
}

/// What a drill will do.
fn drill_plan(plan: &DrillPlan) -> String {
    let mut text = format!(
        "drill of {}:{}\n  into   namespace {} of {}\n  objects  {} restored\n",
        plan.chart,
        plan.version,
        plan.namespace,
        plan.server,
        plan.restored.len()
    );
    for (what, notes) in
        [("changed", &plan.changed), ("left out", &plan.left_out), ("refused", &plan.refused)]
    {
        for note in notes {
            text.push_str(&format!("  {what:<8} {}: {}\n", note.object, note.text));
        }
    }
    for name in &plan.secrets {
        text.push_str(&format!("  copied   Secret {name}\n"));
    }
    text
}

pub(crate) fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let severity = match finding.code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let about = about(finding);
        text.push_str(&format!("  {severity:<8} {}  {about}{}\n", finding.code, finding.text));
        if !finding.remedy.is_empty() && finding.code.severity() > Severity::Info {
            text.push_str(&format!("           {}\n", finding.remedy));
        }
    }
    if text.is_empty() { text } else { format!("\nfindings\n{text}") }
}

/// The object and the field that a finding is about, where its text does not name the object.
fn about(finding: &Finding) -> String {
    let object = finding.object.as_ref();
    if object.is_some_and(|object| finding.text.contains(&object.name)) {
        return String::new();
    }
    let object = object.map(|object| format!("{} {}", object.kind, object.name));
    let about: Vec<String> = object.into_iter().chain(finding.field.clone()).collect();
    if about.is_empty() { String::new() } else { format!("{}: ", about.join(" ")) }
}

fn found_by(found_by: &FoundBy) -> String {
    match found_by {
        FoundBy::EpinioApp => "Epinio application".to_owned(),
        FoundBy::HelmRelease => "Helm release".to_owned(),
        FoundBy::Label(key) => format!("label {key}"),
        FoundBy::Workload(object) => object.to_string(),
        FoundBy::Selector(selector) => format!("selector {selector}"),
        FoundBy::Namespace => "the whole namespace".to_owned(),
    }
}
