//! Which images an application uses, and what runs of them.

use outhaul::app::{App, ImageUse, Object, Options, Selection, assemble};
use serde_json::{Value, json};

use super::{cluster, codes, named, snapshot};

const OLD: &str = "repo/web@sha256:0001";
const NEW: &str = "repo/web@sha256:0002";

fn owner(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": if kind == "Job" || kind == "CronJob" { "batch/v1" } else { "apps/v1" },
        "kind": kind, "name": name, "uid": name, "controller": true}])
}

fn live(api_version: &str, kind: &str, name: &str, metadata: &Value, rest: &Value) -> Object {
    let mut object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "uid": name}});
    merge(&mut object["metadata"], metadata);
    merge(&mut object, rest);
    Object::new(object).unwrap()
}

fn merge(into: &mut Value, from: &Value) {
    let from = from.as_object().unwrap().clone();
    into.as_object_mut().unwrap().extend(from);
}

fn template(image: &str) -> Value {
    json!({"template": {"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": image}]}}})
}

/// A pod of `owner` with labels, that runs `image_id` in the container `main`.
fn pod(name: &str, owner: &Value, labels: &Value, image_id: &str) -> Object {
    live(
        "v1",
        "Pod",
        name,
        &json!({"ownerReferences": owner, "labels": labels}),
        &json!({
        "spec": {"containers": [{"name": "main", "image": "web:1"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "other", "imageID": "repo/other@sha256:9999"},
            {"name": "main", "imageID": image_id}]}}),
    )
}

fn web(objects: Vec<Object>) -> App {
    named(&snapshot(cluster(), objects), "web")
}

fn running(app: &App) -> Vec<(&str, usize)> {
    app.images[0].running.iter().map(|of| (of.image_id.as_str(), of.pods)).collect()
}

fn deployment(revision: &str) -> Object {
    let metadata = json!({"annotations": {"deployment.kubernetes.io/revision": revision}});
    live("apps/v1", "Deployment", "web", &metadata, &json!({"spec": template("web:1")}))
}

fn replica_set(hash: &str, revision: &str) -> Object {
    let metadata = json!({"ownerReferences": owner("Deployment", "web"),
        "annotations": {"deployment.kubernetes.io/revision": revision},
        "labels": {"app": "web", "pod-template-hash": hash}});
    live(
        "apps/v1",
        "ReplicaSet",
        &format!("web-{hash}"),
        &metadata,
        &json!({"spec": template("web:1")}),
    )
}

fn pod_of_set(name: &str, hash: &str, image_id: &str) -> Object {
    let labels = json!({"app": "web", "pod-template-hash": hash});
    pod(name, &owner("ReplicaSet", &format!("web-{hash}")), &labels, image_id)
}

#[test]
fn pods_of_the_newest_replica_set_say_what_runs() {
    let app = web(vec![
        deployment("2"),
        replica_set("old", "1"),
        replica_set("new", "2"),
        pod_of_set("a", "old", OLD),
        pod_of_set("b", "new", &format!("docker-pullable://{NEW}")),
        pod_of_set("c", "new", NEW),
    ]);
    assert_eq!(running(&app), [(NEW, 2)]);
    assert_eq!(codes(&app), ["ROLLOUT_IN_PROGRESS Deployment web"]);
    let settled = web(vec![
        deployment("2"),
        replica_set("old", "1"),
        replica_set("new", "2"),
        pod_of_set("b", "new", NEW),
    ]);
    assert_eq!((running(&settled), codes(&settled)), (vec![(NEW, 1)], vec![]));
}

#[test]
fn a_rollback_makes_an_old_replica_set_the_newest() {
    let app = web(vec![
        deployment("3"),
        replica_set("a", "3"),
        replica_set("b", "2"),
        pod_of_set("p", "a", OLD),
        pod_of_set("q", "b", NEW),
    ]);
    assert_eq!(running(&app), [(OLD, 1)]);
}

