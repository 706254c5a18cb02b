//! What the server is asked for.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::args::AppExportArgs;
use crate::cli::commands::app_export::request;
use crate::cli::commands::app_show::selection;
use crate::cluster::record::{Door, Export, ExportSpec, RequestedBy};
use crate::cluster::{self, Live};
use crate::destination::select;
use crate::error::{Error, Exit};
use crate::export::record;

use super::http::{Answer, Ask, Server};
use super::view::View;

const NOT_SERVED: &str =
    "install the server and what is in deploy/crds there, or leave out `--in-cluster`";

/// Answers that an export was asked for before and is under way.
const JOINED: &str = "outhaul-joined";

/// What belongs to a record and is not a caller's to say over HTTP.
const NOT_ASKED: [&str; 5] =
    ["namespace", "serviceAccountName", "requestedBy", "ageRecipients", "epinio"];

/// Random characters of a key: two are never the same.
pub(super) const KEY: usize = 32;

/// What the arguments ask for, and who asks.
pub(super) async fn spec(
    name: &str,
    args: &AppExportArgs,
    live: &Live,
) -> Result<ExportSpec, Error> {
    let asked = asked(name, args)?;
    let own = live.who_am_i().await?;
    Ok(ExportSpec {
        service_account_name: args.service_account.clone(),
        requested_by: Some(RequestedBy::new(&own.user, &own.groups, Door::Kubernetes)),
        ..asked
    })
}

fn asked(name: &str, args: &AppExportArgs) -> Result<ExportSpec, Error> {
    let destination = destination(args)?;
    let asked = request(args, selection(name, &args.pick))?;
    let mut spec = record::spec(&asked, destination);
    spec.options.use_pull_secrets = args.content.use_pull_secrets;
    spec.options.attach_report = !args.no_attach_report;
    Ok(spec)
}

/// What the arguments ask for, as the server takes it over HTTP.
pub(super) fn body(name: &str, args: &AppExportArgs) -> Result<Value, Error> {
    let mut body = json!(asked(name, args)?);
    if let Some(fields) = body.as_object_mut() {
        NOT_ASKED.iter().for_each(|field| {
            fields.remove(*field);
        });
    }
    Ok(body)
}

/// Asks for an export over HTTP: what it is, and whether it was under way. The key makes two requests
/// one, where the answer to the first is lost.
pub(super) async fn submit(
    server: &Server,
    namespace: &str,
    name: &str,
    args: &AppExportArgs,
) -> Result<(View, bool), Error> {
    let body = body(name, args)?;
    let key: String = (0..KEY).map(|_| fastrand::alphanumeric()).collect();
    let path = ["v1", "namespaces", namespace, "exports"];
    let ask = Ask { path: &path, body: Some(&body), key: Some(&key), ..Ask::default() };
    let Answer { body, headers } = server.post(&ask).await?;
    Ok((body, headers.contains_key(JOINED)))
}

/// The name of a destination: the server takes no address.
fn destination(args: &AppExportArgs) -> Result<&str, Error> {
    let name = args.registry.as_deref().ok_or(Error::NoDestination)?;
    if select::is_address(name) {
        return Err(Error::Arguments {
            text: format!("`{name}` is an address, and the server exports to destinations only"),
            hint: "name one of `outhaul export-registries`, or leave out `--in-cluster` or `--server`",
        });
    }
    Ok(name)
}

/// Makes the record, in the namespace of the application.
pub(super) async fn create(
    live: &Live,
    namespace: Option<&str>,
    spec: ExportSpec,
) -> Result<Export, Error> {
    let namespace = namespace.unwrap_or_else(|| live.default_namespace());
    let draft = Export::draft(namespace, &Export::fresh_name(&spec.app, Timestamp::now()), spec);
    live.create_export(&draft).await.map_err(|error| match error {
        cluster::Error::Api { status: 404, reason, .. } if !reason.starts_with("namespaces ") => {
            not_served()
        }
        error => error.into(),
    })
}

/// The cluster has no records of exports.
pub(super) fn not_served() -> Error {
    Error::Elsewhere {
        what: "exports.outhaul.dev".to_owned(),
        reason: "the cluster does not know this resource".to_owned(),
        hint: Some(NOT_SERVED.to_owned()),
        exit: Exit::Cluster,
    }
}
