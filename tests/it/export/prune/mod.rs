//! Versions go and whatever stays is whole, whoever comes in between and wherever it ends.

pub(crate) mod fixture;
mod memory;
mod others;
mod races;
pub(crate) mod year;
