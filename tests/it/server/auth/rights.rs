//! What callers may.

use outhaul::server::auth::{Authorizer as _, Caller, Denied, Kind, Right, Verb};

use super::{AUDIENCE, Door, account, bind, grant, on};
use crate::cluster::proxy::{Proxy, Verdict};
use crate::support::cluster::cluster;
use crate::support::objects::Namespace;

/// As ClusterRole `view`, which kube-controller-manager fills from this one.
const VIEW: &str = "system:aggregate-to-view";

async fn caller(door: &Door, namespace: &Namespace<'_>, name: &str) -> Caller {
    account(namespace, name);
    door.who(&namespace.token(name, Some(AUDIENCE))).await.unwrap()
}

fn read(namespace: &Namespace<'_>) -> Right {
    Right::ReadNamespace(namespace.name().to_owned())
}

fn kind(group: &str, plural: &str, namespaced: bool) -> Kind {
    Kind { group: group.to_owned(), plural: plural.to_owned(), namespaced }
}

#[tokio::test]
async fn view_reads_its_namespace_without_secrets() {
    let (namespace, other) = (cluster().namespace("rights"), cluster().namespace("rights"));
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let viewer = caller(&door, &namespace, "viewer").await;
    bind(&namespace, "viewer", "ClusterRole", VIEW);
    let pods = on("list", "", "pods", &namespace, "");
    door.await_right(&viewer.subject(), &pods, true).await;
    let name = || namespace.name().to_owned();
    door.kubernetes.allow(&viewer, &read(&namespace)).await.unwrap();
    for right in [
        read(&other),
        Right::ListSecrets(name()),
        Right::ReadSecrets(name()),
        Right::Exports { verb: Verb::Create, namespace: Some(name()) },
        Right::Exports { verb: Verb::List, namespace: None },
        Right::UseDestination { name: "team".into(), namespace: name() },
        Right::SeeDestination { name: "team".into() },
        Right::Metrics,
    ] {
        assert_eq!(door.kubernetes.allow(&viewer, &right).await, Err(Denied::Forbidden));
    }
}

#[tokio::test]
async fn one_missing_kind_refuses_the_namespace() {
    let namespace = cluster().namespace("rights");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let viewer = caller(&door, &namespace, "viewer").await;
    let rules = |networking: &str| {
        format!(
            "
- {{apiGroups: ['', apps, batch], resources: ['*'], verbs: [list]}}
- {{apiGroups: [networking.k8s.io], resources: [{networking}], verbs: [list]}}"
        )
    };
    let list = |plural| on("list", "networking.k8s.io", plural, &namespace, "");
    grant(&namespace, "viewer", &rules("networkpolicies"));
    door.await_right(&viewer.subject(), &list("networkpolicies"), true).await;
    let right = read(&namespace);
    assert_eq!(door.kubernetes.allow(&viewer, &right).await, Err(Denied::Forbidden));
    grant(&namespace, "viewer", &rules("ingresses"));
    door.await_right(&viewer.subject(), &list("ingresses"), true).await;
    door.pass(10);
    assert_eq!(door.kubernetes.allow(&viewer, &right).await, Ok(()));
}

#[tokio::test]
async fn a_revoked_right_is_seen_after_the_life_of_an_answer() {
    let namespace = cluster().namespace("rights");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let ci = caller(&door, &namespace, "ci").await;
    let create = on("create", "outhaul.dev", "exports", &namespace, "");
    let right = Right::Exports { verb: Verb::Create, namespace: Some(namespace.name().to_owned()) };
    let rules = "[{apiGroups: [outhaul.dev], resources: [exports], verbs: [create]}]";
    grant(&namespace, "ci", rules);
    door.await_right(&ci.subject(), &create, true).await;
    assert_eq!(door.kubernetes.allow(&ci, &right).await, Ok(()));
    namespace.delete("rbac.authorization.k8s.io/v1", "RoleBinding", "ci");
    door.await_right(&ci.subject(), &create, false).await;
    door.pass(29);
    assert_eq!(door.kubernetes.allow(&ci, &right).await, Ok(()));
    door.pass(1);
    assert_eq!(door.kubernetes.allow(&ci, &right).await, Err(Denied::Forbidden));
    grant(&namespace, "ci", rules);
    door.await_right(&ci.subject(), &create, true).await;
    door.pass(9);
    assert_eq!(door.kubernetes.allow(&ci, &right).await, Err(Denied::Forbidden));
    door.pass(1);
    assert_eq!(door.kubernetes.allow(&ci, &right).await, Ok(()));
}

