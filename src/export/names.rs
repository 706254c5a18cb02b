//! Names at the destination: repositories, chart name, tags. Pure.

use crate::registry::{Digest, RepositoryName, Tag};

use super::Error;
use super::request::ChosenNames;

/// Longest name of a repository part and of a chart: helm cuts release names at 53 so that a
/// suffix still fits into a DNS label of 63 (helm, `MaxReleaseNameLen`).
const MAX_PART: usize = 53;

/// Hexadecimal digits of the hash that stands for what was cut off.
const HASH_DIGITS: usize = 8;

/// The tag under which a chart repository says what was pruned.
pub const PRUNED: &str = "outhaul-pruned";

/// What the tags begin with by which an image repository names its owners.
pub const OWNER_PREFIX: &str = "outhaul-owner-";

/// Longest tag (distribution-spec).
const MAX_TAG: usize = 128;

/// Names at the destination, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Name of the chart, which is the last part of its repository.
    pub chart: RepositoryName,
    /// Repository of all images, without the destination's path.
    pub images: RepositoryName,
    /// Version of the chart, if the user chose one.
    pub version: Option<semver::Version>,
    /// A further tag for the images, if the user chose one.
    pub image_tag: Option<Tag>,
}

impl ChosenNames {
    /// Checks what the user chose, before anything is read.
    ///
    /// # Errors
    /// When a name breaks the rules of helm or of registries.
    pub fn check(&self) -> Result<(), Error> {
        Names::new("namespace", "app", self).map(|_| ())
    }
}

impl Names {
    /// Fills in the defaults `<namespace>-<app>-chart` and `<namespace>-<app>-image`.
    ///
    /// # Errors
    /// When a chosen name breaks the rules of helm or of registries.
    pub fn new(namespace: &str, app: &str, chosen: &ChosenNames) -> Result<Self, Error> {
        let chart = match &chosen.chart_name {
            Some(name) => chart_name(name)?,
            None => part(&format!("{namespace}-{app}-chart")).parse()?,
        };
        let images = match &chosen.image_name {
            Some(name) => name.parse()?,
            None => part(&format!("{namespace}-{app}-image")).parse()?,
        };
        if chart == images {
            return Err(Error::SameRepository(chart.to_string()));
        }
        let version = chosen.chart_version.as_deref().map(chart_version).transpose()?;
        let image_tag = chosen.image_tag.as_deref().map(str::parse).transpose()?;
        Ok(Self { chart, images, version, image_tag })
    }
}

/// `text` as a repository part: `[a-z0-9-]`, no `--`, no leading digit, cut with a hash.
pub fn part(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let name = name.trim_matches('-');
    let name = match name.as_bytes().first() {
        Some(b'a'..=b'z') => name.to_owned(),
        _ => format!("n{name}"),
    };
    if name.len() <= MAX_PART {
        return name;
    }
    let kept = name[..MAX_PART - HASH_DIGITS - 1].trim_end_matches('-');
    format!("{kept}-{}", &Digest::of(text.as_bytes()).hex()[..HASH_DIGITS])
}

/// The tag under which an image repository says that the charts of `charts`, a repository of the same
/// registry or an address, need its images.
///
/// # Errors
/// Those of a tag, none of which this one has: its prefix and the hash are always the same in kind.
pub fn owner_tag(charts: &str) -> Result<Tag, Error> {
    let hash = Digest::of(charts.as_bytes());
    Ok(format!("{OWNER_PREFIX}{}", &hash.hex()[..HASH_DIGITS]).parse()?)
}

/// The tag of an image that never moves: `<key>-<tag>-<12 hex of the digest>`, cut in the middle.
///
/// # Errors
/// Never for a key of `app::images`.
pub fn image_tag(key: &str, tag: Option<&Tag>, digest: &Digest) -> Result<Tag, Error> {
    let suffix = format!("-{}", digest.short());
    let middle = tag.map(|tag| format!("-{tag}")).unwrap_or_default();
    let room = MAX_TAG - suffix.len();
    let key = &key[..key.len().min(room.saturating_sub(middle.len()))];
    let text = format!("{key}{middle}");
    // A key that was cut to nothing leaves the dash of the tag behind, which no tag begins with.
    let text = text.trim_start_matches('-');
    Ok(format!("{}{suffix}", &text[..text.len().min(room)]).parse()?)
}

/// A chart's version as a tag: `+` is not allowed in tags, and helm writes `_` (helm,
/// `pkg/registry/tag.go`).
///
/// # Errors
/// When the version is longer than a tag may be.
pub fn version_tag(version: &semver::Version) -> Result<Tag, Error> {
    Ok(version.to_string().replace('+', "_").parse()?)
}

fn chart_name(name: &str) -> Result<RepositoryName, Error> {
    let valid = name.len() <= MAX_PART
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--")
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if valid { Ok(name.parse()?) } else { Err(Error::ChartName(name.to_owned())) }
}

fn chart_version(text: &str) -> Result<semver::Version, Error> {
    let invalid = |reason: String| Error::ChartVersion { version: text.to_owned(), reason };
    let version = semver::Version::parse(text).map_err(|error| invalid(error.to_string()))?;
    match version_tag(&version) {
        Ok(_) => Ok(version),
        Err(_) => Err(invalid("it is longer than a tag may be".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_are_what_registries_and_helm_take() {
        assert_eq!(part("shop-shop-chart"), "shop-shop-chart");
        assert_eq!(part("Shop_1--web.x"), "shop-1-web-x");
        assert_eq!(part("1st-app"), "n1st-app");
        let long = part(&"a".repeat(80));
        assert_eq!(long.len(), MAX_PART);
        assert_ne!(long, part(&"a".repeat(81)), "the hash tells cut names apart");
    }

    #[test]
    fn a_tag_keeps_its_digest_whatever_is_cut() {
        let digest = Digest::of(b"x");
        let tag: Tag = "1.0".parse().unwrap();
        let short = image_tag("web", Some(&tag), &digest).unwrap();
        assert_eq!(short.as_str(), format!("web-1.0-{}", digest.short()));
        let long: Tag = "t".repeat(128).parse().unwrap();
        let cut = image_tag(&"k".repeat(53), Some(&long), &digest).unwrap();
        assert!(cut.as_str().len() <= MAX_TAG && cut.as_str().ends_with(digest.short()));
    }

    #[test]
    fn chosen_names_are_checked() {
        let chosen =
            |name: &str| ChosenNames { chart_name: Some(name.into()), ..Default::default() };
        for bad in ["Shop", "a--b", "", "a_b", "-a", "a-", &"a".repeat(54)] {
            assert!(Names::new("ns", "app", &chosen(bad)).is_err(), "{bad}");
        }
        assert!(Names::new("ns", "app", &chosen("shop")).is_ok());
        let version = ChosenNames { chart_version: Some("1.0".into()), ..Default::default() };
        assert!(Names::new("ns", "app", &version).is_err());
    }

    proptest! {
        #[test]
        fn every_part_is_a_repository_name(text in ".{1,90}") {
            let name = part(&text);
            prop_assert!(name.len() <= MAX_PART);
            prop_assert!(name.parse::<RepositoryName>().is_ok(), "{name}");
        }
    }
}
