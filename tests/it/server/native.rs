//! `/v1`: who may read what, and what there is to read.

use reqwest::Method;
use serde_json::{Value, json};

use crate::export::shop::declare;
use crate::support::cluster::cluster;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;
use crate::support::server::{Answer, Server};

/// What tokens are made for.
const AUDIENCE: &str = "outhaul.dev";

/// Two applications; one of them has objects that `view` does not show.
const APPS: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, labels: {app: web}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, labels: {app: web}}
rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, labels: {app: web}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {serviceAccountName: web, containers: [{name: web, image: 'r.example/web:1'}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {app: api}}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'r.example/api:1'}]}
";

/// A server with the applications and the destination `team`, and two callers: alice reads the
/// applications' namespace, bob nothing.
struct Place {
    server: Server,
    registry: Registry,
    system: Namespace<'static>,
    apps: Namespace<'static>,
    alice: String,
    bob: String,
}

impl Place {
    fn new() -> Self {
        let registry = Registry::plain().tls().basic_auth("carol", "canary-password").start();
        let (system, apps) = (cluster().namespace("system"), cluster().namespace("apps"));
        declare(&system, &registry);
        for account in ["alice", "bob"] {
            apps.apply(&format!(
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {account}}}"
            ));
        }
        apps.apply(APPS);
        grant(&apps, "view", "ClusterRole", "system:aggregate-to-view");
        let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("admin"));
        let args = ["--system-namespace", system.name(), "--rate", "1000"];
        let [alice, bob] = ["alice", "bob"].map(|account| apps.token(account, Some(AUDIENCE)));
        Self { server: Server::start(outhaul, &args), registry, system, apps, alice, bob }
    }

    fn ask(&self, account: &str, method: Method, path: &str) -> Answer {
        let token = if account == "alice" { &self.alice } else { &self.bob };
        let authorization = format!("Bearer {token}");
        self.server.send(method, path, &[("Authorization", &authorization)], "")
    }

    fn get(&self, account: &str, path: &str) -> Answer {
        self.ask(account, Method::GET, path)
    }

    fn apps_path(&self) -> String {
        format!("/v1/namespaces/{}/apps", self.apps.name())
    }
}

/// Gives alice a role in the namespace.
fn grant(namespace: &Namespace<'_>, name: &str, kind: &str, role: &str) {
    namespace.apply(&format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: '{role}'}}
subjects: [{{kind: ServiceAccount, name: alice, namespace: {}}}]
",
        namespace.name()
    ));
}

fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_is_told_to_nobody() {
    let place = Place::new();
    let apps = place.apps_path();
    let paths = ["/v1/destinations", "/v1/destinations/team", &apps, "/v1", "/v1/", "/v1/nothing"];
    let foreign = format!("Bearer {}", place.apps.token("alice", None));
    for path in paths {
        for headers in [&[][..], &[("Authorization", foreign.as_str())]] {
            let refused = place.server.send(Method::GET, path, headers, "");
            refused.problem(401, "UNAUTHENTICATED");
            assert_eq!(refused.header("www-authenticate"), "Bearer");
        }
    }
    let checked = place.server.send(Method::POST, "/v1/destinations/team/check", &[], "");
    checked.problem(401, "UNAUTHENTICATED");
    place.get("bob", "/v1/nothing").problem(404, "ROUTE_UNKNOWN");
    place.ask("bob", Method::DELETE, "/v1/destinations").problem(405, "METHOD_NOT_ALLOWED");
    let log = place.server.running().stderr();
    assert!(log.contains("login.fail") && !log.contains(&foreign), "{log}");
}

