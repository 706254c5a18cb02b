//! `/v1/…/exports`: asked for with a token, and carried out with the rights of whose it is.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::site::{
    API, MAY_READ, MAY_READ_ROLES, MAY_SEE, MAY_USE, Shop, Site, held, in_the_middle, site,
};
use crate::export::shop::CANARIES;
use crate::support::server::{Answer, Server};

/// An application, and two who know its namespace: the exporter, who may what a test grants, and
/// bob, who may nothing.
pub(in crate::server) struct Door<'s> {
    pub(in crate::server) shop: Shop<'s>,
    pub(in crate::server) server: &'s Server,
    pub(in crate::server) exporter: String,
    pub(in crate::server) bob: String,
}

impl<'s> Door<'s> {
    pub(in crate::server) fn to(
        site: &'s Site,
        server: &'s Server,
        shop: Shop<'s>,
        rights: &[&str],
    ) -> Self {
        for account in ["exporter", "bob"] {
            shop.namespace.apply(&format!(
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {account}}}"
            ));
        }
        shop.grant(site, rights);
        let [exporter, bob] = ["exporter", "bob"].map(|account| {
            format!("Bearer {}", shop.namespace.token(account, Some("outhaul.dev")))
        });
        Self { shop, server, exporter, bob }
    }

    pub(in crate::server) fn open(rights: &[&str]) -> Self {
        let (site, server) = site();
        Self::to(site, server, site.shop(), rights)
    }

    fn held(times: usize) -> Self {
        let (site, server) = site();
        Self::to(site, server, held(site, times), &ALL)
    }

    pub(super) fn path(&self) -> String {
        format!("/v1/namespaces/{}/exports", self.shop.namespace.name())
    }

    pub(in crate::server) fn send(
        &self,
        who: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let headers = [&[("Authorization", who)], headers].concat();
        self.server.send(method, path, &headers, body)
    }

    pub(in crate::server) fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, Method::GET, path, &[], "")
    }

    pub(in crate::server) fn post(&self, who: &str, path: &str) -> Answer {
        self.send(who, Method::POST, path, &[], "")
    }

    /// What asks for the application, and `further`.
    pub(in crate::server) fn request(&self, further: &Value) -> String {
        let mut request = json!({"app": "shop", "destination": self.shop.namespace.name()});
        for (key, value) in further.as_object().unwrap() {
            request[key] = value.clone();
        }
        request.to_string()
    }

    pub(in crate::server) fn ask(
        &self,
        who: &str,
        headers: &[(&str, &str)],
        further: &Value,
    ) -> Answer {
        self.send(who, Method::POST, &self.path(), headers, &self.request(further))
    }

    /// Waits until the export is finished, as HTTP tells it.
    pub(in crate::server) fn finished(&self, location: &str) -> Value {
        self.server.running().wait_for("finished", |_, _| {
            let export = self.get(&self.exporter, location).json();
            export["finishedAt"].is_string().then_some(export)
        })
    }

    pub(in crate::server) fn records(&self) -> Vec<Value> {
        self.shop.namespace.list(API, "Export")
    }

    /// Lines of the audit about this namespace.
    pub(in crate::server) fn audit(&self, event: &str) -> Vec<Value> {
        let log = self.server.running().stderr();
        let lines = log.lines().filter_map(|line| Some(&line[line.find("{\"ts\":")?..]));
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let namespace = self.shop.namespace.name();
        lines.filter(|line| line["event"] == event && line["namespace"] == namespace).collect()
    }
}

pub(in crate::server) const ALL: [&str; 4] = [MAY_READ, MAY_READ_ROLES, MAY_USE, MAY_SEE];

/// Where the export is that was asked for.
pub(in crate::server) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.header("location").to_owned()
}

