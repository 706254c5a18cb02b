//! Where a published chart is read: the registry that its reference names, spoken to as a destination
//! describes it, if one does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args::{AccessArgs, ChartsArgs, Global};
use super::{connect, destinations, remote};
use crate::destination::{Destination, direct, select};
use crate::error::Error;
use crate::export::request::ChosenNames;
use crate::export::{self, ChartReference, Target};
use crate::import::restore::{self, Selector};
use crate::registry::{Host, Layout};
use crate::schedule::declared;

/// Longest that destinations are waited for which nobody asked for: they may be of help, and a
/// cluster that does not answer shall not be in the way.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// A chart, and how its registry is spoken to.
pub(crate) struct Published {
    pub(crate) destination: Destination,
    pub(crate) chart: ChartReference,
    /// All destinations that are known, for the images.
    pub(crate) known: Vec<Destination>,
}

/// The chart that is named by address, or as `DESTINATION/NAME[:VERSION][@DIGEST]`. Credentials of
/// the command line win over those of a destination, and these over the Docker configuration.
pub(crate) async fn published(
    text: &str,
    args: &AccessArgs,
    global: &Global,
) -> Result<Published, Error> {
    let known = known(args, global).await?;
    if let Some((destination, rest)) = select::leading(&known, text)? {
        let chart = ChartReference::in_layout(rest)?;
        let repository = chart.repository.under(destination.path.as_ref());
        let repository = repository.map_err(export::Error::from)?;
        let chart = ChartReference { host: Some(destination.host.clone()), repository, ..chart };
        return Ok(Published { destination: connect::described(destination, args)?, chart, known });
    }
    let chart: ChartReference = text.parse()?;
    let host = chart.host.as_ref();
    let holder = host.and_then(|host| select::holding(&known, host, &chart.repository)).cloned();
    let destination = match holder {
        Some(destination) => connect::described(destination, args)?,
        None => direct::destination(
            host.map(Host::as_str).unwrap_or_default(),
            &connect::access(args)?,
        )?,
    };
    Ok(Published { destination, chart, known })
}

/// The charts of an application: those that it is exported to where a registry is named beside it, else
/// as [`published`].
pub(crate) async fn charts(
    args: &ChartsArgs,
    access: &AccessArgs,
    global: &Global,
) -> Result<Published, Error> {
    let Some(registry) = &args.registry else {
        return published(&args.reference, access, global).await;
    };
    let known = connect::destination(registry, access, global).await?;
    let destination = known[0].clone();
    let namespace = remote::namespace(args.namespace.as_deref(), global).await?;
    let names = ChosenNames { chart_name: args.chart_name.clone(), ..ChosenNames::default() };
    let target = Target::registry(&destination)?;
    let chart = ChartReference::own(&target, &namespace, &args.reference, &names)?;
    Ok(Published { destination, chart, known })
}

/// The chart of an OCI layout: `NAME[:VERSION][@DIGEST]`.
pub(crate) fn in_layout(path: &Path, text: &str) -> Result<(Target, ChartReference), Error> {
    Ok((layout(path)?, ChartReference::in_layout(text)?))
}

/// An OCI layout that exists.
pub(crate) fn layout(path: &Path) -> Result<Target, Error> {
    let layout = Arc::new(Layout::open(path)?);
    Ok(Target::layout(path.display().to_string(), layout, None))
}

/// The reference without its selector, and that.
pub(crate) fn selector<'t>(
    text: &'t str,
    zone: &str,
) -> Result<(&'t str, Option<Selector>), Error> {
    let zone = declared::zone(zone).map_err(|error| Error::Arguments {
        text: format!("--time-zone: {error}"),
        hint: "give an IANA name, such as `Europe/Berlin`",
    })?;
    Selector::split(text, &zone).map_err(|error| Error::Arguments {
        text: error.to_string(),
        hint: "times without an offset are those of `--time-zone`",
    })
}

/// The version that a selector means, by its digest; without one, the reference as it is.
pub(crate) async fn chosen(
    target: &Target,
    reference: ChartReference,
    selector: Option<Selector>,
) -> Result<ChartReference, Error> {
    let Some(selector) = selector else { return Ok(reference) };
    if reference.tag.is_some() || reference.digest.is_some() {
        return Err(Error::Arguments {
            text: format!("`{reference}` and `@{selector}` name two versions"),
            hint: "give either a version or digest, or `@latest` or `@before=TIME`",
        });
    }
    let found = restore::version(target, &reference.repository, selector, |_| true).await?;
    Ok(ChartReference { digest: Some(found.digest), ..reference })
}

/// The destinations; none where they cannot be read and nobody said where they are, as an address
/// is read without them.
async fn known(args: &AccessArgs, global: &Global) -> Result<Vec<Destination>, Error> {
    if args.username.is_some() {
        return Ok(Vec::new());
    }
    if global.destinations.is_some() {
        return Ok(destinations::known(global).await?.all);
    }
    let reason = match tokio::time::timeout(LONGEST_LOOK, destinations::known(global)).await {
        Ok(Ok(known)) => return Ok(known.all),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the cluster did not answer within {} s", LONGEST_LOOK.as_secs()),
    };
    tracing::info!("no destination is known: {reason}");
    Ok(Vec::new())
}
