//! What custom resources of well-known projects refer to, and what of them points at an
//! application.

use outhaul::app::{App, Code, Options, Selection, assemble};
use serde_json::json;

use super::{deployment, object, others, web};
use crate::app::{cluster, codes, kinds, snapshot, yaml};

const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: web, labels: {app: web}}, \
                       spec: {selector: {app: web}}}\n---\n";

fn app(text: &str) -> App {
    web(&(deployment("web", "containers: [{name: a, image: a}]") + SERVICE + text))
}

/// Objects beside the Deployment and its Service.
fn more(app: &App) -> Vec<String> {
    others(app).into_iter().filter(|id| id != "Service web").collect()
}

const GATEWAY: &str = "gateway.networking.k8s.io/v1";

fn route(name: &str, backend: &str) -> String {
    object(
        GATEWAY,
        "HTTPRoute",
        name,
        &format!(
            ", spec: {{parentRefs: [{{name: gate}}], rules: [{{backendRefs: [{{name: {backend}, port: 80}}]}}]}}"
        ),
    )
}

fn gateway() -> String {
    object(
        GATEWAY,
        "Gateway",
        "gate",
        ", spec: {gatewayClassName: c, listeners: [{tls: {certificateRefs: [{name: cert}, {name: far, namespace: else}]}}]}",
    )
}

#[test]
fn a_route_leads_to_its_gateway_and_that_to_its_certificate() {
    let app = app(&(route("web", "web") + &gateway()));
    assert_eq!(more(&app), ["Gateway gate", "HTTPRoute web"]);
    let secrets: Vec<_> = app.secrets.iter().map(|secret| secret.name.as_str()).collect();
    assert_eq!(secrets, ["cert"]);
}

#[test]
fn what_others_use_as_well_is_required() {
    let app = app(&(route("web", "web") + &route("shop", "shop") + &gateway()));
    assert_eq!(more(&app), ["HTTPRoute web"]);
    assert!(codes(&app).contains(&"NOT_EXPORTED Gateway gate".to_owned()), "{:?}", codes(&app));
    assert!(app.requirements.iter().any(|of| of.object.kind == "Gateway"));
}

#[test]
fn a_route_to_others_as_well_is_not_the_applications() {
    let text = SERVICE.replace("web", "shop") + &deployment("shop", "containers: []");
    let both = "web}, {name: shop";
    let app = app(&(text + &route("both", both)));
    assert_eq!(more(&app), Vec::<String>::new());
    assert!(codes(&app).contains(&"NOT_EXPORTED HTTPRoute both".to_owned()));
}

/// What points at the application: taken with what it needs, Secrets last.
#[test]
fn known_projects_are_followed_both_ways() {
    let traefik = |api: &str| {
        object(
            api,
            "IngressRoute",
            "r",
            ", spec: {routes: [{services: [{name: web, port: 80}, {name: api@internal, \
            kind: TraefikService}], middlewares: [{name: auth}]}], tls: {secretName: s}}",
        ) + &object(api, "Middleware", "auth", ", spec: {basicAuth: {secret: users}}")
    };
    let keda = object(
        "keda.sh/v1alpha1",
        "ScaledObject",
        "so",
        ", spec: {scaleTargetRef: {name: web}, triggers: [{authenticationRef: {name: ta}}, {authenticationRef: {name: c, kind: ClusterTriggerAuthentication}}]}",
    ) + &object(
        "keda.sh/v1alpha1",
        "TriggerAuthentication",
        "ta",
        ", spec: {secretTargetRef: [{name: k, key: x}]}",
    );
    let monitor = object(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        "sm",
        ", spec: {selector: {matchLabels: {app: web}}, endpoints: [{basicAuth: {username: {name: m, key: u}}}]}",
    );
    let pods = object(
        "monitoring.coreos.com/v1",
        "PodMonitor",
        "pm",
        ", spec: {selector: {matchLabels: {app: web}}}",
    );
    let rollout = object(
        "argoproj.io/v1alpha1",
        "Rollout",
        "ro",
        ", spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}, strategy: {canary: {analysis: {templates: [{templateName: ok}]}}}}",
    ) + &object("argoproj.io/v1alpha1", "AnalysisTemplate", "ok", "");
    let vpa = object(
        "autoscaling.k8s.io/v1",
        "VerticalPodAutoscaler",
        "v",
        ", spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}",
    );
    for (text, members, secrets) in [
        (
            traefik("traefik.io/v1alpha1"),
            &["IngressRoute r", "Middleware auth"][..],
            &["s", "users"][..],
        ),
        (
            traefik("traefik.containo.us/v1alpha1"),
            &["IngressRoute r", "Middleware auth"],
            &["s", "users"],
        ),
        (keda, &["ScaledObject so", "TriggerAuthentication ta"], &["k"]),
        (monitor, &["ServiceMonitor sm"], &["m"]),
        (pods, &["PodMonitor pm"], &[]),
        (rollout, &["AnalysisTemplate ok", "Rollout ro"], &[]),
        (vpa, &["VerticalPodAutoscaler v"], &[]),
    ] {
        let app = app(&text);
        assert_eq!(more(&app), members);
        let found: Vec<_> = app.secrets.iter().map(|secret| secret.name.as_str()).collect();
        assert_eq!(found, secrets, "{text}");
    }
}

