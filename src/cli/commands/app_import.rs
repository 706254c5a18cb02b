//! `outhaul app import REF`: a published chart into a cluster, by the user's helm.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::app_import_all;
use crate::cli::args::{AppImportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{chosen, in_layout, published, selector};
use crate::cli::{connect, recipients, tables};
use crate::cluster::Live;
use crate::destination::Destination;
use crate::error::Error;
use crate::export::{self, ChartReference, PublishedChart, Target};
use crate::import::restore::{self, Compared, Selector};
use crate::import::{self, Helm, Plan, Pull, Request};
use crate::registry::Keychain;

/// What an import prints: what it did or would do, and afterwards how that stands to the export.
#[derive(Serialize)]
pub(crate) struct Imported {
    #[serde(flatten)]
    pub(crate) plan: Plan,
    #[serde(flatten)]
    pub(crate) compared: Option<Compared>,
    /// Why it was not done.
    #[serde(skip)]
    refused: Option<import::Error>,
}

/// Everything that the imports of one command share.
pub(super) struct Import<'a> {
    args: &'a AppImportArgs,
    printer: &'a Printer,
    helm: Helm,
    live: Live,
}

pub(crate) async fn run(
    args: &AppImportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    if args.all {
        return app_import_all::run(args, global, printer).await;
    }
    let place = place(args, global).await?;
    let import = Import::new(args, global, printer).await?;
    import.one(&place, &place.reference).await?.print(printer)
}

impl<'a> Import<'a> {
    pub(super) async fn new(
        args: &'a AppImportArgs,
        global: &Global,
        printer: &'a Printer,
    ) -> Result<Self, Error> {
        let helm = Helm::find(&args.helm, connection(global)).await?;
        let live = Live::connect(&connect::client_options(global)).await?;
        Ok(Self { args, printer, helm, live })
    }

    /// Imports one chart, or says what would be done.
    pub(super) async fn one(
        &self,
        place: &Place,
        reference: &ChartReference,
    ) -> Result<Imported, Error> {
        let Self { args, printer, helm, live } = self;
        let Place { target, keychain, known, .. } = place;
        let chart = export::fetch(target, reference).await?;
        let open = |path: &PathBuf| recipients::opened(path, &chart.chart);
        let secrets = args.identity.as_ref().map(open).transpose()?;
        if secrets.as_ref().is_some_and(Vec::is_empty) {
            printer.say("the chart has no encrypted Secrets: --identity is not needed");
        }
        let (_scratch, archive) = unpacked(&chart)?;
        let request = Request { secrets, ..request(args, &chart, live.default_namespace()) };
        let mut sources = connect::sources(known, Some(&request.namespace), &args.access)?;
        if let Some(host) = &reference.host {
            sources.replace(host.clone(), Arc::clone(&target.store));
        }
        let address = target.address(&reference.repository);
        let look = || import::plan(&request, (&address, &chart), &archive, helm, live, &sources);
        let mut plan = look().await?;
        if !args.dry_run && !args.skip_checks {
            plan = import::in_its_namespace(plan, live, look).await?;
        }
        let refused = plan.require_ready().err().filter(|_| args.dry_run || !args.skip_checks);
        if args.dry_run || refused.is_some() {
            return Ok(Imported { plan, compared: None, refused });
        }
        let pull = Pull::new(&chart, keychain.clone());
        import::run(&request, &archive, helm, live, &pull, &|line| printer.say(line)).await?;
        let digest = Some(chart.digest.clone());
        let installed = ChartReference { digest, ..reference.clone() };
        let release = (&*request.release, &*request.namespace);
        let compared = restore::compared(release, (target, &installed), live, &sources).await;
        Ok(Imported { plan, compared: Some(compared), refused: None })
    }
}

impl Imported {
    fn print(mut self, printer: &Printer) -> Result<(), Error> {
        printer.data(&self, tables::imported)?;
        self.refused().map_or(Ok(()), Err)
    }

    /// Whether it was done.
    pub(crate) fn is_done(&self) -> bool {
        self.compared.is_some()
    }

    /// Why it was not done.
    pub(super) fn refused(&mut self) -> Option<Error> {
        self.refused.take().map(Error::from)
    }
}

/// The chart's archive as a file, and the folder that it is gone with.
pub(super) fn unpacked(chart: &PublishedChart) -> Result<(tempfile::TempDir, PathBuf), Error> {
    let scratch =
        tempfile::tempdir().map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
    let archive = scratch.path().join(format!("{}.tgz", chart.chart.name));
    std::fs::write(&archive, &chart.archive.tgz)
        .map_err(|source| Error::File { path: archive.clone(), source })?;
    Ok((scratch, archive))
}

/// Where the chart is, and with which credentials its registry and its images are read.
pub(super) struct Place {
    pub(super) target: Target,
    pub(super) reference: ChartReference,
    pub(super) keychain: Keychain,
    pub(super) known: Vec<Destination>,
}

/// What `@latest` and `@before=TIME` mean is looked up here.
async fn place(args: &AppImportArgs, global: &Global) -> Result<Place, Error> {
    let text = args.reference.as_deref().unwrap_or_default();
    let (reference, selector) = selector(text, &args.time_zone)?;
    let place = located(reference, args, global).await?;
    match selector {
        Some(selector) => place.at(selector).await,
        None => Ok(place),
    }
}

impl Place {
    /// The version that a selector means.
    pub(super) async fn at(self, selector: Selector) -> Result<Self, Error> {
        let reference = chosen(&self.target, self.reference, Some(selector)).await?;
        Ok(Self { reference, ..self })
    }

    /// A registry, with the credentials for what nodes pull from there.
    pub(super) async fn in_registry(
        destination: Destination,
        reference: ChartReference,
        known: Vec<Destination>,
    ) -> Result<Self, Error> {
        let target = Target::registry(&destination)?;
        let mut keychain = destination.keychain;
        if let Some(pull) = &destination.pull_address {
            // Another name of the same place, by which the nodes know it.
            let credential = keychain.resolve_host(&destination.host).await;
            keychain = keychain.with(pull, credential.map_err(import::Error::from)?);
        }
        Ok(Self { target, reference, keychain, known })
    }
}

/// What `--before` means; the newest where it is not given.
pub(super) fn selected(before: Option<&str>, zone: &str) -> Result<Selector, Error> {
    let text = before.map_or("@latest".to_owned(), |time| format!("@before={time}"));
    Ok(selector(&text, zone)?.1.unwrap_or(Selector::Latest))
}

async fn located(text: &str, args: &AppImportArgs, global: &Global) -> Result<Place, Error> {
    if let Some(path) = &args.from {
        let (target, reference) = in_layout(path, text)?;
        return Ok(Place { target, reference, keychain: connect::keychain()?, known: Vec::new() });
    }
    let found = published(text, &args.access, global).await?;
    Place::in_registry(found.destination, found.chart, found.known).await
}

/// Flags by which helm finds the cluster that we find.
pub(super) fn connection(global: &Global) -> Vec<OsString> {
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
    let namespace = args.to_namespace.as_deref().or(args.namespace.as_deref()).unwrap_or(namespace);
    Request {
        release: args.release.clone().unwrap_or_else(|| import::release_name(chart)),
        layout: args.from.clone(),
        namespace: namespace.to_owned(),
        create_namespace: args.create_namespace,
        pull_secret: args.pull_secret.clone(),
        secrets: None,
        take_ownership: args.take_ownership,
        values: files.chain(set).chain(text).collect(),
        further,
    }
}
