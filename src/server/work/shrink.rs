//! A status that is small enough to be kept a thousand times and sent twice a second. What is left
//! out is in the report that is attached to the chart.

use crate::cluster::record::{
    ExportResult, ExportStatus, MAX_CODES, MAX_HINT, MAX_IMAGES, MAX_MESSAGE,
};

/// Most bytes of a status as JSON.
pub const MAX_STATUS: usize = 32 << 10;

/// Cuts texts and lists to what the schema takes, and images until all of it has [`MAX_STATUS`].
pub fn shrink(status: &mut ExportStatus) {
    cut(&mut status.message, MAX_MESSAGE);
    cut(&mut status.hint, MAX_HINT);
    for condition in &mut status.conditions {
        condition.message = shortened(&condition.message, MAX_HINT);
    }
    if let Some(result) = &mut status.result {
        result.findings.codes.truncate(MAX_CODES);
        keep_images(result, MAX_IMAGES);
    }
    while size(status) > MAX_STATUS
        && let Some(result) = status.result.as_mut().filter(|result| !result.images.is_empty())
    {
        keep_images(result, result.images.len() / 2);
    }
}

fn keep_images(result: &mut ExportResult, most: usize) {
    let more = result.images.len().saturating_sub(most);
    result.images.truncate(most);
    result.more_images += u32::try_from(more).unwrap_or(u32::MAX);
}

fn cut(text: &mut Option<String>, most: usize) {
    if let Some(text) = text {
        *text = shortened(text, most);
    }
}

/// The text, cut to `most` characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

fn size(status: &ExportStatus) -> usize {
    serde_json::to_vec(status).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::{Bytes, Findings, Outcome, ResultChart, ResultImage};

    fn result(images: usize, length: usize) -> ExportResult {
        let image = ResultImage {
            key: "web".into(),
            repository: "r".repeat(length),
            digest: format!("sha256:{}", "0".repeat(64)),
            kept: false,
        };
        ExportResult {
            status: Outcome::Exported,
            chart: ResultChart {
                repository: "r".into(),
                version: "1.0.0".into(),
                digest: String::new(),
                content: String::new(),
            },
            images: vec![image; images],
            more_images: 0,
            bytes: Bytes::default(),
            elapsed_ms: 0,
            findings: Findings { codes: vec!["C".into(); 80], ..Findings::default() },
            install: None,
            report: None,
        }
    }

    #[test]
    fn whatever_comes_fits_and_says_what_is_missing() {
        for (images, length) in [(3, 20), (64, 20), (500, 20), (64, 2000), (1, 40_000)] {
            let mut status = ExportStatus {
                message: Some("ü".repeat(10_000)),
                hint: Some("h".repeat(MAX_HINT)),
                result: Some(result(images, length)),
                ..ExportStatus::default()
            };
            shrink(&mut status);
            assert!(size(&status) <= MAX_STATUS, "{images} images of {length}");
            let kept = status.result.unwrap();
            assert_eq!(kept.images.len() + kept.more_images as usize, images);
            assert_eq!(kept.findings.codes.len(), MAX_CODES);
            assert_eq!(status.message.unwrap().chars().count(), MAX_MESSAGE);
            assert!(!status.hint.unwrap().contains('…'), "it was short enough");
        }
    }
}
