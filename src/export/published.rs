//! A chart that was published, read back whole: for comparing, verifying, copying, installing.

use futures_util::StreamExt as _;

use crate::chart::{self, Chart, ChartArchive};
use crate::registry::blob::verified;
use crate::registry::{Descriptor, Digest, Host, Reference, RepositoryName, Revision, Store, Tag};

use super::history;
use super::names::{Names, version_tag};
use super::publish::{HELM_CHART, HELM_CONFIG, REPORT};
use super::request::ChosenNames;
use super::resolve::place;
use super::{Error, Report, Target};

/// Largest configuration of a chart: `Chart.yaml` as JSON, of which helm loads 5 MiB as a file.
const MAX_CONFIG: u64 = 5 << 20;

/// Largest archive: what helm unpacks at most; packed it is smaller.
const MAX_ARCHIVE: u64 = 100 << 20;

/// Largest report: a finding has some 300 bytes, and 5 000 objects seldom have more than one each.
const MAX_REPORT: u64 = 16 << 20;

/// Stands for the registry of what is in a layout (RFC 2606, never resolves).
const LAYOUT: &str = "layout.invalid";

/// Which chart of which repository. Without tag and digest the newest version is meant: the
/// greatest release, as helm picks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartReference {
    /// Registry; `None` in a layout.
    pub host: Option<Host>,
    /// Repository.
    pub repository: RepositoryName,
    /// The version as a tag, if one was written.
    pub tag: Option<Tag>,
    /// Digest of the manifest, if one was written.
    pub digest: Option<Digest>,
}

/// A published chart.
#[derive(Clone, Debug)]
pub struct PublishedChart {
    /// Digest of its manifest.
    pub digest: Digest,
    /// As it is stored.
    pub archive: ChartArchive,
    /// Its files.
    pub chart: Chart,
}

impl std::str::FromStr for ChartReference {
    type Err = Error;

    /// `[oci://]HOST/PATH/NAME[:VERSION][@DIGEST]`; a `+` in the version is written as helm writes
    /// it in tags.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bare = text.strip_prefix("oci://").unwrap_or(text);
        let Reference { host, repository, tag, digest } = bare.replace('+', "_").parse()?;
        Ok(Self { host: Some(host), repository, tag, digest })
    }
}

impl ChartReference {
    /// `[PATH/]NAME[:VERSION][@DIGEST]`, as charts in a layout are called.
    ///
    /// # Errors
    /// When it is none.
    pub fn in_layout(text: &str) -> Result<Self, Error> {
        // Any host will do: without one the first part of the path would be taken for it.
        let whole = format!("{LAYOUT}/{text}").parse()?;
        Ok(Self { host: None, ..whole })
    }

    /// The charts of an application at `target`, of which the newest is meant.
    ///
    /// # Errors
    /// When a chosen name breaks the rules of helm, or the registry does not take it.
    pub fn own(
        target: &Target,
        namespace: &str,
        app: &str,
        chosen: &ChosenNames,
    ) -> Result<Self, Error> {
        let repository = place(target, &Names::new(namespace, app, chosen)?.chart)?;
        Ok(Self { host: target.host().cloned(), repository, tag: None, digest: None })
    }

    /// The revision that is meant, if one was written.
    fn revision(&self) -> Option<Revision> {
        let tagged = || self.tag.clone().map(Revision::Tag);
        self.digest.clone().map(Revision::Digest).or_else(tagged)
    }
}

impl std::fmt::Display for ChartReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Reads a published chart, verified against its digests.
///
/// # Errors
/// [`Error::ChartMissing`] where there is none, [`Error::NotAChart`] where there is something else,
/// [`Error::Destination`] where the registry fails.
pub async fn fetch(target: &Target, chart: &ChartReference) -> Result<PublishedChart, Error> {
    let (store, repository) = (target.store.as_ref(), &chart.repository);
    let there = |source| target.failed(source);
    let missing = || Error::ChartMissing(chart.to_string());
    let revision = match chart.revision() {
        Some(revision) => revision,
        None => newest(store, repository).await.map_err(there)?.ok_or_else(missing)?,
    };
    let manifest =
        store.manifest(repository, &revision).await.map_err(there)?.ok_or_else(missing)?;
    let links = manifest.links().map_err(there)?;
    let not_a_chart = |reason: String| Error::NotAChart { reference: chart.to_string(), reason };
    let config = links.config.filter(|config| config.media_type == HELM_CONFIG);
    let config = config.ok_or_else(|| not_a_chart("its configuration is not helm's".to_owned()))?;
    let layer = links.layers.into_iter().find(|layer| layer.media_type == HELM_CHART);
    let layer = layer.ok_or_else(|| not_a_chart("it has no layer with a chart".to_owned()))?;
    for (blob, limit) in [(&config, MAX_CONFIG), (&layer, MAX_ARCHIVE)] {
        if blob.size > limit {
            return Err(not_a_chart(format!("{} has {} bytes", blob.digest, blob.size)));
        }
    }
    let archive = ChartArchive {
        config: read(store, repository, &config).await.map_err(there)?,
        tgz: read(store, repository, &layer).await.map_err(there)?,
        manifest: manifest.bytes.to_vec(),
    };
    let unpacked = chart::unpack(&archive).map_err(|error| not_a_chart(error.to_string()))?;
    Ok(PublishedChart { digest: manifest.digest, archive, chart: unpacked })
}

/// The report that is attached to a chart of `repository` as the manifest `digest`; `None` where there
/// is none that can be read.
///
/// # Errors
/// [`Error::Destination`] where the registry fails.
pub async fn report(
    target: &Target,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Option<Report>, Error> {
    let (store, there) = (target.store.as_ref(), |source| target.failed(source));
    let revision = Revision::Digest(digest.clone());
    let Some(manifest) = store.manifest(repository, &revision).await.map_err(there)? else {
        return Ok(None);
    };
    let layers = manifest.links().map_err(there)?.layers;
    let is_report = |of: &Descriptor| of.media_type == REPORT && of.size <= MAX_REPORT;
    let Some(layer) = layers.into_iter().find(is_report) else { return Ok(None) };
    let bytes = read(store, repository, &layer).await.map_err(there)?;
    Ok(serde_json::from_slice(&bytes).ok())
}

/// The tag that helm picks if asked for none.
async fn newest(
    store: &dyn Store,
    repository: &RepositoryName,
) -> Result<Option<Revision>, crate::registry::Error> {
    let newest = history::read(store, repository, None).await?.newest;
    let tag: Option<Tag> = newest.and_then(|newest| version_tag(&newest.version).ok());
    Ok(tag.map(Revision::Tag))
}

async fn read(
    store: &dyn Store,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<Vec<u8>, crate::registry::Error> {
    let stream = store.read_blob(repository, blob).await?;
    let mut stream = verified(stream, blob, &store.name());
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_of_registries_and_layouts_are_named_alike() {
        let there: ChartReference = "oci://r.example:5000/team/shop-chart:1.0.0+b".parse().unwrap();
        assert_eq!(there.to_string(), "r.example:5000/team/shop-chart:1.0.0_b");
        let here = ChartReference::in_layout("team.x/shop-chart:1.0.0").unwrap();
        assert_eq!((here.to_string().as_str(), &here.host), ("team.x/shop-chart:1.0.0", &None));
        assert!(ChartReference::in_layout("shop chart").is_err());
    }
}
