//! From flags to the things that a use case needs: source, destinations, target.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

use super::args::{AccessArgs, ContentArgs, Global, RegistryKindArg, SourceArgs};
use super::destinations;
use crate::app::Snapshot;
use crate::cluster::client::ClientOptions;
use crate::cluster::{self, Live, Manifests, Scope, SecretReader, Source};
use crate::destination::direct::{self, Access};
use crate::destination::{self, Destination, select};
use crate::error::Error;
use crate::export::learn::EpinioImages;
use crate::export::resolve::require_readable;
use crate::export::{ClusterSecrets, Sources, Target};
use crate::registry::credentials::DockerConfig;
use crate::registry::{Keychain, Registry};

/// Longest password that is read from standard input: a cloud's token has about 4 KiB.
const MAX_PASSWORD: u64 = 64 << 10;

/// Where the application is read.
pub(crate) async fn source(args: &SourceArgs, global: &Global) -> Result<Box<dyn Source>, Error> {
    Ok(match args.from.as_deref() {
        None => Box::new(Live::connect(&client_options(global)).await?),
        Some(path) => Box::new(Manifests::from_path(path, Timestamp::now())?),
    })
}

/// Reads what `app list` and `app show` are about.
pub(crate) async fn snapshot(
    args: &SourceArgs,
    global: &Global,
    scope: Scope,
) -> Result<Snapshot, Error> {
    let source = source(args, global).await?;
    let snapshot = source.snapshot(&scope).await?;
    if !args.skip_unreadable {
        require_readable(&snapshot)?;
    }
    Ok(snapshot)
}

/// The destination that `-r` means, and after it all that are known.
pub(crate) async fn destination(
    wanted: &str,
    args: &AccessArgs,
    global: &Global,
) -> Result<Vec<Destination>, Error> {
    if select::is_address(wanted) && select::begins_with_host(wanted) {
        return at_address(wanted, args, global).await;
    }
    if args.username.is_some() || args.plain_http {
        return Err(Error::Arguments {
            text: format!(
                "`--username` and `--plain-http` do not go with the destination `{wanted}`"
            ),
            hint: "its description says how to speak to it; the flags are for an address",
        });
    }
    let known = destinations::known(global).await?;
    let mut chosen = match (select::chosen(&known.all, wanted), known.unread) {
        // It may be one of those that could not be read.
        (Err(destination::Error::Unknown { .. }), Some(error)) => return Err(error),
        (chosen, _) => chosen?,
    };
    chosen.endpoint.tls.extra_roots.extend(roots(args)?);
    Ok(std::iter::once(chosen).chain(known.all).collect())
}

/// The target at `images`, whose registry is of this kind, with the charts at another place if one is
/// named. User name and password are for the images; for charts they hold on the same host alone.
pub(crate) async fn target(
    images: &Destination,
    kind: RegistryKindArg,
    charts: Option<&str>,
    args: &AccessArgs,
    global: &Global,
) -> Result<Target, Error> {
    let mut target = Target::registry(images)?;
    target.vendor = kind.vendor().or(target.vendor);
    let Some(wanted) = charts else { return Ok(target) };
    let args = AccessArgs { ca_file: args.ca_file.clone(), ..AccessArgs::default() };
    let mut found = destination(wanted, &args, global).await?.swap_remove(0);
    let is_same = found.host == images.host;
    if is_same && select::begins_with_host(wanted) {
        found.endpoint = images.endpoint.clone();
        found.keychain = images.keychain.clone();
    }
    let mut charts = Target::registry(&found)?;
    if is_same {
        charts.vendor = target.vendor;
    }
    target.charts = Some(Box::new(charts));
    Ok(target)
}

/// The destination at an address. Documents of Avassa, whose keys are addresses, may say how to speak to
/// it; credentials of the command line win.
async fn at_address(
    wanted: &str,
    args: &AccessArgs,
    global: &Global,
) -> Result<Vec<Destination>, Error> {
    let address = direct::destination(wanted, &access(args)?)?;
    if global.destinations.is_none() {
        return Ok(vec![address]);
    }
    let known = destinations::known(global).await?.all;
    let chosen = match select::configured(&known, &address)? {
        None => address,
        Some(mut found) => {
            if args.username.is_some() {
                found.keychain = address.keychain;
            } else {
                select::usable(&found, wanted)?;
            }
            found.endpoint.tls.extra_roots.extend(address.endpoint.tls.extra_roots);
            found
        }
    };
    Ok(std::iter::once(chosen).chain(known).collect())
}

