//! `outhaul registry create`: a new registry as documents of a system. Nothing is changed anywhere.

use secrecy::SecretString;

use super::tell;
use crate::cli::args::RegistryCreateArgs;
use crate::cli::output::Printer;
use crate::cli::{connect, documents};
use crate::destination::iofog::{NewRow, table, write_json};
use crate::destination::systems::{Registries, Row, System, losses, write};
use crate::error::Error;

pub(super) fn run(args: &RegistryCreateArgs, printer: &Printer) -> Result<(), Error> {
    let row = new_row(args, printer)?.row(args.id)?;
    let row = Row { name: args.name.clone(), ..row };
    let registries = Registries { rows: vec![row], default_address: None };
    if args.format != System::Epinio {
        tell(&losses(&registries, args.format), printer);
    }
    printer.say(match args.json {
        true => format!("{:#}", write_json(&registries)[0]),
        false => table(&registries).trim_end().to_owned(),
    });
    let written = write(args.format, &registries, &args.written.options());
    let values: Vec<_> = written.iter().map(|document| &document.value).collect();
    printer.data(&values, |_| documents::text(&written))
}

fn new_row(args: &RegistryCreateArgs, printer: &Printer) -> Result<NewRow, Error> {
    let certificate = args.cert.as_ref().map(|path| {
        std::fs::read_to_string(path).map_err(|source| Error::File { path: path.clone(), source })
    });
    let password: SecretString = match (&args.password, args.password_stdin) {
        (Some(password), _) => {
            printer.say("`--password` is seen in lists of processes: `--password-stdin` is not");
            password.clone().into()
        }
        (None, true) => connect::password()?,
        (None, false) => String::new().into(),
    };
    Ok(NewRow {
        url: args.url.clone(),
        username: args.username.clone(),
        password,
        email: args.email.clone(),
        is_public: args.public,
        requires_cert: args.requires_cert,
        certificate: certificate.transpose()?,
    })
}
