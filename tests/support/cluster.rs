//! A real Kubernetes API: etcd, kube-apiserver and, where a test needs owners and garbage collection,
//! kube-controller-manager. No node: pods stay as they are written, status included.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use outhaul::cluster::record::{crd_yaml, schedule_crd_yaml};

use super::certs::Authority;
use super::child::{Child, Folder};
use super::objects::{self, Namespace};
use super::{block_on, free_port, tools};

/// Ready takes 4 to 7 s on two idle cores; the rest is for machines that do much else.
const START: Duration = Duration::from_secs(120);

/// Who may ask. Each has the token `<user>-token`; what they may do beyond this, a test grants.
const USERS: [(&str, &str); 5] = [
    ("admin", "system:masters"),
    ("viewer", "readers"), // reads what Kubernetes' own `view` role reads: no Secrets, no RBAC
    ("nobody", "strangers"),
    ("alice", "team-a"),
    ("bob", "team-b"),
];

/// `view` itself is filled by kube-controller-manager, which most tests run without.
const VIEWER: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: viewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:aggregate-to-view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}]
";

/// A running control plane. Dropping it ends it and removes what it stored.
pub(crate) struct Cluster {
    url: String,
    controllers: Option<Child>,
    apiserver: Child,
    etcd: Child,
    folder: Folder, // last: the programs above write into it
}

/// The cluster that the tests of this binary share, each in a namespace of its own. Without
/// controllers: what a test applies is what is there.
pub(crate) fn cluster() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

/// As [`cluster`], with kube-controller-manager: Deployments make pods, owned objects are collected.
pub(crate) fn cluster_with_controllers() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::with_controllers)
}

/// As [`cluster`], and it serves the resource `Export`.
pub(crate) fn cluster_with_exports() -> &'static Cluster {
    static SHARED: OnceLock<&Cluster> = OnceLock::new();
    SHARED.get_or_init(|| {
        cluster().add_exports();
        cluster()
    })
}

impl Cluster {
    /// Starts one more cluster, which knows nothing of the others. Pods may be made at once, not
    /// only after a controller has made their service account.
    pub(crate) fn start() -> Self {
        Self::launch(&["--disable-admission-plugins=ServiceAccount"])
    }

    /// Starts one more cluster, in which pods need a service account and get its token, as in any
    /// real one.
    pub(crate) fn with_service_accounts() -> Self {
        Self::launch(&[])
    }

    fn launch(flags: &[&str]) -> Self {
        let folder = Folder::new("cluster");
        let etcd = start_etcd(&folder);
        let (url, apiserver) = start_apiserver(&folder, &etcd, flags);
        let cluster = Self { url, controllers: None, apiserver: apiserver.0, etcd: etcd.0, folder };
        cluster.await_ready(&apiserver.1);
        cluster.apply(VIEWER);
        cluster
    }

    /// Starts one more cluster, with kube-controller-manager.
    pub(crate) fn with_controllers() -> Self {
        Self::start().add_controllers()
    }

    /// Starts kube-controller-manager beside the API.
    pub(crate) fn add_controllers(self) -> Self {
        self.run_controllers("*,-nodeipam,-node-route-controller,-cloud-node-lifecycle-controller")
    }

    /// Starts of it what carries out Jobs and collects what they leave, and nothing else: other
    /// objects stay as they are written.
    pub(crate) fn add_job_controllers(self) -> Self {
        self.run_controllers(
            "job-controller,garbage-collector-controller,serviceaccount-controller",
        )
    }

    fn run_controllers(mut self, which: &str) -> Self {
        let kubeconfig = self.kubeconfig("admin");
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let controllers = Child::start(
            self.folder.path(),
            "kube-controller-manager",
            &tools::control_plane("kube-controller-manager"),
            &[
                format!("--kubeconfig={}", kubeconfig.display()),
                format!("--service-account-private-key-file={}", file("sa.key")),
                format!("--root-ca-file={}", file("ca.crt")),
                format!("--controllers={which}"),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
            ],
            &[],
        );
        controllers.wait_for("making service accounts", START, || {
            objects::get(&self, Some("default"), "v1", "ServiceAccount", "default")
        });
        self.controllers = Some(controllers);
        self
    }

    /// Makes it serve the resources `Export` and `ExportSchedule`.
    pub(crate) fn add_exports(&self) {
        self.apply(&crd_yaml().unwrap());
        self.apply(&schedule_crd_yaml().unwrap());
        self.await_served("outhaul.dev/v1alpha1", "exports");
        self.await_served("outhaul.dev/v1alpha1", "exportschedules");
    }

    /// Waits until it serves a kind that was defined just now. Discovery, by which the helpers here
    /// find a kind, follows a moment later.
    pub(crate) fn await_served(&self, api_version: &str, plural: &str) {
        let ca = std::fs::read_to_string(self.ca_file()).unwrap();
        for path in [format!("/apis/{api_version}/{plural}"), format!("/apis/{api_version}")] {
            self.await_answer(&format!("serving {plural}"), &path, &ca);
        }
    }

