//! What members refer to: theirs alone, shared, absent.

use outhaul::app::{App, Origin, Plaintext, Unreadable};

use super::super::{codes, kinds, named, snapshot, yaml};
use super::{ENV_FROM, container, deployment, label, object, others, requirements, web};

#[test]
fn what_only_the_application_uses_is_taken() {
    let app = web(&(container("web", ENV_FROM) + &object("v1", "ConfigMap", "settings", "")));
    assert_eq!(others(&app), ["ConfigMap settings"]);
    assert!(app.findings.is_empty() && app.requirements.is_empty());
}

#[test]
fn what_another_workload_uses_as_well_is_required() {
    let app = web(&(container("web", ENV_FROM)
        + &container("other", ENV_FROM)
        + &object("v1", "ConfigMap", "settings", "")));
    assert_eq!(others(&app), [""; 0]);
    assert_eq!(codes(&app), ["NOT_EXPORTED ConfigMap settings"]);
    assert_eq!(
        requirements(&app),
        ["ConfigMap settings: Deployment web refers to it; it belongs to Deployment other as well"]
    );
}

#[test]
fn jobs_and_finished_pods_share_nothing() {
    let pod = "containers: [{name: a, image: a, envFrom: [{configMapRef: {name: settings}}]}]";
    let app = web(&(container("web", ENV_FROM)
        + &object(
            "batch/v1",
            "Job",
            "migrate",
            &format!(", spec: {{template: {{spec: {{{pod}}}}}}}"),
        )
        + &object(
            "v1",
            "Pod",
            "done",
            &format!(", spec: {{{pod}}}, status: {{phase: Succeeded}}"),
        )
        + &object("v1", "ConfigMap", "settings", "")));
    assert_eq!(others(&app), ["ConfigMap settings"]);
}

#[test]
fn a_label_makes_a_shared_object_the_applications() {
    let app = web(&(container("web", ENV_FROM)
        + &container("other", ENV_FROM)
        + &label(&object("v1", "ConfigMap", "settings", ""))));
    assert_eq!(others(&app), ["ConfigMap settings"]);
}

#[test]
fn an_absent_target_is_a_finding_unless_it_is_optional() {
    let app = web(&container("web", ENV_FROM));
    assert_eq!(codes(&app), ["REFERENCE_MISSING Deployment web"]);
    let finding = &app.findings[0];
    assert_eq!(
        finding.field.as_deref(),
        Some("spec.template.spec.containers[0].envFrom[0].configMapRef.name")
    );
    let optional = "envFrom: [{configMapRef: {name: settings, optional: true}}]";
    assert!(web(&container("web", optional)).findings.is_empty());
    let everywhere = "envFrom: [{configMapRef: {name: kube-root-ca.crt}}]";
    assert!(web(&container("web", everywhere)).findings.is_empty());
}

#[test]
fn what_may_not_be_read_is_not_missing() {
    let mut snapshot = snapshot(Origin::Manifests, yaml(&container("web", ENV_FROM)));
    snapshot.unreadable.push(Unreadable { resource: "configmaps".into(), reason: "no".into() });
    let app = named(&snapshot, "web");
    assert!(app.findings.is_empty());
    assert_eq!(
        requirements(&app),
        ["ConfigMap settings: Deployment web refers to it, and it could not be read"]
    );
}

#[test]
fn a_custom_resource_stands_for_what_it_makes() {
    let owned =
        "ownerReferences: [{apiVersion: db.example/v1, kind: Database, name: main, uid: u}]";
    let text = object("db.example/v1", "Database", "main", "")
        .replace("name: main", "name: main, uid: u")
        + &container("web", "").replace("{name: web}", &format!("{{name: web, {owned}}}"))
        + &object("v1", "Service", "web", ", spec: {selector: {app: web}}")
            .replace("{name: web}", &format!("{{name: web, {owned}}}"))
        + &object(
            "networking.k8s.io/v1",
            "Ingress",
            "front",
            ", spec: {defaultBackend: {service: {name: web}}}",
        );
    let app = web(&text);
    assert_eq!(kinds(&app), ["Ingress front", "Database main"]);
    assert_eq!(
        codes(&app),
        ["CLUSTER_SCOPED_REQUIRED CustomResourceDefinition for Database (db.example)"]
    );
}

#[test]
fn what_a_person_gives_to_a_resource_comes_along() {
    let owned = "ownerReferences: [{apiVersion: db.example/v1, kind: Database, name: main}]";
    let own = |text: &str| text.replacen("metadata: {", &format!("metadata: {{{owned}, "), 1);
    let container = container(
        "web",
        "envFrom: [{configMapRef: {name: given}}, {configMapRef: {name: made}}, \
         {secretRef: {name: made}}, {secretRef: {name: given}}]",
    );
    let text = object("db.example/v1", "Database", "main", "")
        + &own(&container)
        + &own(&object("v1", "ConfigMap", "made", ""))
        + &own(&object("v1", "Secret", "made", ""))
        + &object("v1", "ConfigMap", "given", "")
        + &object("v1", "Secret", "given", "");
    let app = web(&text);
    assert_eq!(kinds(&app), ["ConfigMap given", "Database main"]);
    let secrets: Vec<_> =
        app.secrets.iter().map(|of| (of.name.as_str(), of.used_by.len())).collect();
    assert_eq!(secrets, [("given", 1)]);
    assert_eq!(app.secrets[0].used_by[0].kind, "Database");
}

