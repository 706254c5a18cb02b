//! `outhaul registry create --apply cluster`: the documents as objects, all of them or none.

use super::{number, place, tell};
use crate::cli::args::{Global, RegistryCreateArgs};
use crate::cli::connect;
use crate::cli::output::Printer;
use crate::cluster::objects::Placed;
use crate::cluster::{self, Live};
use crate::destination::systems::{Document, Registries, Row, System, WriteOptions, losses, write};
use crate::error::Error;

/// Makes the objects of a row, and gives the row as it is there.
pub(super) async fn run(
    args: &RegistryCreateArgs,
    row: Row,
    global: &Global,
    printer: &Printer,
) -> Result<Row, Error> {
    let format = args.format.unwrap_or(System::Epinio);
    check(format, args, global)?;
    let live = Live::connect(&connect::client_options(global)).await?;
    let explicit = args.written.namespace.as_deref();
    let (namespace, row) = if format == System::Eda {
        let namespace = explicit.unwrap_or(global.eda_namespace()).to_owned();
        tell(&losses(&Registries::one(row.clone()), format), printer);
        (namespace, row)
    } else {
        let (namespace, known) = place::secrets(&live, explicit, global).await?;
        let id = number::free(&known.registries, row.id)?;
        (namespace, Row { id: Some(id), ..row })
    };
    live.require_namespace(&namespace).await?;
    let options =
        WriteOptions { with_secrets: true, namespace: Some(namespace.clone()), vault: None };
    let documents = write(format, &Registries::one(row.clone()), &options);
    let made = make(&live, &namespace, &documents, printer).await?;
    let (Some(id), Some(secret)) = (row.id.filter(|_| format == System::Epinio), made.last())
    else {
        say(&made, printer);
        return Ok(Row { name: made.last().map(|made| made.name.clone()), ..row });
    };
    match number::settle(&live, secret, id, args.id.is_some()).await {
        Ok(id) => {
            say(&made, printer);
            Ok(Row { id: Some(id), name: Some(secret.name.clone()), ..row })
        }
        Err(error) => {
            take_back(&live, &made, printer).await;
            Err(error)
        }
    }
}

fn check(format: System, args: &RegistryCreateArgs, global: &Global) -> Result<(), Error> {
    if !matches!(format, System::Epinio | System::Eda) {
        let text = format!("{} keeps no registries in a cluster", format.title());
        let hint = "give `--format epinio` or `--format eda`, or print its documents";
        return Err(Error::Arguments { text, hint });
    }
    place::only_cluster("--apply cluster", &args.controller, global)
}

/// Makes one after the other; if one is refused, those before it are taken back.
async fn make(
    live: &Live,
    namespace: &str,
    documents: &[Document],
    printer: &Printer,
) -> Result<Vec<Placed>, Error> {
    let kinds = live.kinds().await?;
    let mut wanted = Vec::new();
    for Document { value, .. } in documents {
        let text = |field: &str| value[field].as_str().unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let Some(known) = kinds.exactly(version, kind) else {
            return Err(Error::Arguments {
                text: format!(
                    "the cluster at {} does not serve {kind} of {version}",
                    live.server()
                ),
                hint: "choose the cluster in which Nokia EDA runs with `--context`",
            });
        };
        wanted.push((known, value.to_string().into()));
    }
    let mut made = Vec::new();
    for (kind, manifest) in &wanted {
        match live.create_object(kind, namespace, manifest).await {
            Ok(placed) => made.push(placed),
            Err(error) => {
                take_back(live, &made, printer).await;
                return Err(match error {
                    cluster::Error::Exists { what } => Error::RegistryTaken {
                        what: format!("{what} exists already; nothing was made"),
                    },
                    error => error.into(),
                });
            }
        }
    }
    Ok(made)
}

async fn take_back(live: &Live, made: &[Placed], printer: &Printer) {
    for placed in made.iter().rev() {
        if let Err(error) = live.remove_object(placed).await {
            printer
                .say(format!("{} was made and could not be taken back: {error}", placed.title()));
        }
    }
}

fn say(made: &[Placed], printer: &Printer) {
    for placed in made {
        printer.say(format!("{} is made", placed.title()));
    }
}
