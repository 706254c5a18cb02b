//! Secrets that something makes: what makes them is exported in their place, and makes them again.
//! Works without reading a Secret: the makers say which they make.

use std::collections::HashMap;

use serde_json::Value;

use super::{Index, Taken, Walk};
use crate::app::kinds::{self, Kind};
use crate::app::view::{Entry, Place, View};
use crate::app::{Code, Finding, Object, path};

/// How an object tells which Secrets it makes.
enum Tells {
    /// They have its own name.
    Own,
    /// They have its own name, with one of these behind.
    Suffix(&'static [&'static str]),
    /// In these fields.
    At(&'static str),
}

const CERTIFICATE: Kind = ("cert-manager.io", "Certificate");
const EXTERNAL_SECRET: Kind = ("external-secrets.io", "ExternalSecret");
const SEALED_SECRET: Kind = ("bitnami.com", "SealedSecret");

/// As the operators' own documentation says. Every other kind is known by owner references, where
/// Secrets could be read.
const MAKERS: [(Kind, Tells); 14] = [
    (SEALED_SECRET, Tells::Own),
    (CERTIFICATE, Tells::At("spec.secretName")),
    (("kafka.strimzi.io", "KafkaUser"), Tells::Own),
    (("onepassword.com", "OnePasswordItem"), Tells::Own),
    (
        ("postgresql.cnpg.io", "Cluster"),
        Tells::Suffix(&["-app", "-superuser", "-ca", "-server", "-replication"]),
    ),
    (("rabbitmq.com", "RabbitmqCluster"), Tells::Suffix(&["-default-user"])),
    (kinds::SECRET_PROVIDER_CLASS, Tells::At("spec.secretObjects[].secretName")),
    (("secrets.doppler.com", "DopplerSecret"), Tells::At("spec.managedSecret.name")),
    (("secrets.hashicorp.com", "HCPVaultSecretsApp"), Tells::At("spec.destination.name")),
    (("secrets.hashicorp.com", "VaultDynamicSecret"), Tells::At("spec.destination.name")),
    (("secrets.hashicorp.com", "VaultPKISecret"), Tells::At("spec.destination.name")),
    (("secrets.hashicorp.com", "VaultStaticSecret"), Tells::At("spec.destination.name")),
    (
        ("secrets.infisical.com", "InfisicalSecret"),
        Tells::At("spec.managedSecretReference.secretName"),
    ),
    (("spv.no", "AzureKeyVaultSecret"), Tells::At("spec.output.secret.name")),
];

/// Where a resource of Crossplane names the Secret that its controller writes.
const CONNECTION: &str = "spec.writeConnectionSecretToRef.name";

/// Annotations of a Service for which OpenShift makes a certificate.
const SERVING_CERTIFICATES: [&str; 2] = [
    "service.alpha.openshift.io/serving-cert-secret-name",
    "service.beta.openshift.io/serving-cert-secret-name",
];

/// Annotations of an Ingress for which cert-manager makes the certificates.
const ISSUERS: [&str; 4] = [
    "cert-manager.io/cluster-issuer",
    "cert-manager.io/issuer",
    "certmanager.k8s.io/cluster-issuer",
    "kubernetes.io/tls-acme",
];

/// Annotation of a Secret with the name of the Certificate that it is of.
const CERTIFICATE_NAME: &str = "cert-manager.io/certificate-name";

/// Annotations of Secrets that a controller copies from elsewhere, and who does.
const COPIES: [(&str, &str); 4] = [
    ("kubed.appscode.com/origin", "Config Syncer"),
    ("reflector.v1.k8s.emberstack.com/reflects", "Reflector"),
    ("replicator.v1.mittwald.de/replicate-from", "kubernetes-replicator"),
    ("replicator.v1.mittwald.de/replicated-from-version", "kubernetes-replicator"),
];

/// What is to be done about a Secret that something makes.
pub(super) enum Made {
    /// Nothing: what makes it goes along.
    Again,
    /// It must be there all the same, for this reason.
    Required(String),
    /// Nothing is known to make it.
    ByHand,
}

/// What makes Secrets here, by the names of the Secrets.
pub(super) fn makers(view: &View<'_>) -> HashMap<String, Index> {
    let here = view.all().filter(|(_, entry)| entry.place == Place::Here);
    let made = here
        .flat_map(|(index, entry)| made_by(entry).into_iter().map(move |secret| (secret, index)));
    // The first one stays, as with the controllers: the others report a conflict.
    let mut makers = HashMap::new();
    for (secret, index) in made {
        makers.entry(secret).or_insert(index);
    }
    makers
}

fn made_by(entry: &Entry<'_>) -> Vec<String> {
    let object = entry.object;
    let texts = |at: &str| -> Vec<String> {
        let found = path::find(object.fields(), at).into_iter();
        found.filter_map(|(_, name)| Some(name.as_str()?.to_owned())).collect()
    };
    let name = object.name();
    if entry.is(EXTERNAL_SECRET) {
        return external(object);
    }
    if entry.is(kinds::SERVICE) {
        let named = SERVING_CERTIFICATES.iter().filter_map(|key| object.annotation(key));
        return named.map(str::to_owned).collect();
    }
    if entry.is(kinds::INGRESS) {
        let issued =
            ISSUERS.iter().any(|key| object.annotation(key).is_some_and(|it| it != "false"));
        return if issued { texts("spec.tls[].secretName") } else { Vec::new() };
    }
    if kinds::is_builtin(object) {
        return Vec::new();
    }
    let row = MAKERS.iter().find(|(kind, _)| entry.is(*kind));
    match row.map(|(_, tells)| tells) {
        Some(Tells::Own) => vec![name.to_owned()],
        Some(Tells::Suffix(ends)) => ends.iter().map(|end| format!("{name}{end}")).collect(),
        Some(Tells::At(at)) if makes(object) => texts(at),
        Some(Tells::At(_)) => Vec::new(),
        None => texts(CONNECTION),
    }
}

