//! Schedules, read and written with the kubeconfig, or by the server over HTTP.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::ask::KEY;
use super::http::{Ask, Server};
use super::schedule_view::ScheduleView;
use super::view::View;
use crate::cli::args::{Global, RemoteArgs};
use crate::cli::connect;
use crate::cli::output::Printer;
use crate::cluster::record::schedule::{ExportSchedule, RUN, Retention};
use crate::cluster::record::{Door, RequestedBy};
use crate::cluster::{self, Live};
use crate::error::{Code, Error, Exit};
use crate::schedule::preview::Preview;
use crate::schedule::retention::Rules;
use crate::schedule::run::{is_of_run, requested_run};

/// Where schedules are looked up.
pub(crate) enum Schedules {
    /// In the cluster.
    Cluster(Live),
    /// At the server.
    Server(Box<Server>),
}

/// A run that was asked for.
pub(crate) struct Started {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Of the schedule, where it is known: a later one of its name is another.
    uid: Option<String>,
    /// What the status of the schedule says once all exports of the run are made.
    pub(crate) request: String,
    /// How the names of its exports begin.
    run: String,
}

/// The same as the server tells it.
#[derive(Deserialize)]
struct Told {
    request: String,
    run: String,
}

/// What is to be seen in a preview.
pub(crate) struct Window {
    /// Rules to be tried, instead of those of the schedule.
    pub(crate) retention: Option<Retention>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) count: u16,
}

/// Most schedules, and most records of a namespace, that are looked at.
const MOST: usize = 10_000;

impl Schedules {
    /// Where the arguments say.
    pub(crate) async fn at(
        args: &RemoteArgs,
        global: &Global,
        printer: &Printer,
    ) -> Result<Self, Error> {
        Ok(match Server::of(args, global, printer).await? {
            Some(server) => Self::Server(Box::new(server)),
            None => Self::Cluster(Live::connect(&connect::client_options(global)).await?),
        })
    }

    /// Those of a namespace, or all that one may list, by namespace and name.
    pub(crate) async fn list(&self, namespace: Option<&str>) -> Result<Vec<ScheduleView>, Error> {
        match self {
            Self::Cluster(live) => {
                let found = live.schedules(namespace, MOST).await.map_err(not_served)?;
                Ok(found.into_iter().map(ScheduleView::from).collect())
            }
            Self::Server(server) => match namespace {
                Some(namespace) => {
                    server.pages(&["v1", "namespaces", namespace, "schedules"], &[]).await
                }
                None => server.pages(&["v1", "schedules"], &[]).await,
            },
        }
    }

    /// The one of this name.
    pub(crate) async fn one(&self, namespace: &str, name: &str) -> Result<ScheduleView, Error> {
        match self {
            Self::Cluster(live) => Ok(stored(live, namespace, name).await?.into()),
            Self::Server(server) => Ok(server.get(&path(namespace, name), &[]).await?),
        }
    }

    /// Makes it, in the name of who asks unless it names a service account.
    pub(crate) async fn create(&self, mut schedule: ExportSchedule) -> Result<ScheduleView, Error> {
        match self {
            Self::Cluster(live) => {
                let spec = &mut schedule.spec;
                if spec.requested_by.is_none() && spec.service_account_name.is_none() {
                    let own = live.who_am_i().await?;
                    let by = RequestedBy::new(&own.user, &own.groups, Door::Kubernetes);
                    spec.requested_by = Some(by);
                }
                Ok(live.create_schedule(&schedule).await.map_err(not_served)?.into())
            }
            Self::Server(server) => {
                let path = ["v1", "namespaces", schedule.namespace(), "schedules"];
                let body = json!({"name": schedule.name(), "spec": schedule.spec});
                let ask = Ask { path: &path, body: Some(&body), ..Ask::default() };
                Ok(server.post(&ask).await?.body)
            }
        }
    }

    /// Lets it begin nothing, or go on.
    pub(crate) async fn suspend(
        &self,
        namespace: &str,
        name: &str,
        suspended: bool,
    ) -> Result<ScheduleView, Error> {
        match self {
            Self::Cluster(live) => {
                let schedule = stored(live, namespace, name).await?;
                let fields = json!({"suspend": suspended});
                Ok(live.patch_schedule(&schedule, &fields, &[]).await?.into())
            }
            Self::Server(server) => {
                let verb = if suspended { "suspend" } else { "resume" };
                let path = [&path(namespace, name)[..], &[verb]].concat();
                Ok(server.post(&Ask { path: &path, ..Ask::default() }).await?.body)
            }
        }
    }

    /// Removes it, and gives it as it was.
    pub(crate) async fn delete(&self, namespace: &str, name: &str) -> Result<ScheduleView, Error> {
        match self {
            Self::Cluster(live) => {
                let schedule = stored(live, namespace, name).await?;
                live.delete_schedule(&schedule).await?;
                Ok(schedule.into())
            }
            Self::Server(server) => Ok(server.delete(&path(namespace, name)).await?),
        }
    }

