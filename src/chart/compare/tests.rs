//! What is a difference, and what it is called.

use super::*;
use serde_json::json;

fn map(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

#[test]
fn each_field_is_named_and_numbers_are_compared_by_value() {
    let before = json!({"a": {"b": [1, {"c": 2}], "d": 1.0}, "same": [{}], "gone": {"x": 1}});
    let after = json!({"a": {"b": [1, {"c": 3}, 4], "d": 1}, "same": [{}], "x.y/z": null});
    let found = changes(map(&before), map(&after));
    let fields: Vec<(&str, &str)> =
        found.iter().map(|change| (&*change.field, &*change.pointer)).collect();
    assert_eq!(
        fields,
        [("a.b[1].c", "/a/b/1/c"), ("a.b[2]", "/a/b/2"), ("gone", "/gone"), ("x.y/z", "/x.y~1z"),]
    );
    assert_eq!((found[1].before, found[1].after), (None, Some(&json!(4))));
    assert_eq!(found[3].after, Some(&Value::Null));
    let large = |number: u64| json!({"n": number});
    assert_eq!(changes(map(&large(u64::MAX)), map(&large(u64::MAX - 1))).len(), 1);
}

/// Field, pointer, and whether it is there before and after.
fn by_key(before: &Value, after: &Value) -> Vec<(String, String, bool, bool)> {
    let found = changes_by_key(map(before), map(after));
    let shown = |of: Change<'_>| (of.field, of.pointer, of.before.is_some(), of.after.is_some());
    found.into_iter().map(shown).collect()
}

fn change(field: &str, pointer: &str, before: bool, after: bool) -> (String, String, bool, bool) {
    (field.to_owned(), pointer.to_owned(), before, after)
}

#[test]
fn an_item_more_is_one_difference_wherever_it_stands() {
    let before = json!({"containers": [{"name": "web",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}],
        "volumeMounts": [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}],
        "args": ["--a", "--b", "--c"]}]});
    let after = json!({"containers": [{"name": "proxy"}, {"name": "web",
        "env": [{"name": "X", "value": "0"}, {"name": "A", "value": "1"}, {"name": "B", "value": "3"}],
        "ports": [{"containerPort": 53, "protocol": "UDP", "hostPort": 53}, ],
        "volumeMounts": [{"name": "data", "mountPath": "/b"}],
        "args": ["--a", "--new", "--b", "--c"]}]});
    assert_eq!(
        by_key(&before, &after),
        [
            change("containers[name=web].args[1]", "/containers/1/args/1", false, true),
            change(
                "containers[name=web].env[name=B].value",
                "/containers/0/env/1/value",
                true,
                true
            ),
            change("containers[name=web].env[name=X]", "/containers/1/env/0", false, true),
            change(
                "containers[name=web].ports[containerPort=53]",
                "/containers/0/ports/0",
                true,
                false
            ),
            change(
                "containers[name=web].ports[containerPort=53,protocol=UDP].hostPort",
                "/containers/1/ports/0/hostPort",
                false,
                true
            ),
            change(
                "containers[name=web].volumeMounts[mountPath=/a]",
                "/containers/0/volumeMounts/0",
                true,
                false
            ),
            change("containers[name=proxy]", "/containers/0", false, true),
        ]
    );
}

#[test]
fn another_order_is_one_difference_and_doubled_keys_go_by_place() {
    let [ab, ba] = [["a", "b"], ["b", "a"]]
        .map(|names| json!({"initContainers": names.map(|name| json!({"name": name}))}));
    assert_eq!(by_key(&ab, &ba), [change("initContainers", "/initContainers", true, true)]);
    let doubled = json!({"env": [{"name": "A"}, {"name": "A", "value": "1"}]});
    let single = json!({"env": [{"name": "A"}]});
    assert_eq!(by_key(&doubled, &single), [change("env[1]", "/env/1", true, false)]);
}

#[test]
fn each_side_knows_the_place_of_a_field() {
    let before = json!({"env": [{"name": "A", "value": "1"}]});
    let after = json!({"env": [{"name": "X"}, {"name": "A", "value": "2"}]});
    let (before, after) = (map(&before), map(&after));
    let found = changes_by_key(before, after);
    assert_eq!(found[0].places, ["env[0].value", "env[1].value"]);
}
