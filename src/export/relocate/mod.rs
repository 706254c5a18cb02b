//! `app copy`: the plan of bringing a published export to another place, with its chart rewritten
//! for it. It is carried out as any other plan.

pub(super) mod images;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Finding;
use crate::chart::{self, Chart, ChartArchive, Image};
use crate::registry::{Digest, Located, RepositoryName, Revision, Store, Tag, referrers};

use super::history::{self, History};
use super::identity::{APPLICATION_DIGEST, CONTENT_DIGEST, Content, DERIVED_FROM, ORIGIN};
use super::names::Names;
use super::publish::REPORT;
use super::request::ChosenNames;
use super::resolve::{missing, place};
use super::{Action, ChartReference, Error, Fidelity, Gate, Plan, PublishedChart, Sources, Target};
use super::{fetch, findings, plan};
use images::Placed;

/// Whose export a published chart is, and of what.
struct Identity {
    origin: String,
    namespace: String,
    app: String,
    content: Content,
}

/// The chart as it will be.
struct Rewritten {
    chart: Chart,
    archive: ChartArchive,
    digest: Digest,
    content: Digest,
    /// Whether it differs from the one that is copied.
    is_new: bool,
}

/// Plans the copy of `chart` from one place to another. Changes nothing anywhere. `sources` learn
/// where its images are read.
///
/// # Errors
/// When there is no export under the reference, one of its images is nowhere, or the place that it
/// goes to has charts of another origin, or this version with other content.
pub async fn relocation(
    chart: &ChartReference,
    from: &Target,
    to: &Target,
    sources: &mut Sources,
    adopt: bool,
) -> Result<Plan, Error> {
    let published = fetch(from, chart).await?;
    let identity = Identity::of(&published, chart)?;
    to.allow(&identity.namespace)?;
    let placed = images::find_all(&published.chart, chart, &from.store, sources).await?;
    let repository = image_repository(&identity, &placed)?;
    let chart_name: RepositoryName = published.chart.name.parse()?;
    let charts = to.charts();
    let chart_repository = place(charts, &chart_name)?;
    let image_repository = place(to, &repository)?;
    let rewritten = rewrite(chart, &published, &identity, &placed, to, &repository)?;
    let images = placed.iter().map(|image| image.planned(to, &image_repository));
    let mut images: Vec<_> = images.filter_map(Result::transpose).collect::<Result<_, Error>>()?;

    let version = published.chart.version.clone();
    let history = history::read(charts.store.as_ref(), &chart_repository, Some(&version)).await;
    let history = history.map_err(|source| charts.failed(source))?;
    let address = charts.address(&chart_repository);
    plan::check_origin(&address, &history, &identity.origin, adopt)?;
    let holder = holder(&history, &identity.origin, &rewritten, &address)?;
    let resolved: Vec<_> = images.iter().map(|planned| planned.image.clone()).collect();
    let gone = missing(to, &image_repository, &resolved).await;
    let gone = gone.map_err(|source| to.failed(source))?;
    for planned in &mut images {
        planned.present = !gone.contains(&planned.image.key);
    }
    let mut found = findings_of(&published, &placed, to, &history);
    if rewritten.is_new {
        let attached = is_referred_to(from.store.as_ref(), &chart.repository, &published.digest);
        let attached = attached.await.map_err(|source| from.failed(source))?;
        found.extend(attached.then(|| findings::referrers_left(&published.digest)));
    }
    let install = charts.helm_install(&chart_repository, &identity.app, &identity.namespace);
    let source = Located { store: Arc::clone(&from.store), repository: chart.repository.clone() };
    Ok(Plan {
        action: Action::of(holder.is_some(), gone.is_empty()),
        origin: identity.origin,
        namespace: identity.namespace,
        app: identity.app,
        target: to.name.clone(),
        install: install.map(|install| format!("{install} --version {version}")),
        version,
        chart: address,
        digest: holder.unwrap_or(rewritten.digest),
        content: rewritten.content,
        images,
        weight: None,
        objects: Vec::new(),
        requirements: Vec::new(),
        fidelity: Fidelity::default(),
        stopped_by: Vec::new(),
        gate: Gate::default(),
        findings: found,
        chart_repository,
        image_repository,
        emitted: Vec::new(),
        chart_source: (!rewritten.is_new).then_some(source),
        files: rewritten.chart,
        archive: rewritten.archive,
        moving: None,
    })
}

