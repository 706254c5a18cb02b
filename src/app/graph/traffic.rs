//! What points at the application's pods: Services, budgets, policies, scalers, and Ingresses in
//! front of the Services.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::refs::references;
use super::shared::Reach;
use super::{Taken, Walk, custom};
use crate::app::kinds::{self, Kind};
use crate::app::selector::Selector;
use crate::app::view::{Entry, Index, View};
use crate::app::{Code, Finding, Object};

/// Kinds that select pods by label, and where.
const SELECTING: [(Kind, &str); 4] = [
    (kinds::DISRUPTION_BUDGET, "/spec/selector"),
    (kinds::NETWORK_POLICY, "/spec/podSelector"),
    (custom::POD_MONITOR, "/spec/selector"),
    (kinds::SERVICE, "/spec/selector"),
];

/// Kinds that scale a workload or roll it out, and where they name it.
const SCALING: [(Kind, &str); 4] = [
    (custom::ROLLOUT, "/spec/workloadRef"),
    (kinds::HPA, "/spec/scaleTargetRef"),
    (("autoscaling.k8s.io", "VerticalPodAutoscaler"), "/spec/targetRef"),
    (("keda.sh", "ScaledObject"), "/spec/scaleTargetRef"),
];

impl Walk<'_, '_> {
    pub(super) fn traffic(&mut self) {
        for (kind, at) in SELECTING {
            self.each(kind, |walk, index| walk.selecting(index, at));
        }
        for (kind, _) in SCALING {
            self.each(kind, Self::scaling);
        }
        for kind in custom::ROUTES {
            self.each(kind, Self::route);
        }
        self.each(custom::SERVICE_MONITOR, Self::monitor);
    }

    fn each(&mut self, kind: Kind, mut visit: impl FnMut(&mut Self, Index)) {
        let of_kind: Vec<Index> = self.view.of_kind(kind).map(|(index, _)| index).collect();
        for index in of_kind {
            visit(self, index);
        }
    }

    fn selecting(&mut self, index: Index, at: &str) {
        if self.ours(index) || !looks_here(self.view.entries[index].object, self.view) {
            return;
        }
        match self.reach(index, at) {
            Reach::Ours => {
                self.take(index);
            }
            Reach::Shared(others) => {
                let others = self.names(&others);
                let text = format!("{} selects pods of {others} as well", self.id(index));
                self.not_exported(index, text);
            }
            Reach::Nothing | Reach::Others(_) => {}
        }
    }

    /// Whose pods the object's selector selects.
    fn reach(&self, index: Index, at: &str) -> Reach {
        let entry = &self.view.entries[index];
        match selector(entry, at) {
            Some(selector) => self.workloads.reach(selector),
            None => Reach::Nothing,
        }
    }

    /// Whose pods a Service selects.
    pub(super) fn service_reach(&self, index: Index) -> Reach {
        self.reach(index, "/spec/selector")
    }

    fn scaling(&mut self, index: Index) {
        let Some((group, kind, name)) = scale_target(self.view.entries[index].object) else {
            return;
        };
        match self.view.named_as(group, kind, name) {
            Some(target) if self.ours(target) => {
                self.take(index);
            }
            None if self.ours(index) && kinds::is_builtin_group(group) => {
                let id = self.id(index);
                let text = format!("{id} scales {kind} {name}, which does not exist");
                let remedy = format!("Create the {kind}, or delete {id}.");
                self.findings
                    .push(Finding::new(Code::ReferenceMissing, text).on(id).remedy(remedy));
            }
            _ => {}
        }
    }

    fn route(&mut self, index: Index) {
        if self.ours(index) {
            return;
        }
        let object = self.view.entries[index].object;
        let backends: Vec<Index> = references(object, &self.view.snapshot.namespace)
            .into_iter()
            .filter(|reference| reference.kind == kinds::SERVICE)
            .filter_map(|reference| self.view.named(kinds::SERVICE, &reference.name))
            .collect();
        self.points_at(index, backends, "routes to");
    }

    /// A monitor of Services, which it selects by their labels.
    fn monitor(&mut self, index: Index) {
        let object = self.view.entries[index].object;
        let Some(selector) = object.at("/spec/selector").map(Selector::of_object) else { return };
        if self.ours(index) || !looks_here(object, self.view) {
            return;
        }
        let none = serde_json::Map::new();
        let selected = self.view.of_kind(kinds::SERVICE);
        let selected = selected.filter(|(_, of)| selector.matches(of.labels().unwrap_or(&none)));
        let selected = selected.map(|(index, _)| index).collect();
        self.points_at(index, selected, "watches");
    }

