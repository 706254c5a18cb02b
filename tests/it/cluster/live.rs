//! What is read of a namespace, and what is not.

use std::path::PathBuf;
use std::sync::Mutex;

use outhaul::app::{Object, Options, Origin, Selection, Snapshot, assemble};
use outhaul::cluster::{ClientOptions, Error, Live, Scope, SecretRead, Source as _};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::proxy::{Proxy, Verdict};
use crate::support::cluster::{Cluster, cluster};
use crate::support::objects::{self, Namespace};

const OBJECTS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'example.org/web:1'}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {z: last, a: first}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {key: canary-value}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: leader}
spec: {holderIdentity: somebody}
";

pub(super) fn options(kubeconfig: PathBuf) -> ClientOptions {
    ClientOptions { kubeconfig: Some(kubeconfig), context: None }
}

pub(super) async fn read(
    kubeconfig: PathBuf,
    namespace: &str,
    secrets: SecretRead,
) -> Result<Snapshot, Error> {
    let live = Live::connect(&options(kubeconfig)).await?;
    let scope = Scope { secrets, identity: true, ..Scope::new(Some(namespace.to_owned())) };
    live.snapshot(&scope).await
}

pub(super) fn ids(snapshot: &Snapshot) -> Vec<String> {
    snapshot.objects.iter().map(|object| object.id().to_string()).collect()
}

fn shop(cluster: &Cluster) -> Namespace<'_> {
    let namespace = cluster.namespace("live");
    namespace.apply(OBJECTS);
    namespace
}

#[tokio::test]
async fn a_namespace_is_read_whole_and_in_order() {
    let (cluster, namespace) = (cluster(), shop(cluster()));
    let name = namespace.name();
    let snapshot = read(cluster.kubeconfig("admin"), name, SecretRead::Values).await.unwrap();
    let expected = [
        format!("Namespace {name}"),
        format!("ConfigMap {name}/settings"),
        format!("Secret {name}/keys"),
        format!("Deployment {name}/web"),
        format!("Role {name}/reader"),
    ];
    assert_eq!(ids(&snapshot), expected);
    let fields: Vec<_> = snapshot.objects[1].fields().keys().collect();
    assert_eq!(fields, ["apiVersion", "kind", "metadata", "data"]);
    assert!(snapshot.objects[3].at("/metadata/managedFields").is_some());
    assert_eq!((&snapshot.unreadable[..], &snapshot.moved[..]), (&[][..], &[][..]));
    let system = objects::get(cluster, None, "v1", "Namespace", "kube-system").unwrap();
    let Origin::Cluster { uid, version } = &snapshot.origin else { panic!() };
    assert_eq!(system["metadata"]["uid"], uid.as_str());
    assert!(version.starts_with("v1."), "{version}");
    assert_eq!(snapshot.secrets.0["keys"]["key"].expose_secret(), b"canary-value");
    let saved = String::from_utf8(snapshot.to_json().unwrap()).unwrap();
    assert!(!saved.contains("canary") && !format!("{snapshot:?}").contains("canary"));
}

#[tokio::test]
async fn secrets_are_not_even_asked_for_unless_wanted_and_nothing_is_written() {
    let (cluster, namespace) = (cluster(), shop(cluster()));
    for (secrets, asked) in [(SecretRead::Nothing, false), (SecretRead::Keys, true)] {
        let proxy = Proxy::start(cluster, |_| Verdict::Pass).await;
        let snapshot = read(proxy.kubeconfig("admin"), namespace.name(), secrets).await.unwrap();
        let log = proxy.log();
        assert_eq!(log.iter().any(|(_, path)| path.contains("/secrets")), asked);
        assert!(log.iter().all(|(method, _)| method == "GET"), "{log:?}");
        let secret = snapshot.objects.iter().find(|object| object.kind() == "Secret");
        assert_eq!(
            secret.and_then(|s| s.at("/data/key")),
            asked.then(|| Value::from("redacted")).as_ref()
        );
        assert!(snapshot.secrets.0.is_empty());
    }
}

#[tokio::test]
async fn kinds_that_may_not_be_read_are_named_and_the_rest_is_read() {
    let (cluster, namespace) = (cluster(), shop(cluster()));
    let name = namespace.name();
    let snapshot = read(cluster.kubeconfig("viewer"), name, SecretRead::Keys).await.unwrap();
    let unreadable: Vec<_> = snapshot.unreadable.iter().map(|u| u.resource.as_str()).collect();
    for kind in ["secrets", "roles.rbac.authorization.k8s.io"] {
        assert!(unreadable.contains(&kind), "{unreadable:?}");
    }
    assert!(snapshot.unreadable[0].reason.contains("viewer"), "{:?}", snapshot.unreadable);
    assert!(ids(&snapshot).contains(&format!("Deployment {name}/web")));
    let error = read(cluster.kubeconfig("nobody"), name, SecretRead::Nothing).await.unwrap_err();
    assert!(matches!(error, Error::Unidentified { .. }), "{error}");
}

