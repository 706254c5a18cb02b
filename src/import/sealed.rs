//! The Secrets of a chart's `secrets.age` on their way into the target. Their values are compared and
//! sent, and never said.

use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::Error;
use super::checks::{MAX_AT_ONCE, Place};
use super::plan::{Check, Request, State, What};
use super::rendered::Rendered;
use crate::chart::sealed::{FILE, OpenedSecret};
use crate::cluster::standing::Standing;
use crate::cluster::{self, Live};
use crate::export::PublishedChart;

/// A Secret that an import brings, without its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SealedSecret {
    /// Its name.
    pub name: String,
    /// Names of its values.
    pub keys: Vec<String>,
}

impl From<&OpenedSecret> for SealedSecret {
    fn from(secret: &OpenedSecret) -> Self {
        Self { name: secret.name.clone(), keys: secret.keys.clone() }
    }
}

/// Whether each Secret may be brought.
pub(super) async fn opened(
    request: &Request,
    rendered: &Rendered,
    live: &Live,
    place: &Place,
) -> Vec<Check> {
    let each = request.secrets.iter().flatten().map(|secret| async move {
        if rendered.makes_secret(&secret.name) {
            let remedy =
                format!("Leave `secrets.{}.create` of the chart's values off.", secret.name);
            return missing(secret, "the chart makes it, too", remedy);
        }
        if !place.exists {
            return Check::ok(What::Sealed, subject(secret));
        }
        match live.standing(&request.namespace, &secret.manifest).await {
            Ok(Standing::Absent | Standing::Ours) => tried(request, secret, live).await,
            Ok(standing) => stands(request, secret, standing),
            Err(error) => Check::unknown(What::Sealed, subject(secret), error.to_string()),
        }
    });
    stream::iter(each).buffered(MAX_AT_ONCE).collect().await
}

fn subject(secret: &OpenedSecret) -> String {
    format!("Secret {}", secret.name)
}

fn missing(secret: &OpenedSecret, text: &str, remedy: String) -> Check {
    Check::missing(What::Sealed, subject(secret), text, remedy)
}

/// Whether the cluster would take it, values and all.
async fn tried(request: &Request, secret: &OpenedSecret, live: &Live) -> Check {
    match live.try_secret(&request.namespace, &secret.manifest).await {
        Ok(()) => Check::ok(What::Sealed, subject(secret)),
        Err(cluster::Error::Forbidden { reason, .. } | cluster::Error::Api { reason, .. }) => {
            let remedy = format!(
                "See what the namespace forbids: `kubectl describe quota,limits -n {}`, and the \
                 right to write Secrets.",
                request.namespace
            );
            missing(secret, &format!("the cluster would not take it: {reason}"), remedy)
        }
        Err(error) => Check::unknown(What::Sealed, subject(secret), error.to_string()),
    }
}

fn stands(request: &Request, secret: &OpenedSecret, standing: Standing) -> Check {
    let text = match standing {
        Standing::Absent | Standing::Equal | Standing::Ours => {
            return Check::ok(What::Sealed, subject(secret));
        }
        Standing::Foreign => "it exists with other values, which are not outhaul's",
        Standing::Fixed => "it exists with other values or of another type, and cannot be changed",
    };
    let remedy = format!(
        "Delete it (`kubectl delete secret {} -n {}`) if that of the chart shall take its place; \
         leave `--identity` out if it shall stay.",
        secret.name, request.namespace
    );
    missing(secret, text, remedy)
}

/// What is said of a [`FILE`] that was not opened: it stands against the import where a Secret is
/// missing, whichever are in it. `checks` are those of what must exist.
pub(super) fn closed(request: &Request, chart: &PublishedChart, checks: &[Check]) -> Option<Check> {
    if request.secrets.is_some() || !chart.chart.files.contains_key(FILE) {
        return None;
    }
    let lacks = checks.iter().any(|check| {
        check.state == State::Missing
            && check.what == What::Needed
            && check.subject.starts_with("Secret ")
    });
    let (state, text) = if lacks {
        (State::Missing, "Secrets are missing, and it was not opened")
    } else {
        (State::Unknown, "it was not opened; what must exist does")
    };
    let remedy = format!(
        "Add `--identity FILE`, or apply them first: `helm pull` the chart with `--untar`, then \
         `age --decrypt --identity FILE {}/{FILE} | kubectl apply -n {} -f -`.",
        chart.chart.name, request.namespace
    );
    Some(Check { state, ..Check::missing(What::Sealed, FILE, text, remedy) })
}

/// Brings the Secrets. One that is there with the same values stays as it is; nothing is changed
/// where one is another's, whether that was checked or not.
pub(super) async fn bring(
    request: &Request,
    live: &Live,
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    let mut lacking = Vec::new();
    for secret in request.secrets.iter().flatten() {
        match live.standing(&request.namespace, &secret.manifest).await? {
            Standing::Equal => {}
            Standing::Absent | Standing::Ours => lacking.push(secret),
            Standing::Foreign | Standing::Fixed => {
                return Err(Error::SecretTaken(secret.name.clone()));
            }
        }
    }
    for secret in lacking {
        live.bring_secret(&request.namespace, &secret.manifest).await?;
        say(&format!("{} is applied", subject(secret)));
    }
    Ok(())
}
