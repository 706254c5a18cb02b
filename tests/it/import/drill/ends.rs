//! Ends that are not the good one: the namespace is removed all the same.

use super::{Ground, Says, cluster, scratch_namespaces};
use crate::support::objects::get;

#[test]
fn what_does_not_come_up_is_named_with_the_reason() {
    let ground = Ground::new(Says::PullsNothing);
    let done = ground.drill(&["--timeout", "4s"]).exits(20);
    let drilled = done.json();
    assert_eq!((&drilled["ready"], &drilled["removed"]), (&false.into(), &true.into()));
    let web = drilled["objects"].as_array().unwrap().iter();
    let web = web.clone().find(|of| of["object"] == "Deployment web").unwrap();
    let why = web["why"].as_str().unwrap();
    assert!(why.starts_with("pod web-") && why.ends_with(": ImagePullBackOff"), "{why}");
    assert!(done.stderr.contains("not ready: Deployment api (pod api-"), "{}", done.stderr);
    assert!(done.stderr.contains("`--keep`"), "{}", done.stderr);
    assert_eq!(scratch_namespaces(), [""; 0]);
}

#[test]
fn an_interrupt_removes_the_namespace() {
    let ground = Ground::new(Says::PullsNothing);
    let running = ground.outhaul().spawn(&ground.arguments(&[]));
    let namespace = running.wait_for("waiting for pods", |_, _| {
        let namespace = scratch_namespaces().into_iter().next()?;
        get(cluster(), Some(&namespace), "apps/v1", "Deployment", "web").map(|_| namespace)
    });
    running.interrupt();
    assert_eq!(running.wait(), 130);
    assert!(running.stderr().contains(&format!("removing namespace {namespace}")));
    assert!(get(cluster(), None, "v1", "Namespace", &namespace).is_none());
    assert_eq!(running.stdout(), "", "what did not end has no report");
}

#[test]
fn a_cluster_that_refuses_an_object_fails_the_drill_and_the_namespace_goes() {
    let ground = Ground::new(Says::Enforces);
    let invalid = "{apiVersion: policy/v1, kind: PodDisruptionBudget,
      metadata: {name: invalid, labels: {app.kubernetes.io/name: shop}},
      spec: {minAvailable: 1, maxUnavailable: 1, selector: {matchLabels: {app.kubernetes.io/name: shop}}}}";
    let chart = ground.site.export_with(&format!("\n---\n{invalid}"), &[]);
    let arguments = ground.arguments(&[]).into_iter();
    let arguments: Vec<&str> =
        arguments.map(|of| if of == ground.site.chart { &*chart } else { of }).collect();
    let refused = ground.outhaul().run(&arguments).exits(18);
    assert!(refused.stderr.contains("helm upgrade --install failed"), "{}", refused.stderr);
    assert_eq!(scratch_namespaces(), [""; 0]);
}
