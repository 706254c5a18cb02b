//! What the API server makes of the definition, and of specs.

use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams,
};
use outhaul::cluster::record::{ExportSpec, crd_yaml, schedule_crd_yaml};
use serde_json::{Value, json};

use super::{namespace, whole_spec};
use crate::support::cluster::{Cluster, cluster_with_exports};
use crate::support::objects::{self, Namespace};

fn definition(cluster: &Cluster) -> Value {
    let kind = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    objects::get(cluster, None, kind.0, kind.1, "exports.outhaul.dev").unwrap()
}

async fn api(namespace: &Namespace<'_>) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("outhaul.dev", "v1alpha1", "Export");
    let resource = ApiResource::from_gvk_with_plural(&kind, "exports");
    let client = namespace.cluster().client("admin").await;
    Api::namespaced_with(client, namespace.name(), &resource)
}

fn object(spec: &Value) -> DynamicObject {
    let export = json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "Export",
        "metadata": {"name": "a"}, "spec": spec});
    serde_json::from_value(export).unwrap()
}

/// What the server would store, or its words against it.
async fn tried(namespace: &Namespace<'_>, spec: &Value) -> Result<Value, String> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let made = api(namespace).await.create(&dry, &object(spec)).await;
    made.map(|made| made.data["spec"].clone()).map_err(|error| error.to_string())
}

/// The smallest spec with these fields added or replaced; null removes one.
fn spec(fields: &Value) -> Value {
    let mut spec = json!({"app": "shop", "destination": "backup"});
    for (key, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => drop(spec.as_object_mut().unwrap().remove(key)),
            value => spec[key] = value.clone(),
        }
    }
    spec
}

#[test]
fn the_definition_is_accepted_and_structural() {
    let found = definition(cluster_with_exports());
    let conditions: Vec<_> = found["status"]["conditions"].as_array().unwrap().iter().collect();
    let holds =
        |kind: &str| conditions.iter().any(|of| of["type"] == kind && of["status"] == "True");
    assert!(holds("Established") && holds("NamesAccepted"), "{conditions:?}");
    assert!(!holds("NonStructuralSchema"), "{conditions:?}");
    let names = &found["spec"]["names"];
    assert_eq!(
        (&names["shortNames"], &names["categories"]),
        (&json!(["oex"]), &json!(["outhaul"]))
    );
    assert_eq!(found["spec"]["versions"][0]["subresources"], json!({"status": {}}));
}

