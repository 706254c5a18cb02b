//! All reads of an export: objects, running digests, what the destination holds.

use serde::Serialize;

use crate::app::helm::Lookup;
use crate::app::{self, App, Code, Finding, SecretValues, SecretsPolicy, Snapshot, Unreadable};
use crate::chart::original::Original;
use crate::cluster::cluster_scoped::OPTIONAL;
use crate::cluster::{Records, Scope, SecretRead, Source};
use crate::registry::quirks;
use crate::registry::{RepositoryName, Revision};

use super::history::{self, History};
use super::images::{ResolvedImage, lacking, resolve_images};
use super::names::Names;
use super::original;
use super::seal::{self, Sealed};
use super::{Error, Request, Sources, Target, compose, upgrade};

/// Everything that a plan is made of.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// Whose export it is.
    pub origin: String,
    /// When the application was read.
    pub taken_at: jiff::Timestamp,
    /// The application.
    pub app: App,
    /// Its images, in the order of `app.images`.
    pub images: Vec<ResolvedImage>,
    /// Repository of the chart, with the destination's path.
    pub chart_repository: RepositoryName,
    /// Repository of the images, with the destination's path.
    pub image_repository: RepositoryName,
    /// What the chart repository holds.
    pub history: History,
    /// Keys of images that the destination does not have whole.
    pub missing: Vec<String>,
    /// The command that installs the chart, without a version; `None` for a layout.
    pub install: Option<String>,
    /// Findings of the reads.
    pub findings: Vec<Finding>,
    /// Checked names.
    #[serde(skip)]
    pub names: Names,
    /// Values of Secrets, under [`SecretsPolicy::Encrypt`] and [`SecretsPolicy::Include`].
    #[serde(skip)]
    pub secret_values: SecretValues,
    /// The same encrypted, under [`SecretsPolicy::Encrypt`].
    #[serde(skip)]
    pub sealed: Option<Sealed>,
    /// The chart of the Helm release, if that is what is exported.
    #[serde(skip)]
    pub original: Option<Original>,
}

/// Reads everything that `request` needs. Changes nothing anywhere.
///
/// # Errors
/// When the application, its images or the destination cannot be read, or the request's names
/// are not valid.
pub async fn resolve(
    request: &Request,
    source: &dyn Source,
    target: &Target,
    sources: &Sources,
) -> Result<Resolution, Error> {
    let snapshot = read(request, source).await?;
    let app = app::assemble(&snapshot, &request.selection, &request.options)?;
    resolve_app(request, &snapshot, app, target, sources).await
}

/// Reads the namespace that `request` is about, with as much of Secrets as its policy needs.
///
/// # Errors
/// When it cannot be read or is being deleted, or the request's names are not valid.
pub async fn read(request: &Request, source: &dyn Source) -> Result<Snapshot, Error> {
    read_scope(request, source, scope(request)).await
}

/// The same for every application of the namespace, with the records of all releases of Helm.
///
/// # Errors
/// As [`read`].
pub async fn read_all(request: &Request, source: &dyn Source) -> Result<Snapshot, Error> {
    read_scope(request, source, Scope { releases: Records::All, ..scope(request) }).await
}

async fn read_scope(
    request: &Request,
    source: &dyn Source,
    scope: Scope,
) -> Result<Snapshot, Error> {
    request.names.check()?;
    let mut snapshot = source.snapshot(&scope).await?;
    if !request.release_record {
        let reason = "whoever asked for the export may not read Secrets".to_owned();
        snapshot.release = Lookup::Forbidden { reason };
    }
    if snapshot.is_terminating() && !request.allow_terminating {
        return Err(Error::Terminating(snapshot.namespace));
    }
    Ok(snapshot)
}

/// The same as [`resolve`] for an application of a snapshot that was read before.
///
/// # Errors
/// When its images or the destination cannot be read, or too little of the namespace was.
pub async fn resolve_app(
    request: &Request,
    snapshot: &Snapshot,
    app: App,
    target: &Target,
    sources: &Sources,
) -> Result<Resolution, Error> {
    let recipients = match request.secrets {
        SecretsPolicy::Encrypt => seal::recipients(request, target.charts())?,
        _ => Vec::new(),
    };
    let mut findings = whole(request, snapshot, &app)?;
    target.allow(&app.namespace)?;
    let mut names = Names::new(&app.namespace, &app.name, &request.names)?;
    findings.extend(super::learn::learn(sources, (&app).into()).await?);
    let (images, seen) = resolve_images(&app, sources, &request.platforms).await?;
    findings.extend(seen);
    findings.extend(lacking(&app, &images, &request.platforms, &snapshot.platforms));
    let mut app = app;
    let original = original::original(request, snapshot, target, &images, &mut app, &mut names)?;
    let charts = target.charts();
    let chart_repository = place(charts, &names.chart)?;
    let image_repository = place(target, &names.images)?;
    let store = charts.store.as_ref();
    let history = history::read(store, &chart_repository, names.version.as_ref()).await;
    let history = history.map_err(|source| charts.failed(source))?;
    let missing = missing(target, &image_repository, &images).await;
    let missing = missing.map_err(|source| target.failed(source))?;
    let sealed = match request.secrets {
        SecretsPolicy::Encrypt => {
            seal::seal(&recipients, snapshot, &app, charts, &chart_repository, &history).await?
        }
        _ => None,
    };
    let mut resolution = Resolution {
        origin: super::identity::origin(&snapshot.origin, &app),
        install: charts.helm_install(&chart_repository, &app.name, &app.namespace),
        taken_at: snapshot.taken_at,
        app,
        images,
        chart_repository,
        image_repository,
        history,
        missing,
        findings,
        names,
        secret_values: snapshot.secrets.clone(),
        sealed,
        original,
    };
    let step = step(request, target, &resolution).await?;
    resolution.app.findings.extend(step);
    Ok(resolution)
}

