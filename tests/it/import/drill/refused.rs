//! Drills that are refused, and make nothing of the application.

use super::{Ground, Says, notes, scratch_namespaces};

#[test]
fn nothing_is_made_without_consent() {
    let ground = Ground::new(Says::Enforces);
    let asked: Vec<&str> =
        ground.arguments(&[]).into_iter().filter(|argument| *argument != "--yes").collect();
    let refused = ground.outhaul().run(&asked).exits(2);
    assert!(refused.stderr.contains("nobody is there to ask"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`--yes`"), "{}", refused.stderr);
    let shown = ground.outhaul().run(&[&asked[..], &["--dry-run"]].concat()).ok().json();
    assert!(shown["restored"].as_array().unwrap().contains(&"Deployment web".into()));
    assert!(shown.get("ready").is_none());
    assert_eq!(scratch_namespaces(), [""; 0]);
    assert_eq!(ground.node.applications_pods(), [""; 0]);
}

#[test]
fn a_cluster_that_keeps_nobody_in_gets_nothing_of_the_application() {
    let cases = [
        (Says::Open, "pods reach the API server in spite of a NetworkPolicy"),
        (Says::Unreachable, "nothing can be reached even without a NetworkPolicy"),
        (Says::NoShell, "no image has a shell"),
    ];
    for (says, reason) in cases {
        let ground = Ground::new(says);
        let refused = ground.drill(&[]).exits(18);
        assert!(refused.stderr.contains(reason), "{says:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("--allow-egress"), "{says:?}: {}", refused.stderr);
        assert_eq!(ground.node.applications_pods(), [""; 0], "{says:?}");
        assert_eq!(scratch_namespaces(), [""; 0], "{says:?}");
    }
    let ground = Ground::new(Says::Open);
    let drilled = ground.drill(&["--allow-egress"]).ok().json();
    assert_eq!(drilled["egress"], "notProbed");
    assert_eq!(ground.node.applications_pods().len(), 4, "2 of api, 1 of web, 1 of db");
}

#[test]
fn what_is_not_there_is_named_before_anything_is_made() {
    let ground = Ground::new(Says::Enforces);
    let chart = &*ground.site.chart;
    let refused = ground.outhaul().run(&["drill", chart, "--yes", "-o", "json"]).exits(18);
    let needed = ["Secret shop-credentials: it is needed, and not restored"];
    assert_eq!(notes(&refused.json(), "refused"), needed);
    assert!(refused.stderr.contains("`--identity`"), "{}", refused.stderr);

    let values =
        "secrets: {shop-credentials: {create: true, data: {db-password: hunter2, session-key: a}}}";
    let outhaul = ground.outhaul();
    outhaul.write("values.yaml", values);
    let from_file = ["drill", chart, "-f", "values.yaml", "--dry-run", "-o", "json"];
    let shown = outhaul.run(&from_file).ok();
    assert!(
        shown.json()["restored"].as_array().unwrap().contains(&"Secret shop-credentials".into())
    );
    assert!(!shown.mentions("hunter2"));

    let node = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, labels: {app.kubernetes.io/name: shop}},
      spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true,
      containers: [{name: main, image: IMAGE}]}}}}";
    let image = format!("{}/shop/api:2.0.0", ground.site.registry.address());
    let agent = ground.site.export_with(&format!("\n---\n{}", node.replace("IMAGE", &image)), &[]);
    let with_agent = ["drill", &agent, "-f", "values.yaml", "--dry-run", "-o", "json"];
    let refused = outhaul.run(&with_agent).exits(18);
    let reason = "its pods are a part of the node, where no NetworkPolicy holds them";
    assert_eq!(notes(&refused.json(), "refused"), [format!("DaemonSet agent: {reason}")]);
    let without = [&with_agent[..], &["--leave-out", "daemonset/agent"]].concat();
    assert!(
        notes(&outhaul.run(&without).ok().json(), "leftOut")
            .contains(&"DaemonSet agent: as asked for".to_owned())
    );
    assert_eq!(scratch_namespaces(), [""; 0]);
}
