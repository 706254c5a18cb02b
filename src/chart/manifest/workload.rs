//! Workloads: replicas, containers and where pods may run.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::generic::title;
use super::{Builder, Draft, images, secret};
use crate::chart::expr::{
    self, NO_VALUE, argument, field, include, is_set, keeping_no_value, literal,
};
use crate::chart::input::Image;
use crate::chart::keys::{Section, pod_spec};
use crate::chart::values::{self, Setting};
use crate::chart::yaml::{Node, Row};

/// Objects of the cluster that a pod may name, each with what the value is. They are values only
/// where the pod names one: other clusters have others.
const CLASSES: [(&str, &str); 2] = [
    ("priorityClassName", "Priority class; empty for the cluster's default."),
    ("runtimeClassName", "Runtime class; empty for the cluster's default."),
];

/// Parameterises everything that runs pods; leaves other objects alone.
pub(super) fn parameterise(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let Some(pointer) = pod_spec(draft.object) else { return };
    let key = builder.keys.key(Section::Workloads, draft.object);
    draft.variable("workload", &expr::entry("workloads", &key));
    let mut settings = Vec::new();
    settings.extend(replicas(draft).map(|replicas| ("replicas", replicas)));
    settings.extend(containers(builder, draft, pointer).map(|group| ("containers", group)));
    if let Some(pod) = draft.body.pointer_mut(pointer) {
        secret::references(builder, pod);
        pull_secrets(builder, pod);
        settings.extend(scheduling(draft.object.at(pointer), pod));
    }
    let entry = Setting::group(format!("{}.", title(draft.object)), settings);
    builder.values.entry(Section::Workloads.name(), key, entry);
    suspension(builder, draft);
}

/// The number of pods; none where the object leaves it to an autoscaler or to its kind.
fn replicas(draft: &mut Draft<'_>) -> Option<Setting> {
    let live = draft.object.at("/spec/replicas").filter(|live| live.is_u64())?.clone();
    let value = "$workload.replicas";
    let row = Row::when(is_set(value), Row::field("replicas", Node::expr(value)));
    draft.body.get_mut("spec")?.put("replicas", row);
    let comment = "Number of pods; null leaves it to an autoscaler.";
    Some(Setting::value(comment, live, values::replicas()))
}

/// Every container, init containers included.
fn containers(builder: &Builder<'_>, draft: &mut Draft<'_>, pod: &str) -> Option<Setting> {
    let mut groups = Vec::new();
    let id = draft.object.id();
    for (list, what) in [("initContainers", "Init container"), ("containers", "Container")] {
        let pointer = format!("{pod}/{list}");
        let live = draft.object.at(&pointer).and_then(Value::as_array);
        let Some(Node::List(rows)) = draft.body.pointer_mut(&pointer) else { continue };
        let mut parameterised = Vec::new();
        for (at, (mut row, live)) in std::mem::take(rows).into_iter().zip(live?).enumerate() {
            let name = live.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Row::One(node) = &mut row {
                let image = images::at(builder, &id, &format!("{pointer}/{at}"));
                groups.push((name, container(builder, node, live, image, what)));
                let variable = field("$workload.containers", name);
                parameterised.push(Row::Action(format!("$container := {variable}")));
            }
            parameterised.push(row);
        }
        *rows = parameterised;
    }
    (!groups.is_empty()).then(|| Setting::group("", groups))
}

fn container(
    builder: &Builder<'_>,
    node: &mut Node,
    live: &Value,
    image: Option<&Image>,
    what: &str,
) -> Setting {
    let mut settings = Vec::new();
    if let Some(image) = image {
        node.set("image", Node::Expr(images::pipeline(builder, "$container.image")));
        let comment = "Key of the image, under `images`.";
        let image = Setting::value(comment, &*image.key, values::image_key());
        settings.push(("image", image.needed()));
    }
    settings.extend(environment(builder, node, live).map(|environment| ("env", environment)));
    let resources = live.get("resources").cloned().unwrap_or_else(|| json!({}));
    node.put("resources", block("$container.resources", "resources", live.get("resources")));
    settings.push((
        "resources",
        Setting::value("Requests and limits.", resources, values::resources()),
    ));
    let name = live.get("name").and_then(Value::as_str).unwrap_or_default();
    Setting::group(format!("{what} {name}."), settings)
}

/// Variables with a plain value, which null takes out. They keep their place among the others,
/// because `$(NAME)` only reaches back; those that a user adds come last. A list that was there
/// empty is left alone.
fn environment(builder: &Builder<'_>, node: &mut Node, live: &Value) -> Option<Setting> {
    let live = match live.get("env") {
        Some(live) => live.as_array().filter(|live| !live.is_empty())?.as_slice(),
        None => &[],
    };
    let names: Vec<&str> =
        live.iter().filter_map(|variable| variable.get("name")?.as_str()).collect();
    let mut plain = Map::new();
    let mut rows = Vec::new();
    if let Some(Node::List(variables)) = node.get_mut("env") {
        for (mut row, live) in std::mem::take(variables).into_iter().zip(live) {
            if let (Some((name, value)), Row::One(variable)) = (plain_value(live, &names), &mut row)
            {
                let place = field("$container.env", name);
                let text = builder.text_with_namespace(&format!("{place} | toString"), value);
                let text = text.unwrap_or_else(|| place.clone());
                let mut quoted = format!("{text} | quote");
                if value.contains(NO_VALUE) {
                    quoted = keeping_no_value(&quoted);
                }
                variable.set("value", Node::Expr(quoted));
                plain.insert(name.to_owned(), value.into());
                row = Row::when(is_set(&argument(&place)), row);
            }
            rows.push(row);
        }
    }
    let names: BTreeSet<&str> = names.into_iter().collect();
    let others = names.iter().copied().filter(|name| !plain.contains_key(*name));
    let schema = values::environment(others);
    let known: String = names.iter().map(|name| format!(" {}", literal(name))).collect();
    let arguments = format!("(dict \"env\" $container.env \"known\" (list{known}))");
    let head = format!("with {}", include(builder.chart(), "extraEnv", &arguments));
    if rows.is_empty() {
        let list = Row::field("env", Node::Block(".".to_owned()));
        node.put_before("env", "resources", Row::when(head, list));
    } else {
        rows.push(Row::When { head, rows: vec![Row::Rows(".".to_owned())] });
        node.set("env", Node::List(rows));
    }
    let comment = "Variables with a plain value; the others are in the template. More may be \
                   added; null takes one out.";
    Some(Setting::value(comment, plain, schema).needed())
}

