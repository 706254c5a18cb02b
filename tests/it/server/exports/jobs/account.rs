//! What the two accounts of the chart may where exports run in Jobs, on a real API server.

use serde_json::Value;

use super::super::account::{ALL, ANY, CANNOT, Rights, each};
use super::super::site::SYSTEM;
use super::jobs;

/// What the server may besides.
const SERVER_CAN: Rights = &[
    ("get list watch create delete", "jobs.batch", &[SYSTEM]),
    ("get list watch", "pods", &[SYSTEM]),
];

const SERVER_CANNOT: Rights = &[
    ("create delete", "jobs.batch", &[ALL, ANY]),
    ("update patch deletecollection", "jobs.batch", &[ALL, ANY, SYSTEM]),
    ("create delete", "pods", &[ANY, SYSTEM]),
    ("create", "serviceaccounts/token", &[ANY, SYSTEM]),
];

const WORKER_CAN: Rights = &[
    ("get list", "pods", &[ALL]),
    ("get list", "deployments.apps", &[ALL]),
    ("get list", "roles.rbac.authorization.k8s.io", &[ALL]),
    ("get list", "namespaces", &[ALL]),
    ("create", "subjectaccessreviews.authorization.k8s.io", &[ALL]),
    ("get list", "exports.outhaul.dev", &[ALL]),
    ("patch", "exports/status.outhaul.dev", &[ALL]),
    ("create", "events.events.k8s.io", &[ALL]),
    ("get list", "secrets", &[SYSTEM]),
];

const WORKER_CANNOT: Rights = &[
    ("watch create update patch delete", "exports.outhaul.dev", &[ALL, ANY, SYSTEM]),
    ("update", "exports/status.outhaul.dev", &[ALL, ANY, SYSTEM]),
    ("get list create update delete", "leases.coordination.k8s.io", &[ANY, SYSTEM]),
    ("get update", "leases.coordination.k8s.io=outhaul", &[SYSTEM]),
    ("create update patch delete", "jobs.batch", &[ALL, ANY, SYSTEM]),
    ("create", "secrets", &[SYSTEM]),
    ("create", "tokenreviews.authentication.k8s.io", &[ALL]),
    ("get", "validatingadmissionpolicies.admissionregistration.k8s.io=outhaul-exports", &[ALL]),
];

#[test]
fn both_accounts_can_and_cannot() {
    let (site, _) = jobs();
    let groups =
        ["system:serviceaccounts", "system:serviceaccounts:outhaul-system", "system:authenticated"];
    let wrong = |account: &str, rights: Rights, expected: bool| -> Vec<Value> {
        let user = format!("system:serviceaccount:{SYSTEM}:{account}");
        each(rights).filter(|what| site.allows(&user, &groups, what) != expected).collect()
    };
    let none = Vec::<Value>::new();
    assert_eq!(wrong("outhaul", SERVER_CAN, true), none);
    assert_eq!(wrong("outhaul", SERVER_CANNOT, false), none);
    assert_eq!(wrong("outhaul-worker", WORKER_CAN, true), none);
    assert_eq!(wrong("outhaul-worker", WORKER_CANNOT, false), none);
    // And nothing that the server may not either.
    assert_eq!(wrong("outhaul-worker", CANNOT, false), none);
}
