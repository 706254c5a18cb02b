//! Secrets that something makes: what makes them goes along in their place.

use outhaul::app::{App, Options, Origin, Selection, assemble};

use super::super::{codes, snapshot, yaml};
use super::{container, deployment, object, others};

const LOGIN: &str = "envFrom: [{secretRef: {name: login}}]";

fn of(text: &str, exclude: &[(&str, &str)]) -> App {
    let exclude = exclude.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned()));
    let options = Options { exclude: exclude.collect(), ..Options::default() };
    let name = Selection::Name("web".to_owned());
    assemble(&snapshot(Origin::Manifests, yaml(text)), &name, &options).unwrap()
}

/// Names of the Secrets that are still needed, with the reason.
fn needed(app: &App) -> Vec<String> {
    let reason = |of: &outhaul::app::SecretUse| of.made_by.clone().unwrap_or_default();
    app.secrets.iter().map(|of| format!("{}: {}", of.name, reason(of))).collect()
}

/// One way for each operator to say which Secret it makes; no Secret is read.
#[test]
fn what_makes_a_secret_goes_along_and_the_secret_is_not_asked_for() {
    for (api_version, kind, name, rest) in [
        ("cert-manager.io/v1", "Certificate", "c", ", spec: {secretName: login}"),
        ("external-secrets.io/v1", "ExternalSecret", "login", ", spec: {}"),
        ("external-secrets.io/v1beta1", "ExternalSecret", "c", ", spec: {target: {name: login}}"),
        (
            "secrets.hashicorp.com/v1beta1",
            "VaultStaticSecret",
            "c",
            ", spec: {destination: {name: login, create: true}}",
        ),
        (
            "secrets-store.csi.x-k8s.io/v1",
            "SecretProviderClass",
            "c",
            ", spec: {secretObjects: [{secretName: other}, {secretName: login}]}",
        ),
        ("onepassword.com/v1", "OnePasswordItem", "login", ""),
        ("kafka.strimzi.io/v1", "KafkaUser", "login", ""),
        ("db.acme.io/v1", "Database", "c", ", spec: {writeConnectionSecretToRef: {name: login}}"),
    ] {
        let app = of(&(container("web", LOGIN) + &object(api_version, kind, name, rest)), &[]);
        assert_eq!(
            (others(&app), needed(&app)),
            (vec![format!("{kind} {name}")], vec![]),
            "{kind}"
        );
        assert!(codes(&app).contains(&format!("SECRET_MADE {kind} {name}")), "{kind}");
        let from = app.objects.iter().find(|object| object.kind() == "Deployment").unwrap();
        let name = "/spec/template/spec/containers/0/envFrom/0/secretRef/name";
        assert_eq!(from.text(name), Some("login"));
    }
}

/// The Secret leads to the Certificate, that to its Issuer, and that by another Secret to the
/// Certificate of the authority.
#[test]
fn what_makes_a_secret_leads_further() {
    let certificate = |name: &str, secret: &str, issuer: &str| {
        let spec = format!(", spec: {{secretName: {secret}, issuerRef: {issuer}}}");
        object("cert-manager.io/v1", "Certificate", name, &spec)
    };
    let issuer = object("cert-manager.io/v1", "Issuer", "own", ", spec: {ca: {secretName: root}}");
    let external = object(
        "external-secrets.io/v1",
        "ExternalSecret",
        "token",
        ", spec: {data: [{sourceRef: {storeRef: {name: vault, kind: ClusterSecretStore}}}]}",
    );
    let text =
        container("web", "envFrom: [{secretRef: {name: login}}, {secretRef: {name: token}}]")
            + &certificate("c", "login", "{name: own}")
            + &issuer
            + &certificate("authority", "root", "{name: company, kind: ClusterIssuer}")
            + &external;
    let app = of(&text, &[]);
    let taken = ["Certificate authority", "Certificate c", "ExternalSecret token", "Issuer own"];
    assert_eq!((others(&app), needed(&app)), (taken.map(str::to_owned).to_vec(), vec![]));
    let codes = codes(&app);
    for of in ["ClusterIssuer company", "ClusterSecretStore vault"] {
        assert!(codes.contains(&format!("CLUSTER_SCOPED_REQUIRED {of}")), "{codes:?}");
    }
}

