//! From an application to a Helm chart: files, archive, OCI manifest. Pure and deterministic.
//!
//! ```text
//!  App + Input ─► manifest trees + values + schema + texts ─► Chart { path → bytes } ─► ChartArchive
//! ```

pub mod archive;
pub mod build;
pub mod check;
pub mod compare;
mod expr;
pub mod input;
pub mod keys;
pub mod lock;
pub mod manifest;
pub mod meta;
pub mod original;
pub mod release;
pub mod relocate;
pub mod render;
pub mod schema;
pub mod sealed;
pub mod size;
pub mod text;
pub mod tree;
pub mod unpack;
pub mod upgrade;
pub mod values;
pub mod yaml;

pub use archive::{ChartArchive, archive};
pub use build::build;
pub use input::{Chart, Error, Image, Input, Templates};
pub use release::LARGEST_RELEASE;
pub use relocate::{RelocateError, images, relocate};
pub use size::Size;
pub use text::is_release_name;
pub use unpack::{UnpackError, unpack};
