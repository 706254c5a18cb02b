//! The index of applications follows what happens, whatever becomes of its watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outhaul::app::Candidate;
use outhaul::cluster::{AppIndex, Live};

use super::live::options;
use super::proxy::{Proxy, Seen, Verdict};
use crate::support::cluster::cluster;
use crate::support::objects::Namespace;

/// How long what is waited for may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

fn deployment(name: &str, labels: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {labels}}}}}
  template:
    metadata: {{labels: {{app: {labels}}}}}
    spec: {{containers: [{{name: main, image: 'r.example/a:1'}}]}}
"
    )
}

const SETTINGS: &str = "
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {app.kubernetes.io/managed-by: Helm}
  annotations: {meta.helm.sh/release-name: idle}
";

async fn live(user: &str) -> Live {
    Live::connect(&options(cluster().kubeconfig(user))).await.unwrap()
}

fn names(apps: &[Candidate]) -> Vec<&str> {
    apps.iter().map(|app| app.name.as_str()).collect()
}

/// Waits until the applications of the namespace have these names.
async fn until(index: &AppIndex, namespace: &Namespace<'_>, expected: &[&str]) {
    let seen = async {
        while names(&index.apps(namespace.name())) != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, seen).await;
    assert!(in_time.is_ok(), "{:?} are not {expected:?}", index.apps(namespace.name()));
}

#[tokio::test]
async fn it_sees_what_is_made_renamed_and_removed() {
    let namespace = cluster().namespace("index");
    namespace.apply(&deployment("before", "shop"));
    let index = live("admin").await.watch_apps(&[]);
    index.synced().await;
    assert_eq!(names(&index.apps(namespace.name())), ["shop"]);
    assert!(index.namespaces().iter().any(|name| name == namespace.name()));
    namespace.apply(&deployment("later", "blog"));
    namespace.apply(SETTINGS);
    until(&index, &namespace, &["blog", "idle", "shop"]).await;
    namespace.apply(&SETTINGS.replace("idle", "new"));
    until(&index, &namespace, &["blog", "new", "shop"]).await;
    namespace.delete("apps/v1", "Deployment", "before");
    until(&index, &namespace, &["blog", "new"]).await;
    assert_eq!((index.unread(), index.unreadable()), (None, Vec::new()));
    assert_eq!(index.epinio_apps(namespace.name()), Some(Vec::new()));
}

#[tokio::test]
async fn what_may_not_be_read_is_said_and_the_rest_is_there() {
    let namespace = cluster().namespace("index");
    namespace.apply(&deployment("web", "shop"));
    cluster().apply(&format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: some, namespace: {0}}}
rules: [{{apiGroups: [apps], resources: [deployments], verbs: [list, watch]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: some, namespace: {0}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: some}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: nobody}}]
",
        namespace.name()
    ));
    let index = live("nobody").await.watch_apps(&[namespace.name().to_owned()]);
    index.synced().await;
    assert_eq!(names(&index.apps(namespace.name())), ["shop"]);
    let unreadable = index.unreadable();
    assert!(unreadable.contains(&"pods".to_owned()), "{unreadable:?}");
    assert!(!unreadable.contains(&"deployments.apps".to_owned()), "{unreadable:?}");
    assert_eq!(index.unread(), None);
    // A kind that is not served is one that nobody has; without a right it is not known which it is.
    assert_eq!(index.epinio_apps(namespace.name()), None);
}

#[tokio::test]
async fn a_watch_that_fails_begins_again_and_is_counted() {
    let namespace = cluster().namespace("index");
    namespace.apply(&deployment("web", "shop"));
    let away = Arc::new(AtomicBool::new(false));
    let is_away = Arc::clone(&away);
    let hook = move |seen: &Seen| match seen.path.contains("/deployments?") {
        true if is_away.load(Ordering::Relaxed) => Verdict::Answer(503, "{}".to_owned()),
        _ => Verdict::Pass,
    };
    let proxy = Proxy::start(cluster(), hook).await;
    let live = Live::connect(&options(proxy.kubeconfig("admin"))).await.unwrap();
    let index = live.watch_apps(&[namespace.name().to_owned()]);
    index.synced().await;
    assert!(proxy.log().iter().all(|(_, path)| path.contains(namespace.name())));
    away.store(true, Ordering::Relaxed);
    proxy.cut();
    let restarts = |index: &AppIndex| {
        let all = index.restarts().find(|(kind, _)| *kind == "deployments.apps");
        all.unwrap().1
    };
    let failed = async {
        while restarts(&index) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, failed).await.expect("the watch has failed");
    // What was read is there all the same.
    until(&index, &namespace, &["shop"]).await;
    namespace.apply(&deployment("later", "blog"));
    away.store(false, Ordering::Relaxed);
    until(&index, &namespace, &["blog", "shop"]).await;
    assert_eq!(index.unread(), None);
}
