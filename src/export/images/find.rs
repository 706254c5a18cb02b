//! The digest that one image is exported by: of what the reference points to, if that is what
//! runs, else of what runs.

use crate::app::{Code, Finding, ImageUse};
use crate::registry::{self, Located, Reference};

use super::content::Content;
use super::running::{RunningId, running};
use super::{Found, ImageName, open, unreadable};
use crate::export::{Error, Sources};

/// Different things that nodes report of one image which are read to compare contents. More than
/// two are rare; what is beyond is compared by its digest only.
const MAX_COMPARED_IDS: usize = 8;

/// What nodes report that is one content.
struct Group<'a> {
    ids: Vec<RunningId<'a>>,
    /// Where it was found, unless it is what the reference points to.
    at: Option<(Reference, Content)>,
    /// Whether it is what the reference points to.
    is_tagged: bool,
    /// Why it was not found.
    reason: String,
}

/// What the reference points to, as far as it could be read.
struct Tagged {
    reference: Reference,
    content: Option<Content>,
    /// Why it could not be read.
    failed: Option<registry::Error>,
}

/// Finds the root of the image at its source.
///
/// # Errors
/// When it is no reference, does not exist, or no registry that has it can be read.
pub(super) async fn find(
    image: &ImageUse,
    sources: &Sources,
    findings: &mut Vec<Finding>,
) -> Result<Found, Error> {
    let invalid = |source| Error::ImageInvalid { image: image.into(), source };
    let mut reference: Reference = image.read_as().parse().map_err(invalid)?;
    if image.at.is_some() {
        // The digest decides; the tag is what people know the image by.
        reference.tag = image.image.parse::<Reference>().map_err(invalid)?.tag;
    }
    let tagged = tagged(image, reference, sources).await?;
    // A digest in the reference is what runs, whatever the node reports.
    if tagged.reference.digest.is_some() || image.running.is_empty() {
        return tagged.found(image);
    }
    let mut groups = groups(image, &tagged, sources).await?;
    let most = (0..groups.len()).max_by_key(|at| groups[*at].weight());
    let Some(most) = most else { return tagged.found(image) };
    if groups.len() > 1 {
        findings.push(mixed(image, &groups, &groups[most]));
    }
    let most = groups.swap_remove(most);
    if most.is_tagged {
        findings.extend(elsewhere(image, &tagged, &most));
        return tagged.found(image);
    }
    let drift = drift(image, &tagged, &most);
    let image_id = most.ids[0].said.image_id.clone();
    match (most.at, tagged.failed) {
        (Some((at, content)), _) => {
            findings.push(drift);
            let same = at.repository == tagged.reference.repository;
            let tag = tagged.reference.tag.filter(|_| same);
            Ok(Found { reference: Reference { tag, ..at }, manifest: content.manifest })
        }
        (None, Some(failed)) => Err(unreadable(image, failed)),
        (None, None) => {
            let reason = most.reason;
            Err(Error::ImageOnlyOnNodes { image: image.into(), image_id, reason })
        }
    }
}

/// Reads what the reference points to. A registry that refuses, or cannot be reached, is not the
/// end where pods run: the node may have the image from another one.
async fn tagged(
    image: &ImageUse,
    reference: Reference,
    sources: &Sources,
) -> Result<Tagged, Error> {
    let Located { store, repository } = open(image, &reference, sources)?;
    let read = store.manifest(&repository, &reference.revision()).await;
    let (manifest, failed) = match read {
        Ok(manifest) => (manifest, None),
        Err(error) => (None, Some(error)),
    };
    let content = manifest.map(|manifest| Content::new(manifest, store, repository)).transpose();
    let content = content.map_err(|error| unreadable(image, error))?;
    Ok(Tagged { reference, content, failed })
}

