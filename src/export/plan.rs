//! What an export will do: pure, printable, and the same for every door.

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::app::{Code, Finding, ObjectId, Requirement};
use crate::chart::check::Fidelity;
use crate::chart::{self, Chart, ChartArchive, Input};
use crate::destination::systems::Emitted;
use crate::registry::{Digest, Located, RepositoryName, Tag};

use super::history::{History, Published};
use super::identity::Content;
use super::images::ResolvedImage;
use super::moving::Moving;
use super::names::Names;
use super::resolve::Resolution;
use super::{
    Error, Gate, Request, Target, compose, emit, fidelity, findings, names, size, version,
};

/// What an export will do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Whose export it is.
    pub origin: String,
    /// The application's namespace.
    pub namespace: String,
    /// The application.
    pub app: String,
    /// Name of the destination: of the images', where the chart has one of its own.
    pub target: String,
    /// What will happen.
    pub action: Action,
    /// Version of the chart.
    #[schemars(with = "String")]
    pub version: Version,
    /// Address of the chart's repository.
    pub chart: String,
    /// Digest of the chart's manifest: as it is at the destination, or will be.
    pub digest: Digest,
    /// Digest over everything that decides the content.
    pub content: Digest,
    /// The images.
    pub images: Vec<PlannedImage>,
    /// What they weigh together, if [`super::estimate()`] was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// The objects in the chart.
    pub objects: Vec<ObjectId>,
    /// What a target cluster must have.
    pub requirements: Vec<Requirement>,
    /// What the chart gives back, rendered with its defaults.
    pub fidelity: Fidelity,
    /// What a user should know.
    pub findings: Vec<Finding>,
    /// Codes of the findings that stop the export: nothing is pushed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stopped_by: Vec<Code>,
    /// Which findings stop it: those of the push, too.
    #[serde(skip)]
    pub gate: Gate,
    /// The command that installs the chart; `None` for a layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    /// Repository of the chart.
    #[serde(skip)]
    pub chart_repository: RepositoryName,
    /// Repository of the images.
    #[serde(skip)]
    pub image_repository: RepositoryName,
    /// Where the chart is taken from byte for byte, with what refers to it; `None`: it is new.
    #[serde(skip)]
    pub chart_source: Option<Located>,
    /// What other systems are told, for each of [`Request::emit`].
    #[serde(skip)]
    pub emitted: Vec<Emitted>,
    /// The chart itself.
    #[serde(skip)]
    pub files: Chart,
    /// The packed chart.
    #[serde(skip)]
    pub archive: ChartArchive,
    /// The same under a version that moves.
    #[serde(skip)]
    pub moving: Option<Moving>,
}

/// What will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlanAction")]
pub enum Action {
    /// A new version is pushed.
    Push,
    /// The version named holds this content, and nothing is pushed.
    Unchanged,
    /// The version named holds this content, but images have gone and are copied again.
    Restore,
}

impl Action {
    /// What is to be done where the content is there, or is not, with all of its images or not.
    pub(super) fn of(is_there: bool, is_whole: bool) -> Self {
        match (is_there, is_whole) {
            (false, _) => Self::Push,
            (true, true) => Self::Unchanged,
            (true, false) => Self::Restore,
        }
    }
}

/// One image on its way.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedImage {
    /// The image at its source.
    #[serde(flatten)]
    pub image: ResolvedImage,
    /// Where it goes.
    pub destination: String,
    /// The tags it gets there.
    pub tags: Vec<Tag>,
    /// Whether the destination has it already, or it stays where it is.
    pub present: bool,
    /// What it weighs, if [`super::estimate()`] was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
}

/// Bytes of layers and configurations, each counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Weight {
    /// Of all.
    pub bytes: u64,
    /// Of those that have to be moved, at most: the destination may have some elsewhere.
    pub to_move: u64,
}

/// Makes the plan. Pure: the same resolution gives the same plan.
///
/// # Errors
/// When the chart cannot be made, is larger than helm takes or does not give back what ran, or the
/// destination holds another origin's charts or other content under the version asked for.
pub fn plan(request: &Request, target: &Target, resolution: Resolution) -> Result<Plan, Error> {
    let repository = target.charts().address(&resolution.chart_repository);
    check_origin(&repository, &resolution.history, &resolution.origin, request.adopt)?;
    let content = compose::content(request, target, &resolution);
    let mut found = findings::of(request, target, &resolution);
    let (version, holder) = decide(request, &resolution, &content.digest, &repository, &mut found)?;
    let action = Action::of(holder.is_some(), resolution.missing.is_empty());
    let images = planned_images(target, &resolution)?;
    let input = compose::chart(request, target, &resolution, &version, &content, &images);
    let files = build(&resolution, &input)?;
    found.extend(size::check(&files.size(&input), &resolution.app, request.allow_oversize)?);
    let fidelity =
        fidelity::check(request, &input, &files, resolution.original.as_ref(), &mut found)?;
    let values = &resolution.secret_values;
    let (app, names) = (&resolution.app, &resolution.names);
    let emitted = emit::emit(&request.emit, target, names, app, &version, &images, values);
    found.extend(emitted.iter().flat_map(|emitted| emitted.findings.clone()));
    found.sort_by(|a, b| (b.code.severity(), a).cmp(&(a.code.severity(), b)));
    found.dedup();
    let archive = chart::archive(&files);
    let moving = moving(request, target, &resolution, &content, &images)?;
    let install = resolution.install.map(|install| format!("{install} --version {version}"));
    Ok(Plan {
        install,
        origin: resolution.origin,
        namespace: resolution.app.namespace,
        app: resolution.app.name,
        target: target.name.clone(),
        action,
        version,
        chart: repository,
        digest: holder.unwrap_or_else(|| Digest::of(&archive.manifest)),
        content: content.digest,
        images,
        weight: None,
        objects: resolution.app.objects.iter().map(crate::app::Object::id).collect(),
        requirements: resolution.app.requirements,
        fidelity,
        stopped_by: request.gate.stops(&found),
        gate: request.gate.clone(),
        findings: found,
        chart_repository: resolution.chart_repository,
        image_repository: resolution.image_repository,
        chart_source: None,
        emitted,
        archive,
        files,
        moving,
    })
}

