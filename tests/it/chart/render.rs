//! Our renderer against the real helm, and the check that stands on it.

use std::collections::BTreeMap;
use std::fs;

use outhaul::app::{App, SecretValues, SecretsPolicy};
use outhaul::chart::check::{What, check};
use outhaul::chart::render::{Release, notes, render};
use outhaul::chart::{Chart, Input};
use serde_json::{Value, json};

use super::oracle::{NAMESPACE, Objects, differences, named, rendered_each};
use super::shop;
use crate::support::helm::Helm;

const RELEASE: Release<'static> = Release { name: "shop", namespace: NAMESPACE };

/// Values over those of the shop: one for each way in which templates use them.
fn overrides() -> Vec<Value> {
    vec![
        json!({}),
        json!({"global": {"imageRegistry": "mirror.test:5000/a/"}}),
        json!({"imagePullSecrets": ["one", {"name": "two"}]}),
        json!({"images": {"nginx": {"digest": ""}}}),
        json!({"workloads": {"api": {"replicas": 0, "tolerations": [], "nodeSelector": {"a": "b"}}}}),
        json!({"workloads": {"api": {"replicas": null, "affinity": {"nodeAffinity": {}},
            "containers": {"api": {"image": "postgres",
                "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
                "env": {"WORKERS": null, "Z": "{{ z }}: #", "B": 2, "F": false, "LOG_LEVEL": "x\ny"}}}}}}),
        json!({"cronJobs": {"web": {"suspend": true}}, "services": {"web": {"type": "ClusterIP"},
            "db": {"annotations": {"a": "1", "b": "yes"}}}}),
        json!({"ingresses": {"shop": {"enabled": false}}}),
        json!({"ingresses": {"shop": {"className": "", "tls": {"shop-tls": "other"},
            "hosts": {"shop.example.com": "b.test"}}}}),
        json!({"configs": {"shop-config": {"data": {"new": "a\n\nb\n", "port": null}}}}),
        json!({"storage": {"uploads": {"storageClassName": null, "size": "6Gi"}}}),
        json!({"clusterScoped": {"create": false}}),
        json!({"clusterScoped": {"nameSuffix": "-two"}}),
        json!({"secrets": {"shop-db": {"create": true, "name": "other",
            "data": {"user": "a", "password": "é\u{1}"}}}}),
    ]
}

/// An application with every nasty text as a value, in a template and in annotations.
fn nasty() -> App {
    let traps: Vec<String> =
        serde_json::from_str(include_str!("../../../src/chart/yaml/traps.json")).unwrap();
    let object = |(at, text): (usize, &String)| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("c{at}"),
            "annotations": {"text": text}}, "data": {"text": text, "z": "z"}})
    };
    let note = |(at, text): (usize, &String)| {
        json!({"apiVersion": "example.com/v1", "kind": "Note",
            "metadata": {"name": format!("n{at}")}, "text": text, "list": [text, {"a": text}]})
    };
    let objects = traps.iter().enumerate().map(object);
    shop::app_of(objects.chain(traps.iter().enumerate().map(note)).collect())
}

/// Helm takes `<no value>` out of what it renders, whoever wrote it.
#[test]
fn a_container_with_the_text_no_value_passes_the_self_check() {
    let text = "a <no value> b";
    let container = json!({"name": "web", "image": "nginx", "args": [text, "<no value>"],
        "env": [{"name": "A", "value": text}, {"name": "B", "value": "plain"}]});
    let app = shop::app_of(json!([
        {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {"note": text}},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
                "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}}},
        {"apiVersion": "v1", "kind": "Service", "spec": {"type": "NodePort", "ports": [{"port": 80}]},
            "metadata": {"name": "web", "annotations": {"note": text}}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"},
            "data": {"key": text, "lines": format!("a\n{text}\n")}},
    ]));
    let (chart, none) = (shop::plain_chart_of(&app), SecretValues::default());
    let fidelity = check(&input(&app, SecretsPolicy::Reference, &none), &chart).unwrap();
    assert_eq!(fidelity.differences, []);
    assert_same(&chart, &[json!({})]);
}

