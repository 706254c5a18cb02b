//! Names for a shell's completion: of applications, namespaces, destinations, exports and schedules,
//! whichever can stand at the cursor. The static scripts know everything else.
//!
//! ```text
//!  shell ─ outhaul complete ─► words ─ place ─► Kind ─ names ─► one a line, or nothing
//! ```
//!
//! Says nothing when it fails, and nothing when it takes too long: somebody is typing.

mod names;
mod place;
mod script;
mod words;

use std::time::Duration;

use super::args::CompleteArgs;
use super::output::Printer;
use crate::error::Error;

pub(super) use script::script;

/// Longest that somebody is kept waiting who is typing.
const PATIENCE: Duration = Duration::from_millis(300);

/// Another time for those whose cluster is far away.
const PATIENCE_VARIABLE: &str = "OUTHAUL_COMPLETION_TIMEOUT";

/// Longest that can be asked for.
const MOST_PATIENCE: Duration = Duration::from_secs(60);

/// Most names that a shell is given.
const MOST: usize = 1000;

/// Prints the names that can stand at the cursor.
pub(super) async fn run(
    args: &CompleteArgs,
    command: clap::Command,
    printer: &Printer,
) -> Result<(), Error> {
    let words = match &args.line {
        Some(line) => words::split(line),
        None => args.words.clone(),
    };
    let Some(place) = place::find(command, &words) else { return Ok(()) };
    let found = tokio::time::timeout(patience(), names::of(&place)).await;
    let mut found = match found {
        Ok(Ok(names)) => names,
        Ok(Err(error)) => {
            tracing::info!(%error, "no names");
            return Ok(());
        }
        Err(_) => return Ok(()),
    };
    found.retain(|name| name.starts_with(&place.current) && is_plain(name));
    found.sort();
    found.dedup();
    found.truncate(MOST);
    if found.is_empty() { Ok(()) } else { printer.lines(&found) }
}

/// Shells put names onto a line that is going to be run: nothing but letters, digits and what else names
/// in Kubernetes have, whoever says it.
fn is_plain(name: &str) -> bool {
    let is_fine = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !name.is_empty() && name.bytes().all(is_fine) && !name.starts_with('-')
}

fn patience() -> Duration {
    let asked = std::env::var(PATIENCE_VARIABLE).ok();
    let asked = asked.and_then(|text| text.parse::<jiff::SignedDuration>().ok());
    let asked = asked.and_then(|time| Duration::try_from(time).ok());
    asked.map_or(PATIENCE, |time| time.min(MOST_PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_run_is_no_name() {
        for name in ["shop", "my.app_1"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "-rf", "$(id)", "a b", "a;b", "`id`", "a\nb", "ä"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
