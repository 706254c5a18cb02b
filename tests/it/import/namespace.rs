//! What only the namespace itself can say.

use super::site::{NEEDS, Site, missing};
use crate::support::objects;

/// What the example needs, from values.
const SET: &str = "secrets.shop-credentials.create=true,secrets.shop-credentials.data.db-password=a,\
                   secrets.shop-credentials.data.session-key=b";

#[test]
fn its_pod_security_level_and_its_limits_are_asked_for_pods() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let name = site.namespace.name();
    site.namespace.cluster().apply(&format!(
        "
apiVersion: v1
kind: Namespace
metadata: {{name: {name}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}
"
    ));
    let strict = missing(&site.import(&["--dry-run"]).exits(18).json(), "object");
    assert!(
        strict.iter().any(|line| line.starts_with("pods of Deployment web: ")
            && line.contains("violates PodSecurity \"restricted")),
        "{strict:?}"
    );

    let other = Site::new();
    other.namespace.apply(NEEDS);
    other.namespace.apply(
        "
apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec: {limits: [{type: Container, max: {memory: 1Mi}}]}
",
    );
    let small = missing(&other.import(&["--dry-run"]).exits(18).json(), "object");
    assert!(
        small.iter().any(|line| line.starts_with("pods of ") && line.contains("1Mi")),
        "{small:?}"
    );
}

/// Whether the cluster takes objects in a new namespace is asked there, and it goes if not.
#[test]
fn a_new_one_is_made_for_the_checks_and_removed_if_they_fail() {
    let site = Site::new();
    let cluster = site.namespace.cluster();
    let here = site.namespace.name().to_owned();
    let (bad, good) = (format!("{here}-bad"), format!("{here}-good"));
    site.namespace.apply(NEEDS);
    cluster.apply(&format!(
        "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {bad}}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}}]
    namespaceSelector:
      matchExpressions: [{{key: kubernetes.io/metadata.name, operator: In, values: ['{here}', '{bad}']}}]
  validations: [{{expression: 'false', message: no Deployments here}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {bad}}}
spec: {{policyName: {bad}, validationActions: [Deny]}}
"
    ));
    let refuses = |plan: &serde_json::Value| {
        missing(plan, "object").iter().any(|line| line.contains("no Deployments here"))
    };
    // A policy is in force a moment later: each look is one.
    assert!((0..60).any(|_| refuses(&site.import(&["--dry-run"]).json())));

    let outhaul = site.outhaul("admin");
    let import = |namespace: &str, further: &[&str]| {
        let args = ["app", "import", &site.chart, "-n", namespace, "--create-namespace"];
        let set = ["--set", SET, "-o", "json"];
        outhaul.run(&[&args[..], &set, further].concat())
    };
    let namespace = |name: &str| objects::get(cluster, None, "v1", "Namespace", name);
    let plan = import(&bad, &["--dry-run"]).ok().json();
    assert_eq!(plan["newNamespace"], true);
    let not_known = plan["checks"].as_array().unwrap().iter().any(|check| {
        check["what"] == "namespace"
            && check["state"] == "unknown"
            && check["text"].as_str().unwrap().contains("does not exist yet")
    });
    assert!(not_known && namespace(&bad).is_none(), "{plan}");

    let refused = import(&bad, &[]).exits(18);
    assert!(refuses(&refused.json()), "{refused:?}");
    let left = namespace(&bad);
    assert!(left.is_none_or(|left| left["metadata"]["deletionTimestamp"].is_string()));
    let done = import(&good, &[]).ok().json();
    assert_eq!(done["newNamespace"], false);
    assert!(namespace(&good).is_some());
}
