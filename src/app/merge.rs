//! By what Kubernetes tells the items of a list apart.

use serde_json::Value;

/// Lists of which the items are not known by their `name`, and the fields that tell them apart:
/// `x-kubernetes-list-map-keys` and `x-kubernetes-patch-merge-key` of the API. The first field of
/// an alternative has to be there. Below the line, lists that the API replaces as a whole and
/// in which people tell items apart all the same.
const KEYS: [(&str, &[&[&str]]); 10] = [
    ("hostAliases", &[&["ip"]]),
    ("ownerReferences", &[&["uid"]]),
    ("ports", &[&["containerPort", "protocol"], &["port", "protocol"]]),
    ("topologySpreadConstraints", &[&["topologyKey", "whenUnsatisfiable"]]),
    ("volumeDevices", &[&["devicePath"]]),
    ("volumeMounts", &[&["mountPath"]]),
    // ―――
    ("paths", &[&["path", "pathType"]]),
    ("rules", &[&["host"]]),
    ("tolerations", &[&["key", "operator", "value", "effect"]]),
    ("volumeClaimTemplates", &[&["metadata.name"]]),
];

const BY_NAME: &[&[&str]] = &[&["name"]];

/// What an item of the list is known by, such as `name=web` or `port=53,protocol=UDP`; `None` if by
/// its place alone. The protocol `TCP` is what a port without one has, and is left out.
pub(crate) fn key(list: &str, item: &Value) -> Option<String> {
    alternatives(list).iter().find_map(|fields| {
        text(item, fields.first()?)?;
        let said = fields.iter().filter_map(|field| Some((*field, text(item, field)?)));
        let said = said.filter(|said| *said != ("protocol", "TCP".to_owned()));
        Some(said.map(|(field, text)| format!("{field}={text}")).collect::<Vec<_>>().join(","))
    })
}

/// Copies the fields by which items of the list are known to where `to` has the same fields.
pub(crate) fn copy_key(list: &str, item: &Value, to: &mut Value) {
    for field in alternatives(list).iter().copied().flatten() {
        let pointer = format!("/{}", field.replace('.', "/"));
        if let (Some(value @ (Value::String(_) | Value::Number(_))), Some(place)) =
            (item.pointer(&pointer), to.pointer_mut(&pointer))
        {
            place.clone_from(value);
        }
    }
}

fn alternatives(list: &str) -> &'static [&'static [&'static str]] {
    let known = KEYS.iter().find(|(of, _)| *of == list);
    known.map_or(BY_NAME, |(_, alternatives)| *alternatives)
}

fn text(item: &Value, field: &str) -> Option<String> {
    match field.split('.').try_fold(item, |value, key| value.get(key))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_known_by_the_keys_of_their_list() {
        for (list, item, expected) in [
            ("env", json!({"name": "A", "value": "1"}), Some("name=A")),
            ("volumeMounts", json!({"name": "data", "mountPath": "/a"}), Some("mountPath=/a")),
            ("ports", json!({"name": "web", "containerPort": 80}), Some("containerPort=80")),
            ("ports", json!({"port": 53, "protocol": "TCP"}), Some("port=53")),
            ("ports", json!({"port": 53, "protocol": "UDP"}), Some("port=53,protocol=UDP")),
            (
                "tolerations",
                json!({"key": "a", "effect": "NoExecute"}),
                Some("key=a,effect=NoExecute"),
            ),
            ("tolerations", json!({"operator": "Exists"}), None),
            (
                "volumeClaimTemplates",
                json!({"metadata": {"name": "data"}}),
                Some("metadata.name=data"),
            ),
            ("args", json!("--verbose"), None),
            ("envFrom", json!({"configMapRef": {"name": "a"}}), None),
        ] {
            assert_eq!(key(list, &item).as_deref(), expected, "{list}: {item}");
        }
    }
}
