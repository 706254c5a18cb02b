//! Where images stand beside containers, and whose pull secrets they need.

use outhaul::app::{App, ImageUse, Object, Options, Selection, assemble};
use serde_json::{Value, json};

use super::{NEW, deployment, live, owner, pod, pod_of_set, replica_set, template, web};
use crate::app::{cluster, codes, snapshot};

/// Everything in the namespace as one application.
fn whole(objects: Vec<Object>, options: &Options) -> App {
    let selection = Selection::All { name: "shop".to_owned() };
    assemble(&snapshot(cluster(), objects), &selection, options).unwrap()
}

/// Image, places and number of containers that run it.
fn uses(app: &App) -> Vec<(&str, Vec<String>, usize)> {
    let each = |of: &ImageUse| {
        of.uses.iter().map(|at| format!("{} {}", at.pointer, at.container)).collect()
    };
    let ran = |of: &ImageUse| of.running.iter().map(|of| of.pods).sum();
    app.images.iter().map(|of| (of.image.as_str(), each(of), ran(of))).collect()
}

#[test]
fn volumes_of_images_are_images() {
    let mut deployment = deployment("1");
    let volumes = json!([{"name": "empty", "emptyDir": {}},
        {"name": "model", "image": {"reference": "r.io/model:7", "pullPolicy": "Always"}},
        {"name": "none", "image": {}}]);
    deployment.fields_mut()["spec"]["template"]["spec"]["volumes"] = volumes.clone();
    let mut pod = pod_of_set("a", "x", NEW);
    pod.fields_mut()["spec"]["volumes"] = volumes;
    pod.fields_mut()["status"]["containerStatuses"][1]["volumeMounts"] = json!([
        {"name": "model", "volumeStatus": {"image": {"imageRef": "r.io/model@sha256:0007"}}}]);
    let app = web(vec![deployment, replica_set("x", "1"), pod]);
    let at = "/spec/template/spec/volumes/1/image/reference model".to_owned();
    assert_eq!(uses(&app)[0], ("r.io/model:7", vec![at], 1));
    assert_eq!(app.images[0].running[0].image_id, "r.io/model@sha256:0007");
    assert_eq!(codes(&app), ["KUBERNETES_VERSION_REQUIRED Deployment web"]);
}

#[test]
fn debug_containers_are_said_and_not_copied() {
    let debugged = |mut pod: Object| {
        pod.fields_mut()["spec"]["ephemeralContainers"] =
            json!([{"name": "debugger-x", "image": "busybox"}]);
        pod
    };
    let app =
        web(vec![deployment("1"), replica_set("x", "1"), debugged(pod_of_set("a", "x", NEW))]);
    assert_eq!(
        (app.images.len(), codes(&app)),
        (1, vec!["EPHEMERAL_CONTAINER Deployment web".into()])
    );
    let bare = json!({"spec": {"containers": [{"name": "main", "image": "web:1"}]}});
    let app = web(vec![debugged(live("v1", "Pod", "web", &json!({}), &bare))]);
    assert_eq!((app.images.len(), codes(&app)), (1, vec!["EPHEMERAL_CONTAINER Pod web".into()]));
}

fn custom(api_version: &str, kind: &str, spec: &Value) -> Object {
    live(api_version, kind, "web", &json!({}), &json!({"spec": spec, "status": {"image": "x"}}))
}

fn made_by(kind: &str, api_version: &str) -> Value {
    json!([{"apiVersion": api_version, "kind": kind, "name": "web", "uid": "web", "controller": true}])
}

#[test]
fn what_has_the_shape_of_a_pod_in_a_custom_resource_is_one() {
    let mut rollout = template("web:1");
    rollout["template"]["spec"]["initContainers"] = json!([{"name": "init", "image": "init:1"}]);
    rollout["template"]["spec"]["volumes"] =
        json!([{"name": "model", "image": {"reference": "model:1"}}]);
    let api = "argoproj.io/v1alpha1";
    let set = live(
        "apps/v1",
        "ReplicaSet",
        "web-x",
        &json!({"ownerReferences": made_by("Rollout", api)}),
        &json!({"spec": template("web:1")}),
    );
    let pod = pod("web-x-1", &owner("ReplicaSet", "web-x"), &json!({}), NEW);
    let app = whole(vec![custom(api, "Rollout", &rollout), set, pod], &Options::default());
    let at = "/spec/template/spec";
    assert_eq!(
        uses(&app),
        [
            ("init:1", vec![format!("{at}/initContainers/0 init")], 0),
            ("model:1", vec![format!("{at}/volumes/0/image/reference model")], 0),
            ("web:1", vec![format!("{at}/containers/0 main")], 1),
        ]
    );
    // Knative wants no name of a single container, and its pods ask for the digest.
    let spec = json!({"template": {"spec": {"containers": [{"image": "r.io/fn"}]}}});
    let service = custom("serving.knative.dev/v1", "Service", &spec);
    let mut pod = pod_of(&made_by("Service", "serving.knative.dev/v1"), "user-container");
    pod.fields_mut()["spec"]["containers"][0]["image"] = json!("r.io/fn@sha256:0009");
    let app = whole(vec![service, pod], &Options::default());
    assert_eq!(uses(&app), [("r.io/fn", vec![format!("{at}/containers/0 ")], 1)]);
    assert_eq!(app.images[0].running[0].image_id, "r.io/fn@sha256:0009");
    // Something else that is called containers.
    let other = json!({"containers": ["a", {"image": 5}], "nested": [{"containers": []}]});
    let app = whole(vec![custom("example.com/v1", "Ship", &other)], &Options::default());
    assert_eq!(uses(&app), []);
}

