//! What is not exported, and what is said about it.

use outhaul::app::{Options, Origin, Selection};

use super::super::{assemble, codes, kinds, named, snapshot, yaml};
use super::{ENV_FROM, container, label, object, others, requirements, web};

#[test]
fn exclusions_are_said_and_what_needs_them_is_required() {
    let text = container("web", ENV_FROM)
        + &object("v1", "ConfigMap", "settings", "")
        + &object("v1", "Service", "web", ", spec: {selector: {app: web}}")
            .replace("{name: web}", "{name: web, labels: {outhaul.dev/exclude: \"true\"}}");
    let exclude = vec![("configmap".to_owned(), "Settings".to_owned())];
    let snapshot = snapshot(Origin::Manifests, yaml(&text));
    let options = Options { exclude, ..Options::default() };
    let app = assemble(&snapshot, &Selection::Name("web".into()), &options).unwrap();
    assert_eq!(others(&app), [""; 0]);
    assert_eq!(codes(&app), ["EXCLUDED ConfigMap settings", "EXCLUDED Service web"]);
    assert_eq!(
        requirements(&app),
        ["ConfigMap settings: Deployment web refers to it; left out on request"]
    );
}

#[test]
fn an_excluded_workload_shares_nothing() {
    let text = container("web", ENV_FROM)
        + &container("other", ENV_FROM)
            .replace("{name: other}", "{name: other, labels: {outhaul.dev/exclude: \"true\"}}")
        + &object("v1", "ConfigMap", "settings", "");
    assert_eq!(others(&web(&text)), ["ConfigMap settings"]);
}

#[test]
fn what_ends_by_itself_is_skipped() {
    let pod = |name: &str, rest: &str| label(&object("v1", "Pod", name, rest));
    let text = container("web", "")
        + &pod("running", ", spec: {containers: []}, status: {phase: Running}")
        + &pod("done", ", spec: {containers: []}, status: {phase: Succeeded}")
        + &pod("failed", ", spec: {containers: []}, status: {phase: Failed}")
        + &pod("static", ", spec: {containers: []}")
            .replace("name: static", "name: static, annotations: {kubernetes.io/config.mirror: x}")
        + &label(&object("batch/v1", "Job", "once", ", spec: {template: {}}"))
        + &label(&object("v1", "ResourceQuota", "quota", ""));
    let app = web(&text);
    assert_eq!(others(&app), ["Pod running"]);
    assert_eq!(
        codes(&app),
        [
            "JOB_SKIPPED Job once",
            "KIND_SKIPPED ResourceQuota quota",
            "POD_SKIPPED Pod done",
            "POD_SKIPPED Pod failed",
            "POD_SKIPPED Pod static"
        ]
    );
}

#[test]
fn what_is_never_exported_is_left_out_without_a_word() {
    let text = container("web", "")
        + &label(&object("v1", "Event", "e", ""))
        + &label(&object("events.k8s.io/v1", "Event", "e", ""))
        + &label(&object("coordination.k8s.io/v1", "Lease", "l", ""))
        + &label(&object("v1", "Endpoints", "web", ""))
        + &label(&object("discovery.k8s.io/v1", "EndpointSlice", "web-1", ""))
        + &label(&object("apps/v1", "ControllerRevision", "c", ""))
        + &label(&object("v1", "ConfigMap", "kube-root-ca.crt", ""))
        + &label(&object("metrics.k8s.io/v1beta1", "PodMetrics", "m", ""))
        + &label(&object(
            "v1",
            "Secret",
            "sh.helm.release.v1.web.v1",
            ", type: helm.sh/release.v1",
        ))
        + &label(&object("v1", "Secret", "token", ", type: kubernetes.io/service-account-token"));
    let app = web(&text);
    assert_eq!((others(&app), codes(&app)), (vec![], vec![]));
    assert!(app.secrets.is_empty());
}

#[test]
fn claims_from_a_template_come_with_their_set() {
    let set = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, labels: {app: db}}\nspec: \
               {template: {}, volumeClaimTemplates: [{metadata: {name: data}}]}\n---\n";
    let claim = |name: &str| {
        object("v1", "PersistentVolumeClaim", name, ", spec: {}")
            .replace("metadata: {", "metadata: {labels: {app: db}, ")
    };
    let text = set.to_owned() + &claim("data-db-0") + &claim("data-db-12") + &claim("data-db-x");
    let app = named(&snapshot(Origin::Manifests, yaml(&text)), "db");
    assert_eq!(kinds(&app), ["PersistentVolumeClaim data-db-x", "StatefulSet db"]);
    assert_eq!(
        codes(&app),
        [
            "VOLUME_DATA_NOT_EXPORTED PersistentVolumeClaim data-db-x",
            "VOLUME_DATA_NOT_EXPORTED StatefulSet db"
        ]
    );
}

#[test]
fn objects_of_the_application_in_other_namespaces_are_said() {
    let elsewhere = object("v1", "ConfigMap", "far", "").replacen(
        "{name: far}",
        "{name: far, namespace: elsewhere, labels: {app: web}}",
        1,
    );
    let app = web(&(container("web", "") + &elsewhere));
    assert_eq!(codes(&app), ["NOT_EXPORTED ConfigMap elsewhere/far"]);
}

/// They came along as claims of their own, and the next pod found its name taken.
#[test]
fn claims_of_ephemeral_volumes_are_made_again_by_their_pods() {
    let owned = |owner: &str, of: &str, kind: &str, name: &str| {
        format!(
            "{{apiVersion: {of}, kind: {kind}, metadata: {{name: {name}, ownerReferences: \
             [{owner}]}}}}\n---\n"
        )
    };
    let text = container("web", "args: []")
        + &owned(
            "{apiVersion: apps/v1, kind: Deployment, name: web}",
            "apps/v1",
            "ReplicaSet",
            "web-1",
        )
        + &owned("{apiVersion: apps/v1, kind: ReplicaSet, name: web-1}", "v1", "Pod", "web-1-a")
        + &owned(
            "{apiVersion: v1, kind: Pod, name: web-1-a}",
            "v1",
            "PersistentVolumeClaim",
            "web-1-a-v",
        );
    let snapshot = snapshot(Origin::Manifests, yaml(&text));
    let all = Selection::All { name: "web".to_owned() };
    let app = assemble(&snapshot, &all, &Options::default()).unwrap();
    assert_eq!(kinds(&app), ["Deployment web"]);
}
