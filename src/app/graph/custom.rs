//! What custom resources of well-known projects refer to by name, as tables. Kinds that are not
//! here are exported as they are, and nothing is followed from them.

use serde_json::Value;

use super::refs::{Keys, Missing, Reference, Row};
use crate::app::Object;
use crate::app::kinds::{self, CONFIG_MAP, Kind, SECRET, SERVICE};
use crate::app::path::{Path, Step};

const GATEWAY: &str = "gateway.networking.k8s.io";
const MONITORING: &str = "monitoring.coreos.com";
const ROLLOUTS: &str = "argoproj.io";
const TRAEFIK: &str = "traefik.io";
const TRAEFIK_2: &str = "traefik.containo.us";

pub(super) const POD_MONITOR: Kind = (MONITORING, "PodMonitor");
pub(super) const SERVICE_MONITOR: Kind = (MONITORING, "ServiceMonitor");
pub(super) const ROLLOUT: Kind = (ROLLOUTS, "Rollout");

const MIDDLEWARE: Kind = (TRAEFIK, "Middleware");
const ISSUER: Kind = ("cert-manager.io", "Issuer");
const STORE: Kind = ("external-secrets.io", "SecretStore");
const TRIGGER: Kind = ("keda.sh", "TriggerAuthentication");
const ANALYSIS: Kind = (ROLLOUTS, "AnalysisTemplate");

/// Kinds that route to Services, as Ingresses do.
pub(super) const ROUTES: [Kind; 9] = [
    kinds::INGRESS,
    (GATEWAY, "GRPCRoute"),
    (GATEWAY, "HTTPRoute"),
    (GATEWAY, "TCPRoute"),
    (GATEWAY, "TLSRoute"),
    (GATEWAY, "UDPRoute"),
    (TRAEFIK, "IngressRoute"),
    (TRAEFIK, "IngressRouteTCP"),
    (TRAEFIK_2, "IngressRoute"),
];

/// Something in the mapping at `at`, by `name`; its `kind`, group and namespace must fit if they
/// are there.
const fn typed(at: &'static str, kind: Kind) -> Row {
    named(at, "name", kind, Keys::All)
}

const fn named(at: &'static str, name: &'static str, kind: Kind, keys: Keys) -> Row {
    Row { at, name, kind, keys, missing: Missing::Breaks, typed: true }
}

const fn key(at: &'static str, kind: Kind) -> Row {
    named(at, "name", kind, Keys::Key)
}

const ROUTE: &[Row] = &[
    typed("spec.rules[].backendRefs[]", SERVICE),
    typed("spec.rules[].filters[].requestMirror.backendRef", SERVICE),
    typed("spec.parentRefs[]", (GATEWAY, "Gateway")),
];

const fn ingress_route(middleware: Kind, options: Kind, transport: Kind) -> [Row; 5] {
    [
        typed("spec.routes[].services[]", SERVICE),
        named("spec.routes[].services[]", "serversTransport", transport, Keys::All),
        typed("spec.routes[].middlewares[]", middleware),
        named("spec.tls", "secretName", SECRET, Keys::These(&["tls.crt", "tls.key"])),
        typed("spec.tls.options", options),
    ]
}

const fn middleware(kind: Kind) -> [Row; 5] {
    [
        named("spec.basicAuth|digestAuth", "secret", SECRET, Keys::All),
        named("spec.forwardAuth.tls", "certSecret", SECRET, Keys::All),
        named("spec.forwardAuth.tls", "caSecret", SECRET, Keys::All),
        typed("spec.errors.service", SERVICE),
        typed("spec.chain.middlewares[]", kind),
    ]
}

const SCALED: &[Row] = &[typed("spec.triggers[].authenticationRef", TRIGGER)];

const MONITOR: &[Row] = &[
    key("spec.endpoints|podMetricsEndpoints[].basicAuth.username|password", SECRET),
    key("spec.endpoints|podMetricsEndpoints[].bearerTokenSecret", SECRET),
    key("spec.endpoints|podMetricsEndpoints[].authorization.credentials", SECRET),
    key("spec.endpoints|podMetricsEndpoints[].oauth2.clientSecret", SECRET),
    key("spec.endpoints|podMetricsEndpoints[].tlsConfig.keySecret", SECRET),
    key("spec.endpoints|podMetricsEndpoints[].tlsConfig.ca|cert.secret", SECRET),
    key("spec.endpoints|podMetricsEndpoints[].tlsConfig.ca|cert.configMap", CONFIG_MAP),
];

const fn service(at: &'static str) -> Row {
    Row { name: "", ..typed(at, SERVICE) }
}

const fn analysis(at: &'static str) -> Row {
    Row { name: "templateName", ..typed(at, ANALYSIS) }
}

const ROLLOUT_ROWS: &[Row] = &[
    service("spec.strategy.canary.stableService|canaryService"),
    service("spec.strategy.blueGreen.activeService|previewService"),
    analysis("spec.strategy.canary.analysis.templates[]"),
    analysis("spec.strategy.canary.steps[].analysis.templates[]"),
    analysis("spec.strategy.blueGreen.prePromotionAnalysis.templates[]"),
    analysis("spec.strategy.blueGreen.postPromotionAnalysis.templates[]"),
];

