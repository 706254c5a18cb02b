//! Every operation of the native API, called.

mod schedules;

use outhaul::server::openapi;
use serde_json::{Value, json};

use super::exchanges::{Ask, Contract};
use super::operations;
use crate::export::shop::CANARIES;
use crate::server::exports::http::{ALL, Door, location};
use crate::server::exports::site::{API, Site, site, until};
use crate::server::nowhere;
use crate::support::server::Answer;

/// The destination's password, and the values of the application's Secrets: nobody sees them.
const SECRETS: [&str; 3] = ["s3cret", CANARIES[0], CANARIES[1]];

/// Schemas of what the application of this test does not have: fields that do not come back, places
/// where its namespace is written, pods that run. Who asked is told beside the request, not in it. A
/// step is told of what runs, which may be over before it is asked for. No run of its schedule is left out, and
/// none prunes.
const UNMET: [&str; 9] = [
    "Difference",
    "DifferenceKind",
    "NamespacePlace",
    "Pruned",
    "RequestedBy",
    "Running",
    "Scheduled",
    "Skipped",
    "Step",
];

/// The exporter may see all destinations, all exports and the metrics.
fn grant_all_over(site: &Site, namespace: &str) {
    let rbac = "rbac.authorization.k8s.io";
    let (name, user) =
        (format!("all-{namespace}"), format!("system:serviceaccount:{namespace}:exporter"));
    let rules = json!([
        {"apiGroups": ["outhaul.dev"], "resources": ["destinations"], "verbs": ["get"]},
        {"apiGroups": ["outhaul.dev"], "resources": ["exports"], "verbs": ["list"]},
        {"apiGroups": ["outhaul.dev"], "resources": ["exportschedules"],
            "verbs": ["get", "list", "create", "update", "delete"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]);
    let subject = json!({"kind": "ServiceAccount", "name": "exporter", "namespace": namespace});
    let role = json!({"apiGroup": rbac, "kind": "ClusterRole", "name": name});
    for object in [
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": rules}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": name}, "roleRef": role, "subjects": [subject]}),
    ] {
        site.cluster.apply(&object.to_string());
    }
    let path = json!({"verb": "get", "path": "/metrics"});
    until("the right is seen", || site.allows(&user, &[], &path));
}

/// An application with an export that has ended, and the contract that its server has.
struct Held<'a> {
    door: &'a Door<'static>,
    contract: &'a Contract<'static>,
    /// Path of its namespace.
    at: String,
}

impl Held<'_> {
    fn ask(&self, id: &str, path: &str, body: &Value) -> Answer {
        self.send(id, path, body, true)
    }

    /// Asks as the exporter, and before that as those to whom it is refused.
    fn send(&self, id: &str, path: &str, body: &Value, others: bool) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = path.replace('@', &self.at);
        let ask = Ask { id, path: &path, headers: &[], body: &body };
        let nobody = self.contract.operation(id).what["security"].as_array().unwrap().is_empty();
        if nobody {
            return self.contract.ask(None, ask);
        }
        if !others {
            return self.contract.ask(Some(&self.door.exporter), ask);
        }
        self.contract.ask(None, ask).problem(401, "UNAUTHENTICATED");
        let needs = self.contract.operation(id).what["responses"].get("403").is_some();
        if needs {
            self.contract.ask(Some(&self.door.bob), ask).problem(403, "FORBIDDEN");
        } else {
            assert_eq!(self.contract.ask(Some(&self.door.bob), ask).status, 200, "{id}");
        }
        self.contract.ask(Some(&self.door.exporter), ask)
    }

    fn good(&self, id: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(id, path, body);
        assert!((200..300).contains(&answer.status), "{id}: {answer:?}");
        let is_json = answer.header("content-type") == "application/json";
        if is_json { answer.json() } else { Value::String(answer.text) }
    }

    fn bad(&self, id: &str, path: &str, body: &Value, status: u16, code: &str) {
        self.send(id, path, body, false).problem(status, code);
    }

    fn request(&self, further: &Value) -> Value {
        serde_json::from_str(&self.door.request(further)).unwrap()
    }
}

#[test]
fn every_operation_does_what_the_description_says() {
    let (site, server) = site();
    let document: &'static Value = Box::leak(Box::new(openapi()));
    let door = Door::open(&ALL);
    let namespace = door.shop.namespace.name().to_owned();
    grant_all_over(site, &namespace);
    let contract = Contract::of(server, document);
    let held = Held { door: &door, contract: &contract, at: format!("/v1/namespaces/{namespace}") };
    of_the_server(&held);
    of_destinations(&held, &namespace);
    let done = of_exports(&held);
    of_applications(&held, &namespace);
    of_one_export(&held, &done);
    schedules::of_schedules(&held, &namespace);
    contract.is_whole();
    let met = contract.schemas.met();
    let is_met = |name: &str| met.contains(name) || UNMET.contains(&name);
    let components = document["components"]["schemas"].as_object().unwrap().keys();
    let unmet: Vec<_> = components.filter(|name| !is_met(name)).collect();
    assert_eq!(unmet, [""; 0], "schemas that no request and no answer was held with");
    nothing_tells_a_secret(&held);
}

