//! The namespace of a drill: made first, removed last, whatever happens between.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Terms;
use crate::cluster::Live;
use crate::cluster::target::Right;
use crate::import::Error;

/// Label of scratch namespaces: `true`, or `kept` of those that stay.
pub const LABEL: &str = "outhaul.dev/drill";

/// Value of [`LABEL`] of a namespace that a drill was told to leave.
pub(super) const KEPT: &str = "kept";

/// Annotation: when a scratch namespace is nobody's any more.
pub(super) const EXPIRES: &str = "outhaul.dev/drill-expires";

/// What a drill takes at most besides waiting: pulling, probing, removing.
const BESIDES: SignedDuration = SignedDuration::from_hours(1);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Longest that a namespace is waited for until it is gone: volumes take a while.
const LONGEST_REMOVAL: Duration = Duration::from_secs(120);

/// Longest until a binding is known to the authorizer, which watches them.
const LONGEST_GRANT: Duration = Duration::from_secs(30);

/// Longest part of a release's name in a namespace's, which has 63 characters (RFC 1123).
const MAX_RELEASE: usize = 40;

/// A namespace that a drill has made.
#[derive(Debug)]
pub struct Scratch {
    name: String,
    uid: String,
}

/// A name for the namespace of a drill of this release; no other has it.
pub fn name(release: &str) -> String {
    let release: String = release.chars().take(MAX_RELEASE).collect();
    format!("outhaul-drill-{}-{:08x}", release.trim_end_matches(['-', '.']), fastrand::u32(..))
}

impl Scratch {
    /// Makes it, with the rights in it that were asked for.
    ///
    /// # Errors
    /// When the cluster refuses. A namespace that was made until then is removed.
    pub async fn make(live: &Live, terms: &Terms) -> Result<Self, Error> {
        let timeout = SignedDuration::try_from(terms.timeout).unwrap_or(BESIDES);
        let expires = Timestamp::now().checked_add(timeout).and_then(|at| at.checked_add(BESIDES));
        let expires = expires.unwrap_or(Timestamp::MAX).to_string();
        let name = terms.import.namespace.clone();
        let metadata = match terms.keep {
            true => json!({"name": name, "labels": {LABEL: KEPT}}),
            false => json!({"name": name, "labels": {LABEL: "true"},
                "annotations": {EXPIRES: expires}}),
        };
        let uid = live.make_namespace(&metadata).await?;
        let scratch = Self { name, uid };
        if let Some(role) = &terms.grant
            && let Err(error) = scratch.grant(live, role).await
        {
            // What stands against the drill is said; a namespace that stays is named by the next.
            let _ = scratch.remove(live).await;
            return Err(error);
        }
        Ok(scratch)
    }

    /// Binds a ClusterRole to us, and waits until that is known.
    async fn grant(&self, live: &Live, role: &str) -> Result<(), Error> {
        let kinds = live.kinds().await?;
        let missing = || Error::DrillRefused("the cluster has no RBAC to grant".to_owned());
        let bindings = kinds.any("rbac.authorization.k8s.io", "RoleBinding").ok_or_else(missing)?;
        let group = "rbac.authorization.k8s.io";
        let us = live.who_am_i().await?;
        let binding = json!({
            "apiVersion": bindings.api_version(), "kind": "RoleBinding",
            "metadata": {"name": "outhaul-drill"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": group, "kind": "User", "name": us.user}],
        });
        live.make(bindings, &self.name, &binding).await?;
        let create = |group, resource| Right {
            verb: "create",
            group,
            resource,
            namespace: Some(self.name.as_str()),
        };
        let until = Instant::now() + LONGEST_GRANT;
        while !live.may(create("", "pods")).await? {
            if Instant::now() > until {
                let text = format!("ClusterRole {role} gives no right to make pods");
                return Err(Error::DrillRefused(text));
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Removes it, and waits until it is gone.
    ///
    /// # Errors
    /// When the cluster refuses, or it is still there after two minutes.
    pub async fn remove(&self, live: &Live) -> Result<(), Error> {
        removed(live, &self.name, &self.uid).await
    }
}

/// Removes the namespace with this uid, and waits until it is gone.
pub(super) async fn removed(live: &Live, name: &str, uid: &str) -> Result<(), Error> {
    let still = |reason: String| Error::StillThere { namespace: name.to_owned(), reason };
    match live.delete_namespace(name, uid).await {
        Ok(()) | Err(crate::cluster::Error::Api { status: 404 | 409, .. }) => {}
        Err(error) => return Err(still(error.to_string())),
    }
    let until = Instant::now() + LONGEST_REMOVAL;
    while Instant::now() < until {
        match live.namespace_exists(name).await {
            Ok(false) => return Ok(()),
            Ok(true) => sleep(PAUSE).await,
            Err(error) => return Err(still(error.to_string())),
        }
    }
    Err(still(format!("it is not gone after {} s", LONGEST_REMOVAL.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_and_differ() {
        let long = name(&format!("{}-{}", "a".repeat(39), "b".repeat(12)));
        assert_eq!(long.len(), "outhaul-drill-".len() + 39 + "-12345678".len());
        assert!(name("shop").starts_with("outhaul-drill-shop-"));
        assert_ne!(name("shop"), name("shop"));
    }
}
