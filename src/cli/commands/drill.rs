//! `outhaul drill REF|NAME`: a restore into a scratch namespace that is removed afterwards.

use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::{Pin, pin};

use jiff::Timestamp;
use serde::Serialize;

use super::app_import::{Place, connection, unpacked};
use crate::cli::args::{DrillArgs, Global};
use crate::cli::output::{Printer, Question};
use crate::cli::published::{published, selector};
use crate::cli::{connect, interrupted, recipients, remote, tables};
use crate::cluster::Live;
use crate::error::Error;
use crate::export::request::ChosenNames;
use crate::export::{self, ChartReference, Target};
use crate::import::drill::{self, Leftover, Plan, Prepared, Report, Scratch, Terms};
use crate::import::{self, Helm, Pull, Request};

/// What a drill prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Drilled {
    #[serde(flatten)]
    pub(crate) plan: Plan,
    /// Scratch namespaces of other drills.
    pub(crate) leftovers: Vec<Leftover>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<Report>,
    /// Whether the scratch namespace is gone; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) removed: Option<bool>,
}

/// The user's interrupt. One for the whole command: between two, one could be lost.
type Interrupt<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

pub(crate) async fn run(args: &DrillArgs, global: &Global, printer: &Printer) -> Result<(), Error> {
    let mut interrupt = pin!(interrupted());
    let drill = tokio::select! {
        biased;
        () = interrupt.as_mut() => return Err(Error::Interrupted),
        prepared = prepare(args, global) => prepared?,
    };
    let refused = &drill.prepared.plan.refused;
    if !refused.is_empty() {
        let refused: Vec<_> =
            refused.iter().map(|of| format!("{}: {}", of.object, of.text)).collect();
        printer.data(&drill.printed(None, None), tables::drilled)?;
        return Err(import::Error::DrillRefused(refused.join("; ")).into());
    }
    if args.dry_run {
        return printer.data(&drill.printed(None, None), tables::drilled);
    }
    if !args.yes {
        printer.confirm(&Question {
            text: &format!("{}do it?", tables::drilled(&drill.printed(None, None))),
            nobody: "an application is to be started, and nobody is there to ask",
            no: "nothing was started",
        })?;
    }
    drill.perform(interrupt, printer).await
}

/// Everything that is read before anything is made.
struct Drill {
    terms: Terms,
    prepared: Prepared,
    leftovers: Vec<Leftover>,
    helm: Helm,
    live: Live,
    pull: Pull,
    /// What helm reads.
    folder: tempfile::TempDir,
}

async fn prepare(args: &DrillArgs, global: &Global) -> Result<Drill, Error> {
    let place = place(args, global).await?;
    let helm = Helm::find(&args.helm, connection(global)).await?;
    let live = Live::connect(&connect::client_options(global)).await?;
    let chart = export::fetch(&place.target, &place.reference).await?;
    let open = |path: &PathBuf| recipients::opened(path, &chart.chart);
    let secrets = args.identity.as_ref().map(open).transpose()?;
    let (folder, archive) = unpacked(&chart)?;
    let release = import::release_name(&chart);
    let from = args.namespace.as_deref().unwrap_or_else(|| live.default_namespace());
    let terms = Terms {
        secrets_from: args.with_secrets.then(|| from.to_owned()),
        ..terms(args, Request { secrets, ..request(args, &release) })
    };
    let address = place.target.address(&place.reference.repository);
    let prepared = drill::plan(&terms, (&address, &chart), &archive, &helm, &live).await?;
    let leftovers = drill::leftovers(&live, Timestamp::now()).await?;
    let pull = Pull::new(&chart, place.keychain);
    Ok(Drill { terms, prepared, leftovers, helm, live, pull, folder })
}

