//! `outhaul registry update`: the mirror of a registry, or fields of a row of ioFog's Controller.

use serde_json::{Value, json};

use super::create::{certificate, password};
use super::delete::id_at;
use super::{place, tell};
use crate::cli::args::{Global, RegistryUpdateArgs, RowFieldsArgs};
use crate::cli::commands::copy_list::check_mirror;
use crate::cli::output::Printer;
use crate::cli::{connect, documents};
use crate::cluster::{self, Live};
use crate::destination::eda;
use crate::destination::iofog::{RowChange, table, write_json};
use crate::destination::systems::{Registries, System, write};
use crate::error::Error;

pub(super) async fn run(
    args: &RegistryUpdateArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    args.place.controller.check()?;
    let change = change(&args.fields, printer)?;
    match (&args.mirror, change.is_empty()) {
        (Some(mirror), true) => {
            let mirror = Some(mirror.as_str()).filter(|mirror| !mirror.is_empty());
            mirror.map(check_mirror).transpose()?;
            match args.place.from {
                Some(from) => in_documents(args, from, mirror, global, printer).await,
                None => in_cluster(args, mirror, global, printer).await,
            }
        }
        (None, false) if args.place.from.is_none() => {
            at_controller(args, &change, global, printer).await
        }
        (None, true) => Err(refused(
            "there is nothing to change",
            "give `--mirror HOST` for a registry of Nokia EDA or Avassa, or fields of a row of ioFog's \
             Controller, such as `--username`",
        )),
        _ => Err(refused(
            "a mirror is Nokia EDA's and Avassa's, and the other fields are those of a row of ioFog's \
             Controller",
            "give `--mirror`, with or without `--from`; or `--controller URL` with fields of a row",
        )),
    }
}

fn refused(text: &str, hint: &'static str) -> Error {
    Error::Arguments { text: text.to_owned(), hint }
}

/// Prints the documents with the mirror set.
async fn in_documents(
    args: &RegistryUpdateArgs,
    from: System,
    mirror: Option<&str>,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    if !matches!(from, System::Eda | System::Avassa) {
        let text = format!("{} has no mirrors", from.title());
        return Err(refused(&text, "mirrors are Nokia EDA's and Avassa's: `--from eda|avassa`"));
    }
    let mut found = place::rows(&args.place, None, global, printer).await?;
    tell(&found.findings, printer);
    let meant = std::ptr::from_ref(found.registries.find(&args.registry)?);
    for row in &mut found.registries.rows {
        if std::ptr::eq(row, meant) {
            row.mirror = mirror.map(str::to_owned);
        }
    }
    let written = write(from, &found.registries, &args.written.options());
    let values: Vec<&Value> = written.iter().map(|document| &document.value).collect();
    printer.data(&values, |_| documents::text(&written))
}

/// Sets the mirror of a Registry of Nokia EDA, and nothing else.
async fn in_cluster(
    args: &RegistryUpdateArgs,
    mirror: Option<&str>,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    place::only_cluster("registry update --mirror", &args.place.controller, global)?;
    let live = Live::connect(&connect::client_options(global)).await?;
    let namespace = args.written.namespace.as_deref().unwrap_or(global.eda_namespace());
    let known = place::eda(&live, namespace).await?.registries;
    let name = known.find(&args.registry)?.name.clone().unwrap_or_default();
    let gone = || cluster::Error::Conflict { what: format!("Registry {namespace}/{name}") };
    let kinds = live.kinds().await?;
    let kind = kinds.exactly(eda::API_VERSION, "Registry").ok_or_else(gone)?;
    let (registry, _) = live.find_object(kind, namespace, &name).await?.ok_or_else(gone)?;
    live.merge_object(&registry, &json!({"spec": {"mirror": mirror}})).await?;
    let changed = json!({"changed": registry.title(), "mirror": mirror});
    printer.data(&changed, |_| match mirror {
        Some(mirror) => format!("{} has the mirror {mirror}\n", registry.title()),
        None => format!("{} has no mirror\n", registry.title()),
    })
}

async fn at_controller(
    args: &RegistryUpdateArgs,
    change: &RowChange,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let namespace = args.written.namespace.as_deref();
    let Some(controller) = place::controller(&args.place.controller, namespace, global)? else {
        return Err(refused(
            "these fields are those of a row of ioFog's Controller, and none is named",
            "give `--controller URL`, or the variable OUTHAUL_CONTROLLER",
        ));
    };
    let id = id_at(&controller, &args.registry, Registries::find).await?;
    let row = controller.update(id, change).await?;
    if change.is_unseen_in(&row) {
        printer.say(
            "the row is public, so it may be another user's, and no answer shows a password: whether it \
             changed is not known",
        );
    }
    let registries = Registries::one(row);
    printer.data(&write_json(&registries)[0], |_| table(&registries))
}

fn change(args: &RowFieldsArgs, printer: &Printer) -> Result<RowChange, Error> {
    let password = password(&args.password, printer)?;
    // Of a public row nobody knows whether it has any that are meant.
    if args.private && (args.username.is_none() || password.is_none()) {
        return Err(refused(
            "a private row needs its user name and password",
            "give `--username` and `--password-stdin` with `--private`",
        ));
    }
    Ok(RowChange {
        url: args.url.clone(),
        username: args.username.clone(),
        password,
        email: args.email.clone(),
        is_public: args.public.then_some(true).or(args.private.then_some(false)),
        requires_cert: args.requires_cert,
        certificate: args.cert.as_deref().map(certificate).transpose()?,
    })
}
