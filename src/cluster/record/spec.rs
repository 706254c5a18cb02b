//! What an `Export` asks for. The API server checks the schema that is made of these types, so their
//! comments are what `kubectl explain` prints.

#![allow(clippy::duplicated_attributes)] // of the printer columns, each of which has a name
#![allow(unreachable_pub, reason = "KubeSchema writes the struct once more inside of a function")]

use jiff::Timestamp;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::options::ExportOptions;
use super::status::{ExportStatus, date_time};

/// Most groups of who asks. Kubernetes has no limit; a directory may have hundreds.
const MAX_GROUPS: usize = 64;

/// Longest name of a user or group.
const MAX_NAME: usize = 256;

/// What is exported, where to, and how. It cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "outhaul.dev",
    version = "v1alpha1",
    kind = "Export",
    namespaced,
    status = "ExportStatus",
    derive = "PartialEq",
    doc = "One export of an application to a destination, as one Helm chart with its images.",
    shortname = "oex",
    category = "outhaul",
    printcolumn(name = "App", type_ = "string", json_path = ".spec.app"),
    printcolumn(name = "Destination", type_ = "string", json_path = ".spec.destination"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Step", type_ = "string", json_path = ".status.step", priority = 1),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.planned.version"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.reason"),
    printcolumn(name = "By", type_ = "string", json_path = ".spec.requestedBy.user", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("self == oldSelf")
        .message("spec cannot be changed; make another Export"),
    validation = Rule::new("!(has(self.selector) && self.all)")
        .message("give either selector or all"),
    validation = Rule::new("!has(self.ageRecipients) || size(self.ageRecipients) == 0")
        .message("recipients are those of the destination"),
    validation = Rule::new(
        "!has(self.waitRollout) || (duration(self.waitRollout) > duration('0s') && \
         duration(self.waitRollout) <= duration('24h'))"
    ).message("waitRollout must be between 1s and 24h")
)]
#[serde(rename_all = "camelCase")]
pub struct ExportSpec {
    /// Name of the application.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")
    )]
    pub app: String,
    /// Name of the destination. An address is none.
    #[schemars(length(max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub destination: String,
    /// Namespace of the application. If absent, that of this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub namespace: Option<String>,
    /// Service account of this namespace whose rights the export has, where nobody else vouches for
    /// who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub service_account_name: Option<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<RequestedBy>,
    /// Labels that select the objects, such as `app=shop,tier!=test`. If absent, the name says which
    /// they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub selector: Option<String>,
    /// Whether the whole namespace is exported, under the name of `app`.
    #[serde(default)]
    pub all: bool,
    /// What happens to the values of Secrets.
    #[serde(default)]
    pub secrets: SecretsPolicy,
    /// For whom Secrets are encrypted. They are those of the destination, so this is to be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 128)))]
    pub age_recipients: Vec<String>,
    /// Names at the destination, instead of the defaults.
    #[serde(default, skip_serializing_if = "ChosenNames::is_default")]
    pub names: ChosenNames,
    /// What goes along, and how.
    #[serde(flatten)]
    pub options: ExportOptions,
    /// Whether Epinio's version 0.0.0 moves to this chart. Only the server may say so.
    #[serde(default)]
    pub epinio: bool,
    /// The run of a schedule that this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Scheduled>,
}

/// A run of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scheduled {
    /// Name of the schedule, which is in the namespace of this record.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// When it was due.
    #[schemars(schema_with = "date_time")]
    pub due: Timestamp,
    /// Whether there is a new version even if nothing has changed.
    #[serde(default)]
    pub even_if_unchanged: bool,
}

/// Who asks for an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestedBy {
    /// Name of the user.
    #[schemars(length(max = MAX_NAME))]
    pub user: String,
    /// Groups of the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_GROUPS), inner(length(max = MAX_NAME)))]
    pub groups: Vec<String>,
    /// By which door the user came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Door>,
    /// The request that made this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub request_id: Option<String>,
}

/// A way to ask for exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The server's own API.
    Native,
    /// Epinio's API.
    Epinio,
    /// The API of Kubernetes.
    Kubernetes,
}

/// What an export does with the values of Secrets: refer to Secrets that exist where the chart is
/// installed, ask for each value then, or put the values into the chart, encrypted or in clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretsPolicy {
    /// Read none; the chart refers to them.
    #[default]
    Reference,
    /// Read the keys; the chart asks for each value.
    Require,
    /// Put the values into the chart, encrypted.
    Encrypt,
    /// Put the values into the chart, in clear.
    Include,
}

/// Names at the destination that were chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenNames {
    /// Name of the chart and of its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 53))]
    pub chart_name: Option<String>,
    /// Version of the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub chart_version: Option<String>,
    /// Repository of the images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub image_name: Option<String>,
    /// A further tag for the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub image_tag: Option<String>,
}

impl ChosenNames {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl RequestedBy {
    /// Who asks by this door, with as many groups as a record has room for: fewer are fewer rights.
    pub fn new(user: &str, groups: &[String], via: Door) -> Self {
        let groups = groups.iter().filter(|group| group.len() <= MAX_NAME);
        let groups = groups.take(MAX_GROUPS).cloned().collect();
        Self { user: user.to_owned(), groups, via: Some(via), request_id: None }
    }
}

impl ExportSpec {
    /// An export with every default.
    pub fn new(app: impl Into<String>, destination: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            destination: destination.into(),
            namespace: None,
            service_account_name: None,
            requested_by: None,
            selector: None,
            all: false,
            secrets: SecretsPolicy::default(),
            age_recipients: Vec::new(),
            names: ChosenNames::default(),
            options: ExportOptions::default(),
            epinio: false,
            scheduled: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_as_many_groups_as_it_has_room_for() {
        let groups: Vec<_> = (0..70).map(|number| "g".repeat(number * 5)).collect();
        let by = RequestedBy::new("alice", &groups, Door::Native);
        assert_eq!(by.groups, groups[..52]);
        let groups = vec!["a".to_owned(); 70];
        assert_eq!(RequestedBy::new("alice", &groups, Door::Native).groups.len(), MAX_GROUPS);
    }
}