#[test]
fn an_export_is_carried_out_with_the_rights_of_who_asks() {
    let door = Door::open(&ALL);
    let asked = door.ask(&door.exporter, &[("X-Request-Id", "ticket-7")], &json!({}));
    let location = location(&asked);
    let (namespace, asked) = (door.shop.namespace.name(), asked.json());
    assert_eq!(
        location,
        format!("/v1/namespaces/{namespace}/exports/{}", asked["name"].as_str().unwrap())
    );
    assert_eq!((&asked["phase"], &asked["result"]), (&json!("Pending"), &Value::Null));
    let done = door.finished(&location);
    assert_eq!(done["phase"], "Succeeded", "{done:#}");
    assert_eq!(done["result"]["status"], "exported");
    assert_eq!(done["links"]["self"], location);
    let user = format!("system:serviceaccount:{namespace}:exporter");
    assert_eq!(done["requestedBy"], json!({"user": user, "via": "native"}));
    assert_eq!(vec![done["planned"]["version"].as_str().unwrap()], door.shop.versions());

    let record = door.shop.record(asked["name"].as_str().unwrap());
    assert_eq!(record["spec"]["requestedBy"]["requestId"], "ticket-7");
    assert_eq!(record["spec"]["serviceAccountName"], Value::Null);
    let accepted = &record["status"]["conditions"][0];
    assert_eq!((&accepted["type"], &accepted["reason"]), (&json!("Accepted"), &json!("Door")));
    let [line] = &door.audit("export.create")[..] else { panic!("one line") };
    assert_eq!((&line["user"], &line["decision"]), (&json!(user), &json!("allow")));
    assert_eq!((&line["export"], &line["requestId"]), (&asked["name"], &json!("ticket-7")));
    for canary in CANARIES {
        assert!(!done.to_string().contains(canary) && !record.to_string().contains(canary));
    }
    let again = door.ask(&door.exporter, &[], &json!({}));
    assert_eq!(door.finished(&self::location(&again))["result"]["status"], "unchanged");
}

#[test]
fn who_lacks_a_right_is_refused_before_anything_is_looked_up() {
    let door = Door::open(&[MAY_READ]);
    let told =
        |answer: Answer| answer.problem(403, "FORBIDDEN")["detail"].as_str().unwrap().to_owned();
    let unseen = told(door.ask(&door.bob, &[], &json!({})));
    assert!(unseen.starts_with("you may not read the applications"), "{unseen}");
    assert_eq!(
        told(door.ask(&door.bob, &[], &json!({"app": "none", "destination": "none"}))),
        unseen
    );
    let nowhere = "/v1/namespaces/no-such-namespace/exports";
    let nowhere = told(door.send(&door.bob, Method::POST, nowhere, &[], &door.request(&json!({}))));
    assert_eq!(nowhere.replace("no-such-namespace", door.shop.namespace.name()), unseen);
    let unused = told(door.ask(&door.exporter, &[], &json!({})));
    assert!(unused.starts_with("you may not `use` the destination"), "{unused}");
    let none = told(door.ask(&door.exporter, &[], &json!({"destination": "none"})));
    assert_eq!(none.replace("`none`", &format!("`{}`", door.shop.namespace.name())), unused);

    door.shop.grant(&site().0, &[MAY_USE]);
    let asked = |further: Value| {
        door.server.running().wait_for("the right", |_, _| {
            let answer = door.ask(&door.exporter, &[], &further);
            Some(answer).filter(|answer| !answer.text.contains("`use`"))
        })
    };
    for further in [
        json!({"secrets": "include"}),
        json!({"secrets": "encrypt"}),
        json!({"usePullSecrets": true}),
        json!({"chartFrom": "release"}),
    ] {
        assert!(told(asked(further.clone())).contains("`get` and `list` the Secrets"), "{further}");
    }
    assert!(told(asked(json!({"secrets": "require"}))).contains("`list` the Secrets"));

    for (who, path) in [(&door.bob, door.path()), (&door.exporter, "/v1/exports".to_owned())] {
        assert_eq!(told(door.get(who, &path)), "forbidden");
    }
    for name in ["none", "shop"] {
        let path = format!("{}/{name}", door.path());
        assert_eq!(told(door.get(&door.bob, &path)), "forbidden");
        assert_eq!(told(door.post(&door.bob, &format!("{path}/cancel"))), "forbidden");
    }
    assert_eq!(door.records(), Vec::<Value>::new());
    let lines = door.audit("export.create");
    assert!(lines.len() >= 9 && lines.iter().all(|line| line["decision"] == "deny"), "{lines:#?}");
    assert_eq!(door.audit("export.cancel").len(), 2);
}