/// Name and value of a variable that is plain text and has its name for itself.
fn plain_value<'v>(variable: &'v Value, names: &[&str]) -> Option<(&'v str, &'v str)> {
    let name = variable.get("name")?.as_str()?;
    let value = match (variable.get("value"), variable.get("valueFrom")) {
        (Some(Value::String(value)), None) => value.as_str(),
        (None, None) => "",
        _ => return None,
    };
    let is_only = names.iter().filter(|other| **other == name).count() == 1;
    is_only.then_some((name, value))
}

/// A whole mapping or list from the values, absent where it is empty, unless it was there empty.
fn block(value: &str, key: &str, live: Option<&Value>) -> Row<crate::chart::yaml::Field> {
    let is_empty = |live: &Value| {
        live.as_object().is_some_and(Map::is_empty) || live.as_array().is_some_and(Vec::is_empty)
    };
    if live.is_some_and(is_empty) {
        return Row::field(key, Node::Block(format!("toYaml {value}")));
    }
    let block = Row::field(key, Node::Block("toYaml .".to_owned()));
    Row::when(format!("with {value}"), block)
}

/// Where pods may run.
fn scheduling(live: Option<&Value>, pod: &mut Node) -> Vec<(&'static str, Setting)> {
    let fields = [
        ("nodeSelector", json!({}), values::node_selector(), "Labels that a node must have."),
        ("tolerations", json!([]), values::tolerations(), "Taints that the pods tolerate."),
        ("affinity", json!({}), values::affinity(), "Nodes and pods to run near to or away from."),
    ];
    let mut settings = Vec::new();
    for (key, none, schema, comment) in fields {
        let live = live.and_then(|pod| pod.get(key));
        pod.put(key, block(&format!("$workload.{key}"), key, live));
        settings.push((key, Setting::value(comment, live.cloned().unwrap_or(none), schema)));
    }
    settings.extend(spread(live, pod));
    for (key, comment) in CLASSES {
        let Some(name) = live.and_then(|pod| pod.get(key)?.as_str()) else { continue };
        let row = Row::field(key, Node::expr(". | quote"));
        pod.put(key, Row::when(format!("with $workload.{key}"), row));
        settings.push((key, Setting::value(comment, name, values::optional_name())));
    }
    settings
}

/// How pods spread over zones and nodes, where that was said.
fn spread(live: Option<&Value>, pod: &mut Node) -> Option<(&'static str, Setting)> {
    let key = "topologySpreadConstraints";
    let live = live?.get(key)?;
    pod.put(key, block(&format!("$workload.{key}"), key, Some(live)));
    let comment = "How the pods spread over zones and nodes.";
    Some((key, Setting::value(comment, live.clone(), values::spread())))
}

/// Pull secrets of the values, after those that the pod keeps.
fn pull_secrets(builder: &mut Builder<'_>, pod: &mut Node) {
    let head = format!("with {}", include(builder.chart(), "pullSecrets", "."));
    match pod.get_mut("imagePullSecrets") {
        Some(Node::List(kept)) => {
            kept.push(Row::When { head, rows: vec![Row::Rows(".".to_owned())] });
        }
        _ => {
            let list = Row::field("imagePullSecrets", Node::Block(".".to_owned()));
            pod.put_after("imagePullSecrets", "", Row::when(head, list));
        }
    }
    let comment =
        "Secrets of the release's namespace to pull images with, as names or as {name: …}.";
    builder
        .values
        .section("imagePullSecrets", Setting::value(comment, json!([]), values::pull_secrets()));
}

/// Whether a CronJob rests.
fn suspension(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    if draft.object.kind() != "CronJob" {
        return;
    }
    let key = builder.keys.key(Section::CronJobs, draft.object);
    draft.variable("cronJob", &expr::entry("cronJobs", &key));
    let live = draft.object.at("/spec/suspend").and_then(Value::as_bool);
    let row = match live {
        Some(_) => Row::field("suspend", Node::expr("$cronJob.suspend")),
        None => Row::when("with $cronJob.suspend", Row::field("suspend", Node::expr("."))),
    };
    if let Some(spec) = draft.body.get_mut("spec") {
        spec.put_after("suspend", "schedule", row);
    }
    let comment = "Whether it starts no new jobs.";
    let suspend = Setting::value(comment, live.unwrap_or(false), values::boolean());
    let entry = Setting::group(format!("{}.", title(draft.object)), [("suspend", suspend)]);
    builder.values.entry(Section::CronJobs.name(), key, entry);
}
