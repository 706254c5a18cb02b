//! Nokia EDA: resources `Registry` and their Secrets, as the EDA Store has them.
//!
//! The definition is `appstore.eda.nokia.com/v1` of nokia-eda/kpt
//! (`eda-kpt-base/core/crds/bases`); the Secret is that of the vendor's page "Add a Custom App
//! Store Registry". Where page and definition differ, the definition is written and both are read.

mod manifest;
mod read;
mod references;
mod resolve;
#[cfg(test)]
mod tests;
mod write;

pub use manifest::{Place, Store, manifest};
pub(crate) use read::is_registry;
pub use read::read;
pub use references::{listed, mirrored, references};
pub use resolve::resolve;
pub use write::write;

/// Group of `Registry`, `Catalog` and `AppInstaller`.
pub const GROUP: &str = "appstore.eda.nokia.com";

/// Their API version.
pub const API_VERSION: &str = "appstore.eda.nokia.com/v1";

/// Where EDA keeps them if nobody says.
pub const NAMESPACE: &str = "eda-system";

/// Label without which the EDA Store does not pick a Secret up ("Creating a Credentials Secret").
pub const LABEL: &str = "eda.nokia.com/backup";

/// Longest `spec.title` (definition, `maxLength`).
pub const LONGEST_TITLE: usize = 50;