    /// The address of the API.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Certificate of its authority, PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// The key that signs tokens of service accounts, PEM.
    pub(crate) fn token_key(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("sa.key")).unwrap()
    }

    /// A kubeconfig file for one of the users: `admin`, `viewer` (no Secrets), or `nobody`, `alice` and
    /// `bob`, who have no rights until a test binds some.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        assert!(USERS.iter().any(|(name, _)| *name == user), "no user {user}");
        self.kubeconfig_of(user, &format!("{user}-token"))
    }

    /// A kubeconfig file for whoever has this token.
    pub(crate) fn kubeconfig_of(&self, user: &str, token: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{user}.kubeconfig"));
        if !path.exists() {
            let (ca, url) = (self.folder.path().join("ca.crt"), &self.url);
            let content = format!(
                "apiVersion: v1
kind: Config
current-context: test
clusters: [{{name: test, cluster: {{server: '{url}', certificate-authority: '{}'}}}}]
contexts: [{{name: test, context: {{cluster: test, user: {user}}}}}]
users: [{{name: {user}, user: {{token: {token}}}}}]
",
                ca.display()
            );
            write_whole(&path, &content);
        }
        path
    }

    /// A client for the runtime that the caller is on, and no other.
    pub(crate) async fn client(&self, user: &str) -> kube::Client {
        let config = Kubeconfig::read_from(self.kubeconfig(user)).unwrap();
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(config, &options).await.unwrap();
        kube::Client::try_from(config).unwrap()
    }

    /// Makes a namespace that no other test has.
    pub(crate) fn namespace(&self, prefix: &str) -> Namespace<'_> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        self.named_namespace(&format!("{prefix}-{number}"))
    }

    /// Makes a namespace of exactly this name, for clusters that a test has to itself.
    pub(crate) fn named_namespace(&self, name: &str) -> Namespace<'_> {
        self.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"));
        Namespace::new(self, name)
    }

    /// Applies every document of `yaml` as admin; objects in a namespace have to name it.
    pub(crate) fn apply(&self, yaml: &str) {
        objects::apply(self, None, objects::MANAGER, yaml);
    }

    fn await_ready(&self, ca: &str) {
        self.await_answer("ready", "/readyz", ca);
    }

    fn await_answer(&self, what: &str, path: &str, ca: &str) {
        let url = format!("{}{path}", self.url);
        let answer = async || {
            let ca = reqwest::Certificate::from_pem(ca.as_bytes())?;
            let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build()?;
            let request = client.get(&url).bearer_auth("admin-token");
            request.timeout(Duration::from_secs(5)).send().await?.error_for_status()
        };
        self.apiserver.wait_for(what, START, || block_on(answer()).ok());
    }
}

/// etcd, and the address that it serves.
fn start_etcd(folder: &Folder) -> (Child, String) {
    let url = format!("http://127.0.0.1:{}", free_port());
    let peers = format!("http://127.0.0.1:{}", free_port());
    let args = [
        format!("--data-dir={}", folder.path().join("etcd").display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    let child = Child::start(folder.path(), "etcd", &tools::control_plane("etcd"), &args, &[]);
    let address = url.trim_start_matches("http://");
    child.wait_for("listening", START, || std::net::TcpStream::connect(address).ok());
    (child, url)
}

/// kube-apiserver with its authority's certificate, and the address that it serves.
fn start_apiserver(
    folder: &Folder,
    etcd: &(Child, String),
    flags: &[&str],
) -> (String, (Child, String)) {
    let authority = Authority::new("kubernetes");
    let identity = authority.loopback();
    let port = free_port();
    let tokens: String = USERS
        .iter()
        .map(|(user, group)| format!("{user}-token,{user},{user},\"{group}\"\n"))
        .collect();
    let file = |name: &str, content: &str| folder.write(name, content).display().to_string();
    file("ca.crt", &authority.pem);
    let accounts = rcgen::KeyPair::generate().unwrap();
    let mut args = vec![
        format!("--etcd-servers={}", etcd.1),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("api.crt", &identity.certificate)),
        format!("--tls-private-key-file={}", file("api.key", &identity.key)),
        format!("--token-auth-file={}", file("tokens.csv", &tokens)),
        format!("--service-account-key-file={}", file("sa.pub", &accounts.public_key_pem())),
        format!("--service-account-signing-key-file={}", file("sa.key", &accounts.serialize_pem())),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        "--allow-privileged=true".to_owned(), // as every distribution has it: agents need it
    ];
    args.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let program = tools::control_plane("kube-apiserver");
    let child =
        Child::start(folder.path(), "kube-apiserver", &program, &args, &[] as &[(_, &OsStr)]);
    (format!("https://127.0.0.1:{port}"), (child, authority.pem))
}

/// Two tests may ask for one file at once: neither may read what the other has half written.
fn write_whole(path: &Path, content: &str) {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
    std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
    file.persist(path).unwrap();
}
