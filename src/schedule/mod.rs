//! When exports are due, and which of them stay. Pure: clocks, records and registries are handed over.
//!
//! ```text
//!  text ─► cron::Schedule ─► rules::decide(now, before)      which run begins
//!                            retention::decide(history, now) which versions stay
//!                            simulate                         both, over years
//! ```

pub mod cron;
pub mod declared;
pub mod preview;
pub mod retention;
pub mod rules;
pub mod run;
pub mod simulate;
pub mod zones;
