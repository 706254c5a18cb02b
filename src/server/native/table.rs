//! The routes of `/v1`: what each is called, needs, gives and refuses.

use super::exports::CREATED;
use super::model::View;
use super::{
    apps, destinations, events, exports, history, lists, metrics, plan, prune, report, schedules,
};
use crate::app::App;
use crate::destination::Check;
use crate::error::Code;
use crate::export::Plan;
use crate::export::diff::Diff;
use crate::export::history::Past;
use crate::export::prune::Pruned;
use crate::server::page::Items;
use crate::server::routes::{Answer, Need, Route};
use crate::server::telemetry::metrics::OPEN_METRICS;

/// Of whatever asks the cluster.
pub(super) const CLUSTER: &[Code] =
    &[Code::ClusterFailed, Code::ClusterUnreachable, Code::ServerLacksRight];

/// Of whatever looks destinations up.
pub(super) const DESTINATIONS: &[Code] = &[Code::DestinationUnknown, Code::SystemNamespaceMissing];

/// Of whatever uses one.
pub(super) const USE: &[Code] =
    &[Code::DestinationInvalid, Code::DestinationNotAllowed, Code::DestinationUnusable];

/// Of whatever asks a registry.
const REGISTRY: &[Code] = &[
    Code::ContentDamaged,
    Code::RegistryCredentials,
    Code::RegistryDenied,
    Code::RegistryFailed,
    Code::RegistryUnreachable,
    Code::RegistryUntrusted,
];

/// Of whatever reads an application.
const APP: &[Code] = &[
    Code::AppAmbiguous,
    Code::AppEmpty,
    Code::AppUnknown,
    Code::KindNotReadable,
    Code::KindsUnreadable,
    Code::NamespaceTerminating,
    Code::NamespaceTooLarge,
    Code::NamespaceUnknown,
];

/// Of whatever finds the images of one.
const IMAGES: &[Code] =
    &[Code::ImageInvalid, Code::ImageMissing, Code::ImageOnlyOnNodes, Code::SourceRefused];

/// Of whatever knows exports.
pub(super) const EXPORTS: &[Code] = &[Code::ClusterUnreachable, Code::CrdMissing];

/// Who may make an export may see what it would do.
const EXPORT: &[Need] = &[Need::ReadNamespace, Need::UseDestination, Need::ReadSecrets];

/// Who may say in a schedule what stays may say it for once.
const PRUNE: &[Need] = &[Need::UpdateSchedules, Need::ReadNamespace, Need::UseDestination];

/// All of them.
pub(in crate::server) fn table() -> Vec<Route> {
    let mut table = destinations();
    table.extend(apps());
    table.extend(exports());
    table.extend(of_one_export());
    table.extend(schedules::table());
    let metrics = Route::get("/metrics", metrics::all)
        .named("metrics", "Metrics for Prometheus")
        .needs(&[Need::Metrics])
        .answers(Answer::text(OPEN_METRICS, "Metrics."))
        .refuses(&[Code::Forbidden]);
    table.push(metrics);
    table
}

fn destinations() -> Vec<Route> {
    vec![
        Route::get("/v1/destinations", destinations::list)
            .named("listDestinations", "List where exports may go")
            .gives::<destinations::List>(200, "All of them; who may not see one sees its name.")
            .refuses(CLUSTER)
            .refuses(&[Code::SystemNamespaceMissing]),
        Route::get("/v1/destinations/{name}", destinations::one)
            .named("getDestination", "Show a destination, with what is wrong with it")
            .needs(&[Need::SeeDestination])
            .gives::<destinations::Seen>(200, "It, without its credentials.")
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(&[Code::Forbidden]),
        Route::post("/v1/destinations/{name}/check", destinations::check)
            .named("checkDestination", "Look whether a destination works; nothing is pushed")
            .needs(&[Need::SeeDestination])
            .gives::<Check>(200, "What the look showed, good or bad.")
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(&[Code::Forbidden]),
    ]
}

