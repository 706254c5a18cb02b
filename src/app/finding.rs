//! Findings: everything that a user should know of an export or a conversion, by code. `docs/FINDINGS.md` is
//! generated from this table.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ObjectId;

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// The chart works, but perhaps not as expected.
    Warning,
    /// The chart will not work without what `remedy` says.
    Error,
}

/// One thing that a user should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// How much it matters: the code's severity, for those who read the JSON.
    pub severity: Severity,
    /// The object, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// The field of the object, as a dotted path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was seen, in a sentence.
    pub text: String,
    /// What to do about it, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident $code:literal $severity:ident,)+) => {
        /// The closed list of findings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[schemars(rename = "FindingCode")]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $name,)+
        }

        impl Code {
            /// Every code, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it is printed.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }

            /// What it means, as `docs/FINDINGS.md` says it.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }
        }
    };
}

codes! {
    /// Something beside Kubernetes must run in the target cluster: an injector, a mesh, a controller, a scheduler.
    AddonRequired "ADDON_REQUIRED" Warning,
    /// An address, network or port is the one of the place where the application ran.
    AddressFixed "ADDRESS_FIXED" Warning,
    /// A person chose the address of a Service inside of the cluster; the chart leaves it to the target cluster.
    AddressNotExported "ADDRESS_NOT_EXPORTED" Warning,
    /// A later release of Kubernetes, or of a custom resource, stops serving the API version.
    ApiDeprecated "API_DEPRECATED" Info,
    /// Clusters do not serve the API version any more.
    ApiRemoved "API_REMOVED" Error,
    /// The system that an export is emitted for has no place for an object or field, or reads it otherwise.
    ApplicationFieldLost "APPLICATION_FIELD_LOST" Warning,
    /// No registry that Control Tower is configured with has the image of a specification.
    AvassaImageUnresolved "AVASSA_IMAGE_UNRESOLVED" Warning,
    /// An object is being deleted; it was exported as it still is.
    BeingDeleted "BEING_DELETED" Warning,
    /// A kind or object could not be read, and the export was told to go on without it.
    CannotRead "CANNOT_READ" Warning,
    /// The chart, or a file of it, is larger than helm loads; it was made as asked.
    ChartTooLarge "CHART_TOO_LARGE" Error,
    /// The newest version at the destination is later than the clock; the next second after it was taken.
    ClockBehind "CLOCK_BEHIND" Warning,
    /// Annotations mean something at one cloud alone.
    CloudAnnotation "CLOUD_ANNOTATION" Warning,
    /// Pods get an identity at a cloud, which knows it by the cluster and the service account.
    CloudIdentity "CLOUD_IDENTITY" Warning,
    /// A cluster role gives rights that an administrator asks about: everything, Secrets everywhere, more rights.
    ClusterRights "CLUSTER_RIGHTS" Warning,
    /// A cluster-scoped or foreign object is needed and is not part of the chart.
    ClusterScopedRequired "CLUSTER_SCOPED_REQUIRED" Warning,
    /// Text holds a control character that server-side apply, which is the default of helm 4, refuses.
    ControlCharacter "CONTROL_CHARACTER" Warning,
    /// The definition of a custom resource is in the chart; helm installs it where it is absent, and never changes it.
    CrdIncluded "CRD_INCLUDED" Info,
    /// Nothing names a class, so that the target cluster must have a default one.
    DefaultClassRequired "DEFAULT_CLASS_REQUIRED" Info,
    /// A list held the same environment variable or port twice; the last one was kept.
    DuplicateKey "DUPLICATE_KEY" Warning,
    /// The App image of a Manifest of Nokia EDA is made by edabuilder, and not by an export.
    EdaAppImage "EDA_APP_IMAGE" Info,
    /// Applications of Nokia EDA that embed container images do not work with Artifactory; external references are untested there.
    EdaArtifactory "EDA_ARTIFACTORY" Warning,
    /// A Registry says `mirrorUrl`, as Nokia's page does; its definition only knows `mirror`.
    EdaMirrorAlias "EDA_MIRROR_ALIAS" Warning,
    /// A mirror has a path or a scheme; Nokia EDA exchanges the host alone.
    EdaMirrorPath "EDA_MIRROR_PATH" Warning,
    /// A Secret lacks the label without which the EDA Store does not pick it up.
    EdaSecretLabel "EDA_SECRET_LABEL" Warning,
    /// A container was added to a running pod to look into it. It is not exported.
    EphemeralContainer "EPHEMERAL_CONTAINER" Info,
    /// What Epinio notes down of an application is not exported: the chart runs without Epinio.
    EpinioSkipped "EPINIO_SKIPPED" Info,
    /// An object was left out on request.
    Excluded "EXCLUDED" Info,
    /// A hook of a Helm release, which runs around installs and upgrades, is not exported.
    HelmHookSkipped "HELM_HOOK_SKIPPED" Warning,
    /// Helm's record of the release is damaged; its objects were found by their annotations.
    HelmRecordBroken "HELM_RECORD_BROKEN" Warning,
    /// Helm's record of the release may not be read; its objects were found by their annotations.
    HelmRecordNotRead "HELM_RECORD_NOT_READ" Info,
    /// An object of the Helm release is gone, or one that its record does not name says that it is the release's.
    HelmReleaseDiffers "HELM_RELEASE_DIFFERS" Warning,
    /// The newest revision of the Helm release failed, or has not ended.
    HelmReleaseUnfinished "HELM_RELEASE_UNFINISHED" Warning,
    /// Pods use the network, processes, memory or a port of their node.
    HostAccess "HOST_ACCESS" Warning,
    /// Pods mount a directory of their node; what is in it is not exported.
    HostPath "HOST_PATH" Warning,
    /// What runs is not what the tag points to now; what runs was exported.
    ImageDrift "IMAGE_DRIFT" Warning,
    /// An address that only the cluster knows was read at another one of the same registry.
    ImageMapped "IMAGE_MAPPED" Info,
    /// Pods of one workload run different contents under one reference.
    ImageMixed "IMAGE_MIXED" Warning,
    /// An image that stays where it is could not be read. It is pinned to what the nodes report.
    ImageNotRead "IMAGE_NOT_READ" Warning,
    /// An operator runs an image that no exported object names. It was copied; the operator has to be pointed there.
    ImageOfOperator "IMAGE_OF_OPERATOR" Warning,
    /// The node reports another repository for the image; the content was verified to be the same.
    ImageReportedElsewhere "IMAGE_REPORTED_ELSEWHERE" Info,
    /// An image was missing at the destination and has been copied again.
    ImageRestored "IMAGE_RESTORED" Warning,
    /// A container in the pods is not in the workload's template: something injected it. It is not exported.
    InjectedContainer "INJECTED_CONTAINER" Info,
    /// Agents of ioFog do not look at certificates; the container engine of each node must know them.
    IofogCertificateUnused "IOFOG_CERTIFICATE_UNUSED" Warning,
    /// Java agents of ioFog cannot pull images by digest or from a host with a port.
    IofogImageUnpullable "IOFOG_IMAGE_UNPULLABLE" Warning,
    /// A private registry of ioFog has no user name or password.
    IofogKeyMissing "IOFOG_KEY_MISSING" Error,
    /// A public registry of ioFog has credentials: they are not used, and every agent gets them.
    IofogPublicCredentials "IOFOG_PUBLIC_CREDENTIALS" Warning,
    /// The number of the row that an image is pulled with is not known; a placeholder stands for it.
    IofogRegistryIdOpen "IOFOG_REGISTRY_ID_OPEN" Warning,
    /// A Job that no CronJob owns is not exported.
    JobSkipped "JOB_SKIPPED" Info,
    /// A kind that rules the namespace or cluster is not part of an application, and not exported.
    KindSkipped "KIND_SKIPPED" Info,
    /// Older releases of Kubernetes ignore a field that the application relies on.
    KubernetesVersionRequired "KUBERNETES_VERSION_REQUIRED" Info,
    /// A Service waits for a load balancer, which not every cluster has.
    LoadBalancerRequired "LOAD_BALANCER_REQUIRED" Info,
    /// The name of the source namespace stands in user data.
    NamespaceInData "NAMESPACE_IN_DATA" Warning,
    /// The name of the source namespace stood in user data; the chart writes the release's, as asked.
    NamespaceRewritten "NAMESPACE_REWRITTEN" Info,
    /// The namespace is being deleted: parts of the application may be gone already.
    NamespaceTerminating "NAMESPACE_TERMINATING" Warning,
    /// Pods only run on nodes with certain labels, or on one node.
    NodeLabelRequired "NODE_LABEL_REQUIRED" Warning,
    /// Pods only run on nodes with a resource such as a GPU.
    NodeResourceRequired "NODE_RESOURCE_REQUIRED" Warning,
    /// Pods tolerate a taint that a person gave to nodes.
    NodeTaintTolerated "NODE_TAINT_TOLERATED" Info,
    /// An object is not this application's alone, or cannot be taken along: it was not exported.
    NotExported "NOT_EXPORTED" Warning,
    /// Something in another namespace is used, which the chart does not bring.
    OtherNamespace "OTHER_NAMESPACE" Warning,
    /// A password, token or key stands in plain text in an object that is exported.
    PlaintextSecret "PLAINTEXT_SECRET" Warning,
    /// An image is not there for a platform that was asked for, or that nodes of the cluster have.
    PlatformMissing "PLATFORM_MISSING" Warning,
    /// Only some platforms of an index were exported; signatures of the index do not apply to the new one.
    PlatformSubset "PLATFORM_SUBSET" Warning,
    /// Pods may not run in namespaces of Pod Security level `restricted`.
    PodSecurityBaseline "POD_SECURITY_BASELINE" Info,
    /// Pods only run in namespaces of Pod Security level `privileged`.
    PodSecurityPrivileged "POD_SECURITY_PRIVILEGED" Warning,
    /// A Pod that has finished, or that a node made of a file, is not exported.
    PodSkipped "POD_SKIPPED" Info,
    /// The chart of a layout without a pull address refers to the images where they came from.
    PullAddressMissing "PULL_ADDRESS_MISSING" Warning,
    /// A pull secret belonged to the old registry and was dropped.
    PullSecretDropped "PULL_SECRET_DROPPED" Info,
    /// An object refers to one that does not exist.
    ReferenceMissing "REFERENCE_MISSING" Error,
    /// The chart was rewritten for another place; signatures and reports of the original are not about it and stayed behind.
    ReferrersLeft "REFERRERS_LEFT" Warning,
    /// A registry has no address, or one that is none; it is not used.
    RegistryAddressInvalid "REGISTRY_ADDRESS_INVALID" Error,
    /// The address of a registry has a path, which its system does not use.
    RegistryAddressPath "REGISTRY_ADDRESS_PATH" Warning,
    /// The row is ioFog's cache of images, which is no registry elsewhere.
    RegistryCacheOnly "REGISTRY_CACHE_ONLY" Info,
    /// A certificate is not PEM.
    RegistryCaInvalid "REGISTRY_CA_INVALID" Warning,
    /// The other system has no place for a certificate authority.
    RegistryCaLost "REGISTRY_CA_LOST" Warning,
    /// The other system has one credential for a registry; those of single repositories are left out.
    RegistryCredentialsLost "REGISTRY_CREDENTIALS_LOST" Warning,
    /// The other system has one credential for each entry; a registry became several.
    RegistryCredentialsSplit "REGISTRY_CREDENTIALS_SPLIT" Info,
    /// The other system has no default registry.
    RegistryDefaultLost "REGISTRY_DEFAULT_LOST" Warning,
    /// Two entries have one address, and which of them is used is not documented.
    RegistryDuplicate "REGISTRY_DUPLICATE" Warning,
    /// A field has a value that its system does not take; it was passed over.
    RegistryFieldInvalid "REGISTRY_FIELD_INVALID" Warning,
    /// The other system has no place for a field.
    RegistryFieldLost "REGISTRY_FIELD_LOST" Info,
    /// A field is not known; it is kept for its own system.
    RegistryFieldUnknown "REGISTRY_FIELD_UNKNOWN" Warning,
    /// An id is not one that ioFog gives.
    RegistryIdInvalid "REGISTRY_ID_INVALID" Warning,
    /// The other system has no numeric ids.
    RegistryIdLost "REGISTRY_ID_LOST" Info,
    /// The other system has no mirrors.
    RegistryMirrorLost "REGISTRY_MIRROR_LOST" Warning,
    /// The other system has no names for registries.
    RegistryNameLost "REGISTRY_NAME_LOST" Info,
    /// The other system has no path before repositories.
    RegistryPathLost "REGISTRY_PATH_LOST" Warning,
    /// A placeholder stands where a value belongs.
    RegistryPlaceholder "REGISTRY_PLACEHOLDER" Warning,
    /// The other system only speaks HTTPS.
    RegistryPlainHttpLost "REGISTRY_PLAIN_HTTP_LOST" Warning,
    /// A Secret that a registry names is not there.
    RegistrySecretMissing "REGISTRY_SECRET_MISSING" Warning,
    /// The other system cannot leave out the verification of certificates.
    RegistrySkipVerifyLost "REGISTRY_SKIP_VERIFY_LOST" Warning,
    /// The other system wants a user name beside a token.
    RegistryUsernameMissing "REGISTRY_USERNAME_MISSING" Warning,
    /// The chart of a Helm release cannot be rebuilt and pinned as `--chart-from release` asks; the chart was made of what runs.
    ReleaseChartUnusable "RELEASE_CHART_UNUSABLE" Warning,
    /// An object was changed behind the back of its Helm release, whose chart does not bring that back.
    ReleaseDrift "RELEASE_DRIFT" Warning,
    /// The release is near the limit of the one Secret, of 1 MiB, that helm keeps it in, or beyond it as asked.
    ReleaseTooLarge "RELEASE_TOO_LARGE" Warning,
    /// The chart does not render a field or object as it ran; exported because of `--allow-differences`.
    RenderDiffers "RENDER_DIFFERS" Error,
    /// The registry did not take the report that is attached to a chart; chart and images are whole.
    ReportNotAttached "REPORT_NOT_ATTACHED" Warning,
    /// A rollout was in progress; what the current revision's pods run was taken, or the images of the template where none runs.
    RolloutInProgress "ROLLOUT_IN_PROGRESS" Warning,
    /// A SealedSecret opens only with the key of the cluster that it was sealed for.
    SealedSecretClusterBound "SEALED_SECRET_CLUSTER_BOUND" Warning,
    /// Secret values were put into the chart, encrypted for the recipients that were named.
    SecretEncrypted "SECRET_ENCRYPTED" Info,
    /// Secret values were put into the chart in clear, as asked.
    SecretIncluded "SECRET_INCLUDED" Warning,
    /// A Secret's keys could not all be known without reading it.
    SecretKeysUnknown "SECRET_KEYS_UNKNOWN" Info,
    /// Something that is exported makes the Secret, so that neither values nor an object are needed.
    SecretMade "SECRET_MADE" Info,
    /// Secret values were asked for and could not be read; the chart comes without them.
    SecretNotIncluded "SECRET_NOT_INCLUDED" Error,
    /// A Secret must exist, or its values be given, where the chart is installed.
    SecretRequired "SECRET_REQUIRED" Info,
    /// A claim asks for a volume that several nodes mount, which few storage classes give.
    SharedVolumeRequired "SHARED_VOLUME_REQUIRED" Warning,
    /// Objects kept changing while they were read.
    SnapshotMoved "SNAPSHOT_MOVED" Warning,
    /// Helm cannot upgrade from the newest version: a field has changed that the API server does not change.
    UpgradeNeedsRecreate "UPGRADE_NEEDS_RECREATE" Warning,
    /// The newest version could not be rendered, so whether helm can upgrade from it is not known.
    UpgradeUnknown "UPGRADE_UNKNOWN" Info,
    /// The version given is below the newest one at the destination, which helm goes on picking.
    VersionNotLatest "VERSION_NOT_LATEST" Warning,
    /// The chart recreates the volume claim, not the data in the volume.
    VolumeDataNotExported "VOLUME_DATA_NOT_EXPORTED" Warning,
    /// Pods mount storage that is outside of the chart, or a claim takes certain volumes only.
    VolumeExternal "VOLUME_EXTERNAL" Warning,
}

