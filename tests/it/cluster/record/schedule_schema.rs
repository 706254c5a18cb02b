//! What the API server makes of the definition of `ExportSchedule`, and of specs.

use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams,
};
use outhaul::cluster::record::schedule::{ExportScheduleSpec, Template};
use outhaul::schedule::run::LONGEST_NAME;
use serde_json::{Value, json};

use super::namespace;
use crate::support::cluster::cluster_with_exports;
use crate::support::objects::{self, Namespace};

async fn api(namespace: &Namespace<'_>) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("outhaul.dev", "v1alpha1", "ExportSchedule");
    let resource = ApiResource::from_gvk_with_plural(&kind, "exportschedules");
    let client = namespace.cluster().client("admin").await;
    Api::namespaced_with(client, namespace.name(), &resource)
}

fn object(name: &str, spec: &Value) -> DynamicObject {
    let schedule = json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "ExportSchedule",
        "metadata": {"name": name}, "spec": spec});
    serde_json::from_value(schedule).unwrap()
}

/// What the server would store, or its words against it.
async fn tried(namespace: &Namespace<'_>, name: &str, spec: &Value) -> Result<Value, String> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let made = api(namespace).await.create(&dry, &object(name, spec)).await;
    made.map(|made| made.data["spec"].clone()).map_err(|error| error.to_string())
}

/// The smallest spec with these fields added or replaced, `template` by its own; null removes one.
fn spec(fields: &Value) -> Value {
    let mut spec = json!({
        "schedule": "30 2 * * *",
        "template": {"app": "shop", "destination": "backup", "secrets": "reference"},
    });
    for (key, value) in fields.as_object().unwrap() {
        match value {
            Value::Object(parts) if key == "template" => {
                parts.iter().for_each(|(key, value)| put(&mut spec["template"], key, value));
            }
            value => put(&mut spec, key, value),
        }
    }
    spec
}

fn put(object: &mut Value, key: &str, value: &Value) {
    match value {
        Value::Null => drop(object.as_object_mut().unwrap().remove(key)),
        value => object[key] = value.clone(),
    }
}

#[test]
fn the_definition_is_accepted_and_has_its_short_name() {
    let cluster = cluster_with_exports();
    let kind = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    let found = objects::get(cluster, None, kind.0, kind.1, "exportschedules.outhaul.dev").unwrap();
    let conditions = found["status"]["conditions"].as_array().unwrap();
    let holds =
        |kind: &str| conditions.iter().any(|it| it["type"] == kind && it["status"] == "True");
    assert!(holds("Established") && holds("NamesAccepted"), "{conditions:?}");
    assert!(!holds("NonStructuralSchema"), "{conditions:?}");
    let names = &found["spec"]["names"];
    let wanted = (&json!(["oexs"]), &json!(["outhaul"]));
    assert_eq!((&names["shortNames"], &names["categories"]), wanted);
    assert_eq!(found["spec"]["versions"][0]["subresources"], json!({"status": {}}));
}

