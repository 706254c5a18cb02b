//! What schedules promise, and when each was last kept, at each scrape: one rule of an alert serves them
//! all. Every replica says the same.

use std::fmt::Error;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::cluster::record::ScheduleStore;
use crate::cluster::record::schedule::ExportSchedule;
use crate::schedule::rules::Plan;

/// Reads the schedules when it is asked.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) store: ScheduleStore,
    /// Of so many schedules it tells.
    pub(super) most: usize,
}

impl Collector for Declared {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        if self.most == 0 {
            return Ok(());
        }
        let now = Timestamp::now();
        let all = self.store.list();
        let told = all.iter().filter_map(|schedule| Some((schedule, promise(schedule, now)?)));
        let told: Vec<(&Arc<ExportSchedule>, Promise)> = told.take(self.most).collect();
        let mut gauge = |name: &str, help: &str, value: fn(&Promise) -> i64| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (schedule, promise) in &told {
                let labels = [("namespace", schedule.namespace()), ("schedule", schedule.name())];
                ConstGauge::new(value(promise)).encode(family.encode_family(&labels)?)?;
            }
            Ok(())
        };
        let help = "The longest time between two runs of a schedule, unless it is suspended";
        gauge("schedule_expected_interval_seconds", help, |promise| promise.interval)?;
        let help = "When the application of a schedule that is worst off last succeeded, else its creation";
        gauge("schedule_last_success_timestamp_seconds", help, |promise| promise.kept)
    }
}

/// What is told of a schedule.
struct Promise {
    interval: i64,
    kept: i64,
}

/// `None` of a schedule that is suspended, or never due.
fn promise(schedule: &ExportSchedule, now: Timestamp) -> Option<Promise> {
    let created = schedule.created()?;
    let plan = Plan::of(schedule).ok().filter(|plan| !plan.suspended)?;
    let apps = schedule.status.iter().flat_map(|status| &status.apps);
    let successes = apps.map(|app| app.last_successful_time.unwrap_or(created));
    let kept = successes.min().unwrap_or(created);
    Some(Promise { interval: plan.interval(now, created)?.as_secs(), kept: kept.as_second() })
}
