//! Exports that there were and are: read as records with the kubeconfig, or from the server over HTTP.

use super::http::{Ask, Server};
use super::view::View;
use crate::cli::args::{Global, RemoteArgs};
use crate::cli::connect;
use crate::cli::output::Printer;
use crate::cluster::record::{CANCEL, Export, Phase};
use crate::cluster::{self, Live};
use crate::error::{Error, Exit};

/// Where exports are looked up.
pub(crate) enum Records {
    /// In the cluster.
    Cluster(Live),
    /// At the server.
    Server(Box<Server>),
}

/// Which exports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Those of this namespace; `None`: all that one may list.
    pub(crate) namespace: Option<String>,
    /// Those of this application.
    pub(crate) app: Option<String>,
    /// Those to this destination.
    pub(crate) destination: Option<String>,
    /// Those that are so far.
    pub(crate) phase: Option<Phase>,
}

/// Most exports that are listed: finished ones go after a week.
const MOST: usize = 10_000;

impl Records {
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

    /// Those that are wanted, by namespace and name.
    pub(crate) async fn list(&self, wanted: &Wanted) -> Result<Vec<View>, Error> {
        match self {
            Self::Cluster(live) => {
                let found = live.exports(wanted.namespace.as_deref(), MOST).await;
                let found = found.map_err(not_served)?.into_iter().map(View::from);
                Ok(found.filter(|view| wanted.is_met_by(view)).collect())
            }
            Self::Server(server) => listed(server, wanted).await,
        }
    }

    /// The one of this name.
    pub(crate) async fn one(&self, namespace: &str, name: &str) -> Result<View, Error> {
        match self {
            Self::Cluster(live) => Ok(record(live, namespace, name).await?.into()),
            Self::Server(server) => Ok(server.get(&path(namespace, name), &[]).await?),
        }
    }

    /// Cancels the one of this name. It ends a little later.
    pub(crate) async fn cancel(&self, namespace: &str, name: &str) -> Result<View, Error> {
        match self {
            Self::Cluster(live) => {
                let export = record(live, namespace, name).await?;
                if export.is_terminal() {
                    return Err(Error::Server {
                        text: "the export is finished already".to_owned(),
                        hint: None,
                        exit: Exit::Failed,
                    });
                }
                Ok(live.annotate(&export, &[(CANCEL, "yes")]).await?.into())
            }
            Self::Server(server) => {
                let path = [&path(namespace, name)[..], &["cancel"]].concat();
                let ask = Ask { path: &path, ..Ask::default() };
                Ok(server.post(&ask).await?.body)
            }
        }
    }
}

impl Wanted {
    fn is_met_by(&self, view: &View) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|it| it == found);
        is(&self.app, &view.request.app)
            && is(&self.destination, &view.request.destination)
            && self.phase.is_none_or(|phase| phase == view.phase)
    }
}

/// The flags that choose the cluster, for a command that is to be typed again.
pub(super) fn flags_of(global: &Global) -> String {
    let file = global.kubeconfig.as_ref().map(|path| format!(" --kubeconfig {}", path.display()));
    let context = global.context.as_ref().map(|name| format!(" --context {name}"));
    [file, context].into_iter().flatten().collect()
}

async fn listed(server: &Server, wanted: &Wanted) -> Result<Vec<View>, Error> {
    let within = wanted.namespace.as_deref();
    let path = match within {
        Some(namespace) => vec!["v1", "namespaces", namespace, "exports"],
        None => vec!["v1", "exports"],
    };
    let phase = wanted.phase.map(|phase| format!("{phase:?}"));
    let mut query = Vec::new();
    let filters = [("app", &wanted.app), ("destination", &wanted.destination), ("phase", &phase)];
    query.extend(filters.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))));
    server.pages(&path, &query).await
}

async fn record(live: &Live, namespace: &str, name: &str) -> Result<Export, Error> {
    live.export(namespace, name).await?.ok_or_else(|| Error::Server {
        text: format!("there is no export `{name}`"),
        hint: Some(
            "`outhaul export list` lists those of a namespace; finished ones go after a week"
                .into(),
        ),
        exit: Exit::Failed,
    })
}

fn path<'a>(namespace: &'a str, name: &'a str) -> [&'a str; 5] {
    ["v1", "namespaces", namespace, "exports", name]
}

/// What it means that there are no records of this kind.
fn not_served(error: cluster::Error) -> Error {
    match error {
        cluster::Error::Api { status: 404, .. } => super::ask::not_served(),
        error => error.into(),
    }
}