#[tokio::test]
async fn kubectl_gets_the_columns() {
    let request = hyper::Request::get("/apis/outhaul.dev/v1alpha1/exportschedules")
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .unwrap();
    let client = cluster_with_exports().client("admin").await;
    let table: Value = client.request(request).await.unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap().iter();
    let columns: Vec<_> =
        columns.map(|of| format!("{} {}", of["name"].as_str().unwrap(), of["priority"])).collect();
    let expected = [
        "Name 0",
        "Schedule 0",
        "Zone 0",
        "Suspended 0",
        "App 0",
        "Destination 0",
        "Last success 0",
        "Next 0",
        "Reason 0",
        "Age 1",
    ];
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn defaults_are_filled_in_as_we_write_them() {
    let stored = tried(&namespace(), "a", &spec(&json!({}))).await.unwrap();
    let ours = ExportScheduleSpec::new("30 2 * * *", Template::new("shop", "backup"));
    assert_eq!(stored, serde_json::to_value(ours).unwrap());
}

#[tokio::test]
async fn specs_that_make_sense_are_accepted() {
    let namespace = namespace();
    for fields in [
        json!({"schedule": "@every 6h", "timeZone": "America/Argentina/Buenos_Aires"}),
        json!({"timeZone": "Etc/GMT+5", "jitterSeconds": 3600, "startingDeadlineSeconds": 10}),
        json!({"startingDeadlineSeconds": 31_622_400, "catchUp": "None"}),
        json!({"concurrencyPolicy": "Replace", "suspend": true, "runOnCreate": true}),
        json!({"retention": {"maxAge": "90d"}}),
        json!({"retention": {"keepYearly": 1, "minSuccessful": 10_000, "includeManual": true}}),
        json!({"retention": {"keepLast": 10_000, "dryRun": true}}),
        json!({"historyLimits": {"successful": 1, "failed": 100}}),
        json!({"requestedBy": {"user": "alice", "via": "kubernetes"}}),
        json!({"template": {"app": null, "appSelector": "backup=daily"}}),
        json!({"template": {"app": null, "namespaceSelector": "team in (a, b)"}}),
        json!({"template": {"namespace": "shop", "all": true}}),
        json!({"template": {"names": {"chartName": "shop-chart"}, "waitRollout": "10m"}}),
    ] {
        if let Err(error) = tried(&namespace, "a", &spec(&fields)).await {
            panic!("{fields}: {error}");
        }
    }
    let longest = "a".repeat(LONGEST_NAME);
    tried(&namespace, &longest, &spec(&json!({}))).await.unwrap();
}

#[tokio::test]
async fn specs_that_make_no_sense_are_refused() {
    let namespace = namespace();
    let long = "x".repeat(2000);
    let one = "give one of app, appSelector and namespaceSelector";
    let says = "say what stays: keepLast, keepDaily, maxAge or another rule";
    for (fields, reason) in [
        (json!({"schedule": null}), "spec.schedule: Required value"),
        (json!({"schedule": ""}), "spec.schedule"),
        (json!({"schedule": "x".repeat(129)}), "spec.schedule: Too long"),
        (json!({"timeZone": ""}), "spec.timeZone"),
        (json!({"timeZone": "../etc/passwd"}), "spec.timeZone"),
        (json!({"jitterSeconds": 3601}), "spec.jitterSeconds"),
        (json!({"jitterSeconds": -1}), "spec.jitterSeconds"),
        (json!({"startingDeadlineSeconds": 9}), "spec.startingDeadlineSeconds"),
        (json!({"startingDeadlineSeconds": 31_622_401}), "spec.startingDeadlineSeconds"),
        (json!({"concurrencyPolicy": "Queue"}), "spec.concurrencyPolicy: Unsupported value"),
        (json!({"catchUp": "All"}), "spec.catchUp: Unsupported value"),
        (json!({"suspend": "yes"}), "spec.suspend"),
        (json!({"historyLimits": {"successful": 0}}), "spec.historyLimits.successful"),
        (json!({"historyLimits": {"failed": 101}}), "spec.historyLimits.failed"),
        (json!({"retention": {}}), says),
        (json!({"retention": {"keepLast": 0, "minSuccessful": 3}}), says),
        (json!({"retention": {"includeManual": true, "dryRun": true}}), says),
        (json!({"retention": {"keepLast": 1, "minSuccessful": 0}}), "spec.retention.minSuccessful"),
        (json!({"retention": {"keepDaily": 10_001}}), "spec.retention.keepDaily"),
        (json!({"retention": {"keepLast": -1}}), "spec.retention.keepLast"),
        (json!({"retention": {"maxAge": "0d"}}), "spec.retention.maxAge"),
        (json!({"retention": {"maxAge": "3 months"}}), "spec.retention.maxAge"),
        (json!({"requestedBy": {}}), "spec.requestedBy.user: Required value"),
        (json!({"template": null}), "spec.template: Required value"),
        (json!({"template": {"app": null}}), one),
        (json!({"template": {"appSelector": "a=b"}}), one),
        (json!({"template": {"app": null, "appSelector": "a", "namespaceSelector": "b"}}), one),
        (json!({"template": {"destination": null}}), "spec.template.destination: Required value"),
        (json!({"template": {"destination": "localhost:5000"}}), "spec.template.destination"),
        (json!({"template": {"secrets": null}}), "spec.template.secrets: Required value"),
        (json!({"template": {"app": "-shop"}}), "spec.template.app"),
        (json!({"template": {"app": null, "appSelector": ""}}), "spec.template.appSelector"),
        (json!({"template": {"selector": long}}), "spec.template.selector: Too long"),
        (json!({"template": {"selector": "a=b", "all": true}}), "give either selector or all"),
        (
            json!({"template": {"app": null, "appSelector": "a", "all": true}}),
            "selector and all say what an app is: give app",
        ),
        (
            json!({"template": {"app": null, "namespaceSelector": "a", "namespace": "shop"}}),
            "give either namespace or namespaceSelector",
        ),
        (
            json!({"template": {"app": null, "appSelector": "a", "names": {"chartName": "b"}}}),
            "names are for one app",
        ),
        (
            json!({"template": {"names": {"chartVersion": "1.0.0"}}}),
            "each run has a version of its own",
        ),
        (json!({"template": {"waitRollout": "25h"}}), "waitRollout must be between 1s and 24h"),
        (json!({"template": {"failOn": vec!["error"; 33]}}), "spec.template.failOn: Too many"),
    ] {
        let refused = tried(&namespace, "a", &spec(&fields)).await;
        let Err(error) = refused else { panic!("{fields} was accepted") };
        assert!(error.contains(reason), "{fields}: {error}");
    }
    let refused = tried(&namespace, &"a".repeat(LONGEST_NAME + 1), &spec(&json!({}))).await;
    assert!(refused.unwrap_err().contains("has at most 45 characters"));
}

/// Unlike an `Export`, it is what somebody goes on to change.
#[tokio::test]
async fn a_spec_may_change_into_one_that_makes_sense() {
    let namespace = namespace();
    let api = api(&namespace).await;
    api.create(&PostParams::default(), &object("a", &spec(&json!({})))).await.unwrap();
    let patch = async |patch: Value| {
        api.patch("a", &PatchParams::default(), &Patch::Merge(json!({"spec": patch}))).await
    };
    let changed = patch(json!({"suspend": true, "schedule": "@hourly"})).await.unwrap();
    assert_eq!(changed.data["spec"]["schedule"], "@hourly");
    let error = patch(json!({"retention": {"keepLast": 0}})).await.unwrap_err().to_string();
    assert!(error.contains("say what stays"), "{error}");
}
