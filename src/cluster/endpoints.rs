//! Where Services without a selector lead. A person wrote it, among much of the same kinds that
//! controllers write: it is read only where there is such a Service.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Error;
use super::discover::Resource;
use super::list::{self, Budget, Query};
use super::live::Live;
use crate::app::Object;

/// Names the Service of an EndpointSlice.
const SERVICE: &str = "kubernetes.io/service-name";

/// Endpoints and EndpointSlices of the Services among `objects` that select no pods. Nothing where
/// they may not be read: that a Service leads somewhere unknown is said of the Service.
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn read(
    live: &Live,
    namespace: &str,
    objects: &[Object],
) -> Result<Vec<Object>, Error> {
    let by_hand: BTreeSet<&str> =
        objects.iter().filter(|it| selects_nothing(it)).map(Object::name).collect();
    if by_hand.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = list(live, namespace, "", "endpoints", "Endpoints").await?;
    found.retain(|endpoints| by_hand.contains(endpoints.name()));
    let slices =
        list(live, namespace, "discovery.k8s.io", "endpointslices", "EndpointSlice").await?;
    let of_ours = |slice: &Object| slice.label(SERVICE).is_some_and(|name| by_hand.contains(name));
    found.extend(slices.into_iter().filter(of_ours));
    Ok(found)
}

fn selects_nothing(object: &Object) -> bool {
    let selector = object.at("/spec/selector").and_then(Value::as_object);
    object.kind() == "Service"
        && object.group().is_empty()
        && selector.is_none_or(Map::is_empty)
        && object.text("/spec/type") != Some("ExternalName")
}

async fn list(
    live: &Live,
    namespace: &str,
    group: &str,
    plural: &str,
    kind: &str,
) -> Result<Vec<Object>, Error> {
    let resource = Resource {
        group: group.to_owned(),
        plural: plural.to_owned(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
    };
    let query = Query { namespace: Some(namespace), labels: "" };
    match list::objects(&live.api, &resource, query, &Budget::new()).await {
        Err(Error::Forbidden { .. } | Error::Api { status: 404, .. }) => Ok(Vec::new()),
        listed => listed,
    }
}