#[test]
fn a_refusal_is_the_same_whether_anything_is_there() {
    let place = Place::new();
    let detail = |path: &str| {
        let problem = place.get("bob", path).problem(403, "FORBIDDEN");
        (problem["detail"].clone(), problem["hint"].clone())
    };
    let missing = detail("/v1/namespaces/no-such-namespace/apps");
    assert_eq!(detail(&place.apps_path()), missing);
    assert_eq!(detail(&format!("{}/web", place.apps_path())), missing);
    assert_eq!(detail(&format!("{}/none", place.apps_path())), missing);
    assert_eq!(detail("/v1/destinations/team"), detail("/v1/destinations/none"));
    let log = place.server.running().stderr();
    assert!(log.contains(r#""decision":"deny""#), "{log}");
}

#[test]
fn destinations_show_their_names_to_all_and_their_credentials_to_nobody() {
    let place = Place::new();
    let item = |account: &str, path: &str| {
        let answer = place.get(account, path);
        assert!(!answer.text.contains("canary"), "{answer:?}");
        answer.json()["items"][0].clone()
    };
    let path = format!("/v1/destinations?namespace={}", place.apps.name());
    assert_eq!(item("bob", "/v1/destinations"), json!({"name": "team"}));
    assert_eq!(item("alice", &path), json!({"name": "team", "usable": false}));

    place.apps.apply(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: exporter}
rules: [{apiGroups: [outhaul.dev], resources: [destinations], resourceNames: [team], verbs: [use]}]
",
    );
    grant(&place.apps, "exporter", "Role", "exporter");
    let seen = place.server.running().wait_for("the right", |_, _| {
        Some(item("alice", &path)).filter(|item| item["usable"] == true)
    });
    assert_eq!(seen["host"], place.registry.address());
    place.get("alice", "/v1/destinations?namespaces=x").problem(400, "REQUEST_INVALID");

    place.system.delete("v1", "Secret", "team");
    assert_eq!(place.get("bob", "/v1/destinations").json(), json!({"items": []}));
}

#[test]
fn a_destination_is_looked_at_for_those_who_may_see_it() {
    let place = Place::new();
    let (system, apps) = (place.system.name(), place.apps.name());
    cluster().apply(&format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: see-{system}}}
rules: [{{apiGroups: [outhaul.dev], resources: [destinations], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: see-{system}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: see-{system}}}
subjects: [{{kind: ServiceAccount, name: alice, namespace: {apps}}}]
"
    ));
    let seen = place.server.running().wait_for("the right", |_, _| {
        Some(place.get("alice", "/v1/destinations/team")).filter(|answer| answer.status == 200)
    });
    assert_eq!(seen.json()["path"], "backups");
    assert!(!seen.text.contains("canary"), "{seen:?}");
    let check = place.ask("alice", Method::POST, "/v1/destinations/team/check").json();
    assert_eq!((&check["reachable"], &check["canPush"]), (&Value::Bool(true), &Value::Bool(true)));
    place.get("alice", "/v1/destinations/none").problem(404, "DESTINATION_UNKNOWN");
    place.ask("bob", Method::POST, "/v1/destinations/team/check").problem(403, "FORBIDDEN");
    let log = place.server.running().stderr();
    assert!(log.contains("destination.check"), "{log}");
}

