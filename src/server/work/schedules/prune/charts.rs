//! The charts of an application at a destination, and a prune of them, from the destinations and
//! schedules as they are now.

use std::sync::Arc;

use jiff::Timestamp;

use super::App;
use crate::cluster::Live;
use crate::destination::{Destination, select};
use crate::error::Error;
use crate::export::identity::origin_of;
use crate::export::prune::{self, Claim, GRACE, Plan, Pruned};
use crate::export::request::ChosenNames;
use crate::export::{ChartReference, Target};
use crate::registry::Store;

/// The charts of an application, and what is known to find out who else makes some there.
pub(in crate::server) struct Charts {
    pub(super) app: App,
    /// All destinations.
    pub(super) known: Vec<Destination>,
    target: Target,
    /// The same with the credentials that may delete.
    deleting: Arc<dyn Store>,
    /// Where they are.
    pub(super) chart: ChartReference,
    /// Uid of the cluster.
    pub(super) cluster: String,
}

impl Charts {
    /// Those that exports of `app` with these names make at the destination; Secrets change, so it is
    /// read anew each time.
    ///
    /// # Errors
    /// When there is no such destination, it cannot be used, or it is not for that namespace.
    pub(in crate::server) async fn read(
        live: &Live,
        system_namespace: &str,
        app: App,
        destination: &str,
        names: &ChosenNames,
    ) -> Result<Self, Error> {
        let known = select::list(live, system_namespace).await?;
        let destination = select::named(&known, destination)?;
        select::allow(&destination, &app.namespace)?;
        let target = Target::registry(&destination)?;
        let deleting = Target::deleting(&destination)?;
        let chart = ChartReference::own(&target, &app.namespace, &app.name, names)?;
        let cluster = live.uid().await?;
        Ok(Self { app, known, target, deleting, chart, cluster })
    }

    /// What goes if these have their say.
    ///
    /// # Errors
    /// When the registry cannot be read, or lists no tags.
    pub(in crate::server) async fn plan(
        &self,
        claims: &[Claim],
        now: Timestamp,
    ) -> Result<Plan, Error> {
        let origin = origin_of(&self.cluster, &self.app.namespace, &self.app.name);
        let plan = prune::plan(&self.target, &self.chart.repository, &origin, claims, now).await;
        Ok(plan?)
    }

    /// Carries a plan out, if it is to be.
    ///
    /// # Errors
    /// When the registry cannot be read or written.
    pub(in crate::server) async fn carry_out(
        &self,
        plan: Plan,
        now: Timestamp,
    ) -> Result<Pruned, Error> {
        let (target, deleting) = (&self.target, self.deleting.as_ref());
        let place = prune::Place { target, deleting, charts: &self.chart.repository, grace: GRACE };
        let outcome = match plan.dry_run {
            true => None,
            false => Some(prune::run(place, &plan, now).await?),
        };
        Ok(Pruned { plan, outcome })
    }
}
