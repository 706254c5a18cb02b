//! Whether a destination works: reached, logged in, and allowed to push, without pushing anything.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::Destination;
use crate::registry::{Error, Registry, RepositoryName};

/// What a look at a destination showed. What was not reached is `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DestinationCheck")]
pub struct Check {
    /// It answers, and its certificate is trusted.
    pub reachable: bool,
    /// It takes the credentials.
    pub authenticated: bool,
    /// It lets us begin an upload below the destination's path.
    pub can_push: bool,
    /// It lets us delete, which only `prune` needs; unset where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_delete: Option<bool>,
    /// It has the referrers API.
    pub referrers: bool,
    /// How long all of it took, in milliseconds.
    pub took_ms: u64,
    /// What stood in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A registry that needs longer to answer five small requests does not work.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Repository in which an upload is begun and cancelled. It is never written, so no registry
/// shows it.
const PROBE: &str = "outhaul-check";

/// Looks at the destination: `GET /v2/`, an upload session that is opened and cancelled, and
/// questions about a manifest that does not exist. Nothing is stored, nothing is deleted. Never
/// fails: what went wrong is [`Check::problem`].
pub async fn check(destination: &Destination) -> Check {
    let started = Instant::now();
    let mut check = Check::default();
    let outcome = match destination.fatal() {
        // Its problems are known already, and there may be no host to ask.
        Some(_) => Ok(()),
        None => timeout(TIMEOUT, look(destination, &mut check))
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs()))),
    };
    check.problem = outcome.err();
    check.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    check
}

async fn look(destination: &Destination, check: &mut Check) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let probe: RepositoryName = PROBE.parse().map_err(|error| format!("{error}"))?;
    let probe = probe.under(destination.path.as_ref()).map_err(|error| error.to_string())?;
    let keychain = destination.keychain.clone();
    let registry = Registry::connect(&destination.endpoint, keychain).map_err(text)?;
    let pinged = registry.ping().await;
    check.reachable = !pinged.as_ref().is_err_and(is_unreachable);
    // Credentials may be for repositories alone; many registries let anybody ping besides.
    if !matches!(pinged, Err(Error::Unauthorized { .. })) {
        pinged.map_err(text)?;
    }
    let pushed = registry.can_push(&probe).await;
    check.authenticated = !matches!(pushed, Err(Error::Unauthorized { .. }));
    check.can_push = pushed.is_ok();
    pushed.map_err(text)?;
    // What follows is worth knowing and stands in nobody's way.
    check.referrers = registry.has_referrers_api(&probe).await.unwrap_or(false);
    check.can_delete = registry.can_delete(&probe).await.unwrap_or(None);
    Ok(())
}

fn is_unreachable(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable { .. }
            | Error::UntrustedCertificate { .. }
            | Error::CredentialHelper { .. }
    )
}