/// A pod with one container of the image `db:2`.
fn pod_of(owner: &Value, container: &str) -> Object {
    let mut pod = pod("web-1", owner, &json!({}), "db@sha256:0002");
    pod.fields_mut()["spec"]["containers"] = json!([{"name": container, "image": "db:2"}]);
    pod.fields_mut()["status"]["containerStatuses"] =
        json!([{"name": container, "imageID": "db@sha256:0002"}]);
    pod
}

#[test]
fn images_of_operators_stand_in_a_field_or_nowhere() {
    let api = "db.example.com/v1";
    let owner = made_by("Database", api);
    let field = custom(
        api,
        "Database",
        &json!({"imageName": "db:2", "name": "db:2", "of": [{"image": "db:3"}]}),
    );
    let app = whole(vec![field, pod_of(&owner, "postgres")], &Options::default());
    assert_eq!(uses(&app), [("db:2", vec!["/spec/imageName spec.imageName".into()], 1)]);

    // A StatefulSet says it although no pod runs; a sidecar that was injected is not its.
    let silent = custom(api, "Database", &json!({"version": 2}));
    let set = live(
        "apps/v1",
        "StatefulSet",
        "web-db",
        &json!({"ownerReferences": owner}),
        &json!({"spec": {"template": {"spec": {"containers": [{"name": "db", "image": "db:2"},
            {"name": "metrics", "image": "metrics:1"}]}}}}),
    );
    let mut pod = pod_of(&self::owner("StatefulSet", "web-db"), "db");
    pod.fields_mut()["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "istio-proxy", "image": "proxy:1"}));
    let old = live(
        "apps/v1",
        "ReplicaSet",
        "web-old",
        &json!({"ownerReferences": made_by("Database", api)}),
        &json!({"spec": {"replicas": 0, "template": {"spec": {"containers": [{"name": "db", "image": "db:1"}]}}}}),
    );
    let app = whole(vec![silent, set, pod, old], &Options::default());
    assert_eq!(
        uses(&app),
        [("db:2", vec![" db".into()], 1), ("metrics:1", vec![" metrics".into()], 0)]
    );
    assert_eq!(app.images[0].uses[0].object.kind, "Database");
    assert_eq!(app.objects.len(), 1, "{:?}", app.objects);
}

#[test]
fn images_that_stay_need_their_pull_secrets() {
    let pulling = |name: &str, image: &str, secret: &str, account: &str| {
        let spec = json!({"serviceAccountName": account, "imagePullSecrets": [{"name": secret}],
            "containers": [{"name": "main", "image": image}]});
        let template = json!({"template": {"metadata": {"labels": {"app": name}}, "spec": spec}});
        live("apps/v1", "Deployment", name, &json!({}), &json!({"spec": template}))
    };
    let account = |name: &str| {
        let secrets = json!({"imagePullSecrets": [{"name": format!("of-{name}")}]});
        live("v1", "ServiceAccount", name, &json!({}), &secrets)
    };
    let objects = vec![
        pulling("a", "quay.io/a:1", "one", "x"),
        pulling("b", "r.io/b:1", "two", "y"),
        account("x"),
        account("y"),
    ];
    let options = Options { keep_images: vec!["quay.io/*".parse().unwrap()], ..Options::default() };
    let app = whole(objects, &options);
    let kept: Vec<_> = app.images.iter().map(|of| (of.image.as_str(), of.kept)).collect();
    assert_eq!(kept, [("quay.io/a:1", true), ("r.io/b:1", false)]);
    assert_eq!(app.pull_secrets, ["of-x", "of-y", "one", "two"], "all may serve to read images");
    let needed: Vec<_> = app.requirements.iter().map(|of| of.object.to_string()).collect();
    assert_eq!(needed, ["Secret of-x", "Secret one"]);
    assert_eq!(
        app.requirements[1].reason,
        "Deployment a pulls images with it that stay where they are"
    );
}

/// The account that every namespace has is not exported, and so not what it names either.
#[test]
fn an_image_that_stays_needs_the_pull_secrets_of_the_default_account() {
    let web = live(
        "apps/v1",
        "Deployment",
        "web",
        &json!({}),
        &json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "quay.io/a:1"}]}}}}),
    );
    let secrets = json!({"imagePullSecrets": [{"name": "login"}]});
    let objects = vec![web, live("v1", "ServiceAccount", "default", &json!({}), &secrets)];
    let options = Options { keep_images: vec!["quay.io/*".parse().unwrap()], ..Options::default() };
    let app = whole(objects.clone(), &options);
    let needed: Vec<_> =
        app.requirements.iter().map(|of| format!("{}: {}", of.object, of.reason)).collect();
    assert_eq!(
        needed,
        ["Secret login: images that stay where they are were pulled with it by ServiceAccount \
          default, which is not exported: name it in `imagePullSecrets`"]
    );
    assert!(whole(objects, &Options::default()).requirements.is_empty());
}
