//! When the API server does not answer, and when many ask at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{io, sync::Mutex};

use futures_util::future::join_all;
use outhaul::server::auth::{AuthError, Authorizer as _, Denied, Right};
use tracing::level_filters::LevelFilter;

use super::{AUDIENCE, Door, account};
use crate::cluster::proxy::{Proxy, Verdict};
use crate::support::cluster::cluster;
use crate::support::free_port;
use crate::support::objects::Namespace;

fn with_account() -> (Namespace<'static>, String) {
    let namespace = cluster().namespace("away");
    account(&namespace, "ci");
    let token = namespace.token("ci", Some(AUDIENCE));
    (namespace, token)
}

fn posts(proxy: &Proxy, to: &str) -> usize {
    proxy.log().iter().filter(|(_, path)| path.contains(to)).count()
}

/// 401 would make clients throw good tokens away; a refusal would be a lie.
#[tokio::test]
async fn an_api_server_that_is_away_is_said_to_be_and_asked_again() {
    let (namespace, token) = with_account();
    let status = Arc::new(AtomicU16::new(0));
    let told = Arc::clone(&status);
    let proxy = Proxy::start(cluster(), move |_| match told.load(Ordering::SeqCst) {
        0 => Verdict::Pass,
        status => Verdict::Answer(status, r#"{"status": "broken"}"#.to_owned()),
    })
    .await;
    let door = Door::open(proxy.kubeconfig("admin")).await;
    let right = Right::ReadNamespace(namespace.name().to_owned());
    let stranger = door.who(&token).await.unwrap();
    door.pass(60);
    for broken in [200, 401, 403, 404, 429, 500, 503] {
        status.store(broken, Ordering::SeqCst);
        assert_eq!(door.who(&token).await, Err(AuthError::Unavailable), "{broken}");
        let allowed = door.kubernetes.allow(&stranger, &right).await;
        assert_eq!(allowed, Err(Denied::Unavailable), "{broken}");
    }
    status.store(0, Ordering::SeqCst);
    assert_eq!(door.who(&token).await.as_ref(), Ok(&stranger));
    assert_eq!(door.kubernetes.allow(&stranger, &right).await, Err(Denied::Forbidden));
}

#[tokio::test]
async fn a_port_without_an_api_server_is_away() {
    let (_namespace, token) = with_account();
    let kubeconfig = std::fs::read_to_string(cluster().kubeconfig("admin")).unwrap();
    let nowhere = format!("https://127.0.0.1:{}", free_port());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, kubeconfig.replace(cluster().url(), &nowhere)).unwrap();
    assert_eq!(Door::open(path).await.who(&token).await, Err(AuthError::Unavailable));
}

/// An account that may not ask knows nobody, and that is its own fault.
#[tokio::test]
async fn an_account_that_may_not_review_refuses_nobody() {
    let (_namespace, token) = with_account();
    let door = Door::open(cluster().kubeconfig("nobody")).await;
    assert_eq!(door.who(&token).await, Err(AuthError::Unavailable));
}

#[tokio::test]
async fn however_many_ask_it_is_asked_once() {
    let (namespace, token) = with_account();
    let proxy = Proxy::start(cluster(), |_| Verdict::Pass).await;
    let door = Door::open(proxy.kubeconfig("admin")).await;
    let callers = join_all((0..40).map(|_| door.who(&token))).await;
    let caller = callers.into_iter().map(Result::unwrap).next().unwrap();
    let right = Right::UseDestination { name: "t".into(), namespace: namespace.name().into() };
    let answers = join_all((0..40).map(|_| door.kubernetes.allow(&caller, &right))).await;
    assert!(answers.iter().all(|answer| *answer == Err(Denied::Forbidden)));
    door.who(&token).await.unwrap();
    assert_eq!(posts(&proxy, "/tokenreviews"), 1);
    assert_eq!(posts(&proxy, "/subjectaccessreviews"), 1);
}

/// Neither what is kept nor any log, whatever its level and whoever writes it.
#[tokio::test]
async fn tokens_are_printed_nowhere() {
    let (_namespace, token) = with_account();
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || written.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let quoting = format!(r#"{{"message": "cannot make sense of {token}"}}"#);
    let proxy = Proxy::start(cluster(), move |seen| match seen.before {
        0 => Verdict::Answer(422, quoting.clone()),
        _ => Verdict::Pass,
    })
    .await;
    let door = Door::open(proxy.kubeconfig("admin")).await;
    assert_eq!(door.who(&token).await, Err(AuthError::Unavailable));
    assert!(door.who(&token).await.is_ok());
    let printed = format!("{:?}", door.kubernetes);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a review failed"), "{log}");
    for text in [printed, log] {
        assert!(!text.contains(&token));
        assert!(!text.contains(token.rsplit('.').next().unwrap()), "its signature");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
