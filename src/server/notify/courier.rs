//! Tells one end, tries again for a while, and writes down what became of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::event::Event;
use super::hook::{self, Hook};
use super::send::{Failed, post};
use super::{NOTIFIED, is_owed};
use crate::cluster::record::Export;
use crate::cluster::{self, Live, SecretReader as _};
use crate::registry::Surroundings;
use crate::server::telemetry::metrics::Metrics;
use crate::server::work::{conditions, shrink};

/// Between two tries. With ten seconds for each try that is nine minutes: a receiver that is rolled
/// out is told, and one that is away does not keep us for ever.
const WAITS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(420),
];

/// How often the outcome is written while others write, too.
const MOST_WRITES: u32 = 5;

/// Tells receivers.
#[derive(Clone, Debug)]
pub(in crate::server) struct Courier {
    live: Live,
    system_namespace: String,
    metrics: Arc<Metrics>,
    surroundings: Surroundings,
}

/// What became of an end that was to be told.
struct Outcome {
    told: bool,
    reason: &'static str,
    message: String,
}

impl Courier {
    /// One that finds destinations and webhooks in `system_namespace`.
    pub(in crate::server) fn new(
        live: Live,
        system_namespace: String,
        metrics: Arc<Metrics>,
    ) -> Self {
        let surroundings = Surroundings::new(live.server());
        Self { live, system_namespace, metrics, surroundings }
    }

    /// Whether the destination has a webhook. Where that cannot be found out now, it is when it is
    /// told.
    pub(in crate::server) async fn is_wanted(&self, destination: &str) -> bool {
        match self.live.secret(&self.system_namespace, destination).await {
            Ok(secret) => secret.is_some_and(|secret| hook::named(&secret).is_some()),
            Err(error) => {
                tracing::warn!("whether `{destination}` has a webhook is not known: {error}");
                true
            }
        }
    }

    /// Tells the end of an export, if it is still to be told, and writes down what became of that.
    pub(super) async fn tell(&self, export: &Export) {
        // What the store has may be older than what another task or replica has written.
        match self.still_owed(export).await {
            Ok(None) => {}
            Ok(Some(export)) => {
                let outcome = self.deliver(&export).await;
                let told = outcome.told;
                tracing::info!(told, reason = outcome.reason, "{}", outcome.message);
                self.metrics.webhook(if told { "delivered" } else { "undelivered" });
                if let Err(error) = self.write(export, &outcome).await {
                    tracing::warn!("that it was told is not written, so it is told again: {error}");
                }
            }
            Err(error) => tracing::warn!("its end is told later: {error}"),
        }
    }

    async fn still_owed(&self, export: &Export) -> Result<Option<Export>, cluster::Error> {
        let found = self.live.export(export.namespace(), export.name()).await?;
        Ok(found.filter(|found| found.uid() == export.uid() && is_owed(found)))
    }

    async fn deliver(&self, export: &Export) -> Outcome {
        let mut waits = WAITS.into_iter();
        loop {
            let (reason, message) = match self.attempt(export).await {
                Ok(message) => return Outcome { told: true, reason: "Delivered", message },
                Err(Failed::ForGood(reason, message)) => (reason, message),
                Err(Failed::Now(message)) => {
                    if let Some(wait) = waits.next() {
                        tracing::info!("its end is not told yet: {message}");
                        sleep(wait).await;
                        continue;
                    }
                    ("Undelivered", format!("{message}, at the last of {} tries", WAITS.len() + 1))
                }
            };
            return Outcome { told: false, reason, message };
        }
    }

    /// Where it was told. The Secrets are read anew each time: they may be set right meanwhile.
    async fn attempt(&self, export: &Export) -> Result<String, Failed> {
        let away = |error: cluster::Error| Failed::Now(error.to_string());
        let hook = self.hook(&export.spec.destination).await?;
        let cluster = self.live.uid().await.map_err(away)?;
        let Some(event) = Event::of(export, &cluster) else {
            return Err(Failed::ForGood("NotEnded", "it has not ended".to_owned()));
        };
        post(&hook, &self.surroundings, &event, Timestamp::now()).await?;
        Ok(hook.place())
    }

    async fn hook(&self, destination: &str) -> Result<Hook, Failed> {
        let namespace = &self.system_namespace;
        let read = async |name: &str| {
            let secret = self.live.secret(namespace, name).await;
            secret.map_err(|error| Failed::Now(error.to_string()))
        };
        let found = read(destination).await?;
        let Some(name) = found.as_ref().and_then(hook::named) else {
            let text = format!("destination `{destination}` has no webhook any more");
            return Err(Failed::ForGood("NoWebhook", text));
        };
        let invalid = |text| Failed::ForGood("WebhookInvalid", text);
        let Some(secret) = read(name).await? else {
            return Err(invalid(format!(
                "Secret `{name}`, the webhook of destination `{destination}`, is not in namespace \
                 `{namespace}`"
            )));
        };
        Hook::read(&secret).map_err(invalid)
    }

    async fn write(&self, mut export: Export, outcome: &Outcome) -> Result<(), cluster::Error> {
        let Outcome { told, reason, message } = outcome;
        for _ in 0..MOST_WRITES {
            let mut status = export.status.clone().unwrap_or_default();
            let now = Timestamp::now();
            conditions::set(&mut status, NOTIFIED, *told, reason, message, now);
            status.count(now);
            shrink::shrink(&mut status);
            match self.live.patch_status(&export, &status).await {
                Err(cluster::Error::Conflict { .. }) => match self.still_owed(&export).await? {
                    Some(found) => export = found,
                    None => return Ok(()), // somebody has removed it
                },
                written => return written.map(drop),
            }
        }
        Ok(()) // it is told once more
    }
}
