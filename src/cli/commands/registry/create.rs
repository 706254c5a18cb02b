//! `outhaul registry create`: a new registry as documents of a system, in the cluster, or as a row of
//! ioFog's Controller.

use std::path::Path;

use secrecy::SecretString;

use super::{apply, place, tell};
use crate::cli::args::{Apply, Global, PasswordArgs, RegistryCreateArgs};
use crate::cli::controller::Controller;
use crate::cli::output::Printer;
use crate::cli::{connect, documents};
use crate::destination::iofog::{NewRow, table, write_json};
use crate::destination::systems::{Registries, Row, System, losses, write};
use crate::error::Error;

pub(super) async fn run(
    args: &RegistryCreateArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    args.controller.check()?;
    let new = new_row(args, printer)?;
    let row = match args.apply {
        Apply::None => return printed(args, new, printer),
        Apply::Cluster => apply::run(args, named(args, new)?, global, printer).await?,
        Apply::Controller => at_controller(args, new, global).await?,
    };
    let registries = Registries::one(row);
    let shown = &write_json(&registries)[0];
    printer.data(shown, |shown| match args.json {
        true => format!("{shown:#}"),
        false => table(&registries),
    })
}

/// Prints the documents. Nothing is changed anywhere.
fn printed(args: &RegistryCreateArgs, new: NewRow, printer: &Printer) -> Result<(), Error> {
    let format = args.format.unwrap_or(System::Epinio);
    let registries = Registries::one(named(args, new)?);
    if format != System::Epinio {
        tell(&losses(&registries, format), printer);
    }
    printer.say(match args.json {
        true => format!("{:#}", write_json(&registries)[0]),
        false => table(&registries).trim_end().to_owned(),
    });
    let written = write(format, &registries, &args.written.options());
    let values: Vec<_> = written.iter().map(|document| &document.value).collect();
    printer.data(&values, |_| documents::text(&written))
}

/// Makes the row at the Controller, which gives its id.
async fn at_controller(
    args: &RegistryCreateArgs,
    new: NewRow,
    global: &Global,
) -> Result<Row, Error> {
    let refuse = |text: &str, hint| Error::Arguments { text: text.to_owned(), hint };
    if args.id.is_some() {
        let text = "`--id` does not go with `--apply controller`: the Controller gives the id";
        return Err(refuse(text, "leave it out; the new row is printed with its id"));
    }
    if args.format.is_some_and(|format| format != System::Iofog) {
        let text = "`--format` does not go with `--apply controller`: its rows are ioFog's";
        return Err(refuse(text, "leave out one of the two"));
    }
    if let Some(flag) = place::elsewhere(args.written.namespace.as_deref(), global) {
        return Err(place::refused(flag, "--apply controller", "leave out one of the two"));
    }
    let Some(controller) = Controller::named(&args.controller)? else {
        let text = "`--apply controller` needs the address of the Controller";
        return Err(refuse(text, "give `--controller URL`, or the variable OUTHAUL_CONTROLLER"));
    };
    let id = controller.create(&new).await?;
    Ok(new.row(Some(id))?)
}

fn named(args: &RegistryCreateArgs, new: NewRow) -> Result<Row, Error> {
    Ok(Row { name: args.name.clone(), ..new.row(args.id)? })
}

fn new_row(args: &RegistryCreateArgs, printer: &Printer) -> Result<NewRow, Error> {
    Ok(NewRow {
        url: args.url.clone(),
        username: args.username.clone(),
        password: password(&args.password, printer)?.unwrap_or_else(|| String::new().into()),
        email: args.email.clone(),
        is_public: args.public,
        requires_cert: args.requires_cert,
        certificate: args.cert.as_deref().map(certificate).transpose()?,
    })
}

/// The password that is given, if one is.
pub(super) fn password(
    args: &PasswordArgs,
    printer: &Printer,
) -> Result<Option<SecretString>, Error> {
    match (&args.password, args.password_stdin) {
        (Some(password), _) => {
            printer.say("`--password` is seen in lists of processes: `--password-stdin` is not");
            Ok(Some(password.clone().into()))
        }
        (None, true) => connect::password().map(Some),
        (None, false) => Ok(None),
    }
}

pub(super) fn certificate(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })
}
