//! What the containers of a pod may mount.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::read::Context;
use super::{Content, Lost, Volume, quantity};
use crate::app::Object;

/// The volumes of the pod at `at`, with those that a StatefulSet makes.
pub(super) fn read(
    context: &Context<'_>,
    object: &Object,
    at: &str,
    spec: &Map<String, Value>,
    lost: &mut Vec<Lost>,
) -> Vec<Volume> {
    let mut volumes = Vec::new();
    let list = spec.get("volumes").and_then(Value::as_array);
    for (index, volume) in list.into_iter().flatten().enumerate() {
        let name = volume["name"].as_str().unwrap_or_default().to_owned();
        if volume["emptyDir"]["medium"].as_str().is_some_and(|medium| !medium.is_empty()) {
            lost.push(Lost::at(object, &format!("{at}/volumes/{index}/emptyDir/medium")));
        }
        match content(context, volume) {
            Some(content) => volumes.push(Volume { name, content }),
            None => lost.push(Lost::at(object, &format!("{at}/volumes/{index}"))),
        }
    }
    let templates = object.at("/spec/volumeClaimTemplates").and_then(Value::as_array);
    for template in templates.into_iter().flatten() {
        let name = template["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let (claim, size) = (format!("{name}-{}-0", object.name()), size(template));
        volumes.push(Volume { name, content: Content::Kept { claim, size } });
    }
    volumes
}

fn content(context: &Context<'_>, volume: &Value) -> Option<Content> {
    let named = |source: &str, field: &str| volume[source][field].as_str();
    if volume.get("emptyDir").is_some() {
        let limit = named("emptyDir", "sizeLimit").and_then(quantity::whole);
        return Some(Content::Scratch(limit));
    }
    if let Some(name) = named("persistentVolumeClaim", "claimName") {
        let claim = context.claims.get(name).map(|claim| Value::from((*claim).clone()));
        return Some(Content::Kept { claim: name.to_owned(), size: claim.as_ref().and_then(size) });
    }
    if let Some(name) = named("configMap", "name") {
        return files(context.configs.get(name)?, &volume["configMap"]["items"]);
    }
    if let Some(name) = named("secret", "secretName") {
        let all = volume["secret"]["items"].is_null();
        return all.then(|| Content::Secret(name.to_owned()));
    }
    Some(Content::Host(named("hostPath", "path")?.to_owned()))
}

fn size(claim: &Value) -> Option<u64> {
    quantity::whole(claim.pointer("/spec/resources/requests/storage")?.as_str()?)
}

/// The text of a ConfigMap by path: all of it, or the keys that are named. Binary data is no text,
/// and then none of it is told.
fn files(config: &Object, items: &Value) -> Option<Content> {
    let empty = Map::new();
    let data = config.at("/data").and_then(Value::as_object).unwrap_or(&empty);
    let file = |key: &str| Some(data.get(key)?.as_str()?.to_owned());
    let files: Option<BTreeMap<String, String>> = match items.as_array() {
        Some(items) => items
            .iter()
            .map(|item| Some((item["path"].as_str()?.to_owned(), file(item["key"].as_str()?)?)))
            .collect(),
        None if config.at("/binaryData").is_some() => None,
        None => data.keys().map(|key| Some((key.clone(), file(key)?))).collect(),
    };
    files.map(Content::Files)
}
