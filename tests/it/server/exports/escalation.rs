//! Alice may make `Export` records in her namespace. What else she may not, she does not get by them.

use serde_json::{Value, json};

use super::site::{API, Shop, Site, deployed, site, until};
use crate::support::server::Server;

/// Alice's own: to make records, and what else a test lets her.
pub(in crate::server) fn let_alice(site: &Site, shop: &Shop<'_>, role: &str, rules: &Value) {
    let (api, group) = ("rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io");
    shop.namespace.apply(
        &json!({"apiVersion": api, "kind": "Role", "metadata": {"name": role}, "rules": rules})
            .to_string(),
    );
    shop.namespace.apply(
        &json!({"apiVersion": api, "kind": "RoleBinding", "metadata": {"name": role},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": role},
        "subjects": [
            {"apiGroup": group, "kind": "User", "name": "alice"},
            {"kind": "ServiceAccount", "name": "exporter"},
        ]})
        .to_string(),
    );
    let rule = &rules[0];
    let what = json!({"verb": rule["verbs"][0], "group": rule["apiGroups"][0],
        "resource": rule["resources"][0], "namespace": shop.namespace.name(),
        "name": rule["resourceNames"][0].as_str().unwrap_or_default()});
    until("alice's right is seen", || site.allows("alice", &[], &what));
}

pub(in crate::server) fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!([{"apiGroups": [group], "resources": resources, "verbs": verbs}])
}

/// The kinds that the policy asks for, in its order, and a role for each few.
const KINDS: [(&str, &str, &[&str]); 5] = [
    ("pods", "", &["pods", "services"]),
    ("core", "", &["configmaps", "serviceaccounts", "persistentvolumeclaims"]),
    ("apps", "apps", &["deployments", "statefulsets", "daemonsets"]),
    ("batch", "batch", &["jobs", "cronjobs"]),
    ("net", "networking.k8s.io", &["ingresses"]),
];

/// To make records, to read what ClusterRole `view` gives of the kinds that are asked for, and to `use`
/// the destination of the shop.
pub(in crate::server) fn let_her_ask(site: &Site, shop: &Shop<'_>) {
    let verbs = ["create", "get", "patch"];
    let_alice(site, shop, "makes", &rule("outhaul.dev", &["exports"], &verbs));
    for (role, group, kinds) in KINDS {
        let_alice(site, shop, role, &rule(group, kinds, &["list"]));
    }
    let mut uses = rule("outhaul.dev", &["destinations"], &["use"]);
    uses[0]["resourceNames"] = json!([shop.namespace.name()]);
    let_alice(site, shop, "uses", &uses);
}

/// A record of alice's, with `further` in its spec, and `annotations`.
fn record(shop: &Shop<'_>, name: &str, further: &Value, annotations: &Value) -> Value {
    let mut spec = json!({"app": "shop", "destination": shop.namespace.name()});
    for (key, value) in further.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({"apiVersion": API, "kind": "Export", "spec": spec,
        "metadata": {"name": name, "annotations": annotations}})
}

/// Both doors at once: with the policy she cannot make the record; without it, a record of hers, which
/// names the account `exporter` of the same rights, fails.
struct Doors<'s> {
    with: Shop<'s>,
    without: Shop<'s>,
    server: &'s Server,
    /// Sites with and without the policy.
    sites: [&'s Site; 2],
}

impl Doors<'static> {
    fn of_alice() -> Self {
        let ((with, _), (without, server)) = (deployed(), site());
        let sites = [with, without];
        let doors = Self { with: with.shop(), without: without.shop(), server, sites };
        doors.both(let_her_ask);
        doors
    }
}

impl Doors<'_> {
    fn both(&self, act: impl Fn(&Site, &Shop<'_>)) {
        act(self.sites[0], &self.with);
        act(self.sites[1], &self.without);
    }

    /// The API server's refusal, and the controller's.
    fn refused(&self, name: &str, further: &Value, words: [&str; 2]) {
        let export = record(&self.with, name, further, &json!({}));
        let said = self.sites[0].create("alice", self.with.namespace.name(), &export).unwrap_err();
        assert!(said.contains(words[0]), "{name}: {said}");
        let mut further = further.clone();
        further["serviceAccountName"] = "exporter".into();
        self.failed(name, &record(&self.without, name, &further, &json!({})), words[1]);
    }

    fn failed(&self, name: &str, export: &Value, words: &str) {
        self.sites[1].create("alice", self.without.namespace.name(), export).unwrap();
        let status = self.without.finished(self.server, name);
        assert_eq!(status["reason"], "NotAuthorized", "{name}: {status:#}");
        assert!(status["message"].as_str().unwrap().contains(words), "{name}: {status:#}");
    }

    /// What the schema refuses, policy or not.
    fn impossible(&self, name: &str, further: &Value, words: &str) {
        self.both(|site, shop| {
            let export = record(shop, name, further, &json!({}));
            let said = site.create("alice", shop.namespace.name(), &export).unwrap_err();
            assert!(said.contains(words), "{name}: {said}");
        });
    }
}

