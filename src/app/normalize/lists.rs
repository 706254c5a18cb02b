//! Lists with a key twice: the API server takes them, server-side apply does not.

use serde_json::Value;

use crate::app::kinds;
use crate::app::path::{self, Path};
use crate::app::{Code, Finding, Object};

/// What makes an item of a list the same as another.
type Key = fn(&Value) -> Option<String>;

/// A list below the `spec` of a pod, its key, and the same for people.
const LISTS: [(&str, Key, &str); 2] = [
    ("containers|initContainers[].env", variable, "environment variable"),
    ("containers|initContainers[].ports", port, "port"),
];

fn variable(item: &Value) -> Option<String> {
    item.get("name")?.as_str().map(str::to_owned)
}

fn port(item: &Value) -> Option<String> {
    let protocol = item.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
    Some(format!("{}/{protocol}", item.get("containerPort")?))
}

/// Of items with the same key the last one stays.
pub(super) fn deduplicate(object: &mut Object, template: &str, findings: &mut Vec<Finding>) {
    for (at, key, what) in LISTS {
        let at = kinds::below(template, &format!("spec.{at}"));
        let lists: Vec<Path> =
            path::find(object.fields(), &at).into_iter().map(|(path, _)| path).collect();
        for list in lists {
            let Some(Value::Array(items)) = list.get_mut(object.fields_mut()) else { continue };
            for twice in keep_last(items, key) {
                let text = format!("{what} {twice} is there more than once; the last one was kept");
                let finding = Finding::new(Code::DuplicateKey, text).field(list.to_string());
                findings.push(finding.remedy("Remove the others from the source."));
            }
        }
    }
}

/// Removes all but the last of the items with one key; gives the keys, in order.
fn keep_last(items: &mut Vec<Value>, key: Key) -> Vec<String> {
    let mut twice = Vec::new();
    let keys: Vec<Option<String>> = items.iter().map(key).collect();
    let mut place = 0;
    items.retain(|_| {
        let key = &keys[place];
        place += 1;
        let again = key.is_some() && keys[place..].contains(key);
        if again {
            twice.extend(key.clone());
        }
        !again
    });
    twice.dedup();
    twice
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_one_stays_where_it_stands() {
        let mut items = vec![
            json!({"name": "A", "value": "1"}),
            json!({"name": "B", "value": "$(A)"}),
            json!({"name": "A", "value": "2"}),
            json!({"name": "A", "value": "3"}),
        ];
        assert_eq!(keep_last(&mut items, variable), ["A"]);
        assert_eq!(
            items,
            [json!({"name": "B", "value": "$(A)"}), json!({"name": "A", "value": "3"})]
        );
    }

    #[test]
    fn ports_differ_by_protocol() {
        let mut items = vec![
            json!({"containerPort": 53, "protocol": "UDP"}),
            json!({"containerPort": 53}),
            json!({"containerPort": 53, "protocol": "TCP", "name": "dns"}),
        ];
        assert_eq!(keep_last(&mut items, port), ["53/TCP"]);
        assert_eq!(items.len(), 2);
    }
}
