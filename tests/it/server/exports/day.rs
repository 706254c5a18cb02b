//! A day of an operator: the chart is installed, destinations are Secrets, and users get the chart's
//! roles.

use reqwest::Method;
use serde_json::{Value, json};

use super::site::{SYSTEM, Site, deployed, until};
use crate::export::shop::declare_as;
use crate::support::objects::Namespace;
use crate::support::registry::Registry;
use crate::support::server::Answer;

/// Binds cluster roles in the namespace to an account there, and waits for the last of them.
fn bind(site: &Site, namespace: &Namespace<'_>, account: &str, roles: &[&str], last: &Value) {
    namespace
        .apply(&format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {account}}}"));
    for role in roles {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": format!("{account}-{}", role.replace(':', "-"))},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": account}],
        });
        namespace.apply(&binding.to_string());
    }
    let user = format!("system:serviceaccount:{}:{account}", namespace.name());
    let mut last = last.clone();
    last["namespace"] = namespace.name().into();
    until("the roles are seen", || site.allows(&user, &[], &last));
}

#[test]
fn an_operators_day() {
    let (site, server) = deployed();
    let shop = site.shop();
    let namespace = &shop.namespace;
    // `view` is filled by a controller, which this cluster is without; roles are not in it.
    let (view, roles) = ("system:aggregate-to-view", "outhaul-test-roles");
    site.cluster.apply(
        &json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": roles}, "rules": [{"apiGroups": ["rbac.authorization.k8s.io"],
                "resources": ["roles", "rolebindings"], "verbs": ["list"]}]})
        .to_string(),
    );
    let all = [view, roles, "outhaul-export-editor", "outhaul-destination-user"];
    let uses = json!({"verb": "use", "group": "outhaul.dev", "resource": "destinations"});
    bind(site, namespace, "alice", &all, &uses);
    let lists = json!({"verb": "list", "group": "", "resource": "pods"});
    bind(site, namespace, "bob", &[view], &lists);
    let [alice, bob] = ["alice", "bob"]
        .map(|account| format!("Bearer {}", namespace.token(account, Some("outhaul.dev"))));
    let send = |who: &str, method: Method, path: &str, body: &Value| -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("authorization", who), ("content-type", "application/json")];
        server.send(method, path, &headers, &body)
    };
    let get = |who: &str, path: &str| send(who, Method::GET, path, &Value::Null);

    // Who knows the namespace sees what is in it.
    let apps = format!("/v1/namespaces/{}/apps", namespace.name());
    for who in [&alice, &bob] {
        let apps = get(who, &apps).json();
        assert!(
            apps["items"].as_array().unwrap().iter().any(|app| app["name"] == "shop"),
            "{apps}"
        );
        get(who, "/v1/namespaces/kube-system/apps").problem(403, "FORBIDDEN");
    }

    // A destination is there as soon as its Secret is, and gone with it.
    let later = format!("{}-later", namespace.name());
    let listed = || {
        let all = get(&alice, &format!("/v1/destinations?namespace={}", namespace.name())).json();
        let all = all["items"].as_array().unwrap().clone();
        all.into_iter().find(|destination| destination["name"] == *later)
    };
    assert_eq!(listed(), None);
    let registry = Registry::plain().tls().basic_auth("carol", "s3cret").start();
    declare_as(&site.system(), &later, &registry);
    assert_eq!(listed().unwrap()["usable"], true);
    site.cluster.named_namespace(SYSTEM).delete("v1", "Secret", &later);
    assert_eq!(listed(), None);

    // Alice may export, bob may not.
    let exports = format!("/v1/namespaces/{}/exports", namespace.name());
    let ask = json!({"app": "shop", "destination": namespace.name()});
    send(&bob, Method::POST, &exports, &ask).problem(403, "FORBIDDEN");
    let asked = send(&alice, Method::POST, &exports, &ask);
    assert_eq!(asked.status, 202, "{asked:?}");
    let done = server.running().wait_for("finished", |_, _| {
        let export = get(&alice, asked.header("location")).json();
        export["finishedAt"].is_string().then_some(export)
    });
    assert_eq!(done["phase"], "Succeeded", "{done:#}");
    assert_eq!(shop.versions(), [done["result"]["chart"]["version"].as_str().unwrap()]);

    // The audit has both.
    let log = server.running().stderr();
    let lines = log.lines().filter_map(|line| Some(&line[line.find("{\"ts\":")?..]));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decided: Vec<(String, String)> = lines
        .filter(|line| line["event"] == "export.create" && line["namespace"] == namespace.name())
        .map(|line| {
            let user = line["user"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
            (user, line["decision"].as_str().unwrap().to_owned())
        })
        .collect();
    let both = [("bob", "deny"), ("alice", "allow")];
    assert_eq!(decided, both.map(|(user, decision)| (user.to_owned(), decision.to_owned())));
}
