//! The resource `Export` (`outhaul.dev/v1alpha1`): the queue of the server, its memory, and the only
//! way to ask it for anything. These are its wire types, and how they are stored and watched.
//!
//! ```text
//!  Live::create_export ─► API server ─ watch ─► Store ─► get, list, changes
//!  Live::patch_status  ─►     │
//!                             └ checks the schema of `crd_yaml`
//! ```

mod crd;
mod follow;
mod kept;
mod name;
mod options;
pub mod schedule;
mod spec;
mod status;
mod store;
mod stored;
mod watch;

use jiff::Timestamp;

pub use crd::{crd_yaml, schedule_crd_yaml};
pub use follow::Seen;
pub use kept::{Health, Record};
pub use options::{ChartFrom, ExportOptions, Jobs};
pub use spec::{ChosenNames, Door, Export, ExportSpec, RequestedBy, Scheduled, SecretsPolicy};
pub use status::{
    Bytes, Condition, ConditionStatus, ExportResult, ExportStatus, Findings, Holder, MAX_CODES,
    MAX_HINT, MAX_IMAGES, MAX_MESSAGE, Outcome, Phase, Planned, PlannedAction, Progress,
    ResultChart, ResultImage, Step,
};
pub use watch::{ExportStore, ScheduleStore, Store};

/// Label with a short digest of what is asked for. Anybody can write one: who looks records up by
/// it compares what they ask for.
pub const REQUEST: &str = "outhaul.dev/request";

/// Label with the application's name.
pub const APP: &str = "outhaul.dev/app";

/// Label with the destination's name.
pub const DESTINATION: &str = "outhaul.dev/destination";

/// Annotation that cancels an export, whatever its value.
pub const CANCEL: &str = "outhaul.dev/cancel";

/// Annotation by which a door of the server says that it has checked who asks.
pub const MARK: &str = "outhaul.dev/mark";

/// Longest value of a label.
const MAX_LABEL: usize = 63;

impl Export {
    /// An export to be made, with the labels by which people find it, where labels can say it.
    pub fn draft(namespace: &str, name: &str, spec: ExportSpec) -> Self {
        let labels = [(APP, spec.app.clone()), (DESTINATION, spec.destination.clone())];
        let mut export = Self::new(name, spec);
        export.metadata.namespace = Some(namespace.to_owned());
        let fitting = labels.into_iter().filter(|(_, value)| is_label(value));
        fitting.fold(export, |export, (key, value)| export.with_label(key, &value))
    }

    /// The same with one more label.
    #[must_use]
    pub fn with_label(mut self, key: &str, value: &str) -> Self {
        let labels = self.metadata.labels.get_or_insert_default();
        labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same with one more annotation.
    #[must_use]
    pub fn with_annotation(mut self, key: &str, value: &str) -> Self {
        let annotations = self.metadata.annotations.get_or_insert_default();
        annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The namespace that it is in.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// The namespace of the application.
    pub fn target(&self) -> &str {
        self.spec.namespace.as_deref().unwrap_or_else(|| self.namespace())
    }

    /// What a message calls it.
    pub fn title(&self) -> String {
        format!("Export {}/{}", self.namespace(), self.name())
    }

    /// What tells it from a later one of the same name.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// What changes whenever it is written.
    pub fn version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// When it was made.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether somebody has cancelled it. It may be finished all the same.
    pub fn is_cancelled(&self) -> bool {
        self.annotation(CANCEL).is_some()
    }

    /// How far it is; `None` before the server has seen it.
    pub fn phase(&self) -> Option<Phase> {
        self.status.as_ref()?.phase
    }

    /// Whether it is finished, in whichever way. That never changes again.
    pub fn is_terminal(&self) -> bool {
        self.phase().is_some_and(Phase::is_terminal)
    }

    /// The number of its latest progress; 0 before the first.
    pub fn sequence(&self) -> u64 {
        let progress = self.status.as_ref().and_then(|status| status.progress.as_ref());
        progress.map_or(0, |progress| progress.sequence)
    }
}

/// Whether a label can have this value.
fn is_label(value: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    let (first, last) = (value.as_bytes().first(), value.as_bytes().last());
    value.len() <= MAX_LABEL
        && first.is_some_and(plain)
        && last.is_some_and(plain)
        && value.bytes().all(|byte| plain(&byte) || b"-_.".contains(&byte))
}
