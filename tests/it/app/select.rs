//! Which objects a name means.

use outhaul::app::select::SelectError;
use outhaul::app::{App, Code, FoundBy, Options, Origin, Selection, Snapshot, list};

use super::{assemble, cluster, kinds, named, snapshot, yaml};

fn here(text: &str) -> Snapshot {
    snapshot(Origin::Manifests, yaml(text))
}

fn workload(kind: &str, name: &str, labels: &str, pod_labels: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n\
         spec: {{template: {{metadata: {{labels: {{{pod_labels}}}}}, \
         spec: {{containers: [{{name: main, image: a}}]}}}}}}\n---\n"
    )
}

fn select(text: &str, selection: &Selection) -> Result<App, SelectError> {
    assemble(&here(text), selection, &Options::default())
}

fn by_name(name: &str) -> Selection {
    Selection::Name(name.to_owned())
}

fn by_labels(selector: &str) -> Selection {
    Selection::Labels { name: "mine".to_owned(), selector: selector.to_owned() }
}

#[test]
fn the_strongest_label_wins() {
    let text = workload("Deployment", "a", "app: shop", "")
        + &workload("Deployment", "b", "app.kubernetes.io/name: shop", "")
        + &workload("Deployment", "c", "app.kubernetes.io/instance: shop", "")
        + &workload("Deployment", "shop", "", "");
    let app = named(&here(&text), "shop");
    assert_eq!(kinds(&app), ["Deployment c"]);
    assert_eq!(app.found_by, FoundBy::Label("app.kubernetes.io/instance".to_owned()));
}

#[test]
fn labels_of_pods_count_as_labels_of_their_workload() {
    let text =
        workload("StatefulSet", "db", "", "app: shop") + &workload("Deployment", "web", "", "");
    assert_eq!(kinds(&named(&here(&text), "shop")), ["StatefulSet db"]);
}

#[test]
fn what_controllers_leave_behind_is_no_application() {
    let text = workload("Deployment", "shop", "", "")
        + "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, \
           metadata: {name: shop-1, labels: {app: shop}}}";
    let app = named(&here(&text), "shop");
    assert_eq!(app.found_by.clone(), FoundBy::Workload(app.objects[0].id()));
}