#[test]
fn what_another_applications_resource_makes_is_required() {
    let owned = "ownerReferences: [{apiVersion: db.example/v1, kind: Database, name: main}]";
    let text = container("web", ENV_FROM)
        + &object("db.example/v1", "Database", "main", "")
        + &container("main", "").replace("{name: main}", &format!("{{name: main, {owned}}}"))
        + &object("v1", "ConfigMap", "settings", "")
            .replace("{name: settings}", &format!("{{name: settings, {owned}}}"));
    let app = web(&text);
    assert_eq!(others(&app), [""; 0]);
    assert_eq!(codes(&app), ["NOT_EXPORTED ConfigMap settings"]);
}

#[test]
fn a_config_map_tied_to_a_deployment_for_its_end_is_taken() {
    let owned = "ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web}]";
    let text = container("web", ENV_FROM)
        + &object("v1", "ConfigMap", "settings", "")
            .replace("{name: settings}", &format!("{{name: settings, {owned}}}"));
    assert_eq!(others(&web(&text)), ["ConfigMap settings"]);
}

#[test]
fn what_belongs_to_the_cluster_is_required() {
    let text =
        deployment("web", "priorityClassName: high, runtimeClassName: gvisor, containers: []")
            + &object("v1", "PersistentVolumeClaim", "disk", ", spec: {storageClassName: fast}")
                .replacen("metadata: {", "metadata: {labels: {app: web}, ", 1);
    let app = web(&text);
    let required: Vec<_> = app.requirements.iter().map(|of| of.object.to_string()).collect();
    assert_eq!(required, ["RuntimeClass gvisor", "PriorityClass high", "StorageClass fast"]);
    let system = deployment("web", "priorityClassName: system-node-critical, containers: []");
    assert!(web(&system).requirements.is_empty());
}

fn secret_snapshot(text: &str) -> App {
    let mut snapshot = snapshot(Origin::Manifests, []);
    for object in yaml(text) {
        snapshot.push(object, Plaintext::Keep).unwrap();
    }
    named(&snapshot, "web")
}

#[test]
fn secrets_are_named_with_their_keys() {
    let pod = deployment(
        "web",
        "imagePullSecrets: [{name: pull}], containers: [{name: main, image: a, env: [\
         {name: A, valueFrom: {secretKeyRef: {name: read, key: a}}}, \
         {name: B, valueFrom: {secretKeyRef: {name: unread, key: b}}}, \
         {name: C, valueFrom: {secretKeyRef: {name: unread, key: c, optional: true}}}], \
         envFrom: [{secretRef: {name: whole, optional: true}}]}]",
    );
    let read =
        object("v1", "Secret", "read", ", type: Opaque, data: {a: YQ==}, stringData: {z: canary}");
    let pull = object("v1", "Secret", "pull", ", type: kubernetes.io/dockerconfigjson");
    let labelled = object("v1", "Secret", "labelled", ", data: {k: YQ==}").replacen(
        "metadata: {",
        "metadata: {labels: {app: web}, ",
        1,
    );
    let app = secret_snapshot(&(pod.clone() + &read + &pull + &labelled));
    let found: Vec<_> = app
        .secrets
        .iter()
        .map(|of| (of.name.as_str(), of.keys.join(","), of.complete, of.optional, of.used_by.len()))
        .collect();
    assert_eq!(
        found,
        [
            ("labelled", "k".to_owned(), true, false, 0),
            ("read", "a,z".to_owned(), true, false, 1),
            ("unread", "b,c".to_owned(), true, false, 1),
            ("whole", String::new(), false, true, 1),
        ]
    );
    assert_eq!(app.pull_secrets, ["pull"]);
    assert_eq!(
        codes(&app),
        [
            "PULL_SECRET_DROPPED Deployment web",
            "REFERENCE_MISSING Deployment web",
            "SECRET_KEYS_UNKNOWN Secret whole"
        ]
    );
    assert!(!serde_json::to_string(&app).unwrap().contains("canary"));
    let unread = web(&pod);
    assert_eq!(
        codes(&unread),
        ["PULL_SECRET_DROPPED Deployment web", "SECRET_KEYS_UNKNOWN Secret whole"]
    );
}

#[test]
fn only_what_kubernetes_lets_be_optional_is_told_to_be_marked_so() {
    let spec = "serviceAccountName: none, containers: [], volumes: [\
         {name: a, configMap: {name: map}}, {name: b, persistentVolumeClaim: {claimName: disk}}]";
    let app = web(&deployment("web", spec));
    let remedies: Vec<_> = app.findings.iter().map(|of| of.remedy.as_str()).collect();
    assert_eq!(
        remedies,
        [
            "Create ServiceAccount none.",
            "Create ConfigMap map, or mark the reference as optional.",
            "Create PersistentVolumeClaim disk.",
        ]
    );
}

#[test]
fn a_definition_that_was_not_read_has_no_invented_name() {
    let widget = label(&object("acme.io/v1", "Widget", "w", ""));
    let text = container("web", "") + &widget;
    assert_eq!(
        requirements(&web(&text)),
        [
            "CustomResourceDefinition for Widget (acme.io): needed by Widget w in version v1; it belongs to the cluster"
        ]
    );
    let definition = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "widgetz.acme.io",
        ", spec: {group: acme.io, names: {kind: Widget, plural: widgetz}}",
    );
    let app = web(&(text + &definition));
    assert_eq!(app.requirements[0].object.to_string(), "CustomResourceDefinition widgetz.acme.io");
}