/// Below the object, by kind.
const ROWS: [(Kind, &[Row]); 21] = [
    (("cert-manager.io", "Certificate"), &[typed("spec.issuerRef", ISSUER)]),
    (ISSUER, &[named("spec.ca", "secretName", SECRET, Keys::These(&["tls.crt", "tls.key"]))]),
    (
        ("external-secrets.io", "ExternalSecret"),
        &[
            typed("spec.secretStoreRef", STORE),
            typed("spec.data[].sourceRef.storeRef", STORE),
            typed("spec.dataFrom[].sourceRef.storeRef", STORE),
        ],
    ),
    (("external-secrets.io", "PushSecret"), &[typed("spec.secretStoreRefs[]", STORE)]),
    ((GATEWAY, "Gateway"), &[typed("spec.listeners[].tls.certificateRefs[]", SECRET)]),
    ((GATEWAY, "GRPCRoute"), ROUTE),
    ((GATEWAY, "HTTPRoute"), ROUTE),
    ((GATEWAY, "TCPRoute"), ROUTE),
    ((GATEWAY, "TLSRoute"), ROUTE),
    ((GATEWAY, "UDPRoute"), ROUTE),
    (("keda.sh", "ScaledJob"), SCALED),
    (("keda.sh", "ScaledObject"), SCALED),
    (
        TRIGGER,
        &[key("spec.secretTargetRef[]", SECRET), key("spec.configMapTargetRef[]", CONFIG_MAP)],
    ),
    (POD_MONITOR, MONITOR),
    (SERVICE_MONITOR, MONITOR),
    (ROLLOUT, ROLLOUT_ROWS),
    (
        (TRAEFIK, "IngressRoute"),
        &ingress_route(MIDDLEWARE, (TRAEFIK, "TLSOption"), (TRAEFIK, "ServersTransport")),
    ),
    (
        (TRAEFIK, "IngressRouteTCP"),
        &ingress_route(
            (TRAEFIK, "MiddlewareTCP"),
            (TRAEFIK, "TLSOption"),
            (TRAEFIK, "ServersTransportTCP"),
        ),
    ),
    (MIDDLEWARE, &middleware(MIDDLEWARE)),
    (
        (TRAEFIK_2, "IngressRoute"),
        &ingress_route(
            (TRAEFIK_2, "Middleware"),
            (TRAEFIK_2, "TLSOption"),
            (TRAEFIK_2, "ServersTransport"),
        ),
    ),
    ((TRAEFIK_2, "Middleware"), &middleware((TRAEFIK_2, "Middleware"))),
];

/// Kinds with a field for each of dozens of providers: whatever is called `…SecretRef` and has a
/// name is a Secret.
const PROVIDERS: [Kind; 3] = [ISSUER, STORE, TRIGGER];

/// What cert-manager makes itself: the key of an ACME account.
const MADE: &str = "privateKeySecretRef";

/// Annotation of Ingresses: middlewares as `<namespace>-<name>@kubernetescrd`, with commas between.
const MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";

/// The rows of a kind, if it is known.
pub(super) fn rows(object: &Object) -> &'static [Row] {
    ROWS.iter().find(|(kind, _)| kinds::is(object, *kind)).map_or(&[], |(_, rows)| rows)
}

/// Whether the object refers to others in a way that is known.
pub(super) fn is_known(object: &Object) -> bool {
    !rows(object).is_empty()
}

/// Middlewares of this namespace that an Ingress names.
pub(super) fn middlewares(ingress: &Object, here: &str, found: &mut Vec<Reference>) {
    let field = Path::default().key("metadata").key("annotations").key(MIDDLEWARES);
    for one in ingress.annotation(MIDDLEWARES).into_iter().flat_map(|text| text.split(',')) {
        let own = one.trim().strip_suffix("@kubernetescrd").and_then(|one| one.strip_prefix(here));
        if let Some(name) =
            own.and_then(|own| own.strip_prefix('-')).filter(|name| !name.is_empty())
        {
            found.push(needed(MIDDLEWARE, name, None, &field));
        }
    }
}

/// Secrets of providers, wherever they stand.
pub(super) fn secret_refs(object: &Object, here: &str, found: &mut Vec<Reference>) {
    if !PROVIDERS.iter().any(|kind| kinds::is(object, *kind)) {
        return;
    }
    if let Some(spec) = object.at("/spec") {
        below(spec, &Path::default().key("spec"), here, found);
    }
}

fn below(value: &Value, at: &Path, here: &str, found: &mut Vec<Reference>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let at = at.key(key);
                let named = key.ends_with("SecretRef") || key == "secretRef";
                let name =
                    value.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
                match name.filter(|_| named && key != MADE && is_here(value, here)) {
                    Some(name) => {
                        let key = value.get("key").and_then(Value::as_str);
                        found.push(needed(SECRET, name, key, &at.key("name")));
                    }
                    None => below(value, &at, here, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                below(item, &at.then(Step::Item(index)), here, found);
            }
        }
        _ => {}
    }
}

fn needed(kind: Kind, name: &str, key: Option<&str>, at: &Path) -> Reference {
    Reference {
        kind,
        name: name.to_owned(),
        field: at.to_string(),
        optional: false,
        may_be_optional: false,
        needed: true,
        keys: key.map(|key| vec![key.to_owned()]),
    }
}

/// Whether a reference means this kind, in this namespace. What it does not say is as its row has
/// it.
pub(super) fn means(reference: &Value, kind: Kind, here: &str) -> bool {
    let text =
        |key: &str| reference.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let group = text("group").or_else(|| text("apiGroup"));
    let version = text("apiVersion").map(|of| of.split_once('/').map_or("", |(group, _)| group));
    text("kind").is_none_or(|of| of == kind.1)
        && group.or(version).is_none_or(|of| of == kind.0 || kind.0.is_empty())
        && is_here(reference, here)
}

fn is_here(reference: &Value, here: &str) -> bool {
    let namespace = reference.get("namespace").and_then(Value::as_str);
    namespace.is_none_or(|namespace| namespace.is_empty() || namespace == here)
}