/// The chart once more, under a version that moves, if there is to be one.
fn moving(
    request: &Request,
    target: &Target,
    resolution: &Resolution,
    content: &Content,
    images: &[PlannedImage],
) -> Result<Option<Moving>, Error> {
    let Some(version) = request.moving.clone() else { return Ok(None) };
    let input = compose::chart(request, target, resolution, &version, content, images);
    let files = build(resolution, &input)?;
    Ok(Some(Moving { version, archive: chart::archive(&files) }))
}

fn build(resolution: &Resolution, input: &Input<'_>) -> Result<Chart, Error> {
    Ok(match &resolution.original {
        Some(original) => original.build(input)?,
        None => chart::build(input)?,
    })
}

/// The version to make, or the one that holds the content already with its chart's digest.
fn decide(
    request: &Request,
    resolution: &Resolution,
    content: &Digest,
    repository: &str,
    found: &mut Vec<Finding>,
) -> Result<(Version, Option<Digest>), Error> {
    let History { versions, newest, chosen } = &resolution.history;
    // Another origin's content is taken over by a version of our own: from then on we are at home.
    let ours = |published: &Published| published.origin.as_ref() == Some(&resolution.origin);
    let holds =
        |published: &&Published| published.content.as_ref() == Some(content) && ours(published);
    if let Some(version) = &resolution.names.version {
        return match chosen {
            Some(published) if holds(&published) => {
                Ok((version.clone(), Some(published.digest.clone())))
            }
            Some(_) => Err(Error::VersionTaken {
                repository: repository.to_owned(),
                version: version.to_string(),
            }),
            None => {
                found.extend(findings::not_latest(version, newest.as_ref()));
                Ok((version.clone(), None))
            }
        };
    }
    let made = |published: &&Published| is_made(request, &resolution.origin, published);
    if let Some(published) = newest.as_ref().filter(holds).filter(made) {
        return Ok((published.version.clone(), Some(published.digest.clone())));
    }
    let newest = newest.as_ref().map(|published| &published.version);
    let next = version::next(resolution.taken_at, newest, versions);
    if next.clock_behind {
        found.push(findings::clock_behind(&next.version));
    }
    Ok((next.version, None))
}

/// Whether nothing is to be made where the newest version, which is `published`, holds the content. A
/// run that makes a version in any case makes one, however often it is carried out.
fn is_made(request: &Request, origin: &str, published: &Published) -> bool {
    let Some(run) = request.scheduled.as_ref().filter(|run| run.even_if_unchanged) else {
        return true;
    };
    published.schedule == compose::schedule(request, origin)
        && published.taken_at.is_some_and(|at| at >= run.due)
}

/// A chart of another origin is never built upon: its history and retention are someone else's.
pub(super) fn check_origin(
    repository: &str,
    history: &History,
    origin: &str,
    adopt: bool,
) -> Result<(), Error> {
    let newest = [&history.newest, &history.chosen];
    let foreign = newest.into_iter().flatten().find(|p| p.origin.as_deref() != Some(origin));
    match foreign {
        Some(published) if !adopt => Err(Error::Foreign {
            repository: repository.to_owned(),
            found: published.origin.clone().unwrap_or_else(|| "not made by outhaul".to_owned()),
            ours: origin.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn planned_images(target: &Target, resolution: &Resolution) -> Result<Vec<PlannedImage>, Error> {
    let tags = |image| image_tags(&resolution.names, &resolution.images, image);
    let each = resolution.images.iter().map(|image| {
        if image.kept {
            let destination = format!("{}/{}", image.source.host, image.source.repository);
            let (tags, image) = (Vec::new(), image.clone());
            return Ok(PlannedImage { destination, tags, present: true, image, weight: None });
        }
        Ok(PlannedImage {
            destination: target.address(&resolution.image_repository),
            tags: tags(image)?,
            present: !resolution.missing.contains(&image.key),
            image: image.clone(),
            weight: None,
        })
    });
    each.collect()
}

/// The tags that an image gets, which is one of `images`.
pub(super) fn image_tags(
    names: &Names,
    images: &[ResolvedImage],
    image: &ResolvedImage,
) -> Result<Vec<Tag>, Error> {
    let mut tags = vec![names::image_tag(&image.key, image.source.tag.as_ref(), &image.digest)?];
    if let Some(tag) = &names.image_tag {
        let only = images.iter().filter(|image| !image.kept).count() == 1;
        tags.push(if only { tag.clone() } else { format!("{}-{tag}", image.key).parse()? });
    }
    Ok(tags)
}

impl Plan {
    /// The application, for messages.
    pub fn title(&self) -> String {
        format!("{}/{}", self.namespace, self.app)
    }
}