#[test]
fn applications_are_listed_by_pages_and_shown() {
    let place = Place::new();
    let apps = place.apps_path();
    assert_eq!(names(&place.get("alice", &apps)), ["api", "web"]);
    assert_eq!(names(&place.get("alice", &format!("{apps}?search=WE"))), ["web"]);
    assert_eq!(names(&place.get("alice", &format!("{apps}?foundBy=helmRelease"))), [""; 0]);
    let first = place.get("alice", &format!("{apps}?limit=1"));
    assert_eq!(names(&first), ["api"]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let last = place.get("alice", &format!("{apps}?limit=1&cursor={next}"));
    assert_eq!((names(&last), &last.json()["next"]), (vec!["web".to_owned()], &Value::Null));
    place.get("alice", &format!("{apps}?limit=0")).problem(400, "REQUEST_INVALID");

    let api = place.get("alice", &format!("{apps}/api")).json();
    assert_eq!(api["objects"][0]["kind"], "Deployment");
    let unknown = place.get("alice", &format!("{apps}/none")).problem(404, "APP_UNKNOWN");
    assert_eq!(unknown["hint"], "known applications: api, web");
    let hidden = place.get("alice", &format!("{apps}/web")).problem(403, "KIND_NOT_READABLE");
    assert!(hidden["detail"].as_str().unwrap().contains("rolebindings"), "{hidden}");
}

#[test]
fn applications_of_all_namespaces_are_those_that_the_caller_may_see() {
    let place = Place::new();
    let hidden = cluster().namespace("hidden");
    hidden.apply(APPS);
    let name = place.apps.name();
    cluster().apply(&format!(
        "
apiVersion: v1
kind: ServiceAccount
metadata: {{name: carol, namespace: {name}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: carol-{name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:aggregate-to-view'}}
subjects: [{{kind: ServiceAccount, name: carol, namespace: {name}}}]
"
    ));
    assert_eq!(place.get("bob", "/v1/apps").json(), json!({"items": []}));
    let alices = place.get("alice", "/v1/apps");
    assert_eq!(names(&alices), ["api", "web"]);
    assert_eq!(alices.json(), place.get("alice", &place.apps_path()).json());

    let carol = format!("Bearer {}", place.apps.token("carol", Some(AUDIENCE)));
    let get = |path: &str| {
        let answer = place.server.send(Method::GET, path, &[("Authorization", &carol)], "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    // Of other tests there may be more, and they come and go.
    let ours = |items: &Value| {
        let items = items.as_array().unwrap().iter();
        let names = items.map(|app| ["namespace", "name"].map(|key| app[key].as_str().unwrap()));
        let names = names.filter(|[namespace, _]| [name, hidden.name()].contains(namespace));
        names.map(|[namespace, name]| format!("{namespace}/{name}")).collect::<Vec<_>>()
    };
    let of = |app: &str| [format!("{name}/{app}"), format!("{}/{app}", hidden.name())];
    place.server.running().wait_for("both namespaces", |_, _| {
        let all = ours(&get("/v1/apps?limit=500")["items"]);
        ["api", "web"].iter().all(|app| of(app).iter().all(|app| all.contains(app))).then_some(())
    });
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&format!("/v1/apps?search=WE&limit=1{cursor}"));
        paged.extend(ours(&page["items"]));
        assert!(page["items"].as_array().unwrap().len() <= 1, "{page}");
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, of("web"));
    place.get("alice", "/v1/apps?namespace=x").problem(400, "REQUEST_INVALID");
}

/// What is not served is as what may not be seen.
#[test]
fn of_namespaces_that_are_not_served_nothing_is_said() {
    let place = Place::new();
    let other = cluster().namespace("other");
    other.apply(APPS);
    for namespace in [&place.apps, &other] {
        namespace.apply(&format!(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: alice-everywhere}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:aggregate-to-view'}}
subjects: [{{kind: ServiceAccount, name: alice, namespace: {}}}]
",
            place.apps.name()
        ));
    }
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("admin"));
    let system = place.system.name();
    let args = ["--system-namespace", system, "--namespaces", place.apps.name(), "--rate", "1000"];
    let server = Server::start(outhaul, &args);
    let get = |account: &str, path: &str| {
        let token = if account == "alice" { &place.alice } else { &place.bob };
        let authorization = format!("Bearer {token}");
        server.send(Method::GET, path, &[("Authorization", &authorization)], "")
    };
    // The server for all namespaces shows her both.
    let (ours, theirs) = (place.apps_path(), format!("/v1/namespaces/{}/apps", other.name()));
    place.server.running().wait_for("both", |_, _| {
        let all = place.get("alice", "/v1/apps?limit=500");
        (names(&all) == ["api", "web", "api", "web"]).then_some(())
    });
    assert_eq!(names(&get("alice", &ours)), ["api", "web"]);
    assert_eq!(get("alice", "/v1/apps").json(), get("alice", &ours).json());
    let refused = |account: &str, path: &str| {
        let problem = get(account, path).problem(403, "FORBIDDEN");
        (problem["detail"].clone(), problem["hint"].clone())
    };
    let exports = format!("/v1/namespaces/{}/exports", other.name());
    for path in [&theirs, &format!("{theirs}/api"), &exports] {
        assert_eq!(refused("alice", path), refused("bob", &ours), "{path}");
    }
}