fn of_the_server(held: &Held<'_>) {
    let described = held.good("describe", "/v1/openapi.json", &Value::Null);
    assert_eq!(described, openapi());
    assert_eq!(held.good("alive", "/healthz", &Value::Null), "ok\n");
    held.good("ready", "/readyz", &Value::Null);
    assert!(held.good("metrics", "/metrics", &Value::Null).as_str().unwrap().ends_with("# EOF\n"));
    let ask = |id, path| Ask { id, path, headers: &[], body: "" };
    let (away, slow) = (nowhere(&[]), nowhere(&["--rate", "1"]));
    let unready = held.contract.ask_of(&away, None, ask("ready", "/readyz"));
    assert_eq!(unready.status, 503);
    slow.running().wait_for("too often", |_, _| {
        let answer = held.contract.ask_of(&slow, None, ask("describe", "/v1/openapi.json"));
        (answer.status == 429).then_some(())
    });
    let token = "Bearer x";
    let unknown =
        held.contract.ask_of(&away, Some(token), ask("listDestinations", "/v1/destinations"));
    unknown.problem(503, "AUTH_UNAVAILABLE");
}

fn of_destinations(held: &Held<'_>, name: &str) {
    let usable = format!("/v1/destinations?namespace={name}");
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let odd = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": format!("odd-{name}"),
            "labels": {"outhaul.dev/destination": "true"},
            "annotations": {"outhaul.dev/age-recipients": recipient},
        },
    });
    site().0.system().apply(&odd.to_string());
    let all = held.good("listDestinations", &usable, &Value::Null);
    let own = all["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap();
    assert_eq!(own["usable"], true, "{own:#}");
    let path = format!("/v1/destinations/{name}");
    held.good("getDestination", &path, &Value::Null);
    let check = held.good("checkDestination", &format!("{path}/check"), &Value::Null);
    assert_eq!(check["canPush"], true, "{check:#}");
    let unknown = "DESTINATION_UNKNOWN";
    held.bad("getDestination", "/v1/destinations/none", &Value::Null, 404, unknown);
    held.bad("checkDestination", "/v1/destinations/none/check", &Value::Null, 404, unknown);
}

/// Gives the path of an export that was carried out.
fn of_exports(held: &Held<'_>) -> String {
    let (id, path) = ("createExport", "@/exports");
    let request = held.request(&json!({"platforms": [], "names": {}, "selector": null}));
    let first = location(&held.ask(id, path, &request));
    assert_eq!(held.door.finished(&first)["phase"], "Succeeded");
    let keyed = Ask {
        id,
        path: &path.replace('@', &held.at),
        headers: &[("Idempotency-Key", "k-1")],
        body: &held.door.request(&json!({"names": {"imageTag": "mine"}})),
    };
    held.door.finished(&location(&held.contract.ask(Some(&held.door.exporter), keyed)));
    let other = held.door.request(&json!({"adopt": true}));
    let reused = held.contract.ask(Some(&held.door.exporter), Ask { body: &other, ..keyed });
    reused.problem(422, "IDEMPOTENCY_KEY_REUSED");
    held.bad(id, path, &held.request(&json!({"destination": "none"})), 404, "DESTINATION_UNKNOWN");
    held.bad(id, path, &held.request(&json!({"exclude": ["a"]})), 400, "ARGUMENT_INVALID");

    held.good("listExports", "@/exports?phase=Succeeded&limit=1", &Value::Null);
    held.bad("listExports", "@/exports?limit=501", &Value::Null, 400, "REQUEST_INVALID");
    held.good("listAllExports", "/v1/exports?app=shop", &Value::Null);
    held.bad("listAllExports", "/v1/exports?cursor=%3F", &Value::Null, 400, "REQUEST_INVALID");
    first
}