fn terms(args: &DrillArgs, import: Request) -> Terms {
    Terms {
        import,
        timeout: args.timeout,
        allow_egress: args.allow_egress,
        probe_image: args.probe_image.clone(),
        secrets_from: None,
        leave_out: args.leave_out.clone(),
        grant: args.grant.clone(),
        keep: args.keep,
    }
}

fn request(args: &DrillArgs, release: &str) -> Request {
    let pair = |flag: &str, value: OsString| [flag.into(), value];
    let files = args.values.iter().flat_map(|path| pair("--values", path.into()));
    let set = args.set.iter().flat_map(|value| pair("--set", value.clone()));
    let text = args.set_string.iter().flat_map(|value| pair("--set-string", value.clone()));
    Request {
        release: release.to_owned(),
        layout: None,
        namespace: drill::name(release),
        create_namespace: false,
        pull_secret: args.pull_secret.clone(),
        secrets: None,
        take_ownership: false,
        values: files.chain(set).chain(text).collect(),
        further: Vec::new(),
    }
}

impl Drill {
    fn printed(&self, report: Option<Report>, removed: Option<bool>) -> Drilled {
        let (plan, leftovers) = (self.prepared.plan.clone(), self.leftovers.clone());
        Drilled { plan, leftovers, report, removed }
    }

    /// Makes the namespace, and removes it whatever becomes of the rest.
    async fn perform(self, mut interrupt: Interrupt<'_>, printer: &Printer) -> Result<(), Error> {
        let Self { terms, prepared, leftovers, helm, live, pull, folder } = &self;
        let say = |line: &str| printer.say(line);
        tokio::select! {
            biased;
            () = interrupt.as_mut() => return Err(Error::Interrupted),
            cleared = drill::clear(live, leftovers, &say) => cleared?,
        }
        let scratch = Scratch::make(live, terms).await?;
        let outcome = tokio::select! {
            biased;
            () = interrupt => Err(Error::Interrupted),
            ran = drill::run(terms, prepared, folder.path(), (helm, live), pull, &say) => {
                ran.map_err(Error::from)
            }
        };
        let ended = self.end(&scratch, printer).await;
        let report = outcome.inspect_err(|_| {
            // The error that came first is the one to tell of; this one is said all the same.
            if let Err(error) = &ended {
                printer.say(error.to_string());
            }
        })?;
        let missing = report.missing();
        let removed = ended.is_ok() && !terms.keep;
        printer.data(&self.printed(Some(report), Some(removed)), tables::drilled)?;
        if !missing.is_empty() {
            return Err(import::Error::NotUp(missing).into());
        }
        Ok(ended?)
    }

    async fn end(&self, scratch: &Scratch, printer: &Printer) -> Result<(), import::Error> {
        let namespace = &self.terms.import.namespace;
        if self.terms.keep {
            drill::tidy(&self.terms, &self.prepared, &self.live).await?;
            printer.say(format!(
                "namespace {namespace} stays: remove it with kubectl delete namespace"
            ));
            return Ok(());
        }
        printer.say(format!("removing namespace {namespace}"));
        scratch.remove(&self.live).await
    }
}

/// The chart: an application's own at a registry, or one that is named.
async fn place(args: &DrillArgs, global: &Global) -> Result<Place, Error> {
    let (text, selector) = selector(&args.reference, &args.time_zone)?;
    let place = match &args.registry {
        Some(registry) => {
            let known = connect::destination(registry, &args.access, global).await?;
            let destination = connect::described(known[0].clone(), &args.access)?;
            let target = Target::registry(&destination)?;
            let namespace = remote::namespace(args.namespace.as_deref(), global).await?;
            let names = ChosenNames::default();
            let chart = ChartReference::own(&target, &namespace, text, &names)?;
            Place::in_registry(destination, chart, known).await?
        }
        None => {
            let found = published(text, &args.access, global).await?;
            Place::in_registry(found.destination, found.chart, found.known).await?
        }
    };
    match selector {
        Some(selector) => place.at(selector).await,
        None => Ok(place),
    }
}
