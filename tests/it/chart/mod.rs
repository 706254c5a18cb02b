//! The chart as a whole: what it looks like, that it comes out the same each time, and what the
//! real helm makes of it.

mod definitions;
mod each_value;
mod helm;
mod images;
mod namespace;
pub(crate) mod oracle;
mod overrides;
mod packed;
mod policies;
pub(crate) mod public;
mod release;
mod relocated;
pub(crate) mod render;
mod shapes;
mod shop;
mod snapshot;
mod subchart;
mod templates;
mod yaml;