    /// Takes what points at the application's Services, and at no others.
    fn points_at(&mut self, index: Index, services: Vec<Index>, how: &str) {
        let (ours, mut others): (Vec<Index>, Vec<Index>) =
            services.into_iter().partition(|service| self.ours(*service));
        others.sort_unstable();
        others.dedup();
        if ours.is_empty() {
            return;
        }
        if others.is_empty() {
            self.take(index);
        } else {
            let text = format!("{} {how} {} as well", self.id(index), self.names(&others));
            self.not_exported(index, text);
        }
    }

    /// Endpoints that a person wrote for Services without a selector.
    pub(super) fn manual_endpoints(&mut self) {
        let is_manual = |index: &Index| is_manual(&self.view.entries[*index]);
        let services: Vec<Index> = self.members.iter().copied().filter(is_manual).collect();
        let mut slices: HashMap<&str, Vec<Index>> = HashMap::new();
        for (index, slice) in self.view.of_kind(kinds::ENDPOINT_SLICE) {
            let service = slice.object.label("kubernetes.io/service-name");
            if let Some(service) = service.filter(|_| !is_controlled_slice(slice.object)) {
                slices.entry(service).or_default().push(index);
            }
        }
        for service in services {
            let name = self.view.entries[service].object.name();
            let endpoints = self.view.named(kinds::ENDPOINTS, name);
            let slices = slices.get(name).into_iter().flatten().copied();
            let found: Vec<Index> = endpoints.into_iter().chain(slices).collect();
            if found.is_empty() {
                let id = self.id(service);
                let text = format!("{id} has no selector, and where it leads was not read");
                let remedy = "Create its EndpointSlice where the chart is installed.";
                let finding = Finding::new(Code::NotExported, text);
                self.findings.push(finding.on(id).remedy(remedy));
            }
            let left = |index: &Index| !self.view.entries[*index].excluded;
            self.members.extend(found.into_iter().filter(left));
        }
    }

    /// Takes a Service that a member names, if no other application's pods are behind it.
    pub(super) fn take_service(&mut self, index: Index) -> Result<Taken, Rc<[Index]>> {
        match self.service_reach(index) {
            Reach::Nothing | Reach::Ours => Ok(self.take(index)),
            Reach::Shared(others) | Reach::Others(others) => Err(others),
        }
    }
}

/// Whether a monitor looks at this namespace, and no other: those of a whole cluster are not an
/// application's.
fn looks_here(object: &Object, view: &View<'_>) -> bool {
    let Some(namespaces) = object.at("/spec/namespaceSelector") else { return true };
    let names = namespaces.get("matchNames").and_then(Value::as_array);
    namespaces.get("any").and_then(Value::as_bool) != Some(true)
        && names.is_none_or(|all| all.iter().all(|name| *name == *view.snapshot.namespace))
}

fn selector(entry: &Entry<'_>, at: &str) -> Option<Selector> {
    let value = entry.object.at(at)?;
    if entry.is(kinds::SERVICE) {
        // An empty selector of a Service selects nothing; of a policy, everything.
        let map = value.as_object().filter(|map| !map.is_empty())?;
        return Some(Selector::of_map(map));
    }
    Some(Selector::of_object(value))
}

/// Whether a person has to say where the Service leads.
fn is_manual(service: &Entry<'_>) -> bool {
    let selects = service.object.at("/spec/selector").and_then(Value::as_object);
    service.is(kinds::SERVICE)
        && selects.is_none_or(serde_json::Map::is_empty)
        && service.object.text("/spec/type") != Some("ExternalName")
}

/// Whether a controller of Kubernetes keeps the slice.
fn is_controlled_slice(slice: &Object) -> bool {
    let by = slice.label("endpointslice.kubernetes.io/managed-by");
    by.is_some_and(|by| by.ends_with(".k8s.io"))
}

/// The workload whose number of replicas the object sets, if it is an autoscaler that does so.
pub(in crate::app) fn scales_replicas(object: &Object) -> Option<(&str, &str, &str)> {
    let sets = !matches!(object.kind(), "VerticalPodAutoscaler" | "Rollout");
    sets.then(|| scale_target(object))?
}

/// What a scaler scales: group, kind, name.
fn scale_target(object: &Object) -> Option<(&str, &str, &str)> {
    let (_, at) = SCALING.iter().find(|(kind, _)| kinds::is(object, *kind))?;
    let target = object.at(at)?;
    let text = |key: &str| target.get(key).and_then(Value::as_str);
    // KEDA's defaults; the others must say both.
    let group =
        text("apiVersion").unwrap_or("apps/v1").split_once('/').map_or("", |(group, _)| group);
    Some((group, text("kind").unwrap_or("Deployment"), text("name")?))
}
