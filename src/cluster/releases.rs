//! Helm's record of the release that is asked for, or of each: chosen by metadata, and only those
//! read.

use std::collections::BTreeMap;

use super::discover::Resource;
use super::list::{self, Budget, Meta, Query};
use super::{Error, Live};
use crate::app::helm::{self, Choice, Entry, Lookup, RecordError, Releases};

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

/// Looks for every release of the namespace; the second answer is for those that were not found.
/// A release that both drivers have is as the first says.
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn all(live: &Live, namespace: &str) -> Result<(Releases, Lookup), Error> {
    let (mut releases, mut rest) = (Releases::default(), Lookup::Absent);
    for (plural, kind) in DRIVERS {
        let resource = resource(plural, kind);
        let query = Query { namespace: Some(namespace), labels: "owner=helm" };
        let records = match list::metadata(&live.api, &resource, query, &Budget::new()).await {
            Ok(records) => records,
            Err(Error::Forbidden { reason, .. }) => {
                rest = Lookup::Forbidden { reason };
                continue;
            }
            Err(error) => return Err(error),
        };
        for (name, entries) in by_release(&records) {
            let labels = format!("owner=helm,name={name}");
            if let Some(choice) = helm::choose(entries).filter(|_| releases.get(name).is_none()) {
                let query = Query { labels: &labels, ..query };
                let found = chosen(live, &resource, query, &choice).await?;
                releases.add(name.to_owned(), found);
            }
        }
    }
    Ok((releases, rest))
}

/// Records by the release that their labels name.
fn by_release(records: &[Meta]) -> BTreeMap<&str, Vec<Entry>> {
    let mut releases: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    for record in records.iter().filter(|of| helm::is_record_name(&of.metadata.name)) {
        let name = record.metadata.labels.get("name").filter(|name| helm::is_release_name(name));
        if let Some(name) = name {
            releases.entry(name).or_default().push(entry(record));
        }
    }
    releases
}

fn entry(Meta { metadata }: &Meta) -> Entry {
    let label = |key: &str| metadata.labels.get(key).map(String::as_str);
    Entry::new(&metadata.name, label("version"), label("status"))
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
    let entries = records.iter().map(entry).collect();
    let Some(choice) = helm::choose(entries) else { return Ok(Lookup::Absent) };
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
