//! `--rewrite-namespace`: addresses follow the release, and nothing else changes.

use outhaul::app::{
    App, Object, Options, Origin, Plaintext, SecretValues, SecretsPolicy, Selection, Snapshot,
    assemble,
};
use serde_json::Value;

use super::oracle::{differences, rendered, rendered_each};
use super::shop;
use crate::support::helm::Helm;

/// Every place that is looked at, and texts that only look alike.
const OBJECTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
      - name: wait
        image: example.org/web:1
        command: [sh, -c, "until nc -z db.shop 5432; do echo {{ waiting }}; done"]
      containers:
      - name: web
        image: example.org/web:1
        args: ["--peers={http://a.shop.svc,http://b.shop.svc}", "--shop=db.shopping"]
        env:
        - {name: URL, value: "postgres://db.shop.svc.cluster.local:5432/shop?x=db.shop,db.shop"}
        - {name: TITLE, value: shop}
        - {name: ALIAS, value: db.shop}
---
apiVersion: v1
kind: Service
metadata: {name: db, labels: {app: web}}
spec: {selector: {app: web}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: old, labels: {app: web}}
spec: {type: ExternalName, externalName: db.shop.svc.cluster.local}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data:
  nginx.conf: |
    # {{ not ours }}
    upstream { server web.shop.svc:80; }
  long: "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p http://db.shop.svc/"
---
apiVersion: v1
kind: ConfigMap
metadata: {name: template, labels: {app: web}}
data: {own: "db.shop.svc and {{.Release.Namespace}}"}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, labels: {app: web}}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}
    - namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [infra, shop]}]}
"#;

fn app(rewrite_namespace: bool) -> App {
    let documents: Vec<Value> = serde_saphyr::from_multiple(OBJECTS).unwrap();
    let mut snapshot = Snapshot::new(jiff::Timestamp::UNIX_EPOCH, Origin::Manifests, "shop");
    for document in documents {
        snapshot.push(Object::new(document).unwrap(), Plaintext::Drop).unwrap();
    }
    let options = Options { rewrite_namespace, ..Options::default() };
    let all = Selection::All { name: "shop".to_owned() };
    let mut app = assemble(&snapshot, &all, &options).unwrap();
    app.images.clear(); // they stay as they are, which is one difference less
    app
}

#[test]
fn addresses_follow_the_release() {
    let chart = shop::plain_chart_of(&app(true));
    for helm in Helm::both() {
        let home = rendered(&helm, &shop::plain_chart_of(&app(false)), &["--namespace", "shop"]);
        let same = rendered(&helm, &chart, &["--namespace", "shop"]);
        assert_eq!(differences(&home, &same), Vec::<String>::new());
        let away = rendered(&helm, &chart, &[]);
        let pod = &away["Deployment web"]["spec"]["template"]["spec"];
        assert_eq!(
            pod["initContainers"][0]["command"][2],
            "until nc -z db.target 5432; do echo {{ waiting }}; done"
        );
        let web = &pod["containers"][0];
        assert_eq!(
            web["args"],
            serde_json::json!([
                "--peers={http://a.target.svc,http://b.target.svc}",
                "--shop=db.shopping"
            ])
        );
        let env = |at: usize| &web["env"][at]["value"];
        assert_eq!(
            env(0),
            "postgres://db.target.svc.cluster.local:5432/shop?x=db.target,db.target"
        );
        assert_eq!((env(1), env(2)), (&"shop".into(), &"db.target".into()));
        assert_eq!(away["Service old"]["spec"]["externalName"], "db.target.svc.cluster.local");
        let data = &away["ConfigMap settings"]["data"];
        assert_eq!(
            data["nginx.conf"],
            "# {{ not ours }}\nupstream { server web.target.svc:80; }\n"
        );
        assert!(data["long"].as_str().unwrap().ends_with(" o p http://db.target.svc/"));
        // A text that has the placeholder itself is left alone.
        assert_eq!(away["ConfigMap template"], home["ConfigMap template"]);
        let from = &away["NetworkPolicy web"]["spec"]["ingress"][0]["from"];
        assert_eq!(
            from[0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
            "target"
        );
        assert_eq!(
            from[1]["namespaceSelector"]["matchExpressions"][0]["values"],
            serde_json::json!(["infra", "target"])
        );
    }
}

#[test]
fn values_say_where_the_namespace_goes_and_take_it_elsewhere_as_well() {
    let chart = shop::plain_chart_of(&app(true));
    let values = std::str::from_utf8(&chart.files["values.yaml"]).unwrap();
    assert!(values.contains("postgres://db.{{.Release.Namespace}}.svc.cluster.local"), "{values}");
    for helm in Helm::both() {
        let set = |text: &str| format!("workloads.web.containers.web.env.ALIAS={text}");
        let (plain, placed) = (set("1"), set("x.{{.Release.Namespace}}.svc"));
        let args: [&[&str]; 2] = [&["--set", &plain], &["--set", &placed]];
        let alias = rendered_each(&helm, &chart, &args).into_iter().map(|objects| {
            objects["Deployment web"]["spec"]["template"]["spec"]["containers"][0]["env"][2]["value"]
                .clone()
        });
        assert_eq!(alias.collect::<Vec<_>>(), ["1", "x.target.svc"]);
    }
}

#[test]
fn what_is_rewritten_is_said_and_the_rest_still_warned_of() {
    let codes = |rewrite| {
        let app = app(rewrite);
        let of = |code: &str| app.findings.iter().filter(|f| f.code.as_str() == code).count();
        (of("NAMESPACE_IN_DATA"), of("NAMESPACE_REWRITTEN"))
    };
    assert_eq!(codes(false), (10, 0));
    assert_eq!(codes(true), (1, 9));
}

#[test]
fn the_self_check_knows_what_was_rewritten_and_nothing_more() {
    let (values, mut app) = (SecretValues::default(), app(true));
    let fidelity = |app: &App| {
        let input = shop::input(app, SecretsPolicy::Reference, &values);
        let chart = outhaul::chart::build(&input).unwrap();
        outhaul::chart::check::check(&input, &chart).unwrap()
    };
    let found = fidelity(&app);
    assert_eq!(found.differences, []);
    let rewritten = found.intended.iter().find(|of| of.rule == "namespaceRewritten").unwrap();
    assert_eq!(rewritten.count, 9);
    // Said of one place and done at another: that is a difference.
    let chart = shop::plain_chart_of(&app);
    app.rewrites.remove(0);
    let input = shop::input(&app, SecretsPolicy::Reference, &values);
    let found = outhaul::chart::check::check(&input, &chart).unwrap();
    assert_eq!(found.differences.len(), 1, "{:?}", found.differences);
}