fn of_applications(held: &Held<'_>, destination: &str) {
    held.good("listApplications", "@/apps?search=sh&foundBy=label", &Value::Null);
    held.bad("listApplications", "@/apps?foundBy=luck", &Value::Null, 400, "REQUEST_INVALID");
    held.good("listAllApplications", "/v1/apps?search=sh&limit=1", &Value::Null);
    held.bad("listAllApplications", "/v1/apps?limit=0", &Value::Null, 400, "REQUEST_INVALID");
    held.good("getApplication", "@/apps/shop", &Value::Null);
    held.bad("getApplication", "@/apps/none", &Value::Null, 404, "APP_UNKNOWN");

    held.good("planExport", "@/apps/shop/plan", &held.request(&json!({})));
    let stopped = held.request(&json!({"failOn": ["VOLUME_DATA_NOT_EXPORTED"]}));
    held.bad("planExport", "@/apps/shop/plan", &stopped, 422, "FINDINGS");
    let other = held.request(&json!({"app": "other"}));
    held.bad("planExport", "@/apps/shop/plan", &other, 400, "ARGUMENT_INVALID");

    let config = "
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-config, labels: {app.kubernetes.io/name: shop}}
data: {CURRENCY: CHF}
";
    held.door.shop.namespace.apply(config);
    let compared = json!({"destination": destination});
    let diff = held.good("diffApplication", "@/apps/shop/diff", &compared);
    assert_eq!(diff["changed"][0]["object"]["name"], "shop-config", "{diff:#}");
    let missing = json!({"destination": destination, "version": "9.9.9"});
    held.bad("diffApplication", "@/apps/shop/diff", &missing, 422, "CHART_MISSING");

    let history = format!("@/apps/shop/history?destination={destination}");
    let versions = held.good("listVersions", &history, &Value::Null);
    assert!(versions["items"][0]["takenAt"].is_string(), "{versions:#}");
    let bad = format!("{history}&chartName=A_B");
    held.bad("listVersions", &bad, &Value::Null, 400, "NAME_INVALID");

    let wanted = json!({"destination": destination, "retention": {"keepLast": 1}, "dryRun": false});
    let pruned = held.good("pruneVersions", "@/apps/shop/prune", &wanted);
    assert!(pruned["outcome"]["versions"].is_array(), "{pruned:#}");
    let unsaid = json!({"destination": destination});
    held.bad("pruneVersions", "@/apps/shop/prune", &unsaid, 422, "SCHEDULE_INVALID");
}

fn of_one_export(held: &Held<'_>, done: &str) {
    let none = "@/exports/none";
    held.good("getExport", done, &Value::Null);
    held.bad("getExport", none, &Value::Null, 404, "EXPORT_UNKNOWN");
    let report = held.good("getReport", &format!("{done}/report"), &Value::Null);
    assert!(report["requirements"].is_array(), "{report:#}");

    let events = held.good("watchExport", &format!("{done}/events"), &Value::Null);
    let events = events.as_str().unwrap();
    let states: Vec<_> = events.lines().filter_map(|line| line.strip_prefix("data: {\"")).collect();
    assert!(!states.is_empty() && events.contains("event: end"), "{events}");
    let schema = json!({"$ref": "#/components/schemas/Export"});
    for state in states {
        let state = serde_json::from_str(&format!("{{\"{state}")).unwrap();
        held.contract.schemas.check(&schema, &state).unwrap();
    }
    held.bad("watchExport", &format!("{none}/events"), &Value::Null, 404, "EXPORT_UNKNOWN");

    let running = running(held);
    held.bad("getReport", &format!("{running}/report"), &Value::Null, 404, "REPORT_NOT_READY");
    assert_eq!(held.ask("cancelExport", &format!("{running}/cancel"), &Value::Null).status, 202);
    held.door.finished(&running);
    let finished = format!("{running}/cancel");
    held.bad("cancelExport", &finished, &Value::Null, 409, "EXPORT_FINISHED");
}

/// An export that waits for pods, which nobody runs here.
fn running(held: &Held<'_>) -> String {
    let asked = held.door.ask(&held.door.exporter, &[], &json!({"waitRollout": "23h"}));
    location(&asked)
}

fn nothing_tells_a_secret(held: &Held<'_>) {
    let (shop, server) = (&held.door.shop, held.door.server);
    let objects = |api, kind| json!(shop.namespace.list(api, kind)).to_string();
    let mut told = held.contract.told();
    told.extend([
        ("the log".to_owned(), server.running().stderr()),
        ("the metrics".to_owned(), server.metrics().text),
        ("the records".to_owned(), objects(API, "Export")),
        ("the schedules".to_owned(), objects(API, "ExportSchedule")),
        ("the Events".to_owned(), objects("events.k8s.io/v1", "Event")),
    ]);
    let tokens = [&held.door.exporter, &held.door.bob].map(|who| who["Bearer ".len()..].to_owned());
    let mut secrets: Vec<String> = tokens.into();
    for secret in SECRETS {
        secrets.extend([secret.to_owned(), base64(secret)]);
    }
    secrets.push(base64("carol:s3cret"));
    for (what, text) in &told {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} is in {what}");
        }
    }
    assert!(told.len() > operations(&openapi()).len() * 2);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
