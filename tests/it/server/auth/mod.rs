//! Who is asking and what they may, on a real kube-apiserver with RBAC.

mod away;
mod connection;
mod rights;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outhaul::cluster::reviews::{Attributes, Subject};
use outhaul::cluster::{ClientOptions, Live};
use outhaul::server::auth::{AuthError, Authenticator as _, Caller, Credentials, Kubernetes};

use crate::support::objects::Namespace;

const AUDIENCE: &str = "outhaul.dev";

/// How long the API server may take to see what was applied: its authorizer watches.
const SEEN: Duration = Duration::from_secs(60);

/// What is under test, with a clock that is set by hand.
struct Door {
    live: Live,
    kubernetes: Arc<Kubernetes>,
    seconds: Arc<AtomicU64>,
}

impl Door {
    async fn open(kubeconfig: impl AsRef<Path>) -> Self {
        let kubeconfig = Some(kubeconfig.as_ref().to_owned());
        let live = Live::connect(&ClientOptions { kubeconfig, context: None }).await.unwrap();
        let (start, seconds) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let read = Arc::clone(&seconds);
        let clock = move || start + Duration::from_secs(read.load(Ordering::SeqCst));
        let audiences = vec!["someone.else".to_owned(), AUDIENCE.to_owned()];
        let kubernetes = Kubernetes::new(live.clone(), audiences, Arc::new(clock)).unwrap();
        Self { live, kubernetes: Arc::new(kubernetes), seconds }
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn who(&self, token: &str) -> Result<Caller, AuthError> {
        self.kubernetes.authenticate(&Credentials::Bearer(token.into())).await
    }

    /// Waits until the API server itself answers so.
    async fn await_right(&self, subject: &Subject, what: &Attributes, allowed: bool) {
        let started = Instant::now();
        while self.live.access_review(subject, what).await.unwrap() != allowed {
            assert!(started.elapsed() < SEEN, "{subject:?} {what:?} never became {allowed}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn account(namespace: &Namespace<'_>, name: &str) {
    namespace.apply(&format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}}}\n"));
}

/// A role in the namespace with these rules, and its binding to a service account there.
fn grant(namespace: &Namespace<'_>, account: &str, rules: &str) {
    namespace.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: {account}}}
rules: {rules}
"
    ));
    bind(namespace, account, "Role", account);
}

fn bind(namespace: &Namespace<'_>, account: &str, kind: &str, role: &str) {
    namespace.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {account}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {role}}}
subjects: [{{kind: ServiceAccount, name: {account}, namespace: {}}}]
",
        namespace.name()
    ));
}

fn on(
    verb: &'static str,
    group: &str,
    resource: &str,
    namespace: &Namespace<'_>,
    name: &str,
) -> Attributes {
    Attributes::Resource {
        verb,
        group: group.into(),
        resource: resource.into(),
        namespace: namespace.name().into(),
        name: name.into(),
    }
}