    /// The next runs of the one of this name.
    pub(crate) async fn preview(
        &self,
        namespace: &str,
        name: &str,
        window: &Window,
    ) -> Result<Preview, Error> {
        let Window { retention, from, count } = window;
        match self {
            Self::Cluster(live) => {
                let schedule = stored(live, namespace, name).await?;
                let rules = retention.as_ref().map(Rules::of).transpose()?;
                let from = from.unwrap_or_else(Timestamp::now);
                Ok(Preview::of(&schedule, rules, (from, usize::from(*count)))?)
            }
            Self::Server(server) => {
                let path = [&path(namespace, name)[..], &["preview"]].concat();
                let body = json!({"retention": retention, "from": from, "count": count});
                let ask = Ask { path: &path, body: Some(&body), ..Ask::default() };
                Ok(server.post(&ask).await?.body)
            }
        }
    }

    /// Asks for a run now.
    pub(crate) async fn start(&self, namespace: &str, name: &str) -> Result<Started, Error> {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        match self {
            Self::Cluster(live) => {
                let schedule = stored(live, &namespace, &name).await?;
                if schedule.spec.suspend {
                    return Err(suspended(&schedule));
                }
                // Any value will do that was not there before.
                let request = format!("{}-{:08x}", Timestamp::now(), fastrand::u32(..));
                let schedule = live.annotate_schedule(&schedule, &[(RUN, &request)]).await?;
                let run = requested_run(&name, schedule.uid(), &request);
                Ok(Started { namespace, name, uid: Some(schedule.uid().to_owned()), request, run })
            }
            Self::Server(server) => {
                // The key makes two requests one, where the answer to the first is lost.
                let key: String = (0..KEY).map(|_| fastrand::alphanumeric()).collect();
                let path = [&path(&namespace, &name)[..], &["run"]].concat();
                let ask = Ask { path: &path, key: Some(&key), ..Ask::default() };
                let Told { request, run } = server.post(&ask).await?.body;
                Ok(Started { namespace, name, uid: None, request, run })
            }
        }
    }

    /// The schedule of a run as it is now; `None` where it was removed meanwhile.
    pub(crate) async fn of_run(&self, started: &Started) -> Result<Option<ScheduleView>, Error> {
        let Started { namespace, name, uid, .. } = started;
        match self {
            Self::Cluster(live) => {
                let found = live.schedule(namespace, name).await?;
                let found = found.filter(|found| Some(found.uid()) == uid.as_deref());
                Ok(found.map(ScheduleView::from))
            }
            Self::Server(server) => match server.get(&path(namespace, name), &[]).await {
                Ok(found) => Ok(Some(found)),
                Err(refused) if refused.code == Some(Code::ScheduleUnknown) => Ok(None),
                Err(refused) => Err(refused.error),
            },
        }
    }

    /// The exports of a run, as far as they are made.
    pub(crate) async fn exports(&self, started: &Started) -> Result<Vec<View>, Error> {
        let Started { namespace, run, .. } = started;
        match self {
            Self::Cluster(live) => {
                let records = live.exports_of_schedule(namespace, &started.name, MOST).await?;
                let of_run = records.into_iter().filter(|export| is_of_run(export.name(), run));
                Ok(of_run.map(View::from).collect())
            }
            Self::Server(server) => {
                let path = ["v1", "namespaces", namespace, "exports"];
                server.pages(&path, &[("run", run)]).await
            }
        }
    }
}

async fn stored(live: &Live, namespace: &str, name: &str) -> Result<ExportSchedule, Error> {
    let found = live.schedule(namespace, name).await?;
    found.ok_or_else(|| Error::Server {
        text: format!("there is no schedule `{name}` in namespace `{namespace}`"),
        hint: Some("`outhaul schedule list` lists those of a namespace, `-A` all".to_owned()),
        exit: Exit::Failed,
    })
}

fn suspended(schedule: &ExportSchedule) -> Error {
    Error::Arguments {
        text: format!("{} is suspended, and begins nothing", schedule.title()),
        hint: "let it go on with `outhaul schedule resume`, then run it",
    }
}

fn path<'a>(namespace: &'a str, name: &'a str) -> [&'a str; 5] {
    ["v1", "namespaces", namespace, "schedules", name]
}

/// What it means that there are no schedules of this kind.
fn not_served(error: cluster::Error) -> Error {
    match error {
        cluster::Error::Api { status: 404, reason, .. } if !reason.starts_with("namespaces ") => {
            Error::Elsewhere {
                what: "exportschedules.outhaul.dev".to_owned(),
                reason: "the cluster does not know this resource".to_owned(),
                hint: Some("install the server and what is in deploy/crds there".to_owned()),
                exit: Exit::Cluster,
            }
        }
        error => error.into(),
    }
}