/// In an annotation of an Ingress, and not what Traefik has from elsewhere.
#[test]
fn middlewares_are_known_by_their_namespace_and_name() {
    let ingress = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    traefik.ingress.kubernetes.io/router.middlewares: shop-auth@kubernetescrd, other-a@kubernetescrd,b@file
spec: {defaultBackend: {service: {name: web}}}
---
";
    let route = "spec: {routes: [{services: [{name: web}], middlewares: [{name: c@file}]}]}";
    let app = app(&(ingress.to_owned()
        + &object("traefik.io/v1alpha1", "Middleware", "auth", "")
        + &object("traefik.io/v1alpha1", "IngressRoute", "r", &format!(", {route}"))));
    assert_eq!(more(&app), ["Ingress web", "IngressRoute r", "Middleware auth"]);
    assert!(app.findings.iter().all(|of| of.code != Code::ReferenceMissing), "{:?}", codes(&app));
}

#[test]
fn members_lead_to_issuers_and_stores_and_those_to_their_secrets() {
    let mine = "labels: {app: web}";
    let certificate = object(
        "cert-manager.io/v1",
        "Certificate",
        &format!("c, {mine}"),
        ", spec: {issuerRef: {name: i}}",
    );
    let issuer = object(
        "cert-manager.io/v1",
        "Issuer",
        "i",
        ", spec: {acme: {privateKeySecretRef: {name: made}, solvers: [{dns01: {cloudflare: {apiTokenSecretRef: {name: token, key: t}}}}]}}",
    );
    let external = object(
        "external-secrets.io/v1",
        "ExternalSecret",
        &format!("e, {mine}"),
        ", spec: {secretStoreRef: {name: st, kind: SecretStore}, dataFrom: [{sourceRef: {storeRef: {name: all, kind: ClusterSecretStore}}}]}",
    );
    let store = object(
        "external-secrets.io/v1",
        "SecretStore",
        "st",
        ", spec: {provider: {vault: {auth: {tokenSecretRef: {name: vault, key: v}}}}}",
    );
    let app = app(&(certificate + &issuer + &external + &store));
    assert_eq!(more(&app), ["Certificate c", "ExternalSecret e", "Issuer i", "SecretStore st"]);
    let secrets: Vec<_> = app.secrets.iter().map(|s| (s.name.as_str(), s.keys.join(","))).collect();
    assert_eq!(secrets, [("token", "t".to_owned()), ("vault", "v".to_owned())]);
}

#[test]
fn what_a_known_resource_names_and_is_not_there_is_a_finding() {
    let text = route("web", "web").replace("name: gate", "name: nowhere");
    let app = app(&text);
    let missing = app.findings.iter().filter(|of| of.code == Code::ReferenceMissing);
    let found: Vec<_> = missing.map(|finding| finding.text.as_str()).collect();
    assert_eq!(found, ["HTTPRoute web refers to Gateway nowhere, which does not exist"]);
}

#[test]
fn monitors_of_a_whole_cluster_are_not_the_applications() {
    for namespaces in ["any: true", "matchNames: [shop, other]"] {
        let text = object(
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            "sm",
            &format!(
                ", spec: {{selector: {{matchLabels: {{app: web}}}}, namespaceSelector: {{{namespaces}}}}}"
            ),
        );
        assert_eq!(more(&app(&text)), Vec::<String>::new());
    }
}

#[test]
fn definitions_come_along_when_asked_for_and_only_those_needed() {
    let definition = |plural: &str, kind: &str| {
        format!("apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.example.com, uid: x, resourceVersion: '5', annotations: {{kept: 'yes', meta.helm.sh/release-name: r}}}}
spec:
  group: example.com
  names: {{kind: {kind}, plural: {plural}}}
  scope: Namespaced
  conversion:
    strategy: Webhook
    webhook: {{clientConfig: {{caBundle: x, service: {{namespace: system, name: hook}}}}}}
  versions: [{{name: v1, schema: {{openAPIV3Schema: {{description: 'braces {{{{ stay }}}}'}}}}}}]
status: {{storedVersions: [v1]}}
---
")
    };
    let text = deployment("web", "containers: []")
        + &object("example.com/v1", "Widget", "w, labels: {app: web}", "")
        + &definition("widgets", "Widget")
        + &definition("others", "Other");
    let assemble = |include_crds| {
        let options = Options { include_crds, ..Options::default() };
        let snapshot =
            snapshot(cluster(), yaml(&text.replace("name: w,", "name: w, namespace: shop,")));
        assemble(&snapshot, &Selection::Name("web".into()), &options).unwrap()
    };
    let without = assemble(false);
    assert!(without.definitions.is_empty());
    assert!(without.requirements.iter().any(|of| of.object.name == "widgets.example.com"));
    let with = assemble(true);
    assert_eq!(kinds(&with), kinds(&without));
    assert!(with.requirements.iter().all(|of| of.object.kind != "CustomResourceDefinition"));
    let definitions = serde_json::to_value(&with.definitions).unwrap();
    assert_eq!(
        definitions[0]["metadata"],
        json!({"name": "widgets.example.com", "annotations": {"kept": "yes"}})
    );
    assert_eq!(
        definitions[0]["spec"]["conversion"]["webhook"]["clientConfig"],
        json!({"service": {"namespace": "system", "name": "hook"}})
    );
    assert_eq!((definitions[0].get("status"), definitions.as_array().unwrap().len()), (None, 1));
    let found: Vec<_> =
        codes(&with).into_iter().filter(|code| code.ends_with("widgets.example.com")).collect();
    assert_eq!(
        found,
        [
            "CLUSTER_SCOPED_REQUIRED CustomResourceDefinition widgets.example.com",
            "CRD_INCLUDED CustomResourceDefinition widgets.example.com",
        ]
    );
}
