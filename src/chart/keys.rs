//! Names in the chart: keys in `values.yaml` and file names, both from the names of objects alone,
//! so that a user's override file survives the next export.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::app::{App, Object, ObjectId};

/// Sections of the values whose entries are named after objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// Everything with a pod template, and bare pods.
    Workloads,
    /// CronJobs, for what is not in their pod template.
    CronJobs,
    /// Services.
    Services,
    /// Ingresses.
    Ingresses,
    /// ConfigMaps.
    Configs,
    /// Volume claims, templates of StatefulSets included.
    Storage,
    /// ServiceAccounts.
    ServiceAccounts,
}

/// The key of every object in every section, and the name of its file.
#[derive(Debug, Default)]
pub struct Keys {
    keys: HashMap<(Section, ObjectId, String), String>,
    files: HashMap<ObjectId, String>,
    secret_files: HashMap<String, String>,
}

/// JSON pointer to the pod spec of an object of this kind.
pub fn pod_spec(object: &Object) -> Option<&'static str> {
    match (object.group(), object.kind()) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("", "ReplicationController")
        | ("batch", "Job") => Some("/spec/template/spec"),
        ("batch", "CronJob") => Some("/spec/jobTemplate/spec/template/spec"),
        ("", "Pod") => Some("/spec"),
        _ => None,
    }
}

/// The claim templates of a StatefulSet; nothing for other objects.
pub fn claim_templates(object: &Object) -> impl Iterator<Item = &str> {
    let templates = match object.kind() {
        "StatefulSet" => object.at("/spec/volumeClaimTemplates").and_then(|list| list.as_array()),
        _ => None,
    };
    templates.into_iter().flatten().filter_map(|claim| claim.pointer("/metadata/name")?.as_str())
}

impl Keys {
    /// The keys for an application.
    pub fn new(app: &App) -> Self {
        let mut sections: HashMap<Section, Vec<(ObjectId, String, String)>> = HashMap::new();
        for object in &app.objects {
            for (section, name) in entries(object) {
                sections.entry(section).or_default().push((
                    object.id(),
                    object.kind().to_lowercase(),
                    name,
                ));
            }
        }
        let mut keys = HashMap::new();
        for (section, entries) in sections {
            let unique = distinguish(entries.iter().map(|(_, kind, name)| (&**kind, &**name)));
            for ((id, _, name), key) in entries.into_iter().zip(unique) {
                keys.insert((section, id, name), key);
            }
        }
        let mut taken = BTreeSet::new();
        let mut file = |kind, name| unique(file_name(kind, name), &mut taken);
        let files = app.objects.iter().map(|o| (o.id(), file(o.kind(), o.name()))).collect();
        let secret_files =
            app.secrets.iter().map(|s| (s.name.clone(), file("Secret", &s.name))).collect();
        Self { keys, files, secret_files }
    }

    /// The key of an object, by its own name.
    pub fn key(&self, section: Section, object: &Object) -> String {
        self.key_of(section, object, object.name())
    }

    /// The key of a claim template of an object.
    pub fn claim(&self, object: &Object, template: &str) -> String {
        self.key_of(Section::Storage, object, &claim_name(object, template))
    }

    /// The file of an object: `templates/<kind>-<name>.yaml`.
    pub fn file(&self, object: &Object) -> String {
        let stem = self.files.get(&object.id()).cloned();
        path(stem.unwrap_or_else(|| file_name(object.kind(), object.name())))
    }

    /// The file of a Secret that the chart may make.
    pub fn secret_file(&self, name: &str) -> String {
        let stem = self.secret_files.get(name).cloned();
        path(stem.unwrap_or_else(|| file_name("Secret", name)))
    }

    fn key_of(&self, section: Section, object: &Object, name: &str) -> String {
        let place = (section, object.id(), name.to_owned());
        self.keys.get(&place).cloned().unwrap_or(place.2)
    }
}