impl Finding {
    /// A finding about no object in particular.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            object: None,
            field: None,
            text: text.into(),
            remedy: String::new(),
        }
    }

    /// The same, about an object.
    #[must_use]
    pub fn on(mut self, object: ObjectId) -> Self {
        self.object = Some(object);
        self
    }

    /// The same, about a field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// The table of findings, as `docs/FINDINGS.md` has it.
pub fn markdown() -> String {
    let mut text =
        "# Findings\n\nWhat an export, or a conversion of registries, reports, by code. The list is closed: tools may rely on \
                    the codes.\n\n| code | severity | meaning |\n| --- | --- | --- |\n"
            .to_owned();
    for code in Code::ALL {
        let (severity, meaning) = (code.severity(), code.meaning().trim());
        text.push_str(&format!("| `{code}` | {severity} | {meaning} |\n"));
    }
    text
}

/// Text that is no code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no code of docs/FINDINGS.md")]
pub struct UnknownCode(pub String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let known = Self::ALL.iter().find(|code| code.as_str() == text);
        known.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_each_says_what_it_means() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.is_sorted(), "{codes:?}");
        for code in Code::ALL {
            assert!(code.meaning().trim().ends_with('.'), "{code}");
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn the_table_has_a_row_for_each() {
        let text = markdown();
        assert_eq!(text.lines().filter(|line| line.starts_with("| `")).count(), Code::ALL.len());
        assert!(
            text.contains("| `JOB_SKIPPED` | info | A Job that no CronJob owns is not exported. |")
        );
    }
}