/// What helm cannot upgrade from our newest version, unless that holds the same already.
async fn step(
    request: &Request,
    target: &Target,
    resolution: &Resolution,
) -> Result<Vec<Finding>, Error> {
    let newest = resolution.history.newest.as_ref();
    let newest = newest.filter(|newest| newest.origin.as_ref() == Some(&resolution.origin));
    let content = compose::content(request, target, resolution).digest;
    match newest.filter(|newest| newest.content.as_ref() != Some(&content)) {
        Some(newest) => {
            let (charts, repository) = (target.charts(), &resolution.chart_repository);
            upgrade::findings(charts, repository, newest, &resolution.app).await
        }
        None => Ok(Vec::new()),
    }
}

/// Findings about what of the application's namespace was not read.
///
/// # Errors
/// When too little of it was, or the application holds nothing that can be exported.
pub(super) fn whole(
    request: &Request,
    snapshot: &Snapshot,
    app: &App,
) -> Result<Vec<Finding>, Error> {
    let findings = unread(snapshot, request)?;
    tracing::info!(
        read = snapshot.objects.len(),
        taken = app.objects.len(),
        images = app.images.len(),
        "assembled {}/{}",
        app.namespace,
        app.name
    );
    if app.objects.is_empty() {
        return Err(Error::Empty { name: app.name.clone() });
    }
    Ok(findings)
}

/// Keys of the images of which the repository lacks the root or a child. Those that stay where they
/// are need not be there.
///
/// # Errors
/// When the destination cannot be asked.
pub async fn missing(
    target: &Target,
    repository: &RepositoryName,
    images: &[ResolvedImage],
) -> Result<Vec<String>, crate::registry::Error> {
    let mut keys = Vec::new();
    for image in images.iter().filter(|image| !image.kept) {
        for digest in std::iter::once(&image.digest).chain(&image.children) {
            let revision = Revision::Digest(digest.clone());
            if target.store.manifest_digest(repository, &revision).await?.is_none() {
                keys.push(image.key.clone());
                break;
            }
        }
    }
    Ok(keys)
}

fn scope(request: &Request) -> Scope {
    let secrets = match request.secrets {
        SecretsPolicy::Reference => SecretRead::Nothing,
        SecretsPolicy::Require => SecretRead::Keys,
        SecretsPolicy::Encrypt | SecretsPolicy::Include => SecretRead::Values,
    };
    Scope {
        namespace: request.namespace.clone(),
        secrets,
        identity: true,
        releases: match request.release_record {
            true => Records::from(&request.selection),
            false => Records::None,
        },
        definitions: request.options.include_crds,
    }
}

/// Refuses a snapshot that lacks kinds which an application may be made of. Cluster-scoped kinds
/// do not count: those who own a namespace often may not list them, and what is theirs there can
/// only be required, never taken silently.
///
/// # Errors
/// [`Error::Unreadable`], which names them.
pub fn require_readable(snapshot: &Snapshot) -> Result<(), Error> {
    let counts = |kind: &&Unreadable| !OPTIONAL.contains(&kind.resource.as_str());
    let missing: Vec<Unreadable> = snapshot.unreadable.iter().filter(counts).cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::Unreadable(missing)) }
}

/// Findings about what was not read; an error unless the request says to go on.
fn unread(snapshot: &Snapshot, request: &Request) -> Result<Vec<Finding>, Error> {
    if !request.skip_unreadable {
        require_readable(snapshot)?;
    }
    let unreadable = snapshot.unreadable.iter().map(|kind| {
        let text = format!("{} could not be read: {}", kind.resource, kind.reason);
        Finding::new(Code::CannotRead, text)
            .remedy("Grant `list` on it, or make sure that the application needs none.")
    });
    let moved = snapshot.moved.iter().map(|object| {
        Finding::new(Code::SnapshotMoved, format!("{object} kept changing while it was read"))
            .on(object.clone())
            .remedy("Export again when the application is at rest.")
    });
    Ok(unreadable.chain(moved).collect())
}

/// The repository of this name at the destination.
///
/// # Errors
/// When the registry does not take one of this shape.
pub(super) fn place(target: &Target, name: &RepositoryName) -> Result<RepositoryName, Error> {
    let repository = name.under(target.prefix.as_ref())?;
    if let Some(host) = target.host() {
        quirks::check_path(host, &repository)
            .map_err(|problem| Error::Path(problem.text, problem.hint))?;
    }
    Ok(repository)
}
