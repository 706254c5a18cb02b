//! `app diff REF:V1 V2`: two published versions, told from the registry alone.
//!
//! ```text
//!            ┌─ rendered with its defaults ─► objects ─┐
//!  a version ┼─ values.yaml ────────────────► values ──┼─► what is another in the other
//!            └─ images.lock, manifests ─────► images ──┘
//! ```

mod images;
mod objects;
mod values;

use serde::Serialize;

use crate::app::{Object, ObjectId};
use crate::chart::render;
use crate::chart::{self, original, sealed};
use crate::registry::Digest;

use super::diff::{ChangedField, ChangedObject, Credentials};
use super::identity::{ORIGIN, SECRETS, TAKEN_AT};
use super::upgrade::{RELEASE, rendered};
use super::{ChartReference, Error, PublishedChart, Target, fetch};

pub use images::{ChangedImage, Layers, Weight};

/// What a version has that another has not, and the other way round.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Between {
    /// The first of the two.
    pub before: Side,
    /// The second.
    pub after: Side,
    /// Objects that only the second has.
    pub added: Vec<ObjectId>,
    /// Objects that only the first has.
    pub removed: Vec<ObjectId>,
    /// Objects that are not the same in both.
    pub changed: Vec<ChangedObject>,
    /// Default values that are not the same, but for the places of images.
    pub values: Vec<ChangedField>,
    /// Images that are not the same.
    pub images: Vec<ChangedImage>,
    /// Whether the encrypted Secrets are the same; `None`: neither version has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted_secrets: Option<Sealed>,
}

/// One of the two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The chart, with its version.
    pub chart: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Whose it is, `<uid of the cluster>/<namespace>/<app>`.
    pub origin: String,
    /// When the application was read, as the manifest says it; `None`: it does not, or says what is
    /// no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<jiff::Timestamp>,
}

/// How encrypted Secrets compare, of which nobody without an identity sees the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Sealed {
    /// The same Secrets for the same recipients.
    Unchanged,
    /// A Secret, or a recipient, is another.
    Changed,
    /// Only the second version has any.
    Added,
    /// Only the first version has any.
    Removed,
    /// They were encrypted anew, and the charts do not say whether they changed.
    Unknown,
}

/// A published version, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The registry or layout.
    pub target: &'a Target,
    /// The chart there.
    pub chart: &'a ChartReference,
}

/// A version that has been read.
struct Version<'a> {
    target: &'a Target,
    published: PublishedChart,
    side: Side,
    images: Vec<chart::Image>,
    rendered: Vec<Object>,
}

/// Compares two published exports. Values of Secrets, and what looks like a credential, are not in
/// the answer; that they changed is. README and comments do not count.
///
/// # Errors
/// When one of the two is not there, is no chart or none of ours ([`Error::NotAnExport`]), does not
/// render ([`Error::Unrendered`]), or a registry fails. Layers that cannot be told are no error.
pub async fn between(before: Place<'_>, after: Place<'_>) -> Result<Between, Error> {
    let [old, new] = [before.read().await?, after.read().await?];
    let credentials = Credentials::of([&old.rendered, &new.rendered]);
    let (added, removed, changed) = objects::compare(&old, &new, &credentials);
    Ok(Between {
        added,
        removed,
        changed,
        values: values::compare(&old, &new)?,
        images: images::compare(&old, &new).await?,
        encrypted_secrets: encrypted(&old.published, &new.published),
        before: old.side,
        after: new.side,
    })
}

impl<'a> Place<'a> {
    async fn read(self) -> Result<Version<'a>, Error> {
        let published = fetch(self.target, self.chart).await?;
        let reference = || self.chart.to_string();
        let not_ours = |reason: String| Error::NotAnExport { reference: reference(), reason };
        let chart = &published.chart;
        let origin = chart.annotations.get(ORIGIN).cloned();
        let side = Side {
            chart: format!("{}:{}", self.target.address(&self.chart.repository), chart.version),
            digest: published.digest.clone(),
            origin: origin.ok_or_else(|| not_ours(format!("it has no annotation {ORIGIN}")))?,
            taken_at: chart.annotations.get(TAKEN_AT).and_then(|text| text.parse().ok()),
        };
        let images = chart::images(chart).map_err(|error| not_ours(error.to_string()))?;
        let objects = rendered(chart, RELEASE)
            .map_err(|source| Error::Unrendered { reference: reference(), source })?;
        let rendered = objects.into_iter().map(|manifest| manifest.object).collect();
        Ok(Version { target: self.target, published, side, images, rendered })
    }
}

impl Version<'_> {
    /// The default values, without those that say where images are, which is told by itself.
    fn values(&self) -> Result<serde_json::Value, Error> {
        let chart = &self.published.chart;
        let unrendered = |source| Error::Unrendered { reference: self.side.chart.clone(), source };
        let mut values = render::values(chart).map_err(unrendered)?;
        if let Some(values) = values.as_object_mut().filter(|_| !original::is_original(chart)) {
            values.shift_remove("images");
        }
        Ok(values)
    }
}

fn encrypted(old: &PublishedChart, new: &PublishedChart) -> Option<Sealed> {
    let [before, after] = [old, new].map(|of| of.chart.files.get(sealed::FILE));
    let said = |of: &PublishedChart| of.chart.annotations.get(SECRETS)?.parse::<Digest>().ok();
    Some(match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => Sealed::Added,
        (Some(_), None) => Sealed::Removed,
        (Some(before), Some(after)) if before == after => Sealed::Unchanged,
        // Nothing encrypted twice has the same bytes, so these alone tell nothing.
        _ => match (said(old), said(new)) {
            (Some(before), Some(after)) if before == after => Sealed::Unchanged,
            (Some(_), Some(_)) => Sealed::Changed,
            _ => Sealed::Unknown,
        },
    })
}

impl Between {
    /// How many objects, values and images differ. Encrypted Secrets count as one.
    pub fn count(&self) -> usize {
        let secrets = self.encrypted_secrets.is_some_and(|of| of != Sealed::Unchanged);
        let objects = self.added.len() + self.removed.len() + self.changed.len();
        objects + self.values.len() + self.images.len() + usize::from(secrets)
    }
}
