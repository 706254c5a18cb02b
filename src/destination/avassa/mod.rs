//! Avassa Control Tower: `image-registry` settings, `remote-registries` and the secrets of the
//! strongbox, as `supctl` takes and shows them.
//!
//! Fields are those of the API reference, "Remote-Registries" and "Subtenant-Remote-Registry-
//! Settings", and of the page "Registry and Images".

mod application;
mod policy;
mod read;
mod resolve;
mod secrets;
#[cfg(test)]
mod tests;
mod write;

pub use application::application;
pub use policy::push_policy;
pub(crate) use read::is_document;
pub use read::read;
pub use resolve::resolve;
pub use write::write;

/// What stands for the user name beside a token, as in the vendor's `docker login -u any -p <token>`. How
/// Control Tower itself sends a token to other registries is not documented.
pub const TOKEN_USER: &str = "any";

/// Vault of the vendor's page, for secrets that name none.
pub const VAULT: &str = "registry-credentials";