fn apps() -> Vec<Route> {
    vec![
        Route::get("/v1/apps", lists::all)
            .named("listAllApplications", "List the applications of all namespaces")
            .gives::<lists::List>(
                200,
                "A page, in order of namespace and name. Namespaces that the caller may not read are \
                 left out.",
            )
            .refuses(&[Code::ClusterUnreachable]),
        Route::get("/v1/namespaces/{ns}/apps", lists::of_namespace)
            .named("listApplications", "List the applications of a namespace")
            .needs(&[Need::ReadNamespace])
            .gives::<lists::List>(200, "A page, in order of name.")
            .refuses(CLUSTER)
            .refuses(&[Code::Forbidden, Code::NamespaceUnknown]),
        Route::get("/v1/namespaces/{ns}/apps/{app}", apps::one)
            .named("getApplication", "Show an application as it would be exported")
            .needs(&[Need::ReadNamespace])
            .gives::<App>(200, "Its objects, images, requirements and findings; no Secrets.")
            .refuses(CLUSTER)
            .refuses(APP)
            .refuses(&[Code::Forbidden]),
        Route::post("/v1/namespaces/{ns}/apps/{app}/plan", plan::plan)
            .named("planExport", "Say what an export would do; nothing is pushed")
            .needs(EXPORT)
            .gives::<Plan>(200, "The plan. One that findings stop is in the problem.")
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(USE)
            .refuses(REGISTRY)
            .refuses(APP)
            .refuses(IMAGES)
            .refuses(&[
                Code::ArgumentInvalid,
                Code::ChartDiffers,
                Code::ChartTooLarge,
                Code::Findings,
                Code::Forbidden,
                Code::NameInvalid,
                Code::RecipientsMissing,
                Code::RepositoryForeign,
                Code::VersionTaken,
            ]),
        Route::post("/v1/namespaces/{ns}/apps/{app}/diff", plan::diff)
            .named("diffApplication", "Say what has changed since a chart was exported")
            .needs(EXPORT)
            .gives::<Diff>(200, "What has changed; no values of Secrets.")
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(USE)
            .refuses(REGISTRY)
            .refuses(APP)
            .refuses(IMAGES)
            .refuses(&[Code::ChartInvalid, Code::ChartMissing, Code::Forbidden, Code::NameInvalid]),
        Route::get("/v1/namespaces/{ns}/apps/{app}/history", history::history)
            .named("listVersions", "List the versions of an application at a destination")
            .needs(&[Need::ReadNamespace, Need::UseDestination])
            .gives::<Items<Past>>(
                200,
                "A page, the newest first. Versions of another origin are left out of it, so that it \
                 may be shorter than `limit`.",
            )
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(USE)
            .refuses(REGISTRY)
            .refuses(&[Code::Forbidden, Code::NameInvalid]),
        Route::post("/v1/namespaces/{ns}/apps/{app}/prune", prune::prune)
            .named("pruneVersions", "Say which versions no rule keeps, or delete them")
            .needs(PRUNE)
            .gives::<Pruned>(200, "The plan, and what was done if it was not only to be shown.")
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(USE)
            .refuses(REGISTRY)
            .refuses(&[Code::Forbidden, Code::NameInvalid, Code::ScheduleInvalid]),
    ]
}

fn exports() -> Vec<Route> {
    let page = "A page, in order of namespace and name.";
    vec![
        Route::get("/v1/exports", exports::all)
            .named("listAllExports", "List the exports of all namespaces")
            .needs(&[Need::ListExports])
            .gives::<Items<View<'static>>>(200, page)
            .refuses(EXPORTS)
            .refuses(&[Code::Forbidden]),
        Route::get("/v1/namespaces/{ns}/exports", exports::of_namespace)
            .named("listExports", "List the exports of a namespace")
            .needs(&[Need::ListExports])
            .gives::<Items<View<'static>>>(200, page)
            .refuses(EXPORTS)
            .refuses(CLUSTER)
            .refuses(&[Code::Forbidden]),
        Route::post("/v1/namespaces/{ns}/exports", exports::create)
            .named("createExport", "Ask for an export")
            .needs(EXPORT)
            .gives::<View<'static>>(202, "It is queued; its `events` say how it goes on.")
            .with_headers(&CREATED)
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(USE)
            .refuses(&[
                Code::ArgumentInvalid,
                Code::CrdMissing,
                Code::Forbidden,
                Code::IdempotencyKeyReused,
                Code::NamespaceTerminating,
                Code::NamespaceUnknown,
                Code::QueueFull,
            ]),
    ]
}

fn of_one_export() -> Vec<Route> {
    vec![
        Route::get("/v1/namespaces/{ns}/exports/{name}", exports::one)
            .named("getExport", "Show an export")
            .needs(&[Need::GetExports])
            .gives::<View<'static>>(200, "It, as it is now.")
            .refuses(EXPORTS)
            .refuses(&[Code::ExportUnknown, Code::Forbidden]),
        Route::post("/v1/namespaces/{ns}/exports/{name}/cancel", exports::cancel)
            .named("cancelExport", "Cancel an export")
            .needs(&[Need::UpdateExports])
            .gives::<View<'static>>(202, "It is going to be cancelled.")
            .refuses(EXPORTS)
            .refuses(&[Code::ExportFinished, Code::ExportUnknown, Code::Forbidden]),
        Route::get("/v1/namespaces/{ns}/exports/{name}/events", events::events)
            .named("watchExport", "Follow an export until its end")
            .needs(&[Need::GetExports])
            .answers(Answer::text(events::MEDIA_TYPE, events::DESCRIPTION))
            .refuses(EXPORTS)
            .refuses(&[Code::ExportUnknown, Code::Forbidden, Code::StreamsExhausted]),
        Route::get("/v1/namespaces/{ns}/exports/{name}/report", report::report)
            .named("getReport", "Show all that an export has to say of what it did")
            .needs(&[Need::GetExports])
            .gives::<report::Told>(200, "The report, or what the record has of it.")
            .refuses(EXPORTS)
            .refuses(DESTINATIONS)
            .refuses(USE)
            .refuses(REGISTRY)
            .refuses(&[Code::ExportUnknown, Code::Forbidden, Code::ReportNotReady]),
    ]
}
