//! Which images an application uses, and what runs of them.

mod places;

use outhaul::app::{App, ImageUse, Object};
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