/// Puts what nodes report into groups of one content each.
async fn groups<'a>(
    image: &'a ImageUse,
    tagged: &Tagged,
    sources: &Sources,
) -> Result<Vec<Group<'a>>, Error> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (place, id) in running(image).into_iter().enumerate() {
        let mut group = group(id, tagged, sources, place < MAX_COMPARED_IDS)
            .await
            .map_err(|error| unreadable(image, error))?;
        let mut known = None;
        for (at, other) in groups.iter().enumerate() {
            if group.same(other).await.map_err(|error| unreadable(image, error))? {
                known = Some(at);
                break;
            }
        }
        match known {
            Some(known) => {
                groups[known].at = groups[known].at.take().or(group.at);
                groups[known].ids.append(&mut group.ids);
            }
            None => groups.push(group),
        }
    }
    Ok(groups)
}

/// One report, compared with what the reference points to.
async fn group<'a>(
    id: RunningId<'a>,
    tagged: &Tagged,
    sources: &Sources,
    compare: bool,
) -> Result<Group<'a>, registry::Error> {
    let mut group = Group { ids: Vec::new(), at: None, is_tagged: false, reason: String::new() };
    if let (Some(content), Some(digest)) = (&tagged.content, &id.digest) {
        group.is_tagged = content.names(digest) || content.has_config(digest).await?;
    }
    if !group.is_tagged && compare {
        match read(&id, tagged, sources).await {
            Ok((at, content)) => {
                if let Some(tagged) = &tagged.content {
                    group.is_tagged = tagged.same(&content).await?;
                }
                group.at = (!group.is_tagged).then_some((at, content));
            }
            Err(reason) => group.reason = reason,
        }
    }
    group.ids.push(id);
    Ok(group)
}