impl Section {
    /// The name in `values.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workloads => "workloads",
            Self::CronJobs => "cronJobs",
            Self::Services => "services",
            Self::Ingresses => "ingresses",
            Self::Configs => "configs",
            Self::Storage => "storage",
            Self::ServiceAccounts => "serviceAccounts",
        }
    }
}

/// The sections that an object has entries in, and their names.
fn entries(object: &Object) -> Vec<(Section, String)> {
    let name = object.name().to_owned();
    let mut entries: Vec<_> = claim_templates(object)
        .map(|claim| (Section::Storage, claim_name(object, claim)))
        .collect();
    if pod_spec(object).is_some() {
        entries.push((Section::Workloads, name.clone()));
    }
    entries.extend(section(object).map(|section| (section, name)));
    entries
}

/// The section of its own that an object has an entry in.
fn section(object: &Object) -> Option<Section> {
    match (object.group(), object.kind()) {
        ("batch", "CronJob") => Some(Section::CronJobs),
        ("", "Service") => Some(Section::Services),
        ("networking.k8s.io" | "extensions", "Ingress") => Some(Section::Ingresses),
        ("", "ConfigMap") => Some(Section::Configs),
        ("", "PersistentVolumeClaim") => Some(Section::Storage),
        ("", "ServiceAccount") => Some(Section::ServiceAccounts),
        _ => None,
    }
}

/// The name that a StatefulSet's claims share, without the ordinal.
fn claim_name(object: &Object, template: &str) -> String {
    format!("{template}-{}", object.name())
}

/// Names as they are; with the kind in front where two are equal, until none are.
fn distinguish<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let names: Vec<_> = names.collect();
    let mut keys: Vec<String> = names.iter().map(|(_, name)| (*name).to_owned()).collect();
    loop {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for key in &keys {
            *count.entry(key).or_default() += 1;
        }
        let equal: BTreeSet<String> =
            count.iter().filter(|(_, n)| **n > 1).map(|(key, _)| (*key).to_owned()).collect();
        let mut changed = false;
        for (key, (kind, name)) in keys.iter_mut().zip(&names) {
            if equal.contains(key) && key == name {
                *key = format!("{kind}-{name}");
                changed = true;
            }
        }
        if !changed {
            return keys;
        }
    }
}

/// `stem`, or the first numbered one that is free: lower case and foreign characters may make two
/// names equal.
fn unique(stem: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let free = std::iter::once(stem.clone()).chain(numbered).find(|name| !taken.contains(name));
    let name = free.unwrap_or(stem);
    taken.insert(name.clone());
    name
}

fn path(stem: impl std::fmt::Display) -> String {
    format!("templates/{stem}.yaml")
}

/// Longest stem of a file. File systems take names of 255 bytes; `.yaml` and a number may follow.
const LONGEST_STEM: usize = 240;

/// `<kind>-<name>` in characters that every file system and archive takes.
fn file_name(kind: &str, name: &str) -> String {
    let safe = |c: char| match c {
        'a'..='z' | '0'..='9' | '.' | '-' => c,
        _ => '-',
    };
    let stem = format!("{kind}-{name}").to_lowercase();
    stem.chars().map(safe).take(LONGEST_STEM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_as_they_are_until_two_are_equal() {
        let keys = distinguish([("deployment", "web"), ("statefulset", "db")].into_iter());
        assert_eq!(keys, ["web", "db"]);
        let keys = distinguish([("deployment", "web"), ("cronjob", "web")].into_iter());
        assert_eq!(keys, ["deployment-web", "cronjob-web"]);
    }

    #[test]
    fn a_name_that_looks_like_a_distinguished_one_gives_way() {
        let keys = distinguish(
            [("deployment", "web"), ("cronjob", "web"), ("job", "cronjob-web")].into_iter(),
        );
        assert_eq!(keys, ["deployment-web", "cronjob-web", "job-cronjob-web"]);
    }

    #[test]
    fn file_names_are_lower_case_and_flat() {
        assert_eq!(file_name("ClusterRole", "system:Shop/x"), "clusterrole-system-shop-x");
    }
}
