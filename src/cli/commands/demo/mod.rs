//! `outhaul demo`: the whole way on one machine, with nothing installed.
//!
//! The example's images are generated into one layout and exported, by its manifests, to another
//! that this process serves as a registry.

mod images;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::layout_serve::listen;
use crate::app::Selection;
use crate::cli::args::DemoArgs;
use crate::cli::interrupted;
use crate::cli::output::Printer;
use crate::cli::tables;
use crate::cluster::Manifests;
use crate::destination::direct::{self, Access};
use crate::error::Error;
use crate::export::run::Deps;
use crate::export::{self, Plan, Request, Sources, Target};
use crate::registry::{Host, Layout, serve};

/// The example, as it stands in `examples/shop`.
const SHOP: [(&str, &str); 4] = [
    ("api.yaml", include_str!("../../../../examples/shop/api.yaml")),
    ("config.yaml", include_str!("../../../../examples/shop/config.yaml")),
    ("db.yaml", include_str!("../../../../examples/shop/db.yaml")),
    ("web.yaml", include_str!("../../../../examples/shop/web.yaml")),
];

/// Host of the example's images; they are generated, and nothing is fetched from there.
const SHOP_HOST: &str = "registry.example.com";

pub(crate) async fn run(args: &DemoArgs, printer: &Printer) -> Result<(), Error> {
    let scratch =
        tempfile::tempdir().map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
    let layout = Arc::new(Layout::create(scratch.path().join("registry"))?);
    let listener = listen(args.listen).await?;
    let address =
        listener.local_addr().map_err(|source| Error::Listen { address: args.listen, source })?;
    tokio::spawn(serve::serve(listener, layout, std::future::pending()));

    let plan = export(scratch.path(), &address.to_string(), printer).await?;
    printer.say(format!("\n{}", plan.files.tree()));
    printer.say(format!("Install it with\n\n  {}\n", plan.install.unwrap_or_default()));
    if args.serve || printer.is_interactive() {
        printer.say(format!("Serving at {address} until Ctrl-C."));
        interrupted().await;
    }
    Ok(())
}

async fn export(scratch: &Path, address: &str, printer: &Printer) -> Result<Plan, Error> {
    let manifests = scratch.join("shop");
    write_example(&manifests)?;
    let source = Manifests::from_path(&manifests, Timestamp::now())?;
    let host: Host = SHOP_HOST.parse().map_err(export::Error::from)?;
    let mut sources = Sources::default();
    sources.replace(host, images::generate(&scratch.join("images")).await?);

    let destination = direct::destination(&format!("{address}/demo"), &Access::default())?;
    let target = Target::registry(&destination)?;
    let request = Request::named(Selection::Name("shop".to_owned()), Some("shop".to_owned()));
    let resolution = export::resolve(&request, &source, &target, &sources).await?;
    let plan = export::plan(&request, &target, resolution)?;
    printer.say(tables::plan(&plan));
    let progress = printer.progress();
    let copier = export::run::copier(&target, &[]);
    let deps = Deps {
        target: &target,
        sources: &sources,
        platforms: &[],
        copier: &copier,
        progress: &progress,
        attach_report: true,
        observer: None,
    };
    let report = export::run(&plan, deps).await?;
    progress.finish();
    printer.say("");
    printer.data(&report, tables::shipped)?;
    Ok(plan)
}

fn write_example(directory: &Path) -> Result<(), Error> {
    let failed = |source| Error::File { path: directory.to_owned(), source };
    fs::create_dir_all(directory).map_err(failed)?;
    SHOP.iter().try_for_each(|(name, text)| fs::write(directory.join(name), text)).map_err(failed)
}
