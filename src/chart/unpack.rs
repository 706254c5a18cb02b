//! A packed chart read back: what [`super::archive()`] made, or helm did. What comes from a
//! registry may be anything, so everything is bounded.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::size::{LARGEST_CHART, LARGEST_FILE};
use super::{Chart, ChartArchive};

/// Most files in a chart: an application of 5 000 objects has that many, and no chart has ten times
/// as many.
const MOST_FILES: usize = 50_000;

/// A packed chart that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnpackError {
    /// Bytes that are no archive, or one that is cut off.
    #[error("the archive cannot be read: {0}")]
    Archive(String),
    /// More than helm reads.
    #[error("the archive unpacks to more than helm reads: {0}")]
    TooLarge(String),
    /// An entry that leads out of the chart.
    #[error("the archive has an entry `{0}`, which is not in the chart's folder")]
    Outside(String),
    /// A configuration or OCI manifest that does not parse.
    #[error("the {what} does not parse: {reason}")]
    Json {
        /// Which of the two.
        what: &'static str,
        /// What the parser said.
        reason: String,
    },
}

/// The fields of the config blob that are needed.
#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: semver::Version,
}

/// The fields of the OCI manifest that are needed.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

/// Unpacks a chart. Links, devices and folders are passed over, as helm passes them over.
///
/// # Errors
/// When one of the three parts does not parse, or the archive holds more than helm would read.
pub fn unpack(archive: &ChartArchive) -> Result<Chart, UnpackError> {
    let json =
        |what, reason: serde_json::Error| UnpackError::Json { what, reason: reason.to_string() };
    let Metadata { name, version } = serde_json::from_slice(&archive.config)
        .map_err(|reason| json("configuration of the chart", reason))?;
    let manifest: Manifest = serde_json::from_slice(&archive.manifest)
        .map_err(|reason| json("manifest of the chart", reason))?;
    Ok(Chart {
        files: files(&archive.tgz)?,
        name,
        version,
        config: archive.config.clone(),
        annotations: manifest.annotations.unwrap_or_default(),
    })
}

/// The files by path below the chart's own folder.
fn files(tgz: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, UnpackError> {
    let broken = |error: std::io::Error| UnpackError::Archive(error.to_string());
    // One byte more than allowed tells "full" from "too much".
    let mut tar = tar::Archive::new(GzDecoder::new(tgz).take(LARGEST_CHART as u64 + 1));
    let mut files = BTreeMap::new();
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = inner(&entry.path_bytes())?;
        if entry.size() > LARGEST_FILE as u64 {
            return Err(UnpackError::TooLarge(format!("{path} has {} bytes", entry.size())));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        files.insert(path, bytes);
        if files.len() > MOST_FILES {
            return Err(UnpackError::TooLarge(format!("more than {MOST_FILES} files")));
        }
    }
    let rest = tar.into_inner();
    if rest.limit() == 0 {
        return Err(UnpackError::TooLarge(format!("more than {} MiB", LARGEST_CHART >> 20)));
    }
    Ok(files)
}

/// The path without the chart's folder.
fn inner(path: &[u8]) -> Result<String, UnpackError> {
    let text = String::from_utf8_lossy(path);
    let outside = || UnpackError::Outside(text.to_string());
    let (_, inner) = text.split_once('/').ok_or_else(outside)?;
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    if text.contains('\\') || !text.split('/').all(plain) {
        return Err(outside());
    }
    Ok(inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::archive;

    fn chart(files: &[(&str, &[u8])]) -> Chart {
        Chart {
            name: "shop".into(),
            version: "1.2.3".parse().unwrap(),
            files: files.iter().map(|(path, bytes)| ((*path).into(), bytes.to_vec())).collect(),
            config: br#"{"name":"shop","version":"1.2.3","apiVersion":"v2"}"#.to_vec(),
            annotations: BTreeMap::from([("a".into(), "b".into())]),
        }
    }

    #[test]
    fn what_was_packed_comes_back() {
        let packed = chart(&[("Chart.yaml", b"name: shop"), ("templates/a.yaml", &[0, 255])]);
        assert_eq!(unpack(&archive(&packed)), Ok(packed));
    }

    #[test]
    fn entries_stay_in_the_chart() {
        for path in ["../x", "/etc/passwd", "x", "a//b", "a/../b", "a\\b/c"] {
            assert!(inner(path.as_bytes()).is_err(), "{path}");
        }
        assert_eq!(inner(b"shop/templates/a.yaml").unwrap(), "templates/a.yaml");
    }

    #[test]
    fn a_large_file_a_bomb_and_garbage_are_refused() {
        let large = vec![0; LARGEST_FILE + 1];
        let packed = archive(&chart(&[("a", &large)]));
        assert!(matches!(unpack(&packed), Err(UnpackError::TooLarge(_))));
        let part = vec![0; LARGEST_FILE];
        let many: Vec<(String, &[u8])> = (0..21).map(|at| (format!("f{at}"), &*part)).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(path, bytes)| (&**path, *bytes)).collect();
        let bomb = unpack(&archive(&chart(&many)));
        assert!(bomb.is_err(), "a bomb of 105 MiB");
        let mut packed = archive(&chart(&[("a", b"text")]));
        packed.tgz.truncate(20);
        assert!(matches!(unpack(&packed), Err(UnpackError::Archive(_))));
    }
}
