//! A cluster that knows the resource, replicas of the server there, and an application to export.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::deploy::{as_yaml, rendered};
use crate::export::shop::{declare_as, manifests, push_images};
use crate::support::block_on;
use crate::support::cluster::Cluster;
use crate::support::faulty::{Fault, Faulty, Trouble};
use crate::support::images::{Image, digest};
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;
use crate::support::server::Server;

pub(in crate::server) const SYSTEM: &str = "outhaul-system";
pub(in crate::server) const API: &str = "outhaul.dev/v1alpha1";

/// How long the API server may take to see what was applied: kinds and rights come by watches.
const SEEN: Duration = Duration::from_secs(60);

/// What the service account of the example may: what ClusterRole `view` gives, and its Roles.
pub(in crate::server) const MAY_READ: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:aggregate-to-view}
subjects: [{kind: ServiceAccount, name: exporter}]
";
pub(in crate::server) const MAY_READ_ROLES: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reads-roles}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads-roles}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads-roles}
subjects: [{kind: ServiceAccount, name: exporter}]
";
pub(in crate::server) const MAY_USE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: uses}
rules:
- {apiGroups: [outhaul.dev], resources: [destinations], verbs: [use]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: uses}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: uses}
subjects: [{kind: ServiceAccount, name: exporter}]
";

/// To ask for exports, to see and to cancel them over HTTP.
pub(in crate::server) const MAY_SEE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: sees}
rules:
- {apiGroups: [outhaul.dev], resources: [exports], verbs: [get, list, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: sees}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: sees}
subjects: [{kind: ServiceAccount, name: exporter}]
";

/// To make, see, change, run and remove schedules over HTTP.
pub(in crate::server) const MAY_SCHEDULE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: schedules}
rules:
- apiGroups: [outhaul.dev]
  resources: [exportschedules]
  verbs: [get, list, create, update, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: schedules}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: schedules}
subjects: [{kind: ServiceAccount, name: exporter}]
";

/// A cluster that knows the resource.
pub(in crate::server) struct Site {
    pub(in crate::server) cluster: Cluster,
    /// With which its servers ask the cluster.
    kubeconfig: PathBuf,
}

/// An application there, with a destination of its own.
pub(in crate::server) struct Shop<'s> {
    sources: Sources,
    pub(in crate::server) destination: Registry,
    pub(in crate::server) namespace: Namespace<'s>,
    /// Digest of the image that is last to be copied, as the test decides.
    big: Option<Image>,
}

enum Sources {
    Real(#[expect(dead_code, reason = "it only has to run")] Registry),
    Faulty(Faulty),
}

impl Site {
    pub(in crate::server) fn start() -> Self {
        Self::of(Cluster::start())
    }

    /// One that does not know the resource.
    pub(in crate::server) fn bare() -> Self {
        Self::bare_of(Cluster::start())
    }

    fn bare_of(cluster: Cluster) -> Self {
        cluster.named_namespace(SYSTEM);
        let kubeconfig = cluster.kubeconfig("admin");
        Self { cluster, kubeconfig }
    }

    fn of(cluster: Cluster) -> Self {
        let site = Self::bare_of(cluster);
        site.cluster.apply(&outhaul::cluster::record::crd_yaml().unwrap());
        site.cluster.apply(&outhaul::cluster::record::schedule_crd_yaml().unwrap());
        until("exports and schedules are served", || {
            ["exports", "exportschedules"].iter().all(|plural| {
                site.send("admin", "GET", &format!("/apis/{API}/{plural}"), &Value::Null).is_ok()
            })
        });
        site
    }

    /// One where the chart is installed with these values. Its servers have the account of the chart.
    pub(in crate::server) fn deployed(values: &Value) -> Self {
        Self::start().install(values)
    }

    /// The same with exports in Jobs, which are carried out but for their pods.
    pub(in crate::server) fn with_jobs() -> Self {
        let values = json!({"server": {"executor": "job"}, "job": {"queue": "exports"}});
        Self::on(Cluster::start().add_job_controllers(), &values)
    }

    /// One in this cluster, with the chart of these values.
    pub(in crate::server) fn on(cluster: Cluster, values: &Value) -> Self {
        Self::of(cluster).install(values)
    }

