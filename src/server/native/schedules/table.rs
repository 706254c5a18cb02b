//! The routes of schedules.

use super::create::CREATED;
use super::model::{Started, View};
use super::{SEEN, change, create, preview, run};
use crate::error::Code;
use crate::schedule::preview::Preview;
use crate::server::native::table::{CLUSTER, DESTINATIONS, EXPORTS, USE};
use crate::server::page::Items;
use crate::server::routes::{Need, Route};

/// Whoever makes a schedule, or changes what it exports or what stays of it, needs what its exports need.
const CREATE: &[Need] =
    &[Need::CreateSchedules, Need::ReadNamespace, Need::UseDestination, Need::ReadSecrets];

/// Where neither template nor retention is changed, the first is enough.
const CHANGE: &[Need] = &[
    Need::UpdateSchedules,
    Need::OfTemplate,
    Need::ReadNamespace,
    Need::UseDestination,
    Need::ReadSecrets,
];

/// All of them.
pub(in crate::server::native) fn table() -> Vec<Route> {
    let mut table = vec![
        Route::get("/v1/schedules", super::all)
            .named("listAllSchedules", "List the schedules of all namespaces")
            .needs(&[Need::ListSchedules])
            .gives::<Items<View<'static>>>(200, "A page, in order of namespace and name.")
            .refuses(EXPORTS)
            .refuses(&[Code::Forbidden]),
        Route::post("/v1/schedules/preview", preview::declared)
            .named("previewSchedule", "Say when a schedule would be due; nothing is made")
            .gives::<Preview>(200, "The next runs, and why the version of each would stay.")
            .refuses(&[Code::ScheduleInvalid]),
        Route::get("/v1/namespaces/{ns}/schedules", super::of_namespace)
            .named("listSchedules", "List the schedules of a namespace")
            .needs(&[Need::ListSchedules])
            .gives::<Items<View<'static>>>(200, "A page, in order of name.")
            .refuses(EXPORTS)
            .refuses(&[Code::Forbidden]),
        Route::post("/v1/namespaces/{ns}/schedules", create::create)
            .named("createSchedule", "Make a schedule")
            .needs(CREATE)
            .gives::<View<'static>>(201, "It is made, and runs in the name of who made it.")
            .with_headers(&CREATED)
            .refuses(CLUSTER)
            .refuses(DESTINATIONS)
            .refuses(USE)
            .refuses(&[
                Code::CrdMissing,
                Code::Forbidden,
                Code::NamespaceTerminating,
                Code::NamespaceUnknown,
                Code::ScheduleExists,
                Code::ScheduleInvalid,
            ]),
    ];
    table.extend(of_one());
    table.extend(changes());
    table
}

fn of_one() -> Vec<Route> {
    vec![
        Route::get("/v1/namespaces/{ns}/schedules/{name}", super::one)
            .named("getSchedule", "Show a schedule")
            .needs(&[Need::GetSchedules])
            .gives::<View<'static>>(200, "It, as it is now.")
            .with_headers(&SEEN)
            .refuses(CLUSTER)
            .refuses(&[Code::CrdMissing, Code::Forbidden, Code::ScheduleUnknown]),
        Route::delete("/v1/namespaces/{ns}/schedules/{name}", super::delete)
            .named("deleteSchedule", "Remove a schedule; its exports and their versions stay")
            .needs(&[Need::DeleteSchedules])
            .gives::<View<'static>>(200, "It, as it was.")
            .with_headers(&SEEN)
            .refuses(CLUSTER)
            .refuses(&[Code::CrdMissing, Code::Forbidden, Code::ScheduleUnknown]),
        Route::post("/v1/namespaces/{ns}/schedules/{name}/run", run::run)
            .named("runSchedule", "Run a schedule now")
            .needs(&[Need::UpdateSchedules])
            .gives::<Started>(202, "It is asked for, and this is what to follow.")
            .with_headers(&run::STARTED)
            .refuses(CLUSTER)
            .refuses(&[
                Code::CrdMissing,
                Code::Forbidden,
                Code::ScheduleSuspended,
                Code::ScheduleUnknown,
            ]),
        Route::post("/v1/namespaces/{ns}/schedules/{name}/preview", preview::stored)
            .named("previewStoredSchedule", "Say when a schedule is due, and what stays")
            .needs(&[Need::GetSchedules])
            .gives::<Preview>(200, "The next runs, and why the version of each would stay.")
            .refuses(CLUSTER)
            .refuses(&[
                Code::CrdMissing,
                Code::Forbidden,
                Code::ScheduleInvalid,
                Code::ScheduleUnknown,
            ]),
    ]
}

fn changes() -> Vec<Route> {
    let written = |route: Route| {
        let route = route.gives::<View<'static>>(200, "It, as it is now.").with_headers(&SEEN);
        route.refuses(CLUSTER).refuses(&[
            Code::CrdMissing,
            Code::Forbidden,
            Code::NamespaceTerminating,
            Code::NamespaceUnknown,
            Code::ScheduleInvalid,
            Code::ScheduleUnknown,
        ])
    };
    let of_template =
        |route: Route| written(route.needs(CHANGE)).refuses(DESTINATIONS).refuses(USE);
    let of_times = |route: Route| written(route.needs(&[Need::UpdateSchedules]));
    vec![
        of_template(
            Route::put("/v1/namespaces/{ns}/schedules/{name}", change::replace)
                .named("replaceSchedule", "Say anew what a schedule says"),
        ),
        of_template(
            Route::patch("/v1/namespaces/{ns}/schedules/{name}", change::patch)
                .named("patchSchedule", "Change some of what a schedule says"),
        ),
        of_times(
            Route::post("/v1/namespaces/{ns}/schedules/{name}/suspend", change::suspend)
                .named("suspendSchedule", "Let a schedule begin nothing; what runs goes on"),
        ),
        of_times(
            Route::post("/v1/namespaces/{ns}/schedules/{name}/resume", change::resume)
                .named("resumeSchedule", "Let a schedule go on"),
        ),
    ]
}