#[test]
fn what_only_fills_a_secret_does_not_make_it() {
    for (api_version, kind, rest) in [
        ("external-secrets.io/v1", "ExternalSecret", "target: {creationPolicy: Merge}"),
        ("external-secrets.io/v1", "ExternalSecret", "target: {name: other}"),
        ("secrets.hashicorp.com/v1beta1", "VaultStaticSecret", "destination: {name: login}"),
        ("acme.io/v1", "Widget", "secretName: login"),
    ] {
        let spec = format!(", spec: {{{rest}}}");
        let app = of(&(container("web", LOGIN) + &object(api_version, kind, "login", &spec)), &[]);
        assert_eq!(needed(&app), ["login: "], "{kind} {rest}");
    }
}

#[test]
fn an_operators_names_for_its_secrets_are_known() {
    let uses = "envFrom: [{secretRef: {name: db-app}}, {secretRef: {name: db-other}}, {secretRef: {name: mq-default-user}}]";
    let app = of(
        &(container("web", uses)
            + &object("postgresql.cnpg.io/v1", "Cluster", "db", "")
            + &object("rabbitmq.com/v1beta1", "RabbitmqCluster", "mq", "")),
        &[],
    );
    assert_eq!(others(&app), ["Cluster db", "RabbitmqCluster mq"]);
    assert_eq!(needed(&app), ["db-other: "]);
}

#[test]
fn a_certificate_of_an_ingress_is_made_by_the_ingress() {
    let ingress = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, labels: {app: web},
        annotations: {cert-manager.io/cluster-issuer: letsencrypt}},
        spec: {tls: [{secretName: cert, hosts: [a]}]}}\n---\n";
    let certificate = "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: cert, labels: {app: web},
        ownerReferences: [{apiVersion: networking.k8s.io/v1, kind: Ingress, name: web, uid: '1', controller: true}]},
        spec: {secretName: cert}}\n---\n";
    for more in ["", certificate] {
        let app = of(&(deployment("web", "containers: []") + ingress + more), &[]);
        assert_eq!((others(&app), needed(&app)), (vec!["Ingress web".to_owned()], vec![]));
    }
    let by_hand = ingress.replace("cert-manager.io/cluster-issuer", "acme.io/other");
    let app = of(&(deployment("web", "containers: []") + &by_hand), &[]);
    assert_eq!(needed(&app), ["cert: "]);
}

#[test]
fn openshift_makes_the_certificate_of_a_service() {
    let service = "{apiVersion: v1, kind: Service, metadata: {name: web, annotations:
        {service.beta.openshift.io/serving-cert-secret-name: login}}, spec: {selector: {app: web}}}\n---\n";
    let app = of(&(container("web", LOGIN) + service), &[]);
    assert_eq!((others(&app), needed(&app)), (vec!["Service web".to_owned()], vec![]));
}

/// Read Secrets tell more: who owns them, what they are copies of.
#[test]
fn a_secret_that_was_read_says_what_made_it() {
    let secret = |metadata: &str| {
        format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: login, {metadata}}}, data: {{a: YQ==}}}}\n---\n"
        )
    };
    let owned = secret(
        "ownerReferences: [{apiVersion: acme.io/v1, kind: Widget, name: w, uid: '1', controller: true}]",
    );
    let widget = object("acme.io/v1", "Widget", "w", "");
    let app = of(&(container("web", LOGIN) + &owned + &widget), &[]);
    assert_eq!((others(&app), needed(&app)), (vec!["Widget w".to_owned()], vec![]));
    for (text, reason) in [
        (owned.clone(), "login: Widget w, which made it, could not be read or does not exist"),
        (
            secret("annotations: {cert-manager.io/certificate-name: c}"),
            "login: Certificate c, which made it, could not be read or does not exist",
        ),
        (
            secret("annotations: {reflector.v1.k8s.emberstack.com/reflects: infra/wildcard}"),
            "login: Reflector made it as a copy of infra/wildcard",
        ),
        // Kubernetes' own owners end the Secret with themselves, and make none.
        (
            secret(
                "ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: '1'}]",
            ),
            "login: ",
        ),
    ] {
        assert_eq!(needed(&of(&(container("web", LOGIN) + &text), &[])), [reason]);
    }
}

