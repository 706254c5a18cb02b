//! What the server is asked for.

use jiff::Timestamp;

use crate::cli::args::AppExportArgs;
use crate::cli::commands::app_export::request;
use crate::cli::commands::app_show::selection;
use crate::cluster::record::{Door, Export, ExportSpec, RequestedBy};
use crate::cluster::{self, Live};
use crate::destination::select;
use crate::error::{Error, Exit};
use crate::export::record;

const NOT_SERVED: &str =
    "install the server and what is in deploy/crds there, or leave out `--in-cluster`";

/// What the arguments ask for, and who asks.
pub(super) async fn spec(
    name: &str,
    args: &AppExportArgs,
    live: &Live,
) -> Result<ExportSpec, Error> {
    let destination = destination(args)?;
    let asked = request(args, selection(name, &args.pick))?;
    let own = live.who_am_i().await?;
    Ok(ExportSpec {
        service_account_name: args.service_account.clone(),
        requested_by: Some(RequestedBy::new(&own.user, &own.groups, Door::Kubernetes)),
        use_pull_secrets: args.content.use_pull_secrets,
        attach_report: !args.no_attach_report,
        ..record::spec(&asked, destination)
    })
}

/// The name of a destination: the server takes no address.
fn destination(args: &AppExportArgs) -> Result<&str, Error> {
    let name = args.registry.as_deref().ok_or(Error::NoDestination)?;
    if select::is_address(name) {
        return Err(Error::Arguments {
            text: format!("`{name}` is an address, and the server exports to destinations only"),
            hint: "name one of `outhaul export-registries`, or leave out `--in-cluster`",
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
            Error::Elsewhere {
                what: "exports.outhaul.dev".to_owned(),
                reason: "the cluster does not know this resource".to_owned(),
                hint: Some(NOT_SERVED.to_owned()),
                exit: Exit::Cluster,
            }
        }
        error => error.into(),
    })
}