/// Registries that images are read from: as the destinations describe them that applications of
/// `namespace` may use, the first description of a host before later ones.
pub(crate) fn sources(
    known: &[Destination],
    namespace: Option<&str>,
    args: &AccessArgs,
) -> Result<Sources, Error> {
    let mut sources = Sources::new(keychain()?, roots(args)?);
    let is_open = |destination: &&Destination| {
        let allowed = &destination.allowed_namespaces;
        allowed.is_empty() || namespace.is_some_and(|name| allowed.iter().any(|a| a == name))
    };
    for destination in known.iter().filter(is_open).filter(|known| known.fatal().is_none()) {
        sources.describe(destination);
    }
    Ok(sources)
}

/// Tells `sources` where images are read besides, and lets them ask the Secrets of the place that
/// the application is read from.
pub(crate) async fn images(
    sources: &mut Sources,
    args: &ContentArgs,
    source: &SourceArgs,
    global: &Global,
) -> Result<(), Error> {
    args.map_registry.iter().rev().cloned().for_each(|mapping| sources.map(mapping));
    let reader: Box<dyn SecretReader> = match source.from.as_deref() {
        None => Box::new(Live::connect(&client_options(global)).await?),
        Some(path) if args.use_pull_secrets && path != Path::new("-") => {
            Box::new(Manifests::from_path(path, Timestamp::now())?)
        }
        Some(_) => return Ok(()),
    };
    sources.ask(ClusterSecrets {
        reader,
        system_namespace: global.system_namespace.clone(),
        epinio: EpinioImages::All,
        pull_secrets: args.use_pull_secrets,
    });
    Ok(())
}

/// The roots of `--ca-file`, which hold for every registry of a command.
fn roots(args: &AccessArgs) -> Result<Vec<u8>, Error> {
    match &args.ca_file {
        Some(path) => {
            std::fs::read(path).map_err(|source| Error::File { path: path.clone(), source })
        }
        None => Ok(Vec::new()),
    }
}

/// A registry that is named by address.
pub(crate) fn registry(address: &str, args: &AccessArgs) -> Result<Arc<Registry>, Error> {
    let destination = direct::destination(address, &access(args)?)?;
    Ok(Registry::connect(&destination.endpoint, destination.keychain)?)
}

/// A destination that is read from, with what the command line says besides, and the Docker
/// configuration for what it has no credentials for.
pub(crate) fn described(mut found: Destination, args: &AccessArgs) -> Result<Destination, Error> {
    found.endpoint.tls.extra_roots.extend(roots(args)?);
    // Before the command line says more of it: what the user says is the user's decision.
    found.ask_docker(&DockerConfig::load_default()?);
    found.endpoint.plain_http |= args.plain_http;
    Ok(found)
}

pub(crate) fn access(args: &AccessArgs) -> Result<Access, Error> {
    let credentials = match &args.username {
        Some(user) => Some((user.clone(), password()?)),
        None => None,
    };
    Ok(Access {
        credentials,
        ca_file: args.ca_file.clone(),
        plain_http: args.plain_http,
        docker: DockerConfig::load_default()?,
    })
}

/// The password that standard input has, without the end of its line.
pub(crate) fn password() -> Result<SecretString, Error> {
    let mut text = String::new();
    cluster::standard_input()?
        .take(MAX_PASSWORD)
        .read_to_string(&mut text)
        .map_err(|source| Error::File { path: "standard input".into(), source })?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    Ok(password.strip_suffix('\r').unwrap_or(password).to_owned().into())
}

pub(crate) fn keychain() -> Result<Keychain, Error> {
    Ok(Keychain::new().with_docker_config(DockerConfig::load_default()?))
}

pub(crate) fn client_options(global: &Global) -> ClientOptions {
    ClientOptions { kubeconfig: global.kubeconfig.clone(), context: global.context.clone() }
}
