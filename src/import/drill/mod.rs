//! A restore that nobody is served by: into a scratch namespace without a way out, looked at until
//! everything is ready, removed.
//!
//! ```text
//!  PublishedChart ─ rendered by helm ─ isolated (pure) ─► plan
//!      plan ─ namespace, policy, probe ─ a chart of what was isolated, by helm ─ ready? ─► Report
//! ```
//!
//! What is installed is what was looked at: not the chart is given to helm, but another one that
//! holds its isolated objects as they are (`drill/wrapped`).

mod isolate;
mod leftover;
mod plan;
mod pods;
mod probe;
mod ready;
mod run;
mod scratch;
mod wrapped;

use std::time::Duration;

use serde::Serialize;

use super::Request;
use crate::registry::Digest;

pub use leftover::{Leftover, State, clear, leftovers};
pub use plan::{Prepared, plan};
pub use run::{run, tidy};
pub use scratch::{LABEL, Scratch, name};

/// What is asked for, besides what an import is.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The import; its namespace is the scratch one.
    pub import: Request,
    /// How long everything may take to be ready.
    pub timeout: Duration,
    /// Whether the drill goes on where nothing shows that the cluster enforces NetworkPolicies.
    pub allow_egress: bool,
    /// The image that shows it; images of the chart if there is none.
    pub probe_image: Option<String>,
    /// Namespace whose Secrets are copied, if they are.
    pub secrets_from: Option<String>,
    /// What stays out, as `KIND`, `KIND.GROUP` or `KIND/NAME`.
    pub leave_out: Vec<String>,
    /// ClusterRole that is bound to us in the scratch namespace.
    pub grant: Option<String>,
    /// Whether the scratch namespace stays.
    pub keep: bool,
}

/// What a drill will do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Address of the chart.
    pub chart: String,
    /// Its version.
    pub version: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Address of the API server.
    pub server: String,
    /// The scratch namespace.
    pub namespace: String,
    /// Objects that are restored.
    pub restored: Vec<String>,
    /// What is restored otherwise than it was exported.
    pub changed: Vec<Note>,
    /// What is not restored.
    pub left_out: Vec<Note>,
    /// Names of Secrets that are copied.
    pub secrets: Vec<String>,
    /// What stands against the drill.
    pub refused: Vec<Note>,
}

/// Something about an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Kind and name.
    pub object: String,
    /// What there is to say.
    pub text: String,
}

/// What a drill saw.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether everything came up.
    pub ready: bool,
    /// Whether pods could leave the namespace.
    pub egress: Egress,
    /// One for each object that runs.
    pub objects: Vec<CameUp>,
    /// Seconds from the install to the last object that was ready, or until that was given up.
    pub seconds: u64,
}

/// Whether pods could leave the namespace. A NetworkPolicy denies it in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Egress {
    /// They could not: a probe could get out before there was the policy, and not after.
    Denied,
    /// Nobody looked whether the cluster enforces the policy.
    NotProbed,
}

/// How an object came up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CameUp {
    /// Kind and name.
    pub object: String,
    /// Seconds until it was ready; absent: it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// What the cluster says of why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Report {
    /// What did not come up, each with what the cluster says.
    pub fn missing(&self) -> Vec<String> {
        let missing = self.objects.iter().filter(|of| of.seconds.is_none());
        let said = |of: &CameUp| of.why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        missing.map(|of| format!("{}{}", of.object, said(of))).collect()
    }
}
