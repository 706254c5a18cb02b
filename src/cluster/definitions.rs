//! Definitions of the custom resources that a namespace has, where a chart is to bring them along.

use serde_json::{Map, Value};

use super::client::MAX_DOCUMENT;
use super::discover::{Resource, segment};
use super::settle::Listed;
use super::{Error, Live, list};
use crate::app::{Object, Unreadable};

/// Reads the definition of every kind in `listed` that has objects. Kinds that another API server
/// serves have none.
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn read(
    live: &Live,
    listed: &[Listed],
) -> Result<Result<Vec<Object>, Unreadable>, Error> {
    let definitions = Resource {
        group: "apiextensions.k8s.io".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
        version: "v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
    };
    let used = listed.iter().flatten().filter(|kind| !kind.objects.is_empty());
    let custom = used.filter(|kind| kind.resource.group.contains('.'));
    let mut found = Vec::new();
    for name in custom.map(|kind| kind.resource.name()) {
        let path = format!("{}/{}", definitions.path(None), segment(&name));
        match live.api.get::<Map<String, Value>>(&path, "application/json", MAX_DOCUMENT).await {
            Ok((item, _)) => found.push(list::complete(&live.api, &definitions, item)?),
            Err(Error::Api { status: 404, .. }) => {}
            Err(Error::Forbidden { reason, .. }) => {
                return Ok(Err(Unreadable { resource: definitions.name(), reason }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Ok(found))
}