impl Identity {
    /// # Errors
    /// When the chart was not exported by us.
    fn of(published: &PublishedChart, reference: &ChartReference) -> Result<Self, Error> {
        let not_ours =
            |reason: String| Error::NotAnExport { reference: reference.to_string(), reason };
        let annotation = |key: &str| {
            let found = published.chart.annotations.get(key).cloned();
            found.ok_or_else(|| not_ours(format!("it has no annotation {key}")))
        };
        let digest = |key: &str| {
            let digest = annotation(key)?.parse::<Digest>();
            digest.map_err(|error| not_ours(format!("annotation {key}: {error}")))
        };
        let origin = annotation(ORIGIN)?;
        let mut parts = origin.rsplitn(3, '/').map(str::to_owned);
        let (Some(app), Some(namespace)) = (parts.next(), parts.next()) else {
            return Err(not_ours(format!("its origin is `{origin}`")));
        };
        let content =
            Content { application: digest(APPLICATION_DIGEST)?, digest: digest(CONTENT_DIGEST)? };
        Ok(Self { origin, namespace, app, content })
    }
}

/// Repository of the images: as it was, or as an export names it where they were not moved yet.
fn image_repository(identity: &Identity, placed: &[Placed]) -> Result<RepositoryName, Error> {
    match placed.iter().find(|image| !image.is_unmoved) {
        Some(moved) => Ok(moved.image.repository.parse()?),
        None => {
            let chosen = ChosenNames::default();
            Ok(Names::new(&identity.namespace, &identity.app, &chosen)?.images)
        }
    }
}

/// The chart for its new place; as it is where nothing is to be changed.
fn rewrite(
    reference: &ChartReference,
    published: &PublishedChart,
    identity: &Identity,
    placed: &[Placed],
    to: &Target,
    repository: &RepositoryName,
) -> Result<Rewritten, Error> {
    let before: Vec<Image> = placed.iter().map(|placed| placed.image.clone()).collect();
    let after = placed.iter().map(|placed| match &to.pull_address {
        Some(registry) if placed.is_carried() => Ok(Image {
            registry: registry.clone(),
            repository: repository.to_string(),
            tag: placed.tags()?.last().map(Tag::to_string).unwrap_or_default(),
            ..placed.image.clone()
        }),
        _ => Ok(placed.image.clone()),
    });
    let after: Vec<Image> = after.collect::<Result<_, Error>>()?;
    if after == before {
        return Ok(Rewritten {
            chart: published.chart.clone(),
            archive: published.archive.clone(),
            digest: published.digest.clone(),
            content: identity.content.digest.clone(),
            is_new: false,
        });
    }
    let addresses: Vec<String> =
        after.iter().map(|image| format!("{}/{}", image.registry, image.repository)).collect();
    let content = Content::new(identity.content.application.clone(), &addresses).digest;
    let annotations = BTreeMap::from([
        (CONTENT_DIGEST.to_owned(), content.to_string()),
        (DERIVED_FROM.to_owned(), published.digest.to_string()),
    ]);
    let not_ours = |error: chart::RelocateError| Error::NotAnExport {
        reference: reference.to_string(),
        reason: error.to_string(),
    };
    let chart =
        chart::relocate(&published.chart, &before, &after, &annotations).map_err(not_ours)?;
    let archive = chart::archive(&chart);
    let digest = Digest::of(&archive.manifest);
    Ok(Rewritten { chart, archive, digest, content, is_new: true })
}

/// Digest of the chart that holds this version there already.
fn holder(
    history: &History,
    origin: &str,
    rewritten: &Rewritten,
    repository: &str,
) -> Result<Option<Digest>, Error> {
    let Some(there) = &history.chosen else { return Ok(None) };
    let same = there.origin.as_deref() == Some(origin)
        && there.content.as_ref() == Some(&rewritten.content);
    if same || there.digest == rewritten.digest {
        return Ok(Some(there.digest.clone()));
    }
    let (repository, version) = (repository.to_owned(), there.version.to_string());
    Err(Error::VersionTaken { repository, version })
}

fn findings_of(
    published: &PublishedChart,
    placed: &[Placed],
    to: &Target,
    history: &History,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if history.chosen.is_none() {
        found.extend(findings::not_latest(&published.chart.version, history.newest.as_ref()));
    }
    if to.pull_address.is_none() && !placed.is_empty() {
        found.push(findings::pull_address_missing());
    }
    found
}

/// Whether anything is attached to the manifest: signatures, reports.
async fn is_referred_to(
    store: &dyn Store,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<bool, crate::registry::Error> {
    let listed = store.referrers(repository, digest).await?;
    // The report of the export is about where it came from, and says so.
    if listed.iter().any(|referrer| referrer.artifact_type.as_deref() != Some(REPORT)) {
        return Ok(true);
    }
    for tag in referrers::cosign_tags(digest) {
        if store.manifest_digest(repository, &Revision::Tag(tag)).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