pub(super) fn ours(chart: &Chart, values: &Value) -> Objects {
    let manifests = render(chart, RELEASE, values).unwrap();
    named(manifests.into_iter().map(|manifest| manifest.object.into()))
}

/// Helm's objects with each of the values, and ours, must be the same.
pub(crate) fn assert_same(chart: &Chart, values: &[Value]) {
    for helm in Helm::both() {
        let files: Vec<String> = (0..values.len()).map(|at| format!("values-{at}.json")).collect();
        for (file, values) in files.iter().zip(values) {
            fs::write(helm.folder().join(file), values.to_string()).unwrap();
        }
        let args: Vec<[&str; 2]> = files.iter().map(|file| ["--values", file.as_str()]).collect();
        let args: Vec<&[&str]> = args.iter().map(|args| &args[..]).collect();
        for (theirs, values) in rendered_each(&helm, chart, &args).iter().zip(values) {
            let found = differences(theirs, &ours(chart, values));
            assert_eq!(found, Vec::<String>::new(), "{values}");
        }
    }
}

#[test]
fn helm_renders_the_same_objects() {
    assert_same(&shop::chart(), &overrides());
    let included = shop::chart_of(&shop::app(), SecretsPolicy::Include, &shop::secret_values());
    assert_same(&included, &[json!({})]);
    assert_same(&shop::plain_chart_of(&nasty()), &[json!({})]);
}

#[test]
fn helm_prints_the_same_notes() {
    let mut chart = shop::chart();
    let ours = notes(&chart, RELEASE, &json!({})).unwrap();
    let show =
        "kind: Notes\ntext: {{ include (print .Template.BasePath \"/NOTES.txt\") . | toJson }}";
    chart.files.insert("templates/notes.yaml".to_owned(), show.into());
    for helm in Helm::both() {
        let objects = &rendered_each(&helm, &chart, &[&[]])[0];
        assert_eq!(objects["Notes ?"]["text"], *ours);
    }
}

#[test]
fn what_helm_refuses_is_refused() {
    let mut chart = shop::chart();
    let create = json!({"secrets": {"shop-db": {"create": true}}});
    let error = render(&chart, RELEASE, &create).unwrap_err().to_string();
    assert!(error.starts_with("templates/secret-shop-db.yaml of the chart does not render: "));
    assert!(error.contains("secrets.shop-db.data.password needs a value"), "{error}");
    for text in
        ["{{ .Values.x", "{{ nope }}", "{{ fail \"no\" }}", "kind: A", "{{ include \"b\" . }}"]
    {
        chart.files.insert("templates/a.yaml".to_owned(), text.into());
        let error = render(&chart, RELEASE, &json!({})).unwrap_err().to_string();
        assert!(error.starts_with("templates/a.yaml of the chart "), "{error}");
    }
}

/// The API server refuses to change a type later, and things are found by labels and annotations.
#[test]
fn a_secret_that_is_made_must_come_back_whole() {
    let (mut app, values) = (shop::app(), shop::secret_values());
    let secret = app.secrets.iter_mut().find(|secret| secret.name == "shop-db").unwrap();
    secret.labels.insert("tier".into(), "db".into());
    secret.annotations.insert("note".into(), "kept".into());
    secret.immutable = true;
    let template = "templates/secret-shop-db.yaml";
    for (path, from, to, expected) in [
        (template, "type: Opaque", "type: Other", "type of Secret shop-db is rendered as"),
        (template, "tier: db", "tier: x", "metadata.labels.tier of Secret shop-db is rendered as"),
        (template, "note: kept", "x: x", "metadata.annotations.note of Secret shop-db is not"),
        (template, "immutable: true", "{{/**/}}", "immutable of Secret shop-db is not rendered"),
        ("values.yaml", shop::CANARY, "x", "data.password of Secret shop-db is rendered as"),
    ] {
        let mut chart = shop::chart_of(&app, SecretsPolicy::Include, &values);
        let whole = check(&input(&app, SecretsPolicy::Include, &values), &chart).unwrap();
        assert_eq!(whole.differences, []);
        let text = String::from_utf8(chart.files[path].clone()).unwrap();
        assert!(text.contains(from), "{from} in\n{text}");
        chart.files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
        let fidelity = check(&input(&app, SecretsPolicy::Include, &values), &chart).unwrap();
        let [first, ..] = fidelity.differences.as_slice() else { panic!("{from} passes") };
        assert!(first.sentence().starts_with(expected), "{}", first.sentence());
        assert!(!format!("{fidelity:?}").contains(shop::CANARY));
    }
}