#[test]
fn without_replica_sets_the_newest_pod_decides() {
    let at = |mut pod: Object, when: &str| {
        pod.fields_mut()["metadata"]["creationTimestamp"] = json!(when);
        pod
    };
    let app = web(vec![
        deployment("2"),
        at(pod_of_set("a", "new", NEW), "2026-01-02T00:00:00Z"),
        at(pod_of_set("b", "old", OLD), "2026-01-01T00:00:00Z"),
    ]);
    assert_eq!(running(&app), [(NEW, 1)]);
    assert_eq!(codes(&app), ["ROLLOUT_IN_PROGRESS Deployment web"]);
}

#[test]
fn pods_that_are_going_say_nothing() {
    let mut going = pod_of_set("a", "old", OLD);
    going.fields_mut()["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    let app = web(vec![deployment("2"), replica_set("old", "1"), replica_set("new", "2"), going]);
    assert_eq!((running(&app), codes(&app)), (vec![], vec![]));
}

#[test]
fn stateful_sets_name_their_revision() {
    let set = live(
        "apps/v1",
        "StatefulSet",
        "web",
        &json!({}),
        &json!({"spec": template("web:1"),
        "status": {"currentRevision": "web-1", "updateRevision": "web-2"}}),
    );
    let pod = |name: &str, hash: &str, id: &str| {
        let labels = json!({"app": "web", "controller-revision-hash": hash});
        pod(name, &owner("StatefulSet", "web"), &labels, id)
    };
    let app = web(vec![set, pod("web-0", "web-1", OLD), pod("web-1", "web-2", NEW)]);
    assert_eq!(running(&app), [(NEW, 1)]);
    assert_eq!(codes(&app), ["ROLLOUT_IN_PROGRESS StatefulSet web"]);
}

#[test]
fn daemon_sets_have_controller_revisions() {
    let set = live("apps/v1", "DaemonSet", "web", &json!({}), &json!({"spec": template("web:1")}));
    let revision = |hash: &str, number: u64| {
        let metadata = json!({"ownerReferences": owner("DaemonSet", "web"),
            "labels": {"app": "web", "controller-revision-hash": hash}});
        live("apps/v1", "ControllerRevision", hash, &metadata, &json!({"revision": number}))
    };
    let pod = |name: &str, hash: &str, id: &str| {
        let labels = json!({"app": "web", "controller-revision-hash": hash});
        pod(name, &owner("DaemonSet", "web"), &labels, id)
    };
    let app = web(vec![
        set,
        revision("h9", 9),
        revision("h10", 10),
        pod("a", "h9", OLD),
        pod("b", "h10", NEW),
        pod("c", "h10", OLD),
    ]);
    assert_eq!(running(&app), [(OLD, 1), (NEW, 1)]);
}

#[test]
fn cron_jobs_say_it_by_their_newest_job_if_it_asked_for_the_same() {
    let cron = |image: &str| {
        live(
            "batch/v1",
            "CronJob",
            "web",
            &json!({}),
            &json!({"spec": {"jobTemplate": {"spec": template(image)}}}),
        )
    };
    let job = |name: &str, when: &str| {
        live(
            "batch/v1",
            "Job",
            name,
            &json!({
        "ownerReferences": owner("CronJob", "web"), "creationTimestamp": when}),
            &json!({}),
        )
    };
    let rest = vec![
        job("a", "2026-01-02T00:00:00Z"),
        job("b", "2026-01-01T00:00:00Z"),
        pod("p", &owner("Job", "a"), &json!({}), NEW),
        pod("q", &owner("Job", "b"), &json!({}), OLD),
    ];
    let of = |image: &str| web([vec![cron(image)], rest.clone()].concat());
    assert_eq!(running(&of("web:1")), [(NEW, 1)]);
    assert_eq!(running(&of("web:2")), []);
}

#[test]
fn containers_that_were_injected_are_said_and_not_copied() {
    let mut injected = pod_of_set("a", "x", NEW);
    let spec = &mut injected.fields_mut()["spec"];
    spec["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "istio-proxy", "image": "proxy"}));
    spec["initContainers"] = json!([{"name": "istio-init", "image": "proxy"}]);
    let app = web(vec![deployment("1"), replica_set("x", "1"), injected]);
    assert_eq!(app.images.len(), 1);
    assert_eq!(codes(&app), ["INJECTED_CONTAINER Deployment web"; 2]);
}

#[test]
fn bare_pods_say_it_themselves_and_lose_what_was_injected() {
    let metadata = json!({"annotations": {"sidecar.istio.io/status": "{}", "mine": "stays"}});
    let pod = live(
        "v1",
        "Pod",
        "web",
        &metadata,
        &json!({
        "spec": {"initContainers": [{"name": "istio-init", "image": "proxy"}],
            "containers": [{"name": "istio-proxy", "image": "proxy"}, {"name": "main", "image": "web:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "imageID": NEW}]}}),
    );
    let app = web(vec![pod]);
    assert_eq!(running(&app), [(NEW, 1)]);
    assert_eq!(app.images[0].uses[0].pointer, "/spec/containers/0");
    assert_eq!(codes(&app), ["INJECTED_CONTAINER Pod web"; 2]);
}

#[test]
fn every_container_is_counted_once_under_its_reference() {
    let mut deployment = deployment("1");
    let spec = &mut deployment.fields_mut()["spec"]["template"]["spec"];
    spec["initContainers"] = json!([{"name": "init", "image": "web:1"}]);
    spec["ephemeralContainers"] = json!([{"name": "debug", "image": "busybox"}]);
    spec["containers"].as_array_mut().unwrap().push(json!({"name": "b", "image": "team/web:1"}));
    let app = web(vec![deployment]);
    let uses = |image: &ImageUse| {
        image.uses.iter().map(|of| format!("{} {}", of.pointer, of.container)).collect::<Vec<_>>()
    };
    let found: Vec<_> =
        app.images.iter().map(|of| (of.key.as_str(), of.image.as_str(), uses(of))).collect();
    let pod = "/spec/template/spec";
    assert_eq!(
        found,
        [
            (
                "library-web",
                "web:1",
                vec![format!("{pod}/containers/0 main"), format!("{pod}/initContainers/0 init")]
            ),
            ("team-web", "team/web:1", vec![format!("{pod}/containers/1 b")]),
        ]
    );
    assert!(app.objects[0].at("/spec/template/spec/ephemeralContainers").is_none());
}

/// Kyverno and its like pin images in pods, not in the template that the pods are made of.
#[test]
fn a_digest_that_admission_put_into_the_pod_is_what_runs() {
    let mut pinned = pod_of_set("a", "x", "somewhere.else/web@sha256:0003");
    pinned.fields_mut()["spec"]["containers"][0]["image"] = json!("web:1@sha256:0001");
    let app = web(vec![deployment("1"), replica_set("x", "1"), pinned]);
    assert_eq!(running(&app), [("docker.io/library/web@sha256:0001", 1)]);
}

#[test]
fn the_newest_pod_of_each_content_is_known() {
    let at = |mut pod: Object, when: &str| {
        pod.fields_mut()["metadata"]["creationTimestamp"] = json!(when);
        pod
    };
    let app = web(vec![
        deployment("1"),
        replica_set("x", "1"),
        at(pod_of_set("a", "x", OLD), "2026-01-02T00:00:00Z"),
        at(pod_of_set("b", "x", OLD), "2026-01-01T00:00:00Z"),
        pod_of_set("c", "x", NEW),
    ]);
    let newest: Vec<_> = app.images[0].running.iter().map(|of| of.newest.as_deref()).collect();
    assert_eq!(newest, [Some("2026-01-02T00:00:00Z"), None]);
}

#[test]
fn a_rollout_without_a_pod_of_the_newest_revision_does_not_say_what_runs() {
    let sets = [deployment("2"), replica_set("old", "1"), replica_set("new", "2")];
    let old = pod_of_set("a", "old", OLD);
    let pending = pod_of_set("b", "new", "");
    for pods in [vec![old.clone()], vec![old, pending]] {
        let app = web(sets.iter().cloned().chain(pods).collect());
        assert_eq!(running(&app), []);
        assert_eq!(
            app.findings[0].text,
            "Deployment web was rolling out, and no pod of its newest revision runs: the images \
             of its template were taken"
        );
    }
}

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