#[test]
fn two_workloads_of_one_name_are_ambiguous() {
    let text = workload("Deployment", "shop", "", "") + &workload("StatefulSet", "shop", "", "");
    let error = select(&text, &by_name("shop")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "application `shop` is ambiguous in namespace `shop`: Deployment shop, StatefulSet shop"
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let text = workload("Deployment", "web", "app.kubernetes.io/instance: shop", "")
        + &workload("Deployment", "blog", "", "");
    let SelectError::Unknown { known, .. } = select(&text, &by_name("shoop")).unwrap_err() else {
        panic!("expected `Unknown`")
    };
    assert_eq!(known, ["blog", "shop"]);
}

#[test]
fn a_selector_chooses_by_hand() {
    let text = workload("Deployment", "a", "tier: front", "")
        + &workload("Deployment", "b", "tier: back", "");
    let app = select(&text, &by_labels("tier in (front, middle)")).unwrap();
    assert_eq!((app.name.as_str(), kinds(&app)), ("mine", vec!["Deployment a".to_owned()]));
    assert_eq!(app.found_by, FoundBy::Selector("tier in (front, middle)".to_owned()));
    assert!(matches!(select(&text, &by_labels("tier=none")), Err(SelectError::Unknown { .. })));
    let error = select(&text, &by_labels("tier in front")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`tier in front` is not a label selector: values must stand in `(…)`"
    );
}

#[test]
fn all_is_the_namespace_and_nothing_else() {
    let text = workload("Deployment", "a", "", "")
        + "{apiVersion: v1, kind: ConfigMap, metadata: {name: loose}}\n---\n\
           {apiVersion: v1, kind: ConfigMap, metadata: {name: other, namespace: elsewhere}}\n---\n\
           {apiVersion: v1, kind: ConfigMap, metadata: {name: kube-root-ca.crt}}\n---\n\
           {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: loose}}";
    let app = select(&text, &Selection::All { name: "x".to_owned() }).unwrap();
    assert_eq!(kinds(&app), ["ConfigMap loose", "Deployment a"]);
}

#[test]
fn a_workload_that_another_makes_has_no_name_of_its_own() {
    let text = workload("Deployment", "web", "", "")
        + "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, ownerReferences: \
           [{apiVersion: apps/v1, kind: Deployment, name: web}]}}\n---\n\
           {apiVersion: v1, kind: Pod, metadata: {name: orphan, ownerReferences: \
           [{apiVersion: apps/v1, kind: ReplicaSet, name: not-read}]}}";
    let names: Vec<_> = list(&here(&text)).into_iter().map(|candidate| candidate.name).collect();
    assert_eq!(names, ["web"]);
    assert!(
        select(&text, &by_name("web-1")).is_err() && select(&text, &by_name("orphan")).is_err()
    );
}

/// What is listed can be exported under that name, and is found as the list says.
#[test]
fn the_list_keeps_its_word() {
    let text = workload("Deployment", "web", "app.kubernetes.io/instance: shop, app: web", "")
        + &workload("StatefulSet", "db", "app.kubernetes.io/instance: shop", "")
        + &workload("Deployment", "weak", "app: shop", "")
        + &workload("Deployment", "named", "", "app.kubernetes.io/name: blog")
        + &workload("DaemonSet", "alone", "", "")
        + &workload("Deployment", "hidden", "outhaul.dev/exclude: \"true\"", "")
        + "{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {template: {}}}";
    let snapshot = here(&text);
    let candidates = list(&snapshot);
    let names: Vec<_> = candidates.iter().map(|candidate| candidate.name.as_str()).collect();
    assert_eq!(names, ["alone", "blog", "shop", "weak"]);
    assert_eq!(candidates[2].workloads.len(), 2);
    for candidate in candidates {
        let app = named(&snapshot, &candidate.name);
        assert_eq!(app.found_by, candidate.found_by);
        let mut workloads: Vec<_> = candidate.workloads.iter().map(ToString::to_string).collect();
        workloads.sort();
        assert_eq!(kinds(&app), workloads);
    }
}

/// Whose an object without a namespace is cannot be told where nothing refers to it.
#[test]
fn what_has_no_namespace_and_no_user_is_named_and_not_dropped() {
    let binding = |name: &str, subject: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n\
             metadata: {{name: {name}}}\nroleRef: {{kind: ClusterRole, name: view}}\n\
             subjects: [{{{subject}}}]\n---\n"
        )
    };
    let cluster_scoped = |api: &str, kind: &str, name: &str| {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\n---\n")
    };
    let text = workload("Deployment", "web", "", "")
        + &cluster_scoped("v1", "Namespace", "shop")
        + &cluster_scoped("rbac.authorization.k8s.io/v1", "ClusterRole", "lonely")
        + &cluster_scoped("storage.k8s.io/v1", "StorageClass", "fast")
        + &binding("all-accounts", "kind: Group, name: 'system:serviceaccounts:shop'")
        + &binding("of-others", "kind: ServiceAccount, name: a, namespace: other");
    let all = Selection::All { name: "all".to_owned() };
    let named = |origin: Origin, selection: &Selection| {
        let app = assemble(&snapshot(origin, yaml(&text)), selection, &Options::default()).unwrap();
        let found = app.findings.into_iter().filter(|of| of.code == Code::NotExported);
        found.map(|finding| finding.object.unwrap().name).collect::<Vec<_>>()
    };
    let mut found = named(Origin::Manifests, &all);
    found.sort();
    assert_eq!(found, ["all-accounts", "fast", "lonely", "of-others"]);
    assert_eq!(named(cluster(), &all), ["all-accounts"]);
    assert_eq!(named(Origin::Manifests, &by_name("web")), [""; 0]);
}
