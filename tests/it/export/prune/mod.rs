//! Versions go and whatever stays is whole, whoever comes in between and wherever it ends.

pub(super) mod fixture;
mod memory;
mod others;
mod races;
mod year;