/// An ExternalSecret makes the Secret unless it is told to fill one that is there.
fn external(object: &Object) -> Vec<String> {
    match object.text("/spec/target/creationPolicy") {
        Some("Merge" | "None") => Vec::new(),
        _ => vec![object.text("/spec/target/name").unwrap_or(object.name()).to_owned()],
    }
}

/// HashiCorp's operator fills a Secret that is there, unless it is told to make one.
fn makes(object: &Object) -> bool {
    object.group() != "secrets.hashicorp.com"
        || object.at("/spec/destination/create") == Some(&Value::Bool(true))
}

impl Walk<'_, '_> {
    /// What makes the Secret, be it read or not, becomes a member.
    pub(super) fn made(&mut self, makers: &HashMap<String, Index>, name: &str) -> Made {
        let read = self.view.named(kinds::SECRET, name);
        let owner = read.and_then(|secret| self.view.top(secret)).filter(|top| Some(*top) != read);
        let issuer = read.and_then(|secret| {
            let certificate = self.view.entries[secret].object.annotation(CERTIFICATE_NAME)?;
            self.view.named(CERTIFICATE, certificate)
        });
        let maker = owner.or(issuer).or_else(|| makers.get(name).copied());
        match (maker, read) {
            (Some(maker), _) => self.take_maker(maker, name),
            (None, Some(secret)) => self.unknown_maker(secret),
            (None, None) => Made::ByHand,
        }
    }

    fn take_maker(&mut self, maker: Index, name: &str) -> Made {
        let top = self.view.top(maker).unwrap_or(maker);
        let title = self.id(top);
        if !self.ours(maker) {
            let mut others = self.others_using_secret(name);
            others.retain(|other| *other != top);
            if !others.is_empty() {
                let others = self.names(&others);
                return Made::Required(format!("{title} makes it, for {others} as well"));
            }
            // A Secret brings in neither traffic nor workloads.
            if kinds::is_builtin(self.view.entries[top].object) || self.workloads.makes_others(top)
            {
                let why = "makes it, and is not part of the application";
                return Made::Required(format!("{title} {why}"));
            }
        }
        let why = match self.take(maker) {
            Taken::Yes => {
                let text = format!("{title} makes Secret {name} where the chart is installed");
                self.findings.push(Finding::new(Code::SecretMade, text).on(title));
                return Made::Again;
            }
            Taken::Excluded => "was left out on request",
            Taken::Foreign => "is another application's",
            Taken::Never => "is not exported",
        };
        Made::Required(format!("{title}, which made it, {why}"))
    }

    /// Workloads and Ingresses of others that use the Secret.
    fn others_using_secret(&self, name: &str) -> Vec<Index> {
        let ingresses = self.view.of_kind(kinds::INGRESS).filter(|(index, entry)| {
            let named = path::find(entry.object.fields(), "spec.tls[].secretName");
            named.iter().any(|(_, secret)| **secret == *name) && !self.ours(*index)
        });
        let workloads = self.workloads.others_using(kinds::SECRET, name).iter().copied();
        workloads.chain(ingresses.map(|(index, _)| index)).collect()
    }

    /// A Secret that says that something made it which is not here.
    fn unknown_maker(&self, secret: Index) -> Made {
        let object = self.view.entries[secret].object;
        if let Some(certificate) = object.annotation(CERTIFICATE_NAME) {
            return Made::Required(format!(
                "Certificate {certificate}, which made it, could not be read or does not exist"
            ));
        }
        let copied = COPIES.iter().find_map(|(key, who)| Some((object.annotation(key)?, *who)));
        if let Some((from, who)) = copied {
            let from = if from.contains('/') { format!(" of {from}") } else { String::new() };
            return Made::Required(format!("{who} made it as a copy{from}"));
        }
        let owners = object.at("/metadata/ownerReferences").and_then(Value::as_array);
        let owner = owners.into_iter().flatten().find_map(|owner| {
            let text = |key: &str| owner.get(key).and_then(Value::as_str);
            let group = text("apiVersion")?.split_once('/').map_or("", |(group, _)| group);
            let foreign = !kinds::is_builtin_group(group);
            foreign.then(|| Some(format!("{} {}", text("kind")?, text("name")?)))?
        });
        owner.map_or(Made::ByHand, |owner| {
            Made::Required(format!("{owner}, which made it, could not be read or does not exist"))
        })
    }

    /// Only the controller that has the key opens a SealedSecret.
    pub(super) fn sealed_secrets(&mut self) {
        let members = self.members.iter().copied();
        let sealed = members.filter(|index| self.view.entries[*index].is(SEALED_SECRET));
        let findings: Vec<Finding> = sealed
            .map(|index| {
                let id = self.id(index);
                let text = format!("{id} opens with the key of this cluster's controller alone");
                let remedy = format!(
                    "Copy the controller's key to the target cluster, or leave the SealedSecret out \
                     (`--exclude SealedSecret/{}`), so that its Secret goes as `--secrets` says.",
                    id.name
                );
                Finding::new(Code::SealedSecretClusterBound, text).on(id).remedy(remedy)
            })
            .collect();
        self.findings.extend(findings);
    }
}
