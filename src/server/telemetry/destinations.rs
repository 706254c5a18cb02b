//! Whether the destinations work, asked now and again: an operator hears of a password that has
//! expired before an export fails.

use std::fmt::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::time::sleep;

use super::metrics::Metrics;
use crate::cluster::Live;
use crate::destination::{check, select};

/// Between two looks: five small requests to each registry, which no log fills up by.
const EVERY: Duration = Duration::from_secs(300);

/// Destinations that are looked at together, each for up to 20 s.
const AT_ONCE: usize = 4;

/// Most destinations that have a series; more than a cluster has.
const MOST: usize = 100;

/// Whether each destination worked when it was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<(String, bool)>>>);

/// Looks at every destination again and again, for ever.
pub(in crate::server) async fn look(live: &Live, system_namespace: &str, metrics: &Metrics) {
    loop {
        match select::list(live, system_namespace).await {
            Ok(mut known) => {
                known.truncate(MOST);
                let looks = known.into_iter().map(|destination| async move {
                    let check = check(&destination).await;
                    (destination.name, check.reachable && check.authenticated)
                });
                let looks = stream::iter(looks).buffer_unordered(AT_ONCE);
                metrics.destinations().set(looks.collect().await);
            }
            Err(error) => tracing::warn!("the destinations are not looked at: {error}"),
        }
        sleep(EVERY).await;
    }
}

impl Seen {
    /// Puts this in place of what was seen before.
    pub(super) fn set(&self, seen: Vec<(String, bool)>) {
        *self.lock() = seen;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Seen {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Whether the registry answers and takes the credentials; told by the leader";
        let mut family =
            encoder.encode_descriptor("destination_up", help, None, MetricType::Gauge)?;
        for (name, up) in self.lock().iter() {
            let up = ConstGauge::new(i64::from(*up));
            up.encode(family.encode_family(&[("destination", name.as_str())])?)?;
        }
        Ok(())
    }
}
