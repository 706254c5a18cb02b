//! Secrets: those of registries, those left out, those that were not read.

use outhaul::app::select::SelectError;
use outhaul::app::{App, Options, Origin, Plaintext, Selection, Snapshot};

use super::super::{assemble, cluster, codes, snapshot, yaml};
use super::{container, deployment, label, object, others, requirements};

fn all() -> Selection {
    Selection::All { name: "web".to_owned() }
}

/// A snapshot with the values of Secrets, as policy `include` reads it.
fn kept(text: &str) -> Snapshot {
    let mut snapshot = snapshot(Origin::Manifests, []);
    for object in yaml(text) {
        snapshot.push(object, Plaintext::Keep).unwrap();
    }
    snapshot
}

fn of(snapshot: &Snapshot, selection: &Selection, exclude: &[(&str, &str)]) -> App {
    try_of(snapshot, selection, exclude).unwrap()
}

fn try_of(
    snapshot: &Snapshot,
    selection: &Selection,
    exclude: &[(&str, &str)],
) -> Result<App, SelectError> {
    let exclude = exclude.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned()));
    assemble(snapshot, selection, &Options { exclude: exclude.collect(), ..Options::default() })
}

fn names(app: &App) -> Vec<&str> {
    app.secrets.iter().map(|of| of.name.as_str()).collect()
}

#[test]
fn pull_secrets_that_nothing_refers_to_are_never_exported() {
    let secret = |name: &str, of: &str| label(&object("v1", "Secret", name, of));
    let text = deployment("web", "imagePullSecrets: [{name: named}], containers: []")
        + &secret("named", ", type: kubernetes.io/dockerconfigjson")
        + &secret(
            "loose",
            ", type: kubernetes.io/dockerconfigjson, data: {.dockerconfigjson: e30=}",
        )
        + &secret("old", ", type: kubernetes.io/dockercfg, data: {.dockercfg: e30=}")
        + &secret("own", ", type: Opaque, data: {k: YQ==}");
    let labels = Selection::Labels { name: "web".into(), selector: "app=web".into() };
    for selection in [all(), labels, Selection::Name("web".into())] {
        let app = of(&kept(&text), &selection, &[]);
        assert_eq!(names(&app), ["own"]);
        assert_eq!(
            codes(&app),
            [
                "PULL_SECRET_DROPPED Secret loose",
                "PULL_SECRET_DROPPED Secret named",
                "PULL_SECRET_DROPPED Secret old",
                "PULL_SECRET_DROPPED Deployment web",
            ]
        );
    }
}

#[test]
fn a_pull_secret_that_a_container_reads_is_a_secret() {
    let text =
        deployment("web", "volumes: [{name: v, secret: {secretName: pull}}], containers: []")
            + &object(
                "v1",
                "Secret",
                "pull",
                ", type: kubernetes.io/dockerconfigjson, data: {a: YQ==}",
            );
    let app = of(&kept(&text), &all(), &[]);
    assert_eq!((names(&app), codes(&app)), (vec!["pull"], vec![]));
}

const LOGIN: &str = "envFrom: [{secretRef: {name: login}}]";

#[test]
fn a_secret_can_be_excluded_whether_it_was_read_or_not() {
    let text = container("web", LOGIN);
    for more in [String::new(), object("v1", "Secret", "login", ", data: {a: YQ==}")] {
        for kind in ["Secret", "secrets"] {
            let snapshot = snapshot(Origin::Manifests, yaml(&(text.clone() + &more)));
            let app = of(&snapshot, &Selection::Name("web".into()), &[(kind, "login")]);
            assert_eq!((names(&app), codes(&app)), (vec![], vec!["EXCLUDED Secret login".into()]));
            assert_eq!(
                requirements(&app),
                ["Secret login: Deployment web refers to it; left out on request"]
            );
        }
    }
}

#[test]
fn an_exclusion_that_matches_nothing_is_an_error() {
    let snapshot = snapshot(Origin::Manifests, yaml(&container("web", LOGIN)));
    let exclude = [("Secret", "login"), ("Secret", "typo"), ("deploy", "wbe"), ("thing", "web")];
    let error = try_of(&snapshot, &all(), &exclude).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is nothing to leave out in namespace `shop` by `Secret/typo`, `deploy/wbe`, \
         `thing/web`"
    );
}

#[test]
fn exclusions_take_plural_and_short_names_of_kinds() {
    let text = container("web", "")
        + &object("v1", "ConfigMap", "a", "")
        + &object("v1", "ConfigMap", "b", "")
        + &object("v1", "Service", "c", ", spec: {selector: {app: web}}")
        + &object("acme.io/v1", "Widget", "d", "");
    let snapshot = snapshot(Origin::Manifests, yaml(&text));
    let exclude = [("cm", "a"), ("configmaps", "b"), ("svc", "c"), ("widget", "d")];
    assert_eq!(others(&of(&snapshot, &all(), &exclude)), [""; 0]);
}

#[test]
fn a_certificate_that_was_not_read_has_the_type_of_certificates() {
    let text = container("web", LOGIN)
        + &label(&object(
            "networking.k8s.io/v1",
            "Ingress",
            "web",
            ", spec: {tls: [{secretName: cert}, {secretName: plain}]}",
        ))
        + &object("v1", "Secret", "plain", ", type: Opaque, data: {tls.crt: '', tls.key: ''}");
    let app = of(&snapshot(Origin::Manifests, yaml(&text)), &Selection::Name("web".into()), &[]);
    let types: Vec<_> =
        app.secrets.iter().map(|of| (of.name.as_str(), of.secret_type.as_deref())).collect();
    assert_eq!(
        types,
        [("cert", Some("kubernetes.io/tls")), ("login", None), ("plain", Some("Opaque"))]
    );
}

#[test]
fn secrets_that_were_not_read_are_said_once_where_objects_are_chosen_by_hand() {
    let unread = snapshot(cluster(), yaml(&container("web", "")));
    let labels = Selection::Labels { name: "web".into(), selector: "app=web".into() };
    for selection in [all(), labels] {
        let app = of(&unread, &selection, &[]);
        assert_eq!(codes(&app), ["SECRET_KEYS_UNKNOWN"]);
    }
    assert_eq!(codes(&of(&unread, &Selection::Name("web".into()), &[])), [""; 0]);
    let read = yaml(&(container("web", "") + &object("v1", "Secret", "s", "")));
    assert_eq!(codes(&of(&snapshot(cluster(), read), &all(), &[])), [""; 0]);
}

/// The chart made Secrets without them: what finds Secrets by label did not find these.
#[test]
fn a_secret_keeps_its_labels_annotations_and_immutability() {
    let text = "{apiVersion: v1, kind: Secret, immutable: true, data: {k: dmFsdWUtb2YtaXQ=}, metadata: \
                {name: s, labels: {app: web, helm.sh/chart: web-1}, annotations: {note: kept, \
                quotes: 'it is value-of-it', meta.helm.sh/release-name: web}}}";
    let app = of(&kept(text), &all(), &[]);
    let secret = serde_json::to_value(&app.secrets[0]).unwrap();
    assert_eq!(secret["labels"], serde_json::json!({"app": "web"}));
    assert_eq!(secret["annotations"], serde_json::json!({"note": "kept"}));
    assert_eq!(secret["immutable"], true);
}
