//! Carries out what `Export` records ask for: on one replica at a time, a few at once, in turn.

pub mod leader;
pub mod queue;
