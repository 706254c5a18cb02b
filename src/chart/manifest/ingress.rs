//! Ingresses: whether, by which class, under which hosts, with which certificates.

use serde_json::{Map, Value};

use super::generic::{annotations, title};
use super::{Builder, Draft};
use crate::chart::expr::{self, field};
use crate::chart::keys::Section;
use crate::chart::values::{self, Setting};
use crate::chart::yaml::{Node, Row};

pub(super) fn parameterise(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let key = builder.keys.key(Section::Ingresses, draft.object);
    draft.variable("ingress", &expr::entry("ingresses", &key));
    draft.condition = Some("if $ingress.enabled".to_owned());
    let enabled = Setting::value("Whether there is an Ingress.", true, values::boolean());
    let mut settings = vec![("enabled", enabled)];
    settings.extend(class(draft).map(|class| ("className", class)));
    settings.extend(hosts(draft).map(|hosts| ("hosts", hosts)));
    settings.extend(certificates(builder, draft).map(|tls| ("tls", tls)));
    let comment = "Annotations, such as for the ingress controller.";
    settings.push(("annotations", annotations(builder, draft, "$ingress", comment)));
    let entry = Setting::group(format!("{}.", title(draft.object)), settings);
    builder.values.entry(Section::Ingresses.name(), key, entry);
}

fn class(draft: &mut Draft<'_>) -> Option<Setting> {
    let live = draft.object.text("/spec/ingressClassName").unwrap_or_default();
    let class = Row::field("ingressClassName", Node::expr(". | quote"));
    let row = Row::when("with $ingress.className", class);
    draft.body.get_mut("spec")?.put_after("ingressClassName", "", row);
    let comment = "Ingress class; empty for the cluster's default.";
    Some(Setting::value(comment, live, values::optional_name()))
}

/// Hosts of rules and certificates, each once.
fn hosts(draft: &mut Draft<'_>) -> Option<Setting> {
    let mut hosts = Map::new();
    let spec = draft.body.get_mut("spec")?;
    let mut name = |host: &mut Node| {
        let Some(live) = host.as_str().map(str::to_owned) else { return };
        *host = Node::Expr(format!("{} | quote", by_name("hosts", &live)));
        hosts.insert(live.clone(), live.into());
    };
    for list in ["rules", "tls"] {
        let Some(entries) = spec.get_mut(list) else { continue };
        for entry in entries.items_mut() {
            entry.get_mut("host").into_iter().for_each(&mut name);
            entry.get_mut("hosts").into_iter().flat_map(Node::items_mut).for_each(&mut name);
        }
    }
    let schema = values::record(hosts.keys().map(String::as_str), &values::host());
    let comment = "Host names: on the left as exported, on the right to use here.";
    (!hosts.is_empty()).then(|| Setting::value(comment, hosts, schema).needed())
}

/// Secrets with certificates. One that the values know follows its name there.
fn certificates(builder: &Builder<'_>, draft: &mut Draft<'_>) -> Option<Setting> {
    let mut names: Map<String, Value> = Map::new();
    let mut known = Vec::new();
    for entry in draft.body.at_mut(&["spec", "tls"])?.items_mut() {
        let Some(secret) = entry.get_mut("secretName") else { continue };
        let Some(live) = secret.as_str().map(str::to_owned) else { continue };
        let mut pipeline = by_name("tls", &live);
        if builder.secrets.contains(&*live) {
            pipeline = format!("{pipeline} | default ({}).name", expr::entry("secrets", &live));
            known.push(format!("`secrets.{live}.name`"));
        }
        *secret = Node::Expr(format!("{pipeline} | quote"));
        let default = if builder.secrets.contains(&*live) { "" } else { &*live };
        names.insert(live.clone(), default.into());
    }
    let mut comment =
        "Secrets with certificates: on the left as exported, on the right to use here.".to_owned();
    if !known.is_empty() {
        comment.push_str(&format!(" Empty: {}.", known.join(", ")));
    }
    let schema = values::record(names.keys().map(String::as_str), &values::optional_name());
    (!names.is_empty()).then(|| Setting::value(comment, names, schema).needed())
}

fn by_name(map: &str, name: &str) -> String {
    field(&format!("$ingress.{map}"), name)
}
