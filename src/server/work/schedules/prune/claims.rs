//! Which schedules have a say in what becomes of the versions of an application at a place.

use std::sync::Arc;

use super::App;
use super::charts::Charts;
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::{AppIndex, Live};
use crate::destination::select as destinations;
use crate::export::identity::schedule_of;
use crate::export::prune::Claim;
use crate::export::record::names;
use crate::export::{ChartReference, Target};
use crate::schedule::declared;
use crate::schedule::retention::Rules;
use crate::server::work::schedules::select::{Unknown, select};

impl Charts {
    /// What each of `schedules` says that exports the application to there. Where it is not certain
    /// that one exports it elsewhere, it has its say.
    ///
    /// # Errors
    /// When the applications of a schedule cannot be known now.
    pub(in crate::server) async fn claims(
        &self,
        schedules: &[Arc<ExportSchedule>],
        index: &AppIndex,
        live: &Live,
    ) -> Result<Vec<Claim>, Unknown> {
        let mut claims = Vec::new();
        for schedule in schedules {
            if self.is_of(schedule, index, live).await? && !self.is_elsewhere(schedule) {
                claims.push(claim(schedule, &self.cluster));
            }
        }
        Ok(claims)
    }

    /// Whether the schedule exports the application, or has.
    async fn is_of(
        &self,
        schedule: &ExportSchedule,
        index: &AppIndex,
        live: &Live,
    ) -> Result<bool, Unknown> {
        let template = &schedule.spec.template;
        if template.namespace_selector.is_none() && schedule.target() != self.app.namespace {
            return Ok(false);
        }
        let mut counted = schedule.status.iter().flat_map(|status| &status.apps);
        let has_exported =
            counted.any(|of| of.namespace == self.app.namespace && of.name == self.app.name);
        let may_be = template.app.as_ref().is_none_or(|app| *app == self.app.name);
        Ok(may_be && (has_exported || select(schedule, index, live).await?.contains(&self.app)))
    }

    /// Whether the schedule's exports of the application are surely in another repository.
    fn is_elsewhere(&self, schedule: &ExportSchedule) -> bool {
        let template = &schedule.spec.template;
        let chosen = names(&template.names.clone().unwrap_or_default());
        let destination = destinations::named(&self.known, &template.destination);
        let target = destination.ok().and_then(|found| Target::registry(&found).ok());
        let App { namespace, name } = &self.app;
        let chart =
            target.and_then(|target| ChartReference::own(&target, namespace, name, &chosen).ok());
        chart.is_some_and(|chart| {
            (&chart.host, &chart.repository) != (&self.chart.host, &self.chart.repository)
        })
    }
}

/// What a schedule says of its versions. One whose rules cannot be keeps all.
pub(super) fn claim(schedule: &ExportSchedule, cluster: &str) -> Claim {
    let retention = schedule.spec.retention.as_ref();
    let zone = declared::zone(&schedule.spec.time_zone);
    let rules = retention.and_then(|retention| Rules::of(retention).ok());
    Claim {
        schedule: schedule_of(cluster, schedule.namespace(), schedule.name()),
        rules: rules.filter(|_| zone.is_ok()),
        zone: zone.unwrap_or(jiff::tz::TimeZone::UTC),
        dry_run: retention.is_some_and(|retention| retention.dry_run),
    }
}