/// Whoever may make records with kubectl may write into them who asks, and marks that they have
/// seen elsewhere.
#[test]
fn a_mark_is_of_no_use_to_others() {
    let door = Door::open(&ALL);
    let location = location(&door.ask(&door.exporter, &[], &json!({})));
    let made = door.shop.record(location.rsplit('/').next().unwrap());
    let forge = |name: &str, mark: &Value, change: fn(&mut Value)| {
        let mut spec = made["spec"].clone();
        change(&mut spec);
        let export = json!({
            "apiVersion": API, "kind": "Export", "spec": spec,
            "metadata": {"name": name, "annotations": {"outhaul.dev/mark": mark}},
        });
        door.shop.namespace.apply(&export.to_string());
        let status = door.shop.finished(door.server, name);
        assert_eq!(
            (&status["phase"], &status["reason"]),
            (&json!("Failed"), &json!("NotAuthorized"))
        );
    };
    let mark = &made["metadata"]["annotations"]["outhaul.dev/mark"];
    assert!(mark.is_string(), "{made:#}");
    forge("of-another", mark, |_| {});
    forge("of-none", &json!("1.AAAA"), |spec| spec["secrets"] = json!("include"));
    forge("epinio", mark, |spec| spec["epinio"] = json!(true));
    assert_eq!(door.finished(&location)["phase"], "Succeeded");
}

#[test]
fn an_identical_request_in_flight_is_joined() {
    let door = Door::held(1);
    let carol = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: carol}";
    door.shop.namespace.apply(carol);
    let carol = format!("Bearer {}", door.shop.namespace.token("carol", Some("outhaul.dev")));
    let first = location(&door.ask(&door.exporter, &[], &json!({})));
    let name = first.rsplit('/').next().unwrap();
    in_the_middle(&door.shop, door.server, name);
    let second = door.ask(&door.exporter, &[], &json!({"all": false, "platforms": []}));
    assert_eq!((location(&second), second.header("outhaul-joined")), (first.clone(), "true"));
    let other = door.ask(&door.exporter, &[], &json!({"adopt": true}));
    assert_ne!(location(&other), first);
    assert_eq!(other.header("outhaul-joined"), "");
    let waits = door.server.running().wait_for("in the queue", |_, _| {
        let export = door.get(&door.exporter, &location(&other)).json();
        Some(export).filter(|export| export["step"] == "Queued")
    });
    assert!(waits["queuePosition"].as_u64() >= Some(1), "{waits:#}");

    // Carol may export, but not see the exports of others.
    for role in ["reads", "reads-roles", "uses"] {
        door.shop.namespace.apply(&bound(&door, role, "carol"));
    }
    let hers = door.server.running().wait_for("the rights", |_, _| {
        Some(door.ask(&carol, &[], &json!({}))).filter(|answer| answer.status == 202)
    });
    assert_ne!(location(&hers), first);
    let joined = door.audit("export.create").into_iter().filter(|line| line["reason"] == "joined");
    assert_eq!(joined.map(|line| line["export"].clone()).collect::<Vec<_>>(), [json!(name)]);

    let cancelled = door.post(&door.exporter, &format!("{first}/cancel"));
    assert_eq!(cancelled.status, 202, "{cancelled:?}");
    // What is being cancelled is nothing to join.
    assert_ne!(location(&door.ask(&door.exporter, &[], &json!({}))), first);
    assert_eq!(door.finished(&first)["phase"], "Cancelled");
    assert_eq!(door.finished(&location(&other))["phase"], "Succeeded");
    door.shop.assert_whole();
}