#[tokio::test]
async fn rights_in_one_namespace_are_enough_to_look_at_it_and_not_to_export() {
    let (cluster, namespace) = (cluster(), shop(cluster()));
    let name = namespace.name();
    namespace.apply(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: all}
rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: bob}]
",
    );
    let live = Live::connect(&options(cluster.kubeconfig("bob"))).await.unwrap();
    let scope = |identity| Scope { identity, ..Scope::new(Some(name.to_owned())) };
    let snapshot = live.snapshot(&scope(false)).await.unwrap();
    assert!(ids(&snapshot).contains(&format!("Deployment {name}/web")));
    assert_eq!(snapshot.origin.id(), "unknown");
    outhaul::export::resolve::require_readable(&snapshot).unwrap();
    let error = live.snapshot(&scope(true)).await.unwrap_err();
    let text = "no permission to read namespace kube-system, whose uid tells";
    assert!(error.to_string().starts_with(text), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("deploy/exporter-role.yaml") && !hint.contains("list"), "{hint}");
}

#[tokio::test]
async fn a_namespace_that_is_not_there_is_an_error() {
    for name in ["nowhere", "../../etc", "a b/c?d"] {
        let error =
            read(cluster().kubeconfig("admin"), name, SecretRead::Nothing).await.unwrap_err();
        assert!(matches!(&error, Error::NamespaceMissing { namespace, .. } if namespace == name));
    }
}

#[tokio::test]
async fn custom_resources_keep_fields_that_nobody_knows() {
    let (cluster, namespace) = (cluster(), cluster().namespace("live"));
    cluster.apply(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.live.example.org}
spec:
  group: live.example.org
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
",
    );
    let thing = "apiVersion: live.example.org/v1\nkind: Thing\nmetadata: {name: t}\n\
                 spec: {unheard: [{of: 1}], empty: {}}\n";
    let applied = || namespace.apply(thing);
    for _ in 0..50 {
        // The API takes a moment to serve a new kind.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(applied)).is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let name = namespace.name();
    let snapshot = read(cluster.kubeconfig("admin"), name, SecretRead::Nothing).await.unwrap();
    let thing = snapshot.objects.iter().find(|object| object.kind() == "Thing").unwrap();
    assert_eq!(thing.at("/spec").unwrap().to_string(), r#"{"empty":{},"unheard":[{"of":1}]}"#);
    definitions_are_read_when_they_are_asked_for(name, &snapshot).await;
}

async fn definitions_are_read_when_they_are_asked_for(namespace: &str, without: &Snapshot) {
    assert!(without.objects.iter().all(|object| object.kind() != "CustomResourceDefinition"));
    let scope = Scope { definitions: true, ..Scope::new(Some(namespace.to_owned())) };
    let live = Live::connect(&options(cluster().kubeconfig("admin"))).await.unwrap();
    let snapshot = live.snapshot(&scope).await.unwrap();
    let all = Selection::All { name: "all".to_owned() };
    let asked = Options { include_crds: true, ..Options::default() };
    let app = assemble(&snapshot, &all, &asked).unwrap();
    let names: Vec<_> = app.definitions.iter().map(Object::name).collect();
    assert_eq!(names, ["things.live.example.org"]);
    let fields: Vec<_> = app.definitions[0].fields().keys().map(String::as_str).collect();
    assert_eq!(fields, ["apiVersion", "kind", "metadata", "spec"]);
    assert_eq!(app.definitions[0].at("/spec/conversion"), None);
}

#[tokio::test]
async fn cluster_roles_come_along_only_where_the_namespace_is_bound() {
    let (cluster, namespace) = (cluster(), cluster().namespace("live"));
    let name = namespace.name();
    let role = |role: &str, namespace: &str| {
        format!(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {role}}}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {role}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}
subjects: [{{kind: ServiceAccount, name: web, namespace: {namespace}}}]
"
        )
    };
    let (ours, theirs) = (format!("{name}-ours"), format!("{name}-theirs"));
    cluster.apply(&role(&ours, name));
    cluster.apply(&role(&theirs, "elsewhere"));
    let snapshot = read(cluster.kubeconfig("admin"), name, SecretRead::Nothing).await.unwrap();
    let expected = [
        format!("Namespace {name}"),
        format!("ClusterRole {ours}"),
        format!("ClusterRoleBinding {ours}"),
    ];
    assert_eq!(ids(&snapshot), expected);
}

/// Changes a ConfigMap whenever its metadata is asked for, as long as `often` says.
async fn restless(often: usize) -> Snapshot {
    let (cluster, namespace) = (cluster(), shop(cluster()));
    let name = namespace.name().to_owned();
    let changes = Mutex::new(0);
    let lists = format!("/api/v1/namespaces/{name}/configmaps");
    let proxy = Proxy::start(cluster, move |seen| {
        let mut changes = changes.lock().unwrap();
        if seen.metadata && seen.path.starts_with(&lists) && *changes < often {
            *changes += 1;
            cluster.apply(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: {name}}}\n\
                 data: {{a: 'change {changes}'}}\n"
            ));
        }
        Verdict::Pass
    })
    .await;
    read(proxy.kubeconfig("admin"), namespace.name(), SecretRead::Nothing).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_while_it_is_read_is_read_again() {
    let snapshot = restless(2).await;
    assert_eq!(snapshot.moved, []);
    let settings = snapshot.objects.iter().find(|object| object.name() == "settings").unwrap();
    assert_eq!(settings.text("/data/a"), Some("change 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_moving_is_named() {
    let snapshot = restless(usize::MAX).await;
    let moved: Vec<_> = snapshot.moved.iter().map(|id| id.name.as_str()).collect();
    assert_eq!(moved, ["settings"]);
}
