//! What earlier drills left behind, when they were killed or told to.

use jiff::Timestamp;
use serde::Serialize;

use super::scratch::{EXPIRES, KEPT, LABEL, removed};
use crate::app::Object;
use crate::cluster::Live;
use crate::import::Error;

/// A scratch namespace of an earlier drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// Its name.
    pub namespace: String,
    /// Whose it is.
    pub state: State,
    #[serde(skip)]
    uid: String,
}

/// Whose a scratch namespace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Its drill may still be at work.
    InUse,
    /// Its drill is over, and did not remove it.
    Abandoned,
    /// Its drill was told to leave it.
    Kept,
}

/// The scratch namespaces that are there; none for those who may not list namespaces.
///
/// # Errors
/// When the cluster does not answer.
pub async fn leftovers(live: &Live, now: Timestamp) -> Result<Vec<Leftover>, Error> {
    match live.scratch_namespaces(LABEL).await {
        Ok(found) => Ok(found.iter().filter_map(|namespace| leftover(namespace, now)).collect()),
        Err(crate::cluster::Error::Forbidden { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Removes those that are abandoned, and says so.
///
/// # Errors
/// When the cluster refuses.
pub async fn clear(
    live: &Live,
    leftovers: &[Leftover],
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    for of in leftovers.iter().filter(|of| of.state == State::Abandoned) {
        say(&format!("removing namespace {} of an earlier drill", of.namespace));
        removed(live, &of.namespace, &of.uid).await?;
    }
    Ok(())
}

/// `None` for one that is being removed.
fn leftover(namespace: &Object, now: Timestamp) -> Option<Leftover> {
    if namespace.at("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let expires = namespace.annotation(EXPIRES).and_then(|text| text.parse::<Timestamp>().ok());
    let state = match expires {
        _ if namespace.label(LABEL) == Some(KEPT) => State::Kept,
        Some(expires) if expires <= now => State::Abandoned,
        // Without a time it is not ours to remove.
        _ => State::InUse,
    };
    let uid = namespace.uid().unwrap_or_default().to_owned();
    Some(Leftover { namespace: namespace.name().to_owned(), state, uid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn state(metadata: &Value) -> Option<State> {
        let mut value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        value["metadata"]["name"] = "outhaul-drill-a".into();
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        leftover(&Object::new(value).unwrap(), now).map(|of| of.state)
    }

    #[test]
    fn only_what_has_expired_is_abandoned() {
        let until = |time: &str| json!({"labels": {LABEL: "true"}, "annotations": {EXPIRES: time}});
        assert_eq!(state(&until("2026-11-26T11:59:59Z")), Some(State::Abandoned));
        assert_eq!(state(&until("2026-11-26T12:00:01Z")), Some(State::InUse));
        assert_eq!(state(&until("soon")), Some(State::InUse));
        assert_eq!(state(&json!({"labels": {LABEL: "true"}})), Some(State::InUse));
        let mut kept = until("2026-11-26T11:59:59Z");
        kept["labels"][LABEL] = KEPT.into();
        assert_eq!(state(&kept), Some(State::Kept));
        let mut going = until("2026-11-26T11:59:59Z");
        going["deletionTimestamp"] = "2026-11-26T12:00:00Z".into();
        assert_eq!(state(&going), None);
    }
}