    fn install(self, values: &Value) -> Self {
        let mut site = self;
        site.cluster.apply(&as_yaml("", rendered(values)));
        let token = site.system().token("outhaul", None);
        site.kubeconfig = site.cluster.kubeconfig_of("outhaul", &token);
        let probe = json!({
            "apiVersion": API, "kind": "Export", "metadata": {"name": "outhaul-policy-probe-1"},
            "spec": {"app": "a", "destination": "a"},
        });
        until("the policy is in force", || {
            site.create("admin", "default", &probe).is_err_and(|words| words.contains("in force"))
        });
        let policy =
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/outhaul-exports";
        let policy = site.send("admin", "GET", policy, &Value::Null).unwrap();
        let made: Timestamp =
            policy["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
        until("a record is younger than the policy by what it has to be", || {
            Timestamp::now().duration_since(made) > SignedDuration::from_secs(6)
        });
        site
    }

    /// What the API server answers a user, or says against it.
    pub(in crate::server) fn send(
        &self,
        user: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = hyper::http::Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let answer = block_on(async { self.cluster.client(user).await.request(request).await });
        answer.map_err(|error| error.to_string())
    }

    /// Makes an `Export` as a user, or what the API server says against it.
    pub(in crate::server) fn create(
        &self,
        user: &str,
        namespace: &str,
        export: &Value,
    ) -> Result<Value, String> {
        let path = format!("/apis/{API}/namespaces/{namespace}/exports");
        self.send(user, "POST", &path, export)
    }

    /// Whether somebody may do something, as the API server says it.
    pub(in crate::server) fn allows(
        &self,
        user: &str,
        groups: &[&str],
        attributes: &Value,
    ) -> bool {
        let kind = if attributes.get("path").is_some() { "nonResource" } else { "resource" };
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": groups, format!("{kind}Attributes"): attributes},
        });
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        self.send("admin", "POST", path, &review).unwrap()["status"]["allowed"] == true
    }

    /// A replica of the server.
    pub(in crate::server) fn serve(&self, name: &str, args: &[&str]) -> Server {
        let args = [&["--metrics-listen", "127.0.0.1:0"], args].concat();
        Server::start(self.outhaul(name), &args)
    }

    /// What a replica of the server is started as.
    pub(in crate::server) fn outhaul(&self, name: &str) -> Outhaul {
        Outhaul::new()
            .kubeconfig(&self.kubeconfig)
            .env("POD_NAME", name)
            .env("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM)
    }

    pub(in crate::server) fn system(&self) -> Namespace<'_> {
        self.cluster.named_namespace(SYSTEM)
    }

    pub(in crate::server) fn shop(&self) -> Shop<'_> {
        let sources = Registry::plain().start();
        push_images(&sources);
        let manifests = manifests(&sources);
        self.deploy(&manifests, Sources::Real(sources), None)
    }

    fn deploy(&self, manifests: &str, sources: Sources, big: Option<Image>) -> Shop<'_> {
        let namespace = self.cluster.namespace("shop");
        let destination = Registry::plain().tls().basic_auth("carol", "s3cret").start();
        declare_as(&self.system(), namespace.name(), &destination);
        namespace.apply(manifests);
        Shop { sources, destination, namespace, big }
    }

    /// The name of the replica that has the Lease.
    pub(in crate::server) fn leader(&self) -> Option<String> {
        let lease = self.system().get("coordination.k8s.io/v1", "Lease", "outhaul")?;
        let holder = lease.pointer("/spec/holderIdentity")?.as_str()?;
        holder.rsplit_once('_').map(|(name, _)| name.to_owned())
    }
}

