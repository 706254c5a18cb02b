//! Whether helm can upgrade from the newest published version to the application as it is now.

use crate::app::{App, Code, Finding};
use crate::chart::render::{self, Manifest, Release, RenderError};
use crate::chart::{Chart, upgrade};
use crate::registry::RepositoryName;

use super::history::Published;
use super::names::version_tag;
use super::{ChartReference, Error, Target, fetch};

/// What published charts are rendered as, to be compared.
pub(super) const RELEASE: Release<'static> = Release { name: "release", namespace: "namespace" };

/// The objects of a published chart with its defaults, as `release`. Secrets whose values it asks for get some.
///
/// # Errors
/// When it does not render.
pub(super) fn rendered(chart: &Chart, release: Release<'_>) -> Result<Vec<Manifest>, RenderError> {
    let values = render::values(chart)?;
    render::render(chart, release, &render::stand_ins(&values))
}

/// Findings about the step from `newest` to `app`.
///
/// # Errors
/// When the registry fails. A chart that is gone, is none or does not render is a finding.
pub(super) async fn findings(
    target: &Target,
    repository: &RepositoryName,
    newest: &Published,
    app: &App,
) -> Result<Vec<Finding>, Error> {
    let tag = version_tag(&newest.version)?;
    let chart = ChartReference {
        host: target.host().cloned(),
        repository: repository.clone(),
        tag: Some(tag),
        digest: Some(newest.digest.clone()),
    };
    let before = match fetch(target, &chart).await {
        Ok(published) => rendered(&published.chart, RELEASE).map_err(|error| error.to_string()),
        Err(error @ (Error::ChartMissing(_) | Error::NotAChart { .. })) => Err(error.to_string()),
        Err(error) => return Err(error),
    };
    Ok(match before {
        Ok(before) => {
            let obstacles = upgrade::obstacles(&before, &app.objects);
            obstacles.into_iter().map(|obstacle| finding(&obstacle, newest)).collect()
        }
        Err(reason) => vec![unknown(newest, &reason)],
    })
}

fn finding(obstacle: &upgrade::Obstacle, from: &Published) -> Finding {
    let upgrade::Obstacle { object, field } = obstacle;
    let text = format!(
        "helm cannot upgrade from {}: {field} of {object} is another there and cannot be changed",
        from.version
    );
    let loss = if object.kind == "PersistentVolumeClaim" { ", and its data with it" } else { "" };
    let remedy = format!("Delete it before the upgrade{loss}: `{}`.", obstacle.command());
    let finding = Finding::new(Code::UpgradeNeedsRecreate, text).remedy(remedy);
    finding.on(object.clone()).field(field.clone())
}

fn unknown(from: &Published, reason: &str) -> Finding {
    let text = format!("whether helm can upgrade from {} is not known: {reason}", from.version);
    Finding::new(Code::UpgradeUnknown, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_not_deleted_without_a_word_about_its_data() {
        let from = Published {
            version: "1.0.0".parse().unwrap(),
            digest: crate::registry::Digest::of(b""),
            origin: None,
            content: None,
            secrets: None,
            schedule: None,
            taken_at: None,
        };
        let object = crate::app::ObjectId {
            group: String::new(),
            kind: "PersistentVolumeClaim".into(),
            namespace: None,
            name: "data".into(),
        };
        let obstacle = upgrade::Obstacle { object, field: "spec.volumeMode".into() };
        let finding = finding(&obstacle, &from);
        assert!(
            finding.remedy.starts_with("Delete it before the upgrade, and its data with it: `")
        );
        assert!(finding.text.contains("from 1.0.0: spec.volumeMode of PersistentVolumeClaim data"));
    }
}
