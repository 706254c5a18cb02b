//! `/v1/…/apps/NAME/{plan,diff,history}`: what an export would do, what has changed since one, and
//! which there were.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{ALL, Door, location};
use super::site::{MAY_READ, MAY_READ_ROLES, MAY_SEE, MAY_USE};
use crate::support::images::Image;
use crate::support::server::Answer;

impl Door<'_> {
    fn app(&self, path: &str) -> String {
        format!("/v1/namespaces/{}/apps/{path}", self.shop.namespace.name())
    }

    fn plan(&self, who: &str, further: &Value) -> Answer {
        self.send(who, Method::POST, &self.app("shop/plan"), &[], &self.request(further))
    }

    fn diff(&self, who: &str, further: &Value) -> Answer {
        let mut body = json!({"destination": self.shop.namespace.name()});
        for (key, value) in further.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.send(who, Method::POST, &self.app("shop/diff"), &[], &body.to_string())
    }

    fn history(&self, who: &str, query: &str) -> Answer {
        let destination = self.shop.namespace.name();
        self.get(who, &self.app(&format!("shop/history?destination={destination}{query}")))
    }

    fn exported(&self) -> Value {
        self.finished(&location(&self.ask(&self.exporter, &[], &json!({}))))
    }

    fn set_currency(&self, currency: &str) {
        self.shop.namespace.apply(&format!(
            "
apiVersion: v1
kind: ConfigMap
metadata: {{name: shop-config, labels: {{app.kubernetes.io/name: shop}}}}
data: {{CURRENCY: {currency}}}
"
        ));
    }
}

#[test]
fn a_plan_says_what_an_export_would_do_and_does_nothing() {
    let door = Door::open(&ALL);
    let plan = door.plan(&door.exporter, &json!({"waitRollout": "24h"})).json();
    assert_eq!((&plan["action"], &plan["app"]), (&json!("push"), &json!("shop")), "{plan:#}");
    assert_eq!(plan["images"].as_array().unwrap().len(), 3);
    assert!(plan["weight"]["toMove"].as_u64().unwrap() > 0, "{plan:#}");
    let stopped = door.plan(&door.exporter, &json!({"failOn": ["VOLUME_DATA_NOT_EXPORTED"]}));
    let stopped = stopped.problem(422, "FINDINGS");
    assert_eq!(stopped["plan"]["stoppedBy"], json!(["VOLUME_DATA_NOT_EXPORTED"]));
    assert_eq!((door.shop.versions(), door.records()), (Vec::<String>::new(), Vec::<Value>::new()));

    door.plan(&door.exporter, &json!({"app": "other"})).problem(400, "ARGUMENT_INVALID");
    door.plan(&door.exporter, &json!({"apps": 1})).problem(400, "BODY_INVALID");
    door.plan(&door.exporter, &json!({"destination": "none"})).problem(404, "DESTINATION_UNKNOWN");
    let none = json!({"app": "none", "destination": door.shop.namespace.name()}).to_string();
    let none = door.send(&door.exporter, Method::POST, &door.app("none/plan"), &[], &none);
    none.problem(404, "APP_UNKNOWN");
}

#[test]
fn what_the_caller_may_not_see_is_in_no_plan_and_no_history() {
    let door = Door::open(&[MAY_READ, MAY_SEE]);
    for who in [&door.bob, &door.exporter] {
        door.plan(who, &json!({})).problem(403, "FORBIDDEN");
        door.diff(who, &json!({})).problem(403, "FORBIDDEN");
        door.history(who, "").problem(403, "FORBIDDEN");
    }
    let door = Door::open(&[MAY_READ, MAY_USE]);
    let hidden = door.plan(&door.exporter, &json!({})).problem(403, "KIND_NOT_READABLE");
    assert!(hidden["detail"].as_str().unwrap().contains("roles.rbac"), "{hidden}");
    assert_eq!(hidden.get("plan"), None);
    assert!(door.plan(&door.exporter, &json!({"secrets": "include"})).status == 403);
}

#[test]
fn a_diff_says_what_has_changed_since_a_version() {
    let door = Door::open(&ALL);
    door.diff(&door.exporter, &json!({})).problem(422, "CHART_MISSING");
    let first = door.exported()["planned"]["version"].clone();
    let nothing = door.diff(&door.exporter, &json!({})).json();
    for what in ["added", "removed", "changed"] {
        assert_eq!(nothing[what], json!([]), "{nothing:#}");
    }
    door.set_currency("CHF");
    let changed = door.diff(&door.exporter, &json!({"version": first})).json();
    let [object] = &changed["changed"].as_array().unwrap()[..] else { panic!("{changed:#}") };
    assert_eq!(object["object"]["name"], "shop-config");
    assert_eq!(object["fields"][0]["after"], "CHF");
    door.diff(&door.exporter, &json!({"version": "9.9.9"})).problem(422, "CHART_MISSING");
    for bad in [json!({"version": "x"}), json!({"versions": []}), json!({"destination": 1})] {
        door.diff(&door.exporter, &bad).problem(400, "BODY_INVALID");
    }
}

#[test]
fn a_history_has_what_the_registry_has_of_the_application() {
    let door = Door::open(&[MAY_READ, MAY_READ_ROLES, MAY_USE, MAY_SEE]);
    assert_eq!(door.history(&door.exporter, "").json(), json!({"items": []}));
    let first = door.exported();
    door.set_currency("CHF");
    let second = door.exported();
    let repository = format!("backups/{}-shop-chart", door.shop.namespace.name());
    // What somebody else has put there is no version of the application.
    Image::new(5, 1, 1000).push(&door.shop.destination.target(), &repository, "9.9.9");

    let page = door.history(&door.exporter, "").json();
    let [newest, oldest] = &page["items"].as_array().unwrap()[..] else { panic!("{page:#}") };
    for (item, export) in [(newest, &second), (oldest, &first)] {
        let result = &export["result"];
        assert_eq!(
            (&item["version"], &item["digest"]),
            (&result["chart"]["version"], &result["chart"]["digest"])
        );
        assert_eq!(
            (&item["content"], &item["report"]),
            (&result["chart"]["content"], &result["report"])
        );
        assert!(item["takenAt"].is_string(), "{item:#}");
    }
    let mut versions = Vec::new();
    let mut query = "&limit=1".to_owned();
    loop {
        let page = door.history(&door.exporter, &query).json();
        versions.extend(page["items"].as_array().unwrap().iter().map(|it| it["version"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("&limit=1&cursor={next}");
    }
    assert_eq!(versions, [newest["version"].clone(), oldest["version"].clone()]);
    assert_eq!(door.history(&door.exporter, "&chartName=other").json(), json!({"items": []}));
    for bad in ["&limit=0", "&cursor=eA", "&chartName=A_B", "&versions=1"] {
        assert_eq!(door.history(&door.exporter, bad).status, 400, "{bad}");
    }
    door.get(&door.exporter, &door.app("shop/history")).problem(400, "REQUEST_INVALID");
}
