//! What Helm and the API server take at most, and whether a chart is within that.

use super::release::LARGEST_RELEASE;
use super::{Chart, Input};

/// Most bytes of one file (helm, `pkg/chart/loader/archive`; helm 4.3 dropped it, those before have
/// it).
pub const LARGEST_FILE: usize = 5 << 20;

/// Most bytes of all files (helm, `pkg/chart/loader/archive`).
pub const LARGEST_CHART: usize = 100 << 20;

/// From here on a release is near the limit: values that users add, and the next version of the
/// application, need room as well.
const LARGE_RELEASE: usize = 700 << 10;

/// How large a chart is, where that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// Helm takes it.
    Fits,
    /// Helm takes it, but not much more.
    Near {
        /// About the size of the release, in bytes.
        release: usize,
    },
    /// Helm cannot keep a release of it.
    Release {
        /// About the size of the release, in bytes.
        release: usize,
    },
    /// Helm does not load the file.
    File {
        /// Path in the chart.
        path: String,
        /// Its size in bytes.
        bytes: usize,
    },
    /// Helm does not load the chart.
    Chart {
        /// Size of all files in bytes.
        bytes: usize,
    },
}

impl Chart {
    /// How large the chart is that `input` made.
    pub fn size(&self, input: &Input<'_>) -> Size {
        let largest = self.files.iter().max_by_key(|(_, bytes)| bytes.len());
        if let Some((path, bytes)) = largest.filter(|(_, bytes)| bytes.len() > LARGEST_FILE) {
            return Size::File { path: path.clone(), bytes: bytes.len() };
        }
        let bytes = self.files.values().map(Vec::len).sum();
        if bytes > LARGEST_CHART {
            return Size::Chart { bytes };
        }
        match self.release_bytes(input) {
            release if release > LARGEST_RELEASE => Size::Release { release },
            release if release > LARGE_RELEASE => Size::Near { release },
            _ => Size::Fits,
        }
    }
}
