//! What the records say at each scrape. Every replica says the same of them, whatever it has done
//! itself, also right after its start.

use std::collections::HashMap;
use std::fmt::Error;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::cluster::AppIndex;
use crate::cluster::record::{Export, ExportStore, Phase, ScheduleStore};

/// Reads the records when it is asked.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) store: ExportStore,
    pub(super) schedules: ScheduleStore,
    pub(super) index: AppIndex,
    /// Of so many applications the last success is told.
    pub(super) apps: usize,
}

impl Collector for Records {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let exports = self.store.list();
        let count = |phase| exports.iter().filter(|export| export.phase() == Some(phase)).count();
        let mut gauge = |name: &str, help: &str, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        gauge("queue_length", "Exports that wait for their turn", size(count(Phase::Pending)))?;
        gauge("exports_running", "Exports that are carried out", size(count(Phase::Running)))?;
        let help = "Times that a watch of the API server had to begin again";
        let mut family =
            encoder.encode_descriptor("watch_restarts", help, None, MetricType::Counter)?;
        let exports_of =
            [("exports", self.store.restarts()), ("schedules", self.schedules.restarts())];
        for (kind, restarts) in exports_of.into_iter().chain(self.index.restarts()) {
            let restarts = ConstCounter::new(restarts);
            restarts.encode(family.encode_family(&[("kind", kind)])?)?;
        }
        self.successes(&exports, encoder)
    }
}

impl Records {
    fn successes(
        &self,
        exports: &[Arc<Export>],
        mut encoder: DescriptorEncoder<'_>,
    ) -> Result<(), Error> {
        if self.apps == 0 {
            return Ok(());
        }
        let help = "When an application was last found or brought to its destination";
        let name = "last_success_timestamp_seconds";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for ((namespace, app), at) in newest(exports, self.apps) {
            let at = ConstGauge::new(at.as_second());
            at.encode(family.encode_family(&[("namespace", namespace), ("app", app)])?)?;
        }
        Ok(())
    }
}

/// An application, as its namespace and name.
type App<'e> = (&'e str, &'e str);

/// The last success of each application, of the `most` whose is latest.
fn newest(exports: &[Arc<Export>], most: usize) -> Vec<(App<'_>, Timestamp)> {
    let mut successes: HashMap<App<'_>, Timestamp> = HashMap::new();
    for export in exports.iter().filter(|export| export.phase() == Some(Phase::Succeeded)) {
        let Some(at) = export.status.as_ref().and_then(|status| status.finished_at) else {
            continue;
        };
        let last = successes.entry((export.target(), export.spec.app.as_str())).or_insert(at);
        *last = at.max(*last);
    }
    let mut successes: Vec<_> = successes.into_iter().collect();
    successes.sort_by(|(a, at_a), (b, at_b)| at_b.cmp(at_a).then(a.cmp(b)));
    successes.truncate(most);
    successes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::{ExportSpec, ExportStatus};

    fn export(app: &str, phase: Phase, second: i64) -> Arc<Export> {
        let mut export = Export::draft("shop", "e", ExportSpec::new(app, "team"));
        export.status = Some(ExportStatus {
            phase: Some(phase),
            finished_at: Some(Timestamp::from_second(second).unwrap()),
            ..ExportStatus::default()
        });
        Arc::new(export)
    }

    #[test]
    fn the_newest_success_of_the_newest_applications_is_told() {
        let exports = [
            export("a", Phase::Succeeded, 1),
            export("a", Phase::Succeeded, 5),
            export("a", Phase::Failed, 9),
            export("b", Phase::Succeeded, 3),
            export("c", Phase::Succeeded, 4),
            export("d", Phase::Running, 8),
        ];
        let told = |most| {
            let told = newest(&exports, most).into_iter();
            told.map(|((_, app), at)| (app, at.as_second())).collect::<Vec<_>>()
        };
        assert_eq!(told(9), [("a", 5), ("c", 4), ("b", 3)]);
        assert_eq!(told(1), [("a", 5)]);
    }
}
