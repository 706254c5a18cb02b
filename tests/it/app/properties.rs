//! What holds for every application.

use outhaul::app::{App, Object, Options, Origin, Selection};
use proptest::prelude::*;

use super::{assemble, cluster, json_objects, named, objects, snapshot};

fn fixtures() -> Vec<(&'static str, Origin, Vec<Object>)> {
    let live = ["apply", "ssa", "create"];
    let mut all: Vec<_> = live
        .into_iter()
        .map(|how| (how, cluster(), json_objects(&format!("live/{how}.json"))))
        .collect();
    all.push(("shop", Origin::Manifests, objects("shop.yaml")));
    all.push(("written", Origin::Manifests, objects("written.yaml")));
    all
}

fn text(app: &App) -> String {
    serde_json::to_string_pretty(app).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_objects_means_nothing(
        which in 0..5_usize, keys in prop::collection::vec(any::<u32>(), 64),
    ) {
        let (_, origin, objects) = fixtures().swap_remove(which);
        let expected = text(&named(&snapshot(origin.clone(), objects.clone()), "shop"));
        let mut shuffled: Vec<_> = objects.into_iter().zip(keys.into_iter().cycle()).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let shuffled = shuffled.into_iter().map(|(object, _)| object);
        prop_assert_eq!(text(&named(&snapshot(origin, shuffled), "shop")), expected);
    }
}

/// An application's own objects, read as files, make the same objects.
#[test]
fn assembling_twice_is_assembling_once() {
    for (name, origin, objects) in fixtures() {
        let once = named(&snapshot(origin, objects), "shop");
        let again = snapshot(Origin::Manifests, once.objects.clone());
        let all = Selection::All { name: "shop".to_owned() };
        for twice in [named(&again, "shop"), assemble(&again, &all, &Options::default()).unwrap()] {
            assert_eq!(twice.objects, once.objects, "{name}");
            let keys = |app: &App| {
                app.images.iter().map(|of| (of.key.clone(), of.uses.clone())).collect::<Vec<_>>()
            };
            assert_eq!(keys(&twice), keys(&once), "{name}");
        }
    }
}

#[test]
fn nothing_of_the_old_namespace_is_left_in_metadata() {
    for (name, origin, objects) in fixtures() {
        let app = named(&snapshot(origin, objects), "shop");
        for object in &app.objects {
            assert_eq!(object.namespace(), None, "{name}: {}", object.id());
            let subjects = object.at("/subjects").and_then(|of| of.as_array());
            for subject in subjects.into_iter().flatten() {
                assert!(subject.get("namespace").is_none(), "{name}: {}", object.id());
            }
        }
    }
}

/// A server's field in an exported object is a defect, whatever the kind.
#[test]
fn no_field_of_the_server_is_left() {
    const SERVERS: [&str; 9] = [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "ownerReferences",
        "generation",
        "clusterIP",
        "clusterIPs",
        "volumeName",
    ];
    for (name, origin, objects) in fixtures() {
        let app = named(&snapshot(origin, objects), "shop");
        for object in &app.objects {
            let mut found = Vec::new();
            collect(&serde_json::Value::Object(object.fields().clone()), &mut found);
            found.retain(|(key, value)| SERVERS.contains(&key.as_str()) && value != "None");
            assert!(found.is_empty(), "{name}: {} has {found:?}", object.id());
            assert!(object.at("/status").is_none());
        }
    }
}

fn collect(value: &serde_json::Value, found: &mut Vec<(String, serde_json::Value)>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                found.push((key.clone(), value.clone()));
                collect(value, found);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
