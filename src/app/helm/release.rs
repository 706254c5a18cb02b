//! What a snapshot keeps of a release: names of objects, and no value.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Choice, Entry, Exported, Record, RecordError, manifest};
use crate::app::{Object, ObjectId};

/// What was found of helm's record of the release that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lookup {
    /// Nobody looked: no application was asked for by name.
    #[default]
    NotAsked,
    /// There is none.
    Absent,
    /// It was read.
    Found(Box<Release>),
    /// It may be there, and may not be read.
    Forbidden {
        /// What the server said.
        reason: String,
    },
    /// It is there and cannot be made out.
    Broken {
        /// Name of the Secret or ConfigMap.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A release of Helm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The revision that is installed.
    pub revision: u32,
    /// What helm says of that revision: `deployed` as a rule.
    pub status: String,
    /// Name and version of the chart: `nginx-1.2.3`.
    pub chart: String,
    /// The objects that the chart rendered to.
    pub objects: Vec<Rendered>,
    /// Objects that helm makes around an install or upgrade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    /// Documents of the manifest that are no objects.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub broken_documents: usize,
    /// Later revisions that are not installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newer: Vec<Newer>,
    /// What its chart writes otherwise than the application ran first, if it is an export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported: Option<Exported>,
    /// The record itself, which holds values in clear: never in a saved snapshot.
    #[serde(skip)]
    pub record: Option<Arc<Record>>,
}

/// An object of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendered {
    /// Which; without a namespace if it is the release's.
    pub object: ObjectId,
    /// Path of its template.
    pub source: String,
    /// What can be told of a Secret without its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretShape>,
}

/// Type and keys of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretShape {
    /// `type`, where it is written.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub secret_type: Option<String>,
    /// Names of its keys, in order.
    pub keys: Vec<String>,
}

/// A hook of the release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// Which object.
    pub object: ObjectId,
    /// When it runs.
    pub events: Vec<String>,
}

/// A revision after the one that is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Newer {
    /// Its number.
    pub revision: u32,
    /// What became of it.
    pub status: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Lookup {
    /// Whether it says nothing that a saved snapshot has to keep.
    pub(in crate::app) const fn is_silent(&self) -> bool {
        matches!(self, Self::NotAsked | Self::Absent)
    }

    /// Finds the release among records, as files hold them.
    pub fn among<'a>(records: impl Iterator<Item = &'a Object>, name: &str) -> Self {
        let of_name: Vec<&Object> = records.filter(|of| of.label("name") == Some(name)).collect();
        let entry = |of: &&Object| Entry::new(of.name(), of.label("version"), of.label("status"));
        let Some(choice) = super::choose(of_name.iter().map(entry).collect()) else {
            return Self::Absent;
        };
        let taken = of_name.into_iter().find(|object| object.name() == choice.taken.record);
        let decoded = taken.ok_or(RecordError::Empty).and_then(super::payload);
        Self::decoded(&choice, decoded)
    }

    /// What the chosen record says.
    pub fn decoded(choice: &Choice, payload: Result<Vec<u8>, RecordError>) -> Self {
        match payload.and_then(|payload| Record::decode(&payload)) {
            Ok(record) => Self::Found(Box::new(Release::new(record, choice))),
            Err(error) => {
                Self::Broken { record: choice.taken.record.clone(), reason: error.to_string() }
            }
        }
    }
}

impl Release {
    pub(super) fn new(record: Record, choice: &Choice) -> Self {
        let of_chart = |key: &str| {
            record.chart.metadata.get(key).and_then(serde_json::Value::as_str).unwrap_or_default()
        };
        let (objects, broken_documents) = manifest::objects(&record.manifest, &record.namespace);
        let chart = format!("{}-{}", of_chart("name"), of_chart("version"));
        let hooks = record.hooks.iter().flat_map(|hook| {
            let (objects, _) = manifest::objects(&hook.manifest, &record.namespace);
            let events = &hook.events;
            objects.into_iter().map(|of| Hook { object: of.object, events: events.clone() })
        });
        let hooks = hooks.collect();
        let newer = choice.newer.iter().map(|entry| Newer {
            revision: entry.revision,
            status: entry.status.as_str().to_owned(),
        });
        Self {
            name: record.name.clone(),
            namespace: record.namespace.clone(),
            revision: record.version,
            status: choice.taken.status.as_str().to_owned(),
            chart,
            hooks,
            newer: newer.collect(),
            objects,
            broken_documents,
            exported: Exported::of(&record),
            record: Some(Arc::new(record)),
        }
    }
}