#[test]
fn what_is_left_out_or_shared_makes_nothing() {
    let certificate =
        object("cert-manager.io/v1", "Certificate", "c", ", spec: {secretName: login}");
    let text = container("web", LOGIN) + &certificate;
    let app = of(&text, &[("Certificate", "c")]);
    assert_eq!(others(&app), [""; 0]);
    assert_eq!(needed(&app), ["login: Certificate c, which made it, was left out on request"]);
    let ingress =
        object("networking.k8s.io/v1", "Ingress", "i", ", spec: {tls: [{secretName: login}]}");
    for (other, name) in [(container("other", LOGIN), "Deployment other"), (ingress, "Ingress i")] {
        let app = of(&(text.clone() + &other), &[]);
        assert_eq!(others(&app), [""; 0]);
        assert_eq!(needed(&app), [format!("login: Certificate c makes it, for {name} as well")]);
    }
}

/// A Secret brings in neither traffic nor workloads of others.
#[test]
fn what_is_another_applications_does_not_go_along_for_a_secret() {
    let ingress =
        "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, annotations:
        {cert-manager.io/issuer: x}}, spec: {tls: [{secretName: login}]}}\n---\n";
    let app = of(&(container("web", LOGIN) + ingress), &[]);
    assert_eq!(others(&app), [""; 0]);
    assert_eq!(needed(&app), ["login: Ingress i makes it, and is not part of the application"]);
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: db-1, ownerReferences:
        [{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, name: db, uid: '1', controller: true}]}}\n---\n";
    let uses = "envFrom: [{secretRef: {name: db-app}}]";
    let cluster = object("postgresql.cnpg.io/v1", "Cluster", "db", "");
    let app = of(&(container("web", uses) + &cluster + pod), &[]);
    assert_eq!(others(&app), [""; 0]);
    assert_eq!(needed(&app), ["db-app: Cluster db makes it, and is not part of the application"]);
}

#[test]
fn a_sealed_secret_is_said_to_open_here_alone() {
    let text = container("web", LOGIN)
        + &object(
            "bitnami.com/v1alpha1",
            "SealedSecret",
            "login",
            ", spec: {encryptedData: {password: AgBy3i4OJSWK}}",
        );
    let app = of(&text, &[]);
    assert_eq!((others(&app), needed(&app)), (vec!["SealedSecret login".to_owned()], vec![]));
    let found = codes(&app);
    assert!(
        found.contains(&"SEALED_SECRET_CLUSTER_BOUND SealedSecret login".to_owned()),
        "{found:?}"
    );
    assert!(!found.iter().any(|code| code.starts_with("PLAINTEXT_SECRET")), "{found:?}");
    let app = of(&text, &[("SealedSecret", "login")]);
    assert_eq!(needed(&app), ["login: SealedSecret login, which made it, was left out on request"]);
}

#[test]
fn a_token_of_an_account_is_made_empty_and_filled_there() {
    let text = container("web", LOGIN)
        + "{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {name: login,
           annotations: {kubernetes.io/service-account.name: robot, kubernetes.io/service-account.uid: '7'}},
           data: {token: YQ==, ca.crt: YQ==}}";
    let app = of(&text, &[]);
    let secret = &app.secrets[0];
    assert!(secret.is_filled() && secret.keys.is_empty() && secret.complete);
    let annotations: Vec<_> = secret.annotations.iter().collect();
    assert_eq!(
        annotations,
        [(&"kubernetes.io/service-account.name".to_owned(), &"robot".to_owned())]
    );
}

/// What a person wrote into the metadata of a Secret: things are found by it.
#[test]
fn labels_and_annotations_of_a_person_are_kept() {
    let app = of(
        &(container("web", LOGIN)
            + "{apiVersion: v1, kind: Secret, immutable: true, metadata: {name: login,
               labels: {grafana_datasource: '1', app.kubernetes.io/managed-by: Helm},
               annotations: {note: mine, copy: the value is canary, meta.helm.sh/release-name: web}},
               stringData: {a: canary}}"),
        &[],
    );
    let secret = &app.secrets[0];
    let texts = |map: &std::collections::BTreeMap<String, String>| -> Vec<String> {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect()
    };
    assert_eq!(texts(&secret.labels), ["grafana_datasource=1"]);
    assert_eq!(texts(&secret.annotations), ["note=mine"]);
    assert!(secret.immutable);
}