impl Shop<'_> {
    /// Applies rights, and waits until the API server has seen them.
    pub(in crate::server) fn grant(&self, site: &Site, rights: &[&str]) {
        for yaml in rights {
            self.namespace.apply(yaml);
            let (verb, group, resource) = match *yaml {
                MAY_READ => ("list", "", "pods"),
                MAY_READ_ROLES => ("list", "rbac.authorization.k8s.io", "roles"),
                MAY_SEE => ("get", "outhaul.dev", "exports"),
                MAY_SCHEDULE => ("delete", "outhaul.dev", "exportschedules"),
                _ => ("use", "outhaul.dev", "destinations"),
            };
            let namespace = self.namespace.name();
            let what = json!({
                "verb": verb, "group": group, "resource": resource, "namespace": namespace,
            });
            let user = format!("system:serviceaccount:{namespace}:exporter");
            until("the right is seen", || site.allows(&user, &[], &what));
        }
    }

    pub(in crate::server) fn grant_all(&self, site: &Site) {
        self.grant(site, &[MAY_READ, MAY_READ_ROLES, MAY_USE]);
    }

    /// Asks for an export, as `kubectl create` does.
    pub(in crate::server) fn ask(&self, name: &str, further: &Value) {
        let mut spec = json!({
            "app": "shop", "destination": self.namespace.name(), "serviceAccountName": "exporter",
        });
        for (key, value) in further.as_object().unwrap() {
            spec[key] = value.clone();
        }
        spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let export = json!({
            "apiVersion": API, "kind": "Export", "metadata": {"name": name}, "spec": spec,
        });
        self.namespace.apply(&export.to_string());
    }

    /// Cancels an export, as `kubectl annotate` does.
    pub(in crate::server) fn cancel(&self, name: &str) {
        let metadata = json!({"name": name, "annotations": {"outhaul.dev/cancel": "yes"}});
        let export = json!({"apiVersion": API, "kind": "Export", "metadata": metadata});
        self.namespace.apply_as("somebody", &export.to_string());
    }

    pub(in crate::server) fn record(&self, name: &str) -> Value {
        self.namespace.get(API, "Export", name).unwrap()
    }

    /// Waits until the export is finished, and gives its status.
    pub(in crate::server) fn finished(&self, server: &Server, name: &str) -> Value {
        server.running().wait_for("finished", |_, _| {
            let status = self.record(name)["status"].clone();
            let phase = status["phase"].as_str().unwrap_or_default();
            ["Succeeded", "Failed", "Cancelled"].contains(&phase).then_some(status)
        })
    }

    /// The status of the export if a layer of the image is held back and the plan is written.
    pub(in crate::server) fn in_the_middle(&self, name: &str) -> Option<Value> {
        let status = self.record(name)["status"].clone();
        let is_held = |path: &str| path.ends_with(&self.layer());
        let requests = self.faulty().requests();
        let copying = requests.iter().any(|sent| sent.method == "GET" && is_held(&sent.path));
        (copying && status["planned"].is_object()).then_some(status)
    }

    pub(in crate::server) fn versions(&self) -> Vec<String> {
        let repository = format!("backups/{}-shop-chart", self.namespace.name());
        let mut tags = self.destination.target().tags(&repository);
        tags.retain(|tag| !tag.starts_with("sha256-"));
        tags
    }

    /// No chart is there, or the whole of its largest image.
    pub(in crate::server) fn assert_whole(&self) {
        if self.versions().is_empty() {
            return;
        }
        let (target, image) = (self.destination.target(), self.big.as_ref().unwrap());
        let repository = format!("backups/{}-shop-image", self.namespace.name());
        assert!(
            target.manifest(&repository, &image.digest()).is_some(),
            "a chart without its image"
        );
        for manifest in &image.manifests {
            assert!(target.manifest(&repository, &digest(manifest)).is_some());
        }
        for blob in image.blobs.keys() {
            assert!(target.blob(&repository, blob).is_some(), "a chart without {blob}");
        }
    }

    /// Digest of the layer that is held back.
    fn layer(&self) -> String {
        layer(self.big.as_ref().unwrap())
    }

    pub(in crate::server) fn faulty(&self) -> &Faulty {
        match &self.sources {
            Sources::Faulty(faulty) => faulty,
            Sources::Real(_) => panic!("a real registry has no faults"),
        }
    }
}

/// The cluster of the tests here that need one server, and that server.
pub(in crate::server) fn site() -> &'static (Site, Server) {
    static SHARED: OnceLock<(Site, Server)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let site = Site::start();
        let server = site.serve("only", &["--rate", "1000"]);
        (site, server)
    })
}

fn layer(image: &Image) -> String {
    image.blobs.iter().find(|(_, bytes)| bytes.len() == 200_000).unwrap().0.clone()
}

/// The cluster of the tests here that need the chart installed, and a server with its account.
pub(in crate::server) fn deployed() -> &'static (Site, Server) {
    static SHARED: OnceLock<(Site, Server)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let site = Site::deployed(&json!({}));
        let server = site.serve("only", &[]);
        (site, server)
    })
}

/// An application of one image, of which a layer is held back by its registry, for a minute or until
/// who asks has gone.
pub(in crate::server) fn held<'s>(site: &'s Site, times: usize) -> Shop<'s> {
    held_by(site, times, Trouble::StallAfter(1000))
}

/// The same with something else that happens to the layer.
pub(in crate::server) fn held_by<'s>(site: &'s Site, times: usize, trouble: Trouble) -> Shop<'s> {
    let (sources, image) = (Faulty::start(), Image::new(9, 4, 200_000));
    image.push(&sources.target(), "shop/web", "1.4.2");
    let held = Fault::on("GET", &format!("/blobs/{}", layer(&image)), trouble);
    sources.fault(held.times(times));
    let manifests = format!(
        "
apiVersion: v1
kind: ServiceAccount
metadata: {{name: exporter}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop, labels: {{app.kubernetes.io/name: shop}}}}
spec:
  selector: {{matchLabels: {{app.kubernetes.io/name: shop}}}}
  template:
    metadata: {{labels: {{app.kubernetes.io/name: shop}}}}
    spec: {{containers: [{{name: web, image: '{}/shop/web:1.4.2'}}]}}
",
        sources.address()
    );
    site.deploy(&manifests, Sources::Faulty(sources), Some(image))
}

pub(in crate::server) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < SEEN, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a layer of the image is held back and the plan is written.
pub(in crate::server) fn in_the_middle(shop: &Shop<'_>, server: &Server, name: &str) -> Value {
    server.running().wait_for("in the middle", |_, _| shop.in_the_middle(name))
}
