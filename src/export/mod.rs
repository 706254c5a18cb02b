//! The use case: the only place where cluster, app, chart, destination and registry meet.
//!
//! ```text
//!  Request ─ resolve (all reads) ─► Resolution ─ plan (pure) ─► Plan ─ run ─► Report
//! ```

pub mod between;
mod compose;
pub mod diff;
pub mod emit;
pub mod error;
pub mod estimate;
mod fidelity;
mod findings;
pub mod gate;
pub mod history;
pub mod identity;
pub mod images;
pub mod learn;
pub mod mapping;
pub mod moving;
pub mod names;
mod original;
mod owner;
pub mod perform;
pub mod plan;
pub mod prune;
mod publish;
pub mod published;
pub mod record;
pub mod relocate;
pub mod report;
pub mod request;
pub mod resolve;
pub mod rollout;
pub mod run;
pub mod scheduled;
pub mod seal;
mod size;
pub mod sources;
pub mod target;
mod upgrade;
mod used;
pub mod verify;
pub mod version;

pub use crate::chart::check::{Difference, Fidelity};
pub use emit::Emit;
pub use error::Error;
pub use estimate::estimate;
pub use gate::{Gate, Trigger};
pub use learn::ClusterSecrets;
pub use mapping::Mapping;
pub use moving::Moving;
pub use perform::perform;
pub use plan::{Action, Plan, PlannedImage, plan};
pub use published::{ChartReference, PublishedChart, fetch};
pub use relocate::relocation;
pub use report::{Report, Status};
pub use request::Request;
pub use resolve::{Resolution, resolve};
pub use run::run;
pub use sources::Sources;
pub use target::Target;