#[tokio::test]
async fn kinds_that_may_not_be_listed_are_named() {
    let namespace = cluster().namespace("rights");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let viewer = caller(&door, &namespace, "viewer").await;
    bind(&namespace, "viewer", "ClusterRole", VIEW);
    let policies = on("list", "networking.k8s.io", "networkpolicies", &namespace, "");
    door.await_right(&viewer.subject(), &policies, true).await;
    let kinds = |kinds: &[Kind]| Right::ReadKinds {
        namespace: namespace.name().to_owned(),
        kinds: kinds.to_vec(),
    };
    let policies = kind("networking.k8s.io", "networkpolicies", true);
    let (roles, widgets) =
        (kind("rbac.authorization.k8s.io", "roles", true), kind("example.com", "widgets", true));
    let right = kinds(&[roles.clone(), policies.clone(), widgets.clone()]);
    let denied = door.kubernetes.allow(&viewer, &right).await.unwrap_err();
    assert_eq!(
        denied.to_string(),
        "no permission to list roles.rbac.authorization.k8s.io, widgets.example.com"
    );
    assert_eq!(denied, Denied::Kinds(vec![roles, widgets]));
    assert_eq!(door.kubernetes.allow(&viewer, &kinds(&[policies])).await, Ok(()));
    assert_eq!(door.kubernetes.allow(&viewer, &kinds(&[])).await, Ok(()));
}

/// A review within the namespace would be answered by the binding there, and yes.
#[tokio::test]
async fn the_owner_of_a_namespace_may_not_list_what_is_in_none() {
    let namespace = cluster().namespace("rights");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let owner = caller(&door, &namespace, "owner").await;
    grant(&namespace, "owner", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]");
    let classes = on("list", "storage.k8s.io", "storageclasses", &namespace, "");
    door.await_right(&owner.subject(), &classes, true).await;
    let classes = kind("storage.k8s.io", "storageclasses", false);
    let right =
        Right::ReadKinds { namespace: namespace.name().to_owned(), kinds: vec![classes.clone()] };
    assert_eq!(door.kubernetes.allow(&owner, &right).await, Err(Denied::Kinds(vec![classes])));
}

#[tokio::test]
async fn a_destination_is_used_from_where_its_use_was_given() {
    let (namespace, other) = (cluster().namespace("rights"), cluster().namespace("rights"));
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let ci = caller(&door, &namespace, "ci").await;
    grant(
        &namespace,
        "ci",
        "[{apiGroups: [outhaul.dev], resources: [destinations], resourceNames: [team], verbs: [use]}]",
    );
    let what = on("use", "outhaul.dev", "destinations", &namespace, "team");
    door.await_right(&ci.subject(), &what, true).await;
    let from = |name: &str, namespace: &Namespace<'_>| Right::UseDestination {
        name: name.to_owned(),
        namespace: namespace.name().to_owned(),
    };
    assert_eq!(door.kubernetes.allow(&ci, &from("team", &namespace)).await, Ok(()));
    for right in [
        from("team", &other),
        from("other", &namespace),
        from("", &namespace),
        Right::SeeDestination { name: "team".to_owned() },
    ] {
        assert_eq!(door.kubernetes.allow(&ci, &right).await, Err(Denied::Forbidden), "{right:?}");
    }
}

#[tokio::test]
async fn who_may_get_or_use_a_destination_everywhere_sees_it() {
    let namespace = cluster().namespace("rights");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    for verb in ["get", "use"] {
        let ci = caller(&door, &namespace, verb).await;
        let role = format!("{}-{verb}", namespace.name());
        cluster().apply(&format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {role}}}
rules: [{{apiGroups: [outhaul.dev], resources: [destinations], resourceNames: [team], verbs: [{verb}]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {role}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}
subjects: [{{kind: ServiceAccount, name: {verb}, namespace: {}}}]
",
            namespace.name()
        ));
        door.await_right(
            &ci.subject(),
            &on(verb, "outhaul.dev", "destinations", &namespace, "team"),
            true,
        )
        .await;
        let see = |name: &str| Right::SeeDestination { name: name.to_owned() };
        assert_eq!(door.kubernetes.allow(&ci, &see("team")).await, Ok(()));
        assert_eq!(door.kubernetes.allow(&ci, &see("other")).await, Err(Denied::Forbidden));
    }
}

#[tokio::test]
async fn nobody_learns_what_exists() {
    let namespace = cluster().namespace("rights");
    let proxy = Proxy::start(cluster(), |_| Verdict::Pass).await;
    let door = Door::open(proxy.kubeconfig("admin")).await;
    let stranger = caller(&door, &namespace, "stranger").await;
    let rights = |namespace: &str, destination: &str| {
        let (ns, name) = (namespace.to_owned(), destination.to_owned());
        [
            Right::ReadNamespace(ns.clone()),
            Right::ReadSecrets(ns.clone()),
            Right::Exports { verb: Verb::Get, namespace: Some(ns.clone()) },
            Right::UseDestination { name: name.clone(), namespace: ns },
            Right::SeeDestination { name },
        ]
    };
    let there = rights(namespace.name(), "team").into_iter();
    for (there, nowhere) in there.zip(rights("no-such-namespace", "no-such-destination")) {
        let answer = door.kubernetes.allow(&stranger, &there).await;
        assert_eq!(answer, Err(Denied::Forbidden));
        assert_eq!(answer, door.kubernetes.allow(&stranger, &nowhere).await);
    }
    let asked = |(method, path): &(String, String)| {
        method == "POST" && (path.contains("subjectaccessreviews") || path.contains("tokenreviews"))
    };
    assert!(proxy.log().iter().all(asked), "something else was read: {:?}", proxy.log());
}
