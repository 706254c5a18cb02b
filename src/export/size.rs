//! Whether helm takes the chart: an error that names what makes it large, or, where the user goes
//! on regardless, a finding.

use crate::app::{App, Code, Finding};
use crate::chart::size::{LARGEST_CHART, LARGEST_FILE};
use crate::chart::{LARGEST_RELEASE, Size};

use super::Error;

/// Objects that a message names: beyond these, leaving out a single one does not help.
const NAMED: usize = 3;

/// Smallest object that a message names, in bytes.
const WORTH_NAMING: usize = 64 << 10;

/// What a user should know of the size.
///
/// # Errors
/// [`Error::TooLarge`] for a chart that helm does not take, unless `allowed`.
pub(super) fn check(size: &Size, app: &App, allowed: bool) -> Result<Option<Finding>, Error> {
    let (code, text) = match size {
        Size::Fits => return Ok(None),
        Size::Near { release } => (Code::ReleaseTooLarge, of_release(*release)),
        Size::Release { release } => (Code::ReleaseTooLarge, of_release(*release)),
        Size::File { path, bytes } => (Code::ChartTooLarge, of_file(path, *bytes)),
        Size::Chart { bytes } => (Code::ChartTooLarge, of_chart(*bytes)),
    };
    let text = text + &largest(app);
    if allowed || matches!(size, Size::Near { .. }) {
        let remedy = "Choose fewer objects with `-l`, or leave the largest out with `--exclude`.";
        return Ok(Some(Finding::new(code, text).remedy(remedy)));
    }
    Err(Error::TooLarge(text))
}

fn of_release(bytes: usize) -> String {
    format!(
        "helm keeps a release in one Secret of at most {}; this one has about {}",
        kib(LARGEST_RELEASE),
        kib(bytes)
    )
}

fn of_file(path: &str, bytes: usize) -> String {
    format!("helm loads files of at most {}; {path} has {}", kib(LARGEST_FILE), kib(bytes))
}

fn of_chart(bytes: usize) -> String {
    format!("helm loads charts of at most {}; this one has {}", kib(LARGEST_CHART), kib(bytes))
}

/// The objects that it is due to, if it is due to some.
fn largest(app: &App) -> String {
    let mut sizes: Vec<(usize, String)> = app
        .objects
        .iter()
        .map(|object| {
            let bytes = serde_json::Value::from(object.clone()).to_string().len();
            (bytes, format!("{} {}", object.kind(), object.name()))
        })
        .filter(|(bytes, _)| *bytes >= WORTH_NAMING)
        .collect();
    sizes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let named: Vec<String> = sizes
        .iter()
        .take(NAMED)
        .map(|(bytes, object)| format!("{object} ({})", kib(*bytes)))
        .collect();
    if named.is_empty() { String::new() } else { format!("; the largest: {}", named.join(", ")) }
}

fn kib(bytes: usize) -> String {
    /// Bytes in a KiB.
    const KIB: usize = 1024;
    format!("{} KiB", bytes.div_ceil(KIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let object = |name: &str, bytes: usize| {
            serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name}, "data": {"text": "x".repeat(bytes)}})
        };
        serde_json::from_value(serde_json::json!({"name": "shop", "namespace": "shop",
            "foundBy": "namespace", "images": [], "secrets": [], "pullSecrets": [],
            "requirements": [], "findings": [],
            "objects": [object("small", 10), object("large", 100 << 10), object("huge", 2 << 20)]}))
        .unwrap()
    }

    #[test]
    fn a_chart_that_helm_does_not_take_is_an_error_that_names_the_cause() {
        let size = Size::Release { release: LARGEST_RELEASE + 1 };
        let error = check(&size, &app(), false).unwrap_err().to_string();
        assert_eq!(
            error,
            "helm keeps a release in one Secret of at most 1024 KiB; this one has about 1025 KiB; \
             the largest: ConfigMap huge (2049 KiB), ConfigMap large (101 KiB)"
        );
        let finding = check(&size, &app(), true).unwrap().unwrap();
        assert_eq!((finding.code, finding.text), (Code::ReleaseTooLarge, error));
    }

    #[test]
    fn near_the_limit_is_a_finding_and_small_is_none() {
        let near = check(&Size::Near { release: 800 << 10 }, &app(), false).unwrap().unwrap();
        assert!(near.text.contains("about 800 KiB"), "{}", near.text);
        assert_eq!(check(&Size::Fits, &app(), false).unwrap(), None);
    }

    #[test]
    fn files_and_charts_have_limits_of_their_own() {
        let file = Size::File { path: "values.yaml".to_owned(), bytes: LARGEST_FILE + 1 };
        let text = check(&file, &app(), false).unwrap_err().to_string();
        assert!(text.starts_with("helm loads files of at most 5120 KiB; values.yaml has 5121 KiB"));
        let chart = Size::Chart { bytes: LARGEST_CHART + 1 };
        let finding = check(&chart, &app(), true).unwrap().unwrap();
        assert_eq!(finding.code, Code::ChartTooLarge);
    }
}
