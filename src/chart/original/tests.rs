//! A chart as `helm create` makes them, and what makes one unusable.

use super::*;
use crate::app::helm::{ChartFile, ChartRecord};

const HELPERS: &str = r#"{{- define "web.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}"#;

const DEPLOYMENT: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    {{- include "web.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          resources: {{- toYaml .Values.resources | nindent 12 }}
"#;

const MANIFEST: &str = r#"---
# Source: web/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  labels:
    helm.sh/chart: web-0.1.0
    app.kubernetes.io/instance: shop
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: web
          image: "nginx:1.16"
          resources:
            limits: {cpu: 1}
"#;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn map(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn record(deployment: &str) -> Record {
    let file = |name: &str, text: &str| ChartFile { name: name.into(), data: text.into() };
    Record {
        name: "shop".into(),
        namespace: "store".into(),
        version: 2,
        chart: ChartRecord {
            metadata: map(json!({"apiVersion": "v2", "name": "web", "version": "0.1.0",
                "appVersion": "1.16", "annotations": {"mine": "kept"}})),
            templates: vec![
                file("templates/_helpers.tpl", HELPERS),
                file("templates/deployment.yaml", deployment),
            ],
            values: map(json!({"replicas": 1, "image": {"repository": "nginx", "tag": ""},
                "resources": {"limits": {"cpu": 1}}})),
            schema: Vec::new(),
            files: vec![file("README.md", "# Web\n"), file("crds/a.yaml", "# none\n")],
        },
        config: map(json!({"replicas": 3})).into(),
        manifest: MANIFEST.into(),
        hooks: Vec::new(),
    }
}

fn app() -> App {
    let container = json!({"name": "web", "image": "nginx:1.16"});
    serde_json::from_value(json!({"name": "shop", "namespace": "store", "foundBy": "helmRelease",
        "images": [], "secrets": [], "pullSecrets": [], "requirements": [], "findings": [],
        "objects": [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"},
            "spec": {"template": {"spec": {"containers": [container]}}}}]}))
    .unwrap()
}

fn image(app: &App) -> Image {
    Image {
        key: "nginx".into(),
        registry: "registry.test/team".into(),
        repository: "store-shop-image".into(),
        tag: "nginx-1.16".into(),
        digest: DIGEST.into(),
        source: "nginx:1.16".into(),
        platforms: Vec::new(),
        uses: vec![crate::app::ContainerRef {
            object: app.objects[0].id(),
            pointer: "/spec/template/spec/containers/0".into(),
            container: "web".into(),
        }],
        kept: false,
    }
}

fn rebuilt(record: Record) -> Result<Original, String> {
    let app = app();
    let images = [image(&app)];
    let version = semver::Version::new(9999, 1231, 235_959);
    let secrets = SecretsPolicy::Reference;
    let wanted = Wanted { app: &app, images: &images, secrets, version: &version };
    rebuild(&Arc::new(record), wanted).map_err(|unusable| unusable.to_string())
}

fn values_of(original: &Original) -> Value {
    serde_saphyr::from_slice(&original.files[VALUES]).unwrap()
}

#[test]
fn a_chart_comes_back_with_its_files_its_values_and_pinned_images() {
    let original = rebuilt(record(DEPLOYMENT)).unwrap();
    let values = values_of(&original);
    assert_eq!(values["replicas"], 3);
    assert_eq!(values["image"]["repository"], "registry.test/team/store-shop-image");
    assert_eq!(values["image"]["tag"], format!("nginx-1.16@{DIGEST}"));
    let app = app();
    let secret_values = crate::app::SecretValues::default();
    let input = Input {
        app: &app,
        name: "web".into(),
        version: semver::Version::new(2026, 1, 2),
        images: vec![image(&app)],
        secrets: SecretsPolicy::Reference,
        secret_values: &secret_values,
        templates: crate::chart::Templates::default(),
        sealed: None,
        annotations: BTreeMap::from([("dev.outhaul.origin".into(), "a/b/c".into())]),
        created: "2026-01-02T00:00:00Z".into(),
    };
    let chart = original.build(&input).unwrap();
    assert_eq!(chart.files["templates/deployment.yaml"], DEPLOYMENT.as_bytes());
    assert!(chart.files.contains_key("crds/a.yaml") && chart.files.contains_key("images.lock"));
    let config: Value = serde_json::from_slice(&chart.config).unwrap();
    assert_eq!((&config["appVersion"], &config["version"]), (&json!("1.16"), &json!("2026.1.2")));
    assert_eq!(config["annotations"]["mine"], "kept");
    assert_eq!(config["annotations"]["dev.outhaul.origin"], "a/b/c");
    assert!(is_original(&chart));
    let fidelity = original.fidelity(&chart, &input.images).unwrap();
    assert_eq!((fidelity.objects, fidelity.identical), (1, 1), "{:?}", fidelity.differences);
    let rules: Vec<_> = fidelity.intended.iter().map(|of| (&*of.rule, of.count)).collect();
    assert_eq!(rules, [(VERSION, 1), (IMAGE, 1)]);
    assert_eq!(
        crate::chart::relocate(&chart, &[], &[], &BTreeMap::new()),
        Err(crate::chart::RelocateError::Original)
    );
}

