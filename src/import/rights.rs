//! Whether the user may do in the target what an import does.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Error;
use super::checks::MAX_AT_ONCE;
use super::plan::{Check, Request, What};
use crate::app::Object;
use crate::cluster::Live;
use crate::cluster::target::{ApiKind, Right};

/// What helm does to the objects of a release.
const VERBS: [&str; 4] = ["get", "create", "patch", "delete"];

/// What it does to the Secrets in which it keeps releases.
const STORAGE_VERBS: [&str; 5] = ["get", "list", "create", "update", "delete"];

/// Whether the user may do what helm does, kind by kind.
pub(super) async fn all(
    request: &Request,
    served: &[(&Object, &ApiKind)],
    live: &Live,
) -> Result<Vec<Check>, Error> {
    let namespace = request.namespace.as_str();
    let mut wanted = BTreeSet::new();
    for (object, kind) in served {
        for verb in VERBS {
            wanted.insert((object.group(), kind.plural(), kind.namespaced, verb));
        }
    }
    for verb in STORAGE_VERBS {
        wanted.insert(("", "secrets", true, verb));
    }
    if request.pull_secret.is_some() || request.secrets.as_ref().is_some_and(|all| !all.is_empty())
    {
        wanted.insert(("", "secrets", true, "patch"));
    }
    if request.create_namespace {
        wanted.insert(("", "namespaces", false, "create"));
    }
    let each = wanted.into_iter().map(|(group, resource, namespaced, verb)| async move {
        let namespace = namespaced.then_some(namespace);
        let allowed = live.may(Right { verb, group, resource, namespace }).await?;
        Ok::<_, Error>((group, resource, verb, allowed))
    });
    let asked: Vec<_> = stream::iter(each).buffered(MAX_AT_ONCE).try_collect().await?;
    Ok(summed(&asked))
}

/// One check for each kind, with all verbs that are missing.
fn summed(asked: &[(&str, &str, &str, bool)]) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for of in asked.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (group, resource, ..) = of[0];
        let dot = if group.is_empty() { "" } else { "." };
        let subject = format!("{resource}{dot}{group}");
        let missing: Vec<&str> = of.iter().filter(|of| !of.3).map(|of| of.2).collect();
        checks.push(if missing.is_empty() {
            Check::ok(What::Right, subject)
        } else {
            let text = format!("you may not {}", missing.join(", "));
            Check::missing(
                What::Right,
                subject,
                text,
                "Ask for the right, as `kubectl auth can-i` names it.",
            )
        });
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_that_are_missing_are_said_by_kind() {
        let asked = [
            ("", "secrets", "create", true),
            ("", "secrets", "get", true),
            ("apps", "deployments", "create", false),
            ("apps", "deployments", "get", true),
            ("apps", "deployments", "patch", false),
        ];
        let checks = summed(&asked);
        assert_eq!(checks[0], Check::ok(What::Right, "secrets"));
        assert_eq!(checks[1].subject, "deployments.apps");
        assert_eq!(checks[1].text, "you may not create, patch");
    }
}
