//! `outhaul registry resolve`: where a system would read an image.

use super::{registries, tell};
use crate::cli::args::RegistryResolveArgs;
use crate::cli::output::Printer;
use crate::destination::systems::{CredentialUse, Resolved, resolve};
use crate::error::Error;

pub(super) fn run(args: &RegistryResolveArgs, printer: &Printer) -> Result<(), Error> {
    let found = registries(&args.documents)?;
    let from = args.documents.from;
    let resolved = resolve(from, &found.registries, &args.image, args.registry_id.as_deref())
        .map_err(Box::new)?;
    let all: Vec<_> = found.findings.into_iter().chain(resolved.findings.clone()).collect();
    tell(&all, printer);
    printer.data(&resolved, shown)
}

fn shown(resolved: &Resolved) -> String {
    let Resolved { address, repository, version, plain_http, credential, .. } = resolved;
    let mark = if version.contains(':') { '@' } else { ':' };
    let how = if *plain_http { "  without TLS" } else { "" };
    let whose = match credential {
        CredentialUse::Anonymous => "none",
        CredentialUse::Named(name) => name,
    };
    format!("image       {address}/{repository}{mark}{version}{how}\ncredential  {whose}\n")
}