/// The same role for another account.
pub(in crate::server) fn bound(door: &Door<'_>, name: &str, account: &str) -> String {
    let api = "rbac.authorization.k8s.io/v1";
    let role = door.shop.namespace.get(api, "RoleBinding", name).unwrap()["roleRef"].clone();
    json!({
        "apiVersion": api, "kind": "RoleBinding", "metadata": {"name": format!("{account}-{name}")},
        "roleRef": role, "subjects": [{"kind": "ServiceAccount", "name": account}],
    })
    .to_string()
}

#[test]
fn a_key_makes_a_request_that_comes_twice_one() {
    let door = Door::open(&ALL);
    let ask =
        |key: &str, further: Value| door.ask(&door.exporter, &[("Idempotency-Key", key)], &further);
    let first = location(&ask("k-1", json!({})));
    let second = ask("k-1", json!({}));
    assert_eq!((location(&second), second.header("outhaul-joined")), (first.clone(), ""));
    ask("k-1", json!({"adopt": true})).problem(422, "IDEMPOTENCY_KEY_REUSED");
    door.finished(&first);
    assert_eq!(location(&ask("k-1", json!({}))), first);
    assert_ne!(location(&ask("k-2", json!({}))), first);
    for bad in ["", "a b", "ä", &"k".repeat(129)] {
        ask(bad, json!({})).problem(400, "REQUEST_INVALID");
    }
    assert_eq!(door.records().len(), 2);
}

#[test]
fn many_who_ask_for_the_same_at_once_get_one_export() {
    let door = Door::held(1);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let ask = || door.ask(&door.exporter, &[], &json!({}));
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    let locations: BTreeSet<String> = answers.iter().map(location).collect();
    assert_eq!((locations.len(), door.records().len()), (1, 1), "{locations:?}");
    let location = locations.first().unwrap();
    in_the_middle(&door.shop, door.server, location.rsplit('/').next().unwrap());
    door.post(&door.exporter, &format!("{location}/cancel"));
    assert_eq!(door.finished(location)["phase"], "Cancelled");
}

#[test]
fn an_export_is_cancelled_once() {
    let door = Door::held(1);
    let location = location(&door.ask(&door.exporter, &[], &json!({})));
    in_the_middle(&door.shop, door.server, location.rsplit('/').next().unwrap());
    let path = format!("{location}/cancel");
    assert_eq!(door.post(&door.exporter, &path).status, 202);
    assert_eq!(door.finished(&location)["phase"], "Cancelled");
    door.post(&door.exporter, &path).problem(409, "EXPORT_FINISHED");
    let none = format!("{}/none/cancel", door.path());
    door.post(&door.exporter, &none).problem(404, "EXPORT_UNKNOWN");
    let [line] = &door.audit("export.cancel")[..] else { panic!("one line") };
    assert_eq!((&line["decision"], &line["app"]), (&json!("allow"), &json!("shop")));
    assert_eq!(door.shop.versions(), Vec::<String>::new());
}

#[test]
fn exports_are_listed_by_pages_and_chosen() {
    let door = Door::open(&ALL);
    let mut names: Vec<Value> = ["one", "two", "three"]
        .map(|app| door.ask(&door.exporter, &[], &json!({"app": app})).json()["name"].clone())
        .to_vec();
    names.sort_by_key(ToString::to_string);
    let named = |query: &str| {
        let answer = door.get(&door.exporter, &format!("{}{query}", door.path())).json();
        let items = answer["items"].as_array().unwrap().clone();
        let names: Vec<Value> = items.iter().map(|item| item["name"].clone()).collect();
        (names, answer["next"].as_str().map(str::to_owned))
    };
    assert_eq!(named(""), (names.clone(), None));
    let (first, next) = named("?limit=2");
    let (last, end) = named(&format!("?limit=2&cursor={}", next.unwrap()));
    assert_eq!(([first, last].concat(), end), (names.clone(), None));
    assert_eq!(named("?app=two").0.len(), 1);
    assert_eq!(named("?destination=none").0.len(), 0);
    for name in &names {
        let location = format!("{}/{}", door.path(), name.as_str().unwrap());
        assert_eq!(door.finished(&location)["code"], "APP_UNKNOWN");
    }
    assert_eq!((named("?phase=Failed").0, named("?phase=Running").0.len()), (names, 0));
    for query in ["?phase=Odd", "?limit=0", "?cursor=%3F", "?apps=two"] {
        let path = format!("{}{query}", door.path());
        door.get(&door.exporter, &path).problem(400, "REQUEST_INVALID");
    }
    door.get(&door.exporter, &format!("{}/none", door.path())).problem(404, "EXPORT_UNKNOWN");
}

