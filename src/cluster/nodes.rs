//! Which platforms the nodes of a cluster are of.

use std::collections::BTreeSet;

use super::Error;
use super::discover::Resource;
use super::list::{self, Budget, Meta, Query};
use super::live::Live;

/// Labels that kubelets give their nodes (kubernetes, "Well-Known Labels").
const OS: &str = "kubernetes.io/os";
const ARCHITECTURE: &str = "kubernetes.io/arch";

impl Live {
    /// `os/architecture` of a node; `None` where nodes may not be listed, or none has this name.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn node_platform(&self, name: &str) -> Result<Option<String>, Error> {
        let nodes = nodes(self).await?;
        Ok(nodes.iter().find(|node| node.metadata.name == name).and_then(platform))
    }
}

/// `os/architecture` of the nodes, each once and in order. None where nodes may not be listed, as
/// those who own a namespace often may not: an export without them is whole.
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn platforms(live: &Live) -> Result<Vec<String>, Error> {
    let platforms: BTreeSet<String> = nodes(live).await?.iter().filter_map(platform).collect();
    Ok(platforms.into_iter().collect())
}

/// By a list, which is the one right on nodes that our own account has.
async fn nodes(live: &Live) -> Result<Vec<Meta>, Error> {
    let nodes = Resource {
        group: String::new(),
        plural: "nodes".to_owned(),
        version: "v1".to_owned(),
        kind: "Node".to_owned(),
    };
    let query = Query { namespace: None, labels: "" };
    match list::metadata(&live.api, &nodes, query, &Budget::new()).await {
        Err(Error::Forbidden { .. } | Error::Api { status: 404, .. }) => Ok(Vec::new()),
        nodes => nodes,
    }
}

fn platform(node: &Meta) -> Option<String> {
    let labels = &node.metadata.labels;
    Some(format!("{}/{}", labels.get(OS)?, labels.get(ARCHITECTURE)?))
}
