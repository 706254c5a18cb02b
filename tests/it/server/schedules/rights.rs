//! Alice may make schedules in her namespace. What else she may not, she does not get by them.

use serde_json::{Value, json};

use super::{condition, get, schedule, spec, until, until_schedule};
use crate::server::exports::escalation::{let_alice, let_her_ask, rule};
use crate::server::exports::site::{API, Shop, Site, deployed, site};

fn send(
    site: &Site,
    user: &str,
    shop: &Shop<'_>,
    name: &str,
    further: &Value,
) -> Result<Value, String> {
    let path = format!("/apis/{API}/namespaces/{}/exportschedules", shop.namespace.name());
    let body = json!({"apiVersion": API, "kind": "ExportSchedule", "metadata": {"name": name},
        "spec": spec(shop, further)});
    site.send(user, "POST", &path, &body)
}

fn lets_her_schedule(site: &Site, shop: &Shop<'_>) {
    let_her_ask(site, shop);
    let verbs = ["create", "get", "update"];
    let_alice(site, shop, "schedules", &rule("outhaul.dev", &["exportschedules"], &verbs));
}

#[test]
fn what_alice_may_not_no_schedule_of_hers_may() {
    let (site, _server) = deployed();
    let shop = site.shop();
    lets_her_schedule(site, &shop);
    let by = |user: &str| json!({"user": user, "via": "kubernetes"});
    let hers = json!({"requestedBy": by("alice"), "serviceAccountName": null});
    for (name, further, words) in [
        ("another", json!({"template": {"destination": "another"}}), "you may not `use`"),
        ("include", json!({"template": {"secrets": "include"}}), "`get` secrets"),
        ("pull", json!({"template": {"usePullSecrets": true}}), "`get` secrets"),
        ("require", json!({"template": {"secrets": "require"}}), "`list` secrets"),
        ("elsewhere", json!({"template": {"namespace": "default"}}), "you may not"),
        ("admin", json!({"requestedBy": by("admin")}), "spec.requestedBy is not you"),
        (
            "all",
            json!({"template": {"app": null, "namespaceSelector": "a=b"}}),
            "its own namespace",
        ),
    ] {
        let mut all = hers.clone();
        super::merge(&mut all, &further);
        let said = send(site, "alice", &shop, name, &all).unwrap_err();
        assert!(said.contains(words), "{name}: {said}");
    }
    let said = send(site, "alice", &shop, &"a".repeat(46), &hers).unwrap_err();
    assert!(said.contains("at most 45 characters"), "{said}");
    // What she may, she may, and it is done in her name.
    let mut own = hers.clone();
    super::merge(&mut own, &json!({"runOnCreate": true}));
    let mut made = send(site, "alice", &shop, "own", &own).unwrap();
    let path = format!("/apis/{API}/namespaces/{}/exportschedules/own", shop.namespace.name());
    let record = until("a record", || super::records(&shop, "own"), |all| !all.is_empty());
    assert_eq!(record[0]["spec"]["requestedBy"]["user"], "alice");
    let let_in = until(
        "accepted or not",
        || super::records(&shop, "own"),
        |all| all[0]["status"]["conditions"].is_array(),
    );
    assert_eq!(let_in[0]["status"]["conditions"][0]["type"], "Accepted", "{let_in:#?}");
    // Somebody else may suspend it, and may not make it something else in her name.
    let put = |user: &str, change: &Value| {
        let put = || {
            let mut now = site.send("admin", "GET", &path, &Value::Null).unwrap();
            super::merge(&mut now["spec"], change);
            site.send(user, "PUT", &path, &now)
        };
        // The leader writes its status between the two whenever it likes.
        let is_beside = |said: &Result<Value, String>| {
            said.as_ref().err().is_none_or(|said| !said.contains("the object has been modified"))
        };
        until("nobody writes meanwhile", put, is_beside)
    };
    put("admin", &json!({"suspend": true})).unwrap();
    let said = put("admin", &json!({"template": {"secrets": "include"}})).unwrap_err();
    assert!(said.contains("spec.requestedBy is not you"), "{said}");
    let said = put("admin", &json!({"retention": {"keepLast": 1}})).unwrap_err();
    assert!(said.contains("spec.requestedBy is not you"), "{said}");
    // Nor makes anybody but the server marks, or records of runs.
    made["metadata"] = json!({"name": "marked", "annotations": {"outhaul.dev/mark": "1.x"}});
    let path = format!("/apis/{API}/namespaces/{}/exportschedules", shop.namespace.name());
    let said = site.send("alice", "POST", &path, &made).unwrap_err();
    assert!(said.contains("only the server makes marks"), "{said}");
    let run = json!({"apiVersion": API, "kind": "Export", "metadata": {"name": "forged"},
        "spec": {"app": "shop", "destination": shop.namespace.name(),
            "scheduled": {"name": "own", "due": "2026-11-26T00:00:00Z"}}});
    let said = site.create("alice", shop.namespace.name(), &run).unwrap_err();
    assert!(said.contains("only the server says"), "{said}");
}

#[test]
fn without_the_policy_nobody_is_believed() {
    let (site, server) = site();
    let shop = site.shop();
    let by = json!({"user": "admin", "groups": ["system:masters"], "via": "kubernetes"});
    schedule(&shop, "claims", &json!({"requestedBy": by, "serviceAccountName": null}));
    let said = until_schedule(&shop, "claims", "refused", |it| condition(it, "Valid").0 == "False");
    assert_eq!(condition(&said, "Valid").1, "NotAuthorized");
    // The account counts, whatever the name says; it may nothing yet, and then all.
    schedule(&shop, "account", &json!({"requestedBy": by, "runOnCreate": true}));
    until_schedule(&shop, "account", "refused", |it| condition(it, "Valid").1 == "NotAuthorized");
    shop.grant_all(site);
    until_schedule(&shop, "account", "let", |it| it["status"]["runs"]["succeeded"] == 1);
    let record = &super::records(&shop, "account")[0];
    assert_eq!(record["spec"]["requestedBy"], Value::Null, "{record:#}");
    // A record that somebody else says to be a run is none.
    // None that gives way to a later one, which could be before it is looked at.
    let scheduled = json!({"name": "account", "due": "2099-01-01T00:00:00Z"});
    shop.ask("forged", &json!({"scheduled": scheduled}));
    let status = shop.finished(server, "forged");
    assert_eq!(status["reason"], "NotAuthorized", "{status:#}");
    assert!(status["message"].as_str().unwrap().contains("only the server"), "{status:#}");
    assert_eq!(get(&shop, "account")["spec"]["requestedBy"]["user"], "admin");
}
