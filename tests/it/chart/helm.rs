//! What helm 3 and 4 make of a chart: no complaint, and every object as it ran.

use outhaul::app::{App, Code, ContainerRef, Finding, Object};
use outhaul::chart::Image;
use serde_json::{Value, json};

use super::oracle::{NAMESPACE, Objects, differences, packed, rendered, template};
use super::shop;
use crate::support::helm::Helm;

/// Labels that the chart adds.
const LABELS: [&str; 3] =
    ["helm.sh/chart", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by"];

#[test]
fn lint_finds_nothing() {
    for helm in Helm::both() {
        let file = packed(&helm, &shop::chart());
        helm.run(&["lint", "--strict", &file]).ok();
    }
}

#[test]
fn every_field_comes_back() {
    let app = shop::app();
    for helm in Helm::both() {
        let rendered = rendered(&helm, &shop::chart(), &[]);
        assert_eq!(differences(&expected(&app), &rendered), Vec::<String>::new());
    }
}

#[test]
fn what_is_trimmed_at_the_end_of_a_document_is_not_user_text() {
    let app = shop::app_of(json!([
        config_map("a", &json!({"last": "kept\n\n\n"})),
        config_map("b", &json!({"last": "block\n"})),
        config_map("c", &json!({"last": "\n"})),
        config_map("d", &json!({"last": "no end"})),
        {"apiVersion": "example.com/v1", "kind": "Note", "metadata": {"name": "e"},
            "text": "two\n\n"},
        {"apiVersion": "example.com/v1", "kind": "Note", "metadata": {"name": "f"},
            "text": "a\nb "},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "g",
            "annotations": {"text": "three\n\n\n"}}},
    ]));
    for helm in Helm::both() {
        let rendered = rendered(&helm, &shop::plain_chart_of(&app), &[]);
        assert_eq!(differences(&expected(&app), &rendered), Vec::<String>::new());
    }
}

#[test]
fn the_notes_say_what_is_missing() {
    let set =
        "secrets.shop-db.create=true,secrets.shop-db.data.user=a,secrets.shop-db.data.password=b";
    insta::assert_snapshot!(notes(&shop::app(), &["--set", set]));
}

#[test]
fn the_notes_leave_out_what_an_ingress_needs_that_is_switched_off() {
    let mut app = shop::app();
    let certificate = app.secrets.iter_mut().find(|secret| secret.name == "shop-tls").unwrap();
    certificate.used_by.retain(|user| user.kind == "Ingress");
    app.requirements = serde_json::from_value(json!([
        {"object": {"group": "networking.k8s.io", "kind": "IngressClass", "namespace": null,
            "name": "nginx"}, "reason": "Ingress shop is of this class"},
    ]))
    .unwrap();
    let on = notes(&app, &[]);
    assert!(
        on.contains("- shop-tls (") && on.contains("- IngressClass nginx: Ingress shop"),
        "{on}"
    );
    let off = notes(&app, &["--set", "ingresses.shop.enabled=false"]);
    assert!(off.contains("- shop-db (") && !off.contains("shop-tls"), "{off}");
    assert!(!off.contains("IngressClass") && !off.contains("must have"), "{off}");
}

#[test]
fn what_did_not_exist_is_to_be_created() {
    let mut app = shop::app();
    let finding = |text: &str| Finding::new(Code::ReferenceMissing, text);
    app.findings = vec![
        finding("Deployment api refers to ConfigMap missing, which does not exist"),
        finding("Deployment api refers to Secret shop-db, which does not exist"),
        Finding::new(Code::JobSkipped, "another"),
    ];
    let notes = notes(&app, &[]);
    let list = "because it did not exist where the application ran:\n  - Deployment api refers to \
                ConfigMap missing, which does not exist\n\n";
    assert!(notes.contains(list), "{notes}");
    let chart = shop::plain_chart_of(&app);
    let readme = std::str::from_utf8(&chart.files["README.md"]).unwrap();
    assert!(readme.contains("- Deployment api refers to ConfigMap missing"));
    assert!(!readme.contains("refers to Secret"));
}

/// The notes after an install, the same with both helms.
fn notes(app: &App, args: &[&str]) -> String {
    let mut chart = shop::plain_chart_of(app);
    let show =
        "kind: Notes\ntext: {{ include (print .Template.BasePath \"/NOTES.txt\") . | toJson }}";
    chart.files.insert("templates/notes.yaml".to_owned(), show.into());
    let [one, other] = Helm::both().map(|helm| {
        let objects = rendered(&helm, &chart, args);
        objects["Notes ?"]["text"].as_str().unwrap().to_owned()
    });
    assert_eq!(one, other);
    one
}

#[test]
fn quoted_texts_leave_no_line_of_white_space() {
    let app = shop::app_of(json!([config_map("a", &json!({"text": "a\u{85}b", "other": "c"}))]));
    let chart = shop::plain_chart_of(&app);
    for helm in Helm::both() {
        let text = template(&helm, &chart, &[]);
        assert!(text.contains("data:\n  \"other\": \"c\"\n"), "{text}");
    }
}

fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// The objects of an application with the intended differences (design §12.6) put in.
fn expected(app: &App) -> Objects {
    let images = shop::images(app);
    app.objects.iter().map(|object| (title(object), intended(object, &images))).collect()
}

fn title(object: &Object) -> String {
    format!("{} {}", object.kind(), object.name())
}

fn intended(object: &Object, images: &[Image]) -> Value {
    let mut value = Value::from(object.clone());
    for image in images {
        for ContainerRef { pointer, .. } in
            image.uses.iter().filter(|place| place.object == object.id())
        {
            value.pointer_mut(pointer).unwrap()["image"] =
                format!("{}/{}@{}", image.registry, image.repository, image.digest).into();
        }
    }
    let values = ["shop-prod-shop-chart-2026.105.5", "shop", "Helm"];
    for (label, text) in LABELS.into_iter().zip(values) {
        if object.label(label).is_none() {
            value["metadata"]["labels"][label] = text.into();
        }
    }
    match object.kind() {
        "PersistentVolumeClaim" => {
            value["metadata"]["annotations"]["helm.sh/resource-policy"] = "keep".into();
        }
        "Service"
            if object.at("/spec/clusterIP").is_none() && object.at("/spec/type").is_none() =>
        {
            value["spec"]["type"] = "ClusterIP".into(); // what the API server takes it for
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            for subject in value["subjects"].as_array_mut().unwrap() {
                if subject["kind"] == "ServiceAccount" {
                    subject["namespace"] = NAMESPACE.into();
                }
            }
        }
        _ => {}
    }
    value
}
