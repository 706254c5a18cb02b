//! Whether the process lives (`/healthz`), and whether requests should come here (`/readyz`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::json::MEDIA_TYPE;
use super::routes::{Answer, Route};
use super::state::State;
use crate::cluster::{Live, record};

/// Without an answer for so long the API server counts as away.
const FRESH: Duration = Duration::from_secs(30);

/// How often the API server is asked while it answers.
const EVERY: Duration = Duration::from_secs(10);

/// How often it is asked while it does not: readiness should come back soon.
const AGAIN: Duration = Duration::from_secs(1);

/// An API server that needs longer for its version is no use.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of the server's own state.
#[derive(Default)]
pub(super) struct Health {
    answered: Mutex<Option<Instant>>,
    stopping: CancellationToken,
}

/// The answer of `/readyz`.
#[derive(Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// Whether requests should come here.
    pub(super) ready: bool,
    /// Whether this replica is the one that carries out exports. The others serve as well.
    leads: bool,
    /// All conditions of being ready.
    checks: Vec<Check>,
}

/// One condition of being ready. Nothing here is a secret: anybody may ask.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReadinessCheck")]
struct Check {
    /// Which.
    name: &'static str,
    /// Whether it holds.
    ok: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Health {
    /// Asks the API server now and again, for ever.
    pub(super) async fn watch(&self, live: &Live) {
        loop {
            let answer = timeout(PATIENCE, live.ping()).await;
            let answered = matches!(answer, Ok(Ok(())));
            match answer {
                Ok(Ok(())) => *self.answered() = Some(Instant::now()),
                Ok(Err(error)) => tracing::warn!(%error, "the cluster does not answer"),
                Err(_) => tracing::warn!("the cluster does not answer in time"),
            }
            sleep(if answered { EVERY } else { AGAIN }).await;
        }
    }

    /// From now on requests should go elsewhere.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Ends when requests should go elsewhere.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stopping.clone().cancelled_owned()
    }

    pub(super) fn readiness(
        &self,
        now: Instant,
        exports: &record::Health,
        apps: Option<String>,
        leads: bool,
    ) -> Readiness {
        let age = self.answered().map(|at| now.duration_since(at));
        let checks = vec![
            Check::new(
                "cluster",
                match age {
                    Some(age) if age <= FRESH => None,
                    Some(age) => Some(format!("the cluster last answered {} s ago", age.as_secs())),
                    None => Some("the cluster has not answered yet".to_owned()),
                },
            ),
            Check::new(
                "serving",
                self.stopping.is_cancelled().then(|| "the server is stopping".to_owned()),
            ),
            Check::new("exports", unread(exports)),
            Check::new("apps", apps),
        ];
        Readiness { ready: checks.iter().all(|check| check.ok), leads, checks }
    }

    fn answered(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why records of exports are not known here, if they are not.
fn unread(exports: &record::Health) -> Option<String> {
    match exports {
        record::Health::Synced | record::Health::Full => None,
        record::Health::Starting => Some("the records of exports are not read yet".to_owned()),
        record::Health::NotServed => {
            let hint = "`kubectl apply -f deploy/crds` makes it";
            Some(format!("the cluster has no resource Export; {hint}"))
        }
        record::Health::Away(reason) => {
            Some(format!("the records of exports cannot be read: {reason}"))
        }
    }
}

impl Check {
    fn new(name: &'static str, reason: Option<String>) -> Self {
        Self { name, ok: reason.is_none(), reason }
    }
}

/// The routes, for the probes of Kubernetes. Nobody has to be known.
pub(super) fn table() -> Vec<Route> {
    let (ready, not) = ("It is ready.", "It is not.");
    vec![
        Route::get("/healthz", alive)
            .named("alive", "Whether the process answers")
            .answers(Answer::text("text/plain; charset=utf-8", "It does.")),
        Route::get("/readyz", self::ready)
            .named("ready", "Whether requests should come here")
            .gives::<Readiness>(200, ready)
            .gives::<Readiness>(503, not),
    ]
}

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the checks by name, with 503 when one fails.
pub(super) async fn ready(extract::State(state): extract::State<Arc<State>>) -> Response {
    let readiness = state.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_string(&readiness).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_was_not_heard_of_for_long_is_away() {
        let health = Health::default();
        let now = Instant::now();
        let readiness = |at| health.readiness(at, &record::Health::Synced, None, false);
        assert!(!readiness(now).ready);
        *health.answered() = Some(now);
        assert!(readiness(now + FRESH).ready);
        let away = readiness(now + FRESH + Duration::from_secs(5));
        assert_eq!(away.checks[0].reason.as_deref(), Some("the cluster last answered 35 s ago"));
    }
}