#[test]
fn a_chart_that_never_ends_is_ended() {
    let mut chart = shop::chart();
    for text in [
        r#"{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#,
        r#"{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#,
        "{{ range 1000000000 }}{{ range 1000000000 }}x{{ end }}{{ end }}",
        "a: {{ range 900000 }}long enough to fill it{{ end }}",
        &"a: [".repeat(100_000),
    ] {
        chart.files.insert("templates/a.yaml".to_owned(), text.into());
        assert!(render(&chart, RELEASE, &json!({})).is_err(), "{text:.80}");
    }
}

fn input<'a>(app: &'a App, policy: SecretsPolicy, values: &'a SecretValues) -> Input<'a> {
    shop::input(app, policy, values)
}

#[test]
fn every_object_of_the_shop_comes_back_under_every_policy() {
    let (app, none, values) = (shop::app(), SecretValues::default(), shop::secret_values());
    for (policy, values) in [
        (SecretsPolicy::Reference, &none),
        (SecretsPolicy::Require, &none),
        (SecretsPolicy::Include, &values),
    ] {
        let chart = shop::chart_of(&app, policy, values);
        let fidelity = check(&input(&app, policy, values), &chart).unwrap();
        assert_eq!(fidelity.differences, [], "{policy:?}");
        assert_eq!((fidelity.objects, fidelity.identical), (app.objects.len(), app.objects.len()));
        let rules: BTreeMap<_, _> =
            fidelity.intended.iter().map(|it| (&*it.rule, it.count)).collect();
        assert_eq!(rules["imageReference"], 6);
        assert_eq!(rules.contains_key("secretMade"), policy != SecretsPolicy::Reference);
    }
    let app = nasty();
    let chart = shop::plain_chart_of(&app);
    let fidelity = check(&input(&app, SecretsPolicy::Reference, &none), &chart).unwrap();
    assert_eq!(fidelity.differences, []);
}

/// Each is a way to spoil a chart; the check must name object and field.
#[test]
fn what_does_not_come_back_is_named() {
    let app = shop::app();
    let none = SecretValues::default();
    let spoilt = |path: &str, from: &str, to: &str| {
        let mut chart = shop::chart();
        let file = chart.files.get_mut(path).unwrap();
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.contains(from), "{path}: {from}");
        *file = text.replacen(from, to, 1).into_bytes();
        let fidelity = check(&input(&app, SecretsPolicy::Reference, &none), &chart).unwrap();
        assert_eq!(fidelity.identical, fidelity.objects - 1, "{path}: {from}");
        let [difference] = fidelity.differences.as_slice() else {
            panic!("{:?}", fidelity.differences)
        };
        (difference.sentence(), difference.what)
    };
    let (sentence, what) =
        spoilt("templates/deployment-api.yaml", "name: api\n", "name: api\n  generateName: x\n");
    assert_eq!(what, What::Added);
    assert_eq!(sentence, "metadata.generateName of Deployment api is rendered and was not there");
    let (sentence, what) = spoilt("values.yaml", "port: \"8080\"", "port: \"8081\"");
    assert_eq!(what, What::Changed);
    assert_eq!(sentence, "data.port of ConfigMap shop-config is rendered as something else");
    let (sentence, what) =
        spoilt("templates/ingress-shop.yaml", "if $ingress.enabled", "if not $ingress.enabled");
    assert_eq!(what, What::Missing);
    assert_eq!(sentence, "Ingress shop is not rendered");
}