/// Reads what the node reports from the first registry that has it, else says why none does.
async fn read(
    id: &RunningId<'_>,
    tagged: &Tagged,
    sources: &Sources,
) -> Result<(Reference, Content), String> {
    let mut reason = "no registry has it".to_owned();
    for at in id.candidates(&tagged.reference) {
        if tagged.failed.is_some() && at.host == tagged.reference.host {
            continue;
        }
        match content(&at, sources).await {
            Ok(Some(content)) => return Ok((at, content)),
            Ok(None) => {}
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

async fn content(at: &Reference, sources: &Sources) -> Result<Option<Content>, registry::Error> {
    let Located { store, repository } = sources.locate(at)?;
    let manifest = store.manifest(&repository, &at.revision()).await?;
    manifest.map(|manifest| Content::new(manifest, store, repository)).transpose()
}

impl Tagged {
    fn found(self, image: &ImageUse) -> Result<Found, Error> {
        match (self.content, self.failed) {
            (Some(content), _) => {
                Ok(Found { reference: self.reference, manifest: content.manifest })
            }
            (None, Some(failed)) => Err(unreadable(image, failed)),
            (None, None) => Err(Error::ImageMissing { image: image.into() }),
        }
    }
}

impl<'a> Group<'a> {
    /// What most containers run; of equal numbers, what the newest pod runs.
    fn weight(&self) -> (usize, Option<&'a str>, std::cmp::Reverse<&'a str>) {
        let first = std::cmp::Reverse(self.ids[0].said.image_id.as_str());
        let newest = self.ids.iter().filter_map(|id| id.said.newest.as_deref()).max();
        (self.ids.iter().map(|id| id.said.pods).sum(), newest, first)
    }

    async fn same(&self, other: &Self) -> Result<bool, registry::Error> {
        if self.is_tagged != other.is_tagged {
            return Ok(false);
        }
        let digest = |group: &Self| group.ids[0].digest.clone();
        if self.is_tagged || (digest(self).is_some() && digest(self) == digest(other)) {
            return Ok(true);
        }
        match (&self.at, &other.at) {
            (Some((_, a)), Some((_, b))) => a.same(b).await,
            (Some((_, read)), None) => holds(read, digest(other)).await,
            (None, Some((_, read))) => holds(read, digest(self)).await,
            (None, None) => Ok(false),
        }
    }
}

async fn holds(
    content: &Content,
    digest: Option<registry::Digest>,
) -> Result<bool, registry::Error> {
    match digest {
        Some(digest) => content.has_config(&digest).await,
        None => Ok(false),
    }
}

/// The object that a finding is about, where there is only one.
fn on(finding: Finding, image: &ImageUse) -> Finding {
    match ImageName::from(image).users.as_slice() {
        [object] => finding.on(object.clone()),
        _ => finding,
    }
}

fn mixed(image: &ImageUse, groups: &[Group<'_>], most: &Group<'_>) -> Finding {
    let each = groups.iter().map(|group| {
        let ids: Vec<_> = group.ids.iter().map(|id| id.said.image_id.as_str()).collect();
        let (containers, ..) = group.weight();
        format!("{} (containers: {containers})", ids.join(", "))
    });
    let taken = if most.is_tagged { "what it points to" } else { &most.ids[0].said.image_id };
    let each = each.collect::<Vec<_>>().join(" and ");
    let text = format!("`{}` runs as {each}; {taken} was exported", image.image);
    let remedy = "Restart the pods, so that all run the same, and export again.";
    on(Finding::new(Code::ImageMixed, text).remedy(remedy), image)
}

/// The node names other repositories for what the reference points to.
fn elsewhere(image: &ImageUse, tagged: &Tagged, group: &Group<'_>) -> Option<Finding> {
    let names: Vec<&str> = group
        .ids
        .iter()
        .filter(|id| id.is_elsewhere(&tagged.reference))
        .map(|id| id.said.image_id.as_str())
        .collect();
    let text = format!("the node reports `{}` as `{}`", image.image, names.join("`, `"));
    let finding = Finding::new(Code::ImageReportedElsewhere, text);
    (!names.is_empty()).then(|| on(finding, image))
}

/// What runs is not what the reference points to.
fn drift(image: &ImageUse, tagged: &Tagged, group: &Group<'_>) -> Finding {
    let now = match (&tagged.content, &tagged.failed) {
        (Some(content), _) => format!("points to {} now", content.manifest.digest),
        (None, Some(failed)) => format!("cannot be read ({failed})"),
        (None, None) => "points to nothing now".to_owned(),
    };
    let index = |content: &Content| content.manifest.is_index();
    let (runs, part) = match &group.at {
        Some((at, content)) => {
            (at.to_string(), tagged.content.as_ref().is_some_and(index) && !index(content))
        }
        None => (group.ids[0].said.image_id.clone(), false),
    };
    let part = if part { ", for the node's platform only" } else { "" };
    let text = format!("`{}` {now}, but {runs} runs and was exported{part}", image.image);
    let remedy = "Restart the workload if the newer image is wanted, or pin the digest.";
    on(Finding::new(Code::ImageDrift, text).remedy(remedy), image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Running;

    fn group(said: &Running) -> Group<'_> {
        let ids = vec![RunningId::new(said)];
        Group { ids, at: None, is_tagged: false, reason: String::new() }
    }

    #[test]
    fn of_equal_numbers_the_newest_pod_decides_and_then_the_name() {
        let said = |id: &str, pods, newest: Option<&str>| Running {
            image_id: id.to_owned(),
            pods,
            newest: newest.map(str::to_owned),
        };
        let heavier = |a: &Running, b: &Running| group(a).weight() > group(b).weight();
        let (old, new) = (Some("2026-01-01T00:00:00Z"), Some("2026-01-02T00:00:00Z"));
        assert!(heavier(&said("b", 2, old), &said("a", 1, new)));
        assert!(heavier(&said("b", 1, new), &said("a", 1, old)));
        assert!(heavier(&said("b", 1, old), &said("a", 1, None)));
        assert!(heavier(&said("a", 1, old), &said("b", 1, old)));
    }
}
