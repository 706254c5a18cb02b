//! What people see of a plan, whoever made it.

use serde::Deserialize;

use super::tables::{fidelity, findings, size};
use crate::app::Finding;
use crate::export::plan::Weight;
use crate::export::{Action, Fidelity, Plan, PlannedImage};

/// The part of a plan that is shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Planned {
    namespace: String,
    app: String,
    target: String,
    action: Action,
    chart: String,
    version: String,
    images: Vec<Image>,
    #[serde(default)]
    weight: Option<Weight>,
    fidelity: Fidelity,
    pub(crate) findings: Vec<Finding>,
}

/// One image of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    written: String,
    destination: String,
    digest: crate::registry::Digest,
    platforms: Vec<String>,
    #[serde(default)]
    kept: bool,
    present: bool,
    #[serde(default)]
    weight: Option<Weight>,
}

impl From<&Plan> for Planned {
    fn from(plan: &Plan) -> Self {
        Self {
            namespace: plan.namespace.clone(),
            app: plan.app.clone(),
            target: plan.target.clone(),
            action: plan.action,
            chart: plan.chart.clone(),
            version: plan.version.to_string(),
            images: plan.images.iter().map(Image::from).collect(),
            weight: plan.weight,
            fidelity: plan.fidelity.clone(),
            findings: plan.findings.clone(),
        }
    }
}

impl From<&PlannedImage> for Image {
    fn from(planned: &PlannedImage) -> Self {
        let PlannedImage { image, destination, present, weight, .. } = planned;
        Self {
            written: image.written.clone(),
            destination: destination.clone(),
            digest: image.digest.clone(),
            platforms: image.platforms.clone(),
            kept: image.kept,
            present: *present,
            weight: *weight,
        }
    }
}

impl Planned {
    /// What an export will do, and what there is to know about it.
    pub(crate) fn whole(&self) -> String {
        self.steps() + &findings(&self.findings)
    }

    /// What an export will do.
    pub(crate) fn steps(&self) -> String {
        let what = match self.action {
            Action::Push => "push",
            Action::Unchanged => "nothing to do, the content is unchanged",
            Action::Restore => "copy missing images again, the content is unchanged",
        };
        let mut text = format!("plan for {}/{}: {what}\n", self.namespace, self.app);
        text.push_str(&format!("  to     {}\n", self.target));
        text.push_str(&format!("  chart  {}:{}\n", self.chart, self.version));
        for image in &self.images {
            text.push_str(&image.line());
        }
        if let Some(Weight { bytes, to_move }) = &self.weight {
            let (bytes, to_move) = (size(*bytes), size(*to_move));
            text.push_str(&format!("  bytes  {bytes} in all, at most {to_move} to move\n"));
        }
        text + &fidelity(&self.fidelity)
    }
}

impl Image {
    fn line(&self) -> String {
        let state = match (self.kept, self.present) {
            (true, _) => "kept",
            (false, true) => "present",
            (false, false) => "copy",
        };
        format!(
            "  image  {} -> {}@sha256:{}…  {state}{}\n",
            self.written,
            self.destination,
            self.digest.short(),
            self.weighed()
        )
    }

    /// Platforms and size, if they were asked for.
    fn weighed(&self) -> String {
        let Some(Weight { bytes, to_move }) = &self.weight else { return String::new() };
        let platforms = self.platforms.join(", ");
        let platforms = if platforms.is_empty() { "one platform".to_owned() } else { platforms };
        let (bytes, to_move) = (size(*bytes), size(*to_move));
        format!("  {bytes}, at most {to_move} to move  ({platforms})")
    }
}
