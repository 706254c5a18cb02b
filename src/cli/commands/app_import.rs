//! `outhaul app import REF`: a published chart into a cluster, by the user's helm.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::args::{AppImportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{in_layout, published};
use crate::cli::{connect, recipients, tables};
use crate::cluster::Live;
use crate::destination::Destination;
use crate::error::Error;
use crate::export::{self, ChartReference, PublishedChart, Target};
use crate::import::{self, Helm, Pull, Request};
use crate::registry::Keychain;

pub(crate) async fn run(
    args: &AppImportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let Place { target, reference, keychain, known } = place(args, global).await?;
    let helm = Helm::find(&args.helm, connection(global)).await?;
    let live = Live::connect(&connect::client_options(global)).await?;
    let chart = export::fetch(&target, &reference).await?;
    let open = |path: &PathBuf| recipients::opened(path, &chart.chart);
    let secrets = args.identity.as_ref().map(open).transpose()?;
    if secrets.as_ref().is_some_and(Vec::is_empty) {
        printer.say("the chart has no encrypted Secrets: --identity is not needed");
    }
    let scratch =
        tempfile::tempdir().map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
    let archive = scratch.path().join(format!("{}.tgz", chart.chart.name));
    std::fs::write(&archive, &chart.archive.tgz)
        .map_err(|source| Error::File { path: archive.clone(), source })?;

    let request = Request { secrets, ..request(args, &chart, live.default_namespace()) };
    let mut sources = connect::sources(&known, Some(&request.namespace), &args.access)?;
    if let Some(host) = &reference.host {
        sources.replace(host.clone(), Arc::clone(&target.store));
    }
    let address = target.address(&reference.repository);
    let look = || import::plan(&request, (&address, &chart), &archive, &helm, &live, &sources);
    let mut plan = look().await?;
    if args.dry_run {
        printer.data(&plan, tables::import)?;
        return Ok(plan.require_ready()?);
    }
    if !args.skip_checks {
        plan = import::in_its_namespace(plan, &live, look).await?;
    }
    if let (Err(not_ready), false) = (plan.require_ready(), args.skip_checks) {
        printer.data(&plan, tables::import)?;
        return Err(not_ready.into());
    }
    let pull = Pull::new(&chart, keychain);
    import::run(&request, &archive, &helm, &live, &pull, &|line| printer.say(line)).await?;
    printer.data(&plan, tables::imported)
}

/// Where the chart is, and with which credentials its registry and its images are read.
struct Place {
    target: Target,
    reference: ChartReference,
    keychain: Keychain,
    known: Vec<Destination>,
}

async fn place(args: &AppImportArgs, global: &Global) -> Result<Place, Error> {
    if let Some(path) = &args.from {
        let (target, reference) = in_layout(path, &args.reference)?;
        return Ok(Place { target, reference, keychain: connect::keychain()?, known: Vec::new() });
    }
    let found = published(&args.reference, &args.access, global).await?;
    let (target, destination) = (Target::registry(&found.destination)?, found.destination);
    let mut keychain = destination.keychain;
    if let Some(pull) = &destination.pull_address {
        // Another name of the same place, by which the nodes know it.
        let credential = keychain.resolve_host(&destination.host).await;
        keychain = keychain.with(pull, credential.map_err(import::Error::from)?);
    }
    Ok(Place { target, reference: found.chart, keychain, known: found.known })
}

/// Flags by which helm finds the cluster that we find.
fn connection(global: &Global) -> Vec<OsString> {
    let file = global.kubeconfig.as_ref().map(|path| ["--kubeconfig".into(), path.into()]);
    let context = global.context.as_ref().map(|name| ["--kube-context".into(), name.into()]);
    file.into_iter().chain(context).flatten().collect()
}

fn request(args: &AppImportArgs, chart: &PublishedChart, namespace: &str) -> Request {
    let pair = |flag: &str, value: OsString| [flag.into(), value];
    let files = args.values.iter().flat_map(|path| pair("--values", path.into()));
    let set = args.set.iter().flat_map(|value| pair("--set", value.clone()));
    let text = args.set_string.iter().flat_map(|value| pair("--set-string", value.clone()));
    let mut further: Vec<OsString> = Vec::new();
    further.extend(args.wait.then(|| "--wait".into()));
    further.extend(args.take_ownership.then(|| "--take-ownership".into()));
    further.extend(args.timeout.iter().flat_map(|time| pair("--timeout", time.clone())));
    Request {
        release: args.release.clone().unwrap_or_else(|| import::release_name(chart)),
        layout: args.from.clone(),
        namespace: args.namespace.clone().unwrap_or_else(|| namespace.to_owned()),
        create_namespace: args.create_namespace,
        pull_secret: args.pull_secret.clone(),
        secrets: None,
        take_ownership: args.take_ownership,
        values: files.chain(set).chain(text).collect(),
        further,
    }
}
