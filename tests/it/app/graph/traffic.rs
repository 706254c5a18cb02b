//! Services, budgets, policies, scalers and Ingresses.

use super::super::codes;
use super::{container, deployment, label, object, others, requirements, web};

#[test]
fn a_service_is_whose_pods_it_selects() {
    let service = |name: &str, selector: &str| {
        object("v1", "Service", name, &format!(", spec: {{selector: {{{selector}}}}}"))
    };
    let text = container("web", "")
        + &container("other", "")
        + &service("web", "app: web")
        + &service("other", "app: other")
        + &service("nobody", "app: nobody")
        + &service("none", "");
    let app = web(&text);
    assert_eq!(others(&app), ["Service web"]);
    let both = deployment("web", "containers: []").replace("{app: web}", "{app: web, tier: x}")
        + &deployment("other", "containers: []").replace("{app: other}", "{app: other, tier: x}")
        + &service("both", "tier: x");
    let app = web(&both);
    assert_eq!((others(&app), codes(&app)), (vec![], vec!["NOT_EXPORTED Service both".to_owned()]));
}

#[test]
fn budgets_and_policies_follow_their_selectors() {
    let budget = |name: &str, selector: &str| {
        object(
            "policy/v1",
            "PodDisruptionBudget",
            name,
            &format!(", spec: {{selector: {selector}}}"),
        )
    };
    let policy = |name: &str, selector: &str| {
        let spec = format!(", spec: {{podSelector: {selector}}}");
        object("networking.k8s.io/v1", "NetworkPolicy", name, &spec)
    };
    let text = container("web", "")
        + &budget("web", "{matchExpressions: [{key: app, operator: In, values: [web]}]}")
        + &budget("other", "{matchLabels: {app: other}}")
        + &policy("everything", "{}");
    let app = web(&text);
    assert_eq!(others(&app), ["NetworkPolicy everything", "PodDisruptionBudget web"]);
    let app = web(&(text + &container("other", "")));
    assert_eq!(others(&app), ["PodDisruptionBudget web"]);
    assert_eq!(codes(&app), ["NOT_EXPORTED NetworkPolicy everything"]);
}

#[test]
fn an_ingress_in_front_of_several_applications_is_shared() {
    let service = |name: &str| {
        object("v1", "Service", name, &format!(", spec: {{selector: {{app: {name}}}}}"))
    };
    let ingress = |name: &str, services: &[&str]| {
        let path = |of: &&str| format!("{{backend: {{service: {{name: {of}}}}}}}");
        let paths: Vec<_> = services.iter().map(path).collect();
        let spec = format!(", spec: {{rules: [{{http: {{paths: [{}]}}}}]}}", paths.join(", "));
        object("networking.k8s.io/v1", "Ingress", name, &spec)
    };
    let text = container("web", "")
        + &container("other", "")
        + &service("web")
        + &service("other")
        + &ingress("own", &["web"])
        + &ingress("both", &["web", "other"])
        + &ingress("foreign", &["other"]);
    let app = web(&text);
    assert_eq!(others(&app), ["Service web", "Ingress own"]);
    assert_eq!(codes(&app), ["NOT_EXPORTED Ingress both"]);
    let label = ingress("both", &["web", "other"]).replacen(
        "name: both",
        "name: both, labels: {app: web}",
        1,
    );
    let text = text.replace(&ingress("both", &["web", "other"]), &label);
    let app = web(&text);
    assert_eq!(others(&app), ["Service web", "Ingress both", "Ingress own"]);
    assert_eq!(
        requirements(&app),
        ["Service other: Ingress both refers to it; it belongs to Deployment other as well"]
    );
}

#[test]
fn scalers_follow_their_target_and_own_the_replicas() {
    let hpa = |name: &str, target: &str| {
        let spec = format!(
            ", spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}}}"
        );
        object("autoscaling/v2", "HorizontalPodAutoscaler", name, &spec)
    };
    let text = container("web", "").replace("spec: {template", "spec: {replicas: 3, template")
        + &hpa("mine", "web")
        + &hpa("foreign", "other");
    let app = web(&text);
    assert_eq!(others(&app), ["HorizontalPodAutoscaler mine"]);
    let deployment = app.objects.iter().find(|object| object.kind() == "Deployment").unwrap();
    assert_eq!(deployment.at("/spec/replicas"), None);
}

#[test]
fn endpoints_of_a_service_without_selector_are_a_persons() {
    let service = label(&object("v1", "Service", "legacy", ", spec: {ports: [{port: 80}]}"));
    let app = web(&(container("web", "") + &service));
    assert_eq!(codes(&app), ["NOT_EXPORTED Service legacy"]);
    let endpoints = object("v1", "Endpoints", "legacy", ", subsets: []");
    let mirrored = object("discovery.k8s.io/v1", "EndpointSlice", "legacy-1", "").replace(
        "{name: legacy-1}",
        "{name: legacy-1, labels: {kubernetes.io/service-name: legacy, \
         endpointslice.kubernetes.io/managed-by: endpointslicemirroring-controller.k8s.io}}",
    );
    let app = web(&(container("web", "") + &service + &endpoints + &mirrored));
    assert_eq!(others(&app), ["Service legacy", "Endpoints legacy"]);
    assert!(app.findings.is_empty());
}