#[tokio::test]
async fn kubectl_gets_the_columns() {
    let cluster = cluster_with_exports();
    let request = hyper::Request::get("/apis/outhaul.dev/v1alpha1/exports")
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .unwrap();
    let table: Value = cluster.client("admin").await.request(request).await.unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap().iter();
    let columns: Vec<_> =
        columns.map(|of| format!("{} {}", of["name"].as_str().unwrap(), of["priority"])).collect();
    let expected = [
        "Name 0",
        "App 0",
        "Destination 0",
        "Phase 0",
        "Step 1",
        "Version 0",
        "Reason 0",
        "By 1",
        "Age 0",
    ];
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn defaults_are_filled_in_as_we_write_them() {
    let namespace = namespace();
    let stored = tried(&namespace, &spec(&json!({"names": {}, "selector": null}))).await.unwrap();
    let mut ours = serde_json::to_value(ExportSpec::new("shop", "backup")).unwrap();
    ours["names"] = json!({});
    assert_eq!(stored, ours);
}

#[tokio::test]
async fn specs_that_make_sense_are_accepted() {
    let namespace = namespace();
    let whole = serde_json::to_value(whole_spec()).unwrap();
    for fields in [
        json!({}),
        json!({"app": "A.b_c-9", "destination": "team.eu-1"}),
        json!({"all": true}),
        json!({"all": false, "selector": "app=shop"}),
        json!({"ageRecipients": []}),
        json!({"waitRollout": "1s"}),
        json!({"waitRollout": "24h"}),
        json!({"waitRollout": "1440m"}),
        json!({"platforms": vec!["linux/amd64"; 16]}),
        json!({"requestedBy": {"user": "system:serviceaccount:a:b"}}),
        whole,
    ] {
        if let Err(error) = tried(&namespace, &spec(&fields)).await {
            panic!("{fields}: {error}");
        }
    }
}

#[tokio::test]
async fn specs_that_make_no_sense_are_refused() {
    let namespace = namespace();
    let long = "x".repeat(2000);
    for (fields, reason) in [
        (json!({"app": null}), "spec.app: Required value"),
        (json!({"destination": null}), "spec.destination: Required value"),
        (json!({"app": ""}), "spec.app"),
        (json!({"app": "-shop"}), "spec.app"),
        (json!({"app": "x".repeat(64)}), "spec.app: Too long"),
        (json!({"destination": "registry.example.com/team"}), "spec.destination"),
        (json!({"destination": "localhost:5000"}), "spec.destination"),
        (json!({"namespace": "Team"}), "spec.namespace"),
        (json!({"selector": ""}), "spec.selector"),
        (json!({"selector": long}), "spec.selector: Too long"),
        (json!({"selector": "a=b", "all": true}), "give either selector or all"),
        (json!({"ageRecipients": ["age1x"]}), "recipients are those of the destination"),
        (json!({"secrets": "show"}), "spec.secrets: Unsupported value"),
        (json!({"chartFrom": "git"}), "spec.chartFrom: Unsupported value"),
        (json!({"jobs": "run"}), "spec.jobs: Unsupported value"),
        (json!({"requestedBy": {}}), "spec.requestedBy.user: Required value"),
        (json!({"requestedBy": {"user": "a", "via": "ssh"}}), "spec.requestedBy.via"),
        (json!({"requestedBy": {"user": "a", "groups": vec!["g"; 65]}}), "spec.requestedBy.groups"),
        (json!({"names": {"chartName": long}}), "spec.names.chartName: Too long"),
        (json!({"platforms": vec!["linux/amd64"; 17]}), "spec.platforms: Too many"),
        (json!({"exclude": ["ConfigMap"]}), "spec.exclude"),
        (json!({"keepImages": [""]}), "spec.keepImages"),
        (json!({"failOn": vec!["error"; 33]}), "spec.failOn: Too many"),
        (json!({"accept": [long]}), "spec.accept"),
        (json!({"waitRollout": "soon"}), "spec.waitRollout"),
        (json!({"waitRollout": "1.5h"}), "spec.waitRollout"),
        (json!({"waitRollout": "0m"}), "waitRollout must be between 1s and 24h"),
        (json!({"waitRollout": "25h"}), "waitRollout must be between 1s and 24h"),
        (json!({"adopt": "yes"}), "spec.adopt"),
    ] {
        let refused = tried(&namespace, &spec(&fields)).await;
        let Err(error) = refused else { panic!("{fields} was accepted") };
        assert!(error.contains(reason), "{fields}: {error}");
    }
}

#[tokio::test]
async fn a_spec_never_changes_and_metadata_may() {
    let namespace = namespace();
    let api = api(&namespace).await;
    api.create(&PostParams::default(), &object(&spec(&json!({})))).await.unwrap();
    let patch = |patch: Value| {
        let api = api.clone();
        async move { api.patch("a", &PatchParams::default(), &Patch::Merge(&patch)).await }
    };
    for fields in [json!({"all": true}), json!({"destination": "else"}), json!({"epinio": true})] {
        let error = patch(json!({"spec": fields})).await.unwrap_err().to_string();
        assert!(error.contains("spec cannot be changed; make another Export"), "{error}");
    }
    let cancel = json!({"metadata": {"annotations": {"outhaul.dev/cancel": "now"}}});
    patch(cancel).await.unwrap();
    patch(json!({"spec": {"all": false}})).await.unwrap();
}

/// Whoever applies the definitions is not to read warnings, as of formats that Kubernetes has not.
#[tokio::test]
async fn the_definitions_are_applied_without_a_warning() {
    let cluster = cluster_with_exports();
    let ca = std::fs::read(cluster.ca_file()).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let query = "?dryRun=All&force=true&fieldManager=test&fieldValidation=Strict";
    for (name, definition) in
        [("exports", crd_yaml().unwrap()), ("exportschedules", schedule_crd_yaml().unwrap())]
    {
        let url = format!("{}{path}/{name}.outhaul.dev{query}", cluster.url());
        let request = client.patch(url).bearer_auth("admin-token");
        let request =
            request.header("content-type", "application/apply-patch+yaml").body(definition);
        let answer = request.send().await.unwrap();
        let warnings: Vec<_> = answer.headers().get_all("warning").iter().collect();
        assert!(answer.status().is_success() && warnings.is_empty(), "{answer:?}");
    }
}
