//! Helm's record of the release that is asked for: chosen by metadata, and only that one read.

use super::discover::Resource;
use super::list::{self, Budget, Query};
use super::{Error, Live};
use crate::app::helm::{self, Choice, Entry, Lookup, RecordError};

/// Where helm keeps records: its default driver, and the other one that is in the cluster.
const DRIVERS: [(&str, &str); 2] = [("secrets", "Secret"), ("configmaps", "ConfigMap")];

/// Looks for the release. Not to be allowed to read Secrets is no failure: a release is known by
/// its annotations, too.
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn read(live: &Live, namespace: &str, name: &str) -> Result<Lookup, Error> {
    if !helm::is_release_name(name) {
        return Ok(Lookup::Absent);
    }
    let mut found = Lookup::Absent;
    for (plural, kind) in DRIVERS {
        match driver(live, &resource(plural, kind), namespace, name).await {
            Ok(Lookup::Absent) => {}
            Ok(lookup) => return Ok(lookup),
            Err(Error::Forbidden { reason, .. }) => found = Lookup::Forbidden { reason },
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn driver(
    live: &Live,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<Lookup, Error> {
    let labels = format!("owner=helm,name={name}");
    let query = Query { namespace: Some(namespace), labels: &labels };
    let records = list::metadata(&live.api, resource, query, &Budget::new()).await?;
    let entries = records.iter().map(|list::Meta { metadata }| {
        let label = |key: &str| metadata.labels.get(key).map(String::as_str);
        Entry::new(&metadata.name, label("version"), label("status"))
    });
    let Some(choice) = helm::choose(entries.collect()) else { return Ok(Lookup::Absent) };
    chosen(live, resource, query, &choice).await
}

/// Reads the chosen record, by a list of one: the right to `list` is then enough.
async fn chosen(
    live: &Live,
    resource: &Resource,
    query: Query<'_>,
    choice: &Choice,
) -> Result<Lookup, Error> {
    let labels = format!("{},version={}", query.labels, choice.taken.revision);
    let query = Query { labels: &labels, ..query };
    let records = list::objects(&live.api, resource, query, &Budget::new()).await?;
    let record = records.iter().find(|object| object.name() == choice.taken.record);
    Ok(Lookup::decoded(choice, record.ok_or(RecordError::Empty).and_then(helm::payload)))
}

fn resource(plural: &str, kind: &str) -> Resource {
    let (group, version) = (String::new(), "v1".to_owned());
    Resource { group, plural: plural.to_owned(), version, kind: kind.to_owned() }
}