#[test]
fn what_alice_may_not_is_refused_at_admission_and_by_the_controller() {
    let doors = Doors::of_alice();
    let another = json!({"destination": "another"});
    let words = ["you may not `use`", "may not `use` the destination `another`"];
    doors.refused("another", &another, words);
    for (name, further) in [
        ("include", json!({"secrets": "include"})),
        ("encrypt", json!({"secrets": "encrypt"})),
        ("pull", json!({"usePullSecrets": true})),
        ("release", json!({"chartFrom": "release"})),
    ] {
        doors.refused(name, &further, ["`get` secrets", "`get` and `list` the Secrets"]);
    }
    doors.refused(
        "require",
        &json!({"secrets": "require"}),
        ["`list` secrets", "`list` the Secrets"],
    );
    let elsewhere = json!({"namespace": "default"});
    doors.refused("elsewhere", &elsewhere, ["you may not", "that namespace only"]);
    // Nor may those who may everything, but in the system namespace.
    let export = record(&doors.with, "elsewhere", &elsewhere, &json!({}));
    let said = doors.sites[0].create("admin", doors.with.namespace.name(), &export).unwrap_err();
    assert!(said.contains("its own namespace only"), "{said}");
    doors.refused("epinio", &json!({"epinio": true}), ["only the server", "only the server"]);
    doors.impossible(
        "address",
        &json!({"destination": "registry.example.com:5000/x"}),
        "spec.destination",
    );
    let key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    doors.impossible(
        "key",
        &json!({"ageRecipients": [key]}),
        "recipients are those of the destination",
    );
}

/// Who asks and who vouches, forged.
#[test]
fn nobody_says_that_somebody_else_has_asked() {
    let doors = Doors::of_alice();
    let asked = |user: &str, groups: &[&str], via: &str| json!({"requestedBy": {"user": user, "groups": groups, "via": via}});
    let none = json!({});
    let mark = json!({"outhaul.dev/mark": "1795000000.AAAA"});
    for (name, further, annotations, words) in [
        ("user", asked("admin", &[], "kubernetes"), &none, "spec.requestedBy is not you"),
        (
            "group",
            asked("alice", &["system:masters"], "kubernetes"),
            &none,
            "spec.requestedBy is not you",
        ),
        ("door", asked("alice", &[], "epinio"), &none, "spec.requestedBy is not you"),
        ("mark", json!({}), &mark, "only the server"),
    ] {
        let export = record(&doors.with, name, &further, annotations);
        let said =
            doors.sites[0].create("alice", doors.with.namespace.name(), &export).unwrap_err();
        assert!(said.contains(words), "{name}: {said}");
        let export = record(&doors.without, name, &further, annotations);
        doors.failed(name, &export, "nobody says with whose rights");
    }
}

#[test]
fn what_the_policy_has_let_is_carried_out_with_the_rights_of_who_asked() {
    let (site, server) = deployed();
    let shop = site.shop();
    let_her_ask(site, &shop);
    let make = |name: &str, further: &Value| {
        let export = record(&shop, name, further, &json!({}));
        site.create("alice", shop.namespace.name(), &export).unwrap();
        shop.finished(server, name)
    };
    let status = make("nameless", &json!({}));
    assert_eq!(status["reason"], "KIND_NOT_READABLE", "{status:#}");
    assert!(status["message"].as_str().unwrap().contains("nobody is named"), "{status:#}");
    let kinds = ["roles", "rolebindings"];
    let_alice(site, &shop, "rbac", &rule("rbac.authorization.k8s.io", &kinds, &["list"]));
    let_alice(site, &shop, "hpa", &rule("autoscaling", &["horizontalpodautoscalers"], &["list"]));
    let_alice(site, &shop, "pdb", &rule("policy", &["poddisruptionbudgets"], &["list"]));
    let alice = json!({"user": "alice", "groups": ["team-a"], "via": "kubernetes"});
    let status = make("named", &json!({"requestedBy": alice}));
    assert_eq!(status["phase"], "Succeeded", "{status:#}");
    assert_eq!(status["conditions"][0]["reason"], "Policy", "{status:#}");
    assert_eq!(shop.versions().len(), 1);
}

/// One kind of those that make an application is enough.
#[test]
fn who_may_not_list_every_kind_may_not_ask() {
    let (site, _) = deployed();
    let shop = site.shop();
    let_alice(site, &shop, "makes", &rule("outhaul.dev", &["exports"], &["create"]));
    let_alice(site, &shop, "uses", &rule("outhaul.dev", &["destinations"], &["use"]));
    for (role, group, kinds) in KINDS {
        let export = record(&shop, "kinds", &json!({}), &json!({}));
        let said = site.create("alice", shop.namespace.name(), &export).unwrap_err();
        assert!(said.contains(kinds[0]), "{said}");
        let_alice(site, &shop, role, &rule(group, kinds, &["list"]));
    }
    let export = record(&shop, "kinds", &json!({}), &json!({}));
    site.create("alice", shop.namespace.name(), &export).unwrap();
}
