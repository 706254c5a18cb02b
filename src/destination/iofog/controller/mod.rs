//! ioFog's Controller: what it is asked about registries, and what its answers mean.
//!
//! ```text
//!  NewRow, RowChange ─► Call ─► (whoever sends it) ─► Answer ─► rows, id, ControllerError
//! ```
//!
//! Nothing is sent here. Routes, checks and answers are those of eclipse-iofog/Controller 3.0
//! (`src/routes/registries.js`, `src/schemas/registry.js`) and what one was recorded to say.

mod answer;
mod call;
mod change;
mod error;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use call::Call;
pub use change::RowChange;
pub use error::ControllerError;