#[test]
fn other_ways_to_write_images_are_found() {
    let whole = DEPLOYMENT.replace(
        "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
        "{{ .Values.image }}",
    );
    let mut of = record(&whole);
    of.chart.values = map(json!({"image": "nginx:1.16", "resources": {"limits": {"cpu": 1}}}));
    let values = values_of(&rebuilt(of).unwrap());
    assert_eq!(values["image"], format!("registry.test/team/store-shop-image:nginx-1.16@{DIGEST}"));
    let digest = DEPLOYMENT.replace(
        "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
        "{{ .Values.image.registry }}{{ .Values.image.repository }}:1.16\
         {{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ end }}",
    );
    let mut of = record(&digest);
    of.config = map(json!({"replicas": 3, "image": {"registry": "", "digest": ""}})).into();
    let values = values_of(&rebuilt(of).unwrap());
    assert_eq!((&values["image"]["digest"], &values["image"]["tag"]), (&json!(DIGEST), &json!("")));
}

#[test]
fn what_cannot_be_proved_is_not_used() {
    let refused = |change: &dyn Fn(&mut Record)| {
        let mut record = record(DEPLOYMENT);
        change(&mut record);
        rebuilt(record).expect_err("it is unusable")
    };
    let template = |text: &str| {
        let text = DEPLOYMENT.replace("{{ .Values.replicas }}", text);
        rebuilt(record(&text)).expect_err("it is unusable")
    };
    for (reason, part) in [
        (refused(&|of| _ = of.chart.metadata.insert("dependencies".into(), json!([{}]))), "depend"),
        (refused(&|of| of.manifest = MANIFEST.replace("replicas: 3", "replicas: 4")), "replicas"),
        (
            refused(&|of| of.manifest += "---\nkind: A\napiVersion: a/v1\nmetadata: {name: b}\n"),
            "A b",
        ),
        (refused(&|of| of.chart.files[0].name = "../x".into()), "leads out"),
        (refused(&|of| of.config = map(json!({"password": "hunter22"})).into()), "credential"),
        (
            refused(&|of| {
                of.chart.schema =
                    br#"{"properties": {"image": {"properties": {"tag": {"pattern": "^.$"}}}}}"#
                        .to_vec();
            }),
            "`tag`",
        ),
        (template("{{ randInt 3 4 }}"), "randInt"),
        (template("{{ .Release.Revision }}"), "replicas"),
        (
            rebuilt(record(&DEPLOYMENT.replace("{{ .Values.image.repository }}", "nginx")))
                .expect_err("it is unusable"),
            "no value of it moves",
        ),
        // The tag is in a label, too.
        (
            {
                let label = "x: {{ .Values.image.tag | default .Chart.AppVersion | quote }}";
                let text = DEPLOYMENT
                    .replace("spec:\n  replicas", &format!("    {label}\nspec:\n  replicas"));
                let mut of = record(&text);
                of.manifest =
                    MANIFEST.replace("spec:\n  replicas", "    x: \"1.16\"\nspec:\n  replicas");
                rebuilt(of).expect_err("it is unusable")
            },
            "no value of it moves",
        ),
        (
            {
                let secret =
                    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: k}\ndata: {a: eA==}\n";
                let mut of = record(&format!("{DEPLOYMENT}{secret}"));
                of.manifest += secret;
                rebuilt(of).expect_err("it is unusable")
            },
            "Secret k",
        ),
    ] {
        assert!(reason.contains(part), "{part}: {reason}");
        assert!(!reason.contains("hunter22"));
    }
}
