//! Which platforms the nodes of a cluster are of.

use std::collections::BTreeSet;

use super::Error;
use super::discover::Resource;
use super::list::{self, Budget, Query};
use super::live::Live;

/// Labels that kubelets give their nodes (kubernetes, "Well-Known Labels").
const OS: &str = "kubernetes.io/os";
const ARCHITECTURE: &str = "kubernetes.io/arch";

/// `os/architecture` of the nodes, each once and in order. None where nodes may not be listed, as
/// those who own a namespace often may not: an export without them is whole.
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn platforms(live: &Live) -> Result<Vec<String>, Error> {
    let nodes = Resource {
        group: String::new(),
        plural: "nodes".to_owned(),
        version: "v1".to_owned(),
        kind: "Node".to_owned(),
    };
    let query = Query { namespace: None, labels: "" };
    let nodes = match list::metadata(&live.api, &nodes, query, &Budget::new()).await {
        Err(Error::Forbidden { .. } | Error::Api { status: 404, .. }) => return Ok(Vec::new()),
        nodes => nodes?,
    };
    let labels = nodes.iter().map(|node| &node.metadata.labels);
    let platforms: BTreeSet<String> = labels
        .filter_map(|labels| Some(format!("{}/{}", labels.get(OS)?, labels.get(ARCHITECTURE)?)))
        .collect();
    Ok(platforms.into_iter().collect())
}
