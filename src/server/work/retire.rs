//! Which finished records go: those that nobody will look for any more.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::record::Export;

/// Finished records of one application that stay.
pub const MOST_OF_AN_APP: usize = 10;

/// Finished records that stay in all: at some 8 KiB each a small part of etcd.
pub const MOST: usize = 1000;

/// The finished ones among `exports` that ended more than `keep` ago, and the oldest of those that
/// are too many.
pub fn expired(exports: &[Arc<Export>], keep: Duration, now: Timestamp) -> Vec<Arc<Export>> {
    let ended = |export: &Export| export.status.as_ref().and_then(|status| status.finished_at);
    let finished = exports.iter().filter(|export| export.is_terminal());
    let mut finished: Vec<(Option<Timestamp>, &Arc<Export>)> =
        finished.map(|export| (ended(export), export)).collect();
    finished.sort_by_key(|(at, _)| Reverse(*at));
    let oldest = now.saturating_sub(keep).unwrap_or(Timestamp::MIN);
    let (mut all, mut of_app) = (0, HashMap::<_, usize>::new());
    let mut expired = Vec::new();
    for (at, export) in finished {
        let seen = of_app.entry((export.target(), export.spec.app.as_str())).or_default();
        if *seen >= MOST_OF_AN_APP || all >= MOST || at.is_some_and(|at| at < oldest) {
            expired.push(Arc::clone(export));
        } else {
            *seen += 1;
            all += 1;
        }
    }
    expired
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::{ExportSpec, ExportStatus, Phase};

    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

    fn export(app: &str, age: Option<u64>) -> Arc<Export> {
        let name = format!("{app}-{age:?}");
        let mut export = Export::draft("shop", &name, ExportSpec::new(app, "team"));
        export.status = Some(ExportStatus {
            phase: Some(if age.is_some() { Phase::Failed } else { Phase::Running }),
            finished_at: age.map(|age| now() - Duration::from_secs(age)),
            ..ExportStatus::default()
        });
        Arc::new(export)
    }

    fn now() -> Timestamp {
        "2026-11-26T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn old_ones_go_and_those_that_run_stay() {
        let exports =
            [export("a", Some(10)), export("a", Some(WEEK.as_secs() + 1)), export("a", None)];
        assert_eq!(expired(&exports, WEEK, now()), [Arc::clone(&exports[1])]);
    }

    #[test]
    fn of_one_application_the_newest_ten_stay_and_of_all_the_newest_thousand() {
        let of_one: Vec<_> = (0..12).map(|age| export("a", Some(age))).collect();
        assert_eq!(expired(&of_one, WEEK, now()), of_one[10..]);
        let of_all: Vec<_> =
            (0..1003).map(|age| export(&format!("a{}", age % 200), Some(age))).collect();
        assert_eq!(expired(&of_all, WEEK, now()), of_all[1000..]);
    }
}