#[test]
fn what_is_not_a_request_is_refused_with_its_place_and_makes_nothing() {
    let door = Door::open(&ALL);
    let send = |body: &str| door.send(&door.exporter, Method::POST, &door.path(), &[], body);
    let unread = [
        ("{\"app\": \"shop\"", "line 1, column 14: EOF"),
        ("{\"app\": \"shop\"}", "line 1, column 15: missing field `destination`"),
        ("{\"app\": \"shop\",\n \"canary\": 1}", "line 2, column 9: a field that is not known"),
        ("{\"app\": 5}", "line 1, column 9: a value that does not fit; expected is a string"),
        ("{\"names\": {\"canary\": 1}}", "line 1, column 19: a field that is not known"),
        ("{\"secrets\": \"canary\"}", "line 1, column 20: a value that is not known"),
        ("{\"namespace\": \"kube-system\"}", "line 1, column 12: a field that is not known"),
        ("{\"requestedBy\": {}}", "line 1, column 14: a field that is not known"),
        ("{\"serviceAccountName\": \"x\"}", "line 1, column 21: a field that is not known"),
        ("{\"epinio\": true}", "line 1, column 9: a field that is not known"),
    ];
    for (body, words) in unread {
        let problem = send(body).problem(400, "BODY_INVALID");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("the body, {words}")), "{body}: {detail}");
        assert!(!detail.contains("canary"), "{detail}");
    }
    for other in ["", "[1]", "\"shop\"", "null"] {
        send(other).problem(400, "BODY_INVALID");
    }
    send(&format!("{{\"app\": \"{}\"}}", "a".repeat(64 << 10))).problem(413, "BODY_TOO_LARGE");
    let ask = |further: Value| door.ask(&door.exporter, &[], &further);
    ask(json!({"destination": "none"})).problem(404, "DESTINATION_UNKNOWN");
    ask(json!({"destination": "https://r.example/x"})).problem(404, "DESTINATION_UNKNOWN");
    for (further, words) in [
        (json!({"platforms": ["odd"]}), "platforms"),
        (json!({"exclude": ["web"]}), "exclude"),
        (json!({"failOn": ["odd"]}), "failOn"),
        (json!({"waitRollout": "25h"}), "waitRollout"),
        (json!({"selector": "app=shop", "all": true}), "selector"),
    ] {
        let problem = ask(further).problem(400, "ARGUMENT_INVALID");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    for (further, words) in [
        (json!({"app": ""}), "spec.app"),
        (json!({"app": "a".repeat(64)}), "spec.app"),
        (json!({"app": "../shop"}), "spec.app"),
        (json!({"platforms": vec!["linux/amd64"; 17]}), "spec.platforms"),
        (json!({"names": {"chartVersion": "1".repeat(129)}}), "spec.names.chartVersion"),
    ] {
        let problem = ask(further).problem(400, "BODY_INVALID");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    let deleted = door.send(&door.exporter, Method::DELETE, &door.path(), &[], "");
    deleted.problem(405, "METHOD_NOT_ALLOWED");
    door.get(&door.exporter, &format!("{}/", door.path())).problem(404, "ROUTE_UNKNOWN");
    assert_eq!(door.records(), Vec::<Value>::new());
}
