//! What the service account of the chart may, on a real API server with the chart's own roles.

use serde_json::{Value, json};

use super::site::{SYSTEM, Site, deployed, until};
use crate::deploy::{as_yaml, rendered};

/// Verbs, `resource.group` or `resource/sub`, and the namespaces in which all of that holds.
pub(super) type Rights = &'static [(&'static str, &'static str, &'static [&'static str])];

pub(super) const ANY: &str = "default";
pub(super) const ALL: &str = "";

const CAN: Rights = &[
    ("get list watch", "pods", &[ALL]),
    ("get list watch", "configmaps", &[ALL]),
    ("get list watch", "deployments.apps", &[ALL]),
    ("get list watch", "ingresses.networking.k8s.io", &[ALL]),
    ("get list watch", "roles.rbac.authorization.k8s.io", &[ALL]),
    ("get list watch", "clusterroles.rbac.authorization.k8s.io", &[ALL]),
    ("get list", "namespaces", &[ALL]),
    ("create", "tokenreviews.authentication.k8s.io", &[ALL]),
    ("create", "subjectaccessreviews.authorization.k8s.io", &[ALL]),
    ("get list watch create update patch delete", "exports.outhaul.dev", &[ALL]),
    ("update patch", "exports/status.outhaul.dev", &[ALL]),
    ("get list watch create update patch delete", "exportschedules.outhaul.dev", &[ALL]),
    ("update patch", "exportschedules/status.outhaul.dev", &[ALL]),
    ("create patch", "events.events.k8s.io", &[ALL]),
    ("get list create", "secrets", &[SYSTEM]),
    ("create", "leases.coordination.k8s.io", &[SYSTEM]),
    ("get update", "leases.coordination.k8s.io=outhaul", &[SYSTEM]),
    ("get", "validatingadmissionpolicies.admissionregistration.k8s.io=outhaul-exports", &[ALL]),
    ("get", "validatingadmissionpolicies.admissionregistration.k8s.io=outhaul-schedules", &[ALL]),
];

pub(super) const CANNOT: Rights = &[
    ("get list watch create update patch delete", "secrets", &[ALL, ANY, "kube-system"]),
    ("watch update patch delete", "secrets", &[SYSTEM]),
    ("create", "pods/exec", &[ANY, SYSTEM]),
    ("create get", "pods/attach", &[ANY, SYSTEM]),
    ("create get", "pods/portforward", &[ANY, SYSTEM]),
    ("get", "pods/log", &[ANY, SYSTEM]),
    ("update", "pods/ephemeralcontainers", &[ANY, SYSTEM]),
    ("create update patch delete", "pods", &[ANY, SYSTEM]),
    ("create update patch delete", "configmaps", &[ANY, SYSTEM]),
    ("create update patch delete", "services", &[ANY, SYSTEM]),
    ("create update patch delete", "deployments.apps", &[ANY, SYSTEM]),
    ("create update patch delete", "jobs.batch", &[ANY, SYSTEM]),
    ("create update patch delete", "networkpolicies.networking.k8s.io", &[ANY, SYSTEM]),
    ("create update patch delete", "serviceaccounts", &[ANY, SYSTEM]),
    ("create", "serviceaccounts/token", &[ANY, SYSTEM]),
    ("create update delete escalate bind", "roles.rbac.authorization.k8s.io", &[ANY, SYSTEM]),
    ("create update delete", "rolebindings.rbac.authorization.k8s.io", &[ANY, SYSTEM]),
    ("create update delete escalate bind", "clusterroles.rbac.authorization.k8s.io", &[ALL]),
    ("create update delete", "clusterrolebindings.rbac.authorization.k8s.io", &[ALL]),
    ("impersonate", "users", &[ALL]),
    ("impersonate", "groups", &[ALL]),
    ("impersonate", "serviceaccounts", &[ALL, ANY]),
    ("get list", "nodes", &[ALL]),
    ("get create", "nodes/proxy", &[ALL]),
    ("list", "persistentvolumes", &[ALL]),
    ("create update patch delete", "namespaces", &[ALL]),
    ("list create update", "customresourcedefinitions.apiextensions.k8s.io", &[ALL]),
    ("list create", "validatingwebhookconfigurations.admissionregistration.k8s.io", &[ALL]),
    ("list create", "mutatingwebhookconfigurations.admissionregistration.k8s.io", &[ALL]),
    ("list create", "validatingadmissionpolicies.admissionregistration.k8s.io", &[ALL]),
    (
        "update patch delete",
        "validatingadmissionpolicies.admissionregistration.k8s.io=outhaul-exports",
        &[ALL],
    ),
    ("create", "certificatesigningrequests.certificates.k8s.io", &[ALL]),
    ("get list update delete", "leases.coordination.k8s.io=another", &[ANY, SYSTEM]),
    ("delete", "leases.coordination.k8s.io=outhaul", &[SYSTEM]),
    ("use", "destinations.outhaul.dev", &[ALL, ANY, SYSTEM]),
    ("list", "certificates.cert-manager.io", &[ALL]),
    ("*", "*.*", &[ALL, ANY, SYSTEM]),
];

/// Each single right, as an access review names it.
pub(super) fn each(rights: Rights) -> impl Iterator<Item = Value> {
    rights.iter().flat_map(|(verbs, what, namespaces)| {
        let (what, name) = what.split_once('=').unwrap_or((what, ""));
        let (resource, group) = what.split_once('.').unwrap_or((what, ""));
        let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
        verbs.split(' ').flat_map(move |verb| {
            namespaces.iter().map(move |namespace| {
                json!({"verb": verb, "group": group, "resource": resource, "subresource": sub,
                    "namespace": namespace, "name": name})
            })
        })
    })
}

#[test]
fn the_account_of_the_chart_can_and_cannot() {
    let (site, server) = deployed();
    let allows = |what: &Value| allows(site, what);
    let missing: Vec<Value> = each(CAN).filter(|what| !allows(what)).collect();
    assert_eq!(missing, Vec::<Value>::new(), "rights that it needs");
    let beyond: Vec<Value> = each(CANNOT).filter(|what| allows(what)).collect();
    assert_eq!(beyond, Vec::<Value>::new(), "rights that it must not have");
    for path in ["/metrics", "/logs", "/debug/pprof"] {
        assert!(!allows(&json!({"verb": "get", "path": path})), "{path}");
    }
    // What it can is what it does: it is ready and leads, and the other tests here export with it.
    server.running().wait_for("ready", |_, _| {
        let ready = server.get("/readyz");
        (ready.status == 200 && ready.json()["leads"] == true).then_some(())
    });
    assert_eq!(site.leader().as_deref(), Some("only"));
}

#[test]
fn secrets_are_read_where_the_values_say_so_and_nowhere_else() {
    let (site, _) = deployed();
    let (told, other) = (site.cluster.namespace("told"), site.cluster.namespace("other"));
    let mut manifests = rendered(&json!({"secrets": {"namespaces": [told.name()]}}));
    manifests.retain(|manifest| manifest.object.name() == "outhaul-secrets");
    assert_eq!(manifests.len(), 2);
    site.cluster.apply(&as_yaml("", manifests));
    let secrets = |verb: &str, namespace: &str| json!({"verb": verb, "group": "", "resource": "secrets", "namespace": namespace});
    for verb in ["get", "list"] {
        until("its Secrets are read", || allows(site, &secrets(verb, told.name())));
        assert!(!allows(site, &secrets(verb, other.name())));
    }
    assert!(!allows(site, &secrets("update", told.name())));
}

#[test]
fn with_namespaces_it_reads_and_writes_in_these_and_nowhere_else() {
    let (site, _) = deployed();
    let (served, other) = (site.cluster.namespace("served"), site.cluster.namespace("other"));
    let values = json!({"namespaces": [served.name()], "fullnameOverride": "few"});
    let mut manifests = rendered(&values);
    manifests.retain(|manifest| manifest.path.ends_with("/rbac.yaml"));
    site.cluster.apply(&as_yaml("", manifests));
    let few = |what: &Value| site.allows(&format!("system:serviceaccount:{SYSTEM}:few"), &[], what);
    let rights = [
        ("get list watch", "", "pods"),
        ("get list watch", "apps", "deployments"),
        ("get list watch create update patch delete", "outhaul.dev", "exports"),
        ("create patch", "events.k8s.io", "events"),
    ];
    for (verbs, group, resource) in rights {
        for verb in verbs.split(' ') {
            let right = |namespace: &str| json!({"verb": verb, "group": group, "resource": resource, "namespace": namespace});
            until("it may in its namespace", || few(&right(served.name())));
            assert!(!few(&right(other.name())) && !few(&right("")), "{verb} {resource}");
        }
    }
    for verb in ["get", "list"] {
        assert!(few(&json!({"verb": verb, "resource": "namespaces"})));
        let group = "rbac.authorization.k8s.io";
        assert!(few(&json!({"verb": verb, "group": group, "resource": "clusterroles"})));
    }
    assert!(!few(&json!({"verb": "list", "resource": "secrets", "namespace": served.name()})));
}

fn allows(site: &Site, what: &Value) -> bool {
    let groups =
        ["system:serviceaccounts", "system:serviceaccounts:outhaul-system", "system:authenticated"];
    site.allows("system:serviceaccount:outhaul-system:outhaul", &groups, what)
}
