//! Destinations as labelled Secrets of a real cluster.

mod avassa;
mod documents;
mod eda;

use jiff::Timestamp;
use outhaul::cluster::{ClientOptions, Live, Manifests};
use outhaul::destination::check;
use outhaul::destination::select::{list, named, system_namespace};

use crate::support::cluster::{Cluster, cluster};
use crate::support::registry::Registry;

async fn live(cluster: &Cluster, user: &str) -> Live {
    let options = ClientOptions { kubeconfig: Some(cluster.kubeconfig(user)), context: None };
    Live::connect(&options).await.unwrap()
}

fn destination(name: &str, labels: &str, data: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  labels: {{{labels}}}
  annotations: {{epinio.io/registry-namespace: team}}
stringData: {{{data}}}
"
    )
}

#[tokio::test]
async fn labelled_secrets_are_destinations_good_and_bad() {
    let registry = Registry::plain().tls().basic_auth("carol", "s3cret").start();
    let namespace = cluster().namespace("system");
    let config = registry.docker_config();
    let (epinio, ours) =
        ("epinio.io/api-export-registry: 'true'", "outhaul.dev/destination: 'true'");
    let good = format!("certs: ca, .dockerconfigjson: '{config}'");
    namespace.apply(&destination("team", epinio, &good));
    namespace.apply(&destination("broken", ours, ".dockerconfigjson: '{'"));
    namespace.apply(&destination("unrelated", "a: b", &good));
    let ca = registry.ca_pem().replace('\n', "\n    ");
    namespace.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: ca}}\nstringData:\n  tls.crt: |\n    {ca}\n"
    ));
    let live = live(cluster(), "admin").await;
    let found = list(&live, namespace.name()).await.unwrap();
    let names: Vec<_> = found.iter().map(|destination| destination.name.as_str()).collect();
    assert_eq!(names, ["broken", "team"]);
    assert!(found[0].fatal().unwrap().text.contains(".dockerconfigjson"));
    let team = named(&found, "team").unwrap();
    assert_eq!(team.address(), format!("{}/team", registry.address()));
    assert_eq!(team.endpoint.tls.extra_roots.trim_ascii(), registry.ca_pem().trim().as_bytes());
    let error = named(&found, "broken").unwrap_err().to_string();
    assert!(error.starts_with("bad export destination `broken`: "), "{error}");
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_system_namespace_is_ours_then_epinios_then_an_error() {
    let cluster = Cluster::start();
    let live = live(&cluster, "admin").await;
    let error = system_namespace(&live, None).await.unwrap_err().to_string();
    assert!(error.contains("outhaul-system") && error.contains("epinio"), "{error}");
    assert_eq!(system_namespace(&live, Some("mine")).await.unwrap(), "mine");
    let _epinio = cluster.named_namespace("epinio");
    assert_eq!(system_namespace(&live, None).await.unwrap(), "epinio");
    let _ours = cluster.named_namespace("outhaul-system");
    assert_eq!(system_namespace(&live, None).await.unwrap(), "outhaul-system");
}

#[tokio::test]
async fn secrets_of_a_file_that_name_no_namespace_are_of_the_system_namespace() {
    let read =
        |text: &str| Manifests::from_reader(text.as_bytes(), "d.yaml", Timestamp::UNIX_EPOCH);
    let team = destination("team", "outhaul.dev/destination: 'true'", "a: b");
    let open = read(&team).unwrap();
    let namespace = system_namespace(&open, None).await.unwrap();
    assert_eq!(namespace, "outhaul-system");
    assert_eq!(list(&open, &namespace).await.unwrap().len(), 1);
    let epinios = team.replace("name: team", "name: other\n  namespace: epinio");
    let mixed = read(&format!("{team}---{epinios}")).unwrap();
    assert_eq!(system_namespace(&mixed, None).await.unwrap(), "epinio");
    assert_eq!(list(&mixed, "epinio").await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_may_not_read_secrets_is_told_which_ones() {
    let live = live(cluster(), "viewer").await;
    let error = list(&live, "default").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read the destinations in namespace `default`");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.starts_with("no permission to read /api/v1/namespaces/default/secrets"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_check_tells_what_works_and_what_does_not() {
    let registry = Registry::plain().tls().basic_auth("carol", "s3cret").delete(false).start();
    let namespace = cluster().namespace("check");
    let secret = |name: &str, password: &str, certs: &str| {
        let auths = serde_json::json!({"auths": {registry.address():
            {"username": "carol", "password": password}}});
        let data = format!("{certs}.dockerconfigjson: '{auths}'");
        namespace.apply(&destination(name, "outhaul.dev/destination: 'true'", &data));
    };
    let ca = registry.ca_pem().replace('\n', "\n    ");
    namespace.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: ca}}\nstringData:\n  tls.crt: |\n    {ca}\n"
    ));
    secret("good", "s3cret", "certs: ca, ");
    secret("wrong", "guess", "certs: ca, ");
    secret("untrusted", "s3cret", "");
    namespace.apply(&destination("broken", "outhaul.dev/destination: 'true'", "a: b"));
    let live = live(cluster(), "admin").await;
    let found = list(&live, namespace.name()).await.unwrap();
    let look = async |name: &str| check(found.iter().find(|d| d.name == name).unwrap()).await;

    let good = look("good").await;
    assert_eq!(good.problem, None);
    assert!(good.reachable && good.authenticated && good.can_push && !good.referrers);
    assert_eq!(good.can_delete, Some(false));
    let writes = registry.requests(&["PUT", "PATCH"]);
    assert_eq!(writes, [], "nothing is stored");
    let catalog = registry.storage().join("docker/registry/v2/repositories/team");
    let left = walk(&catalog.join("outhaul-check/_uploads"));
    assert_eq!(left, Vec::<std::path::PathBuf>::new(), "the upload is cancelled");

    let wrong = look("wrong").await;
    assert!(wrong.reachable && !wrong.authenticated && !wrong.can_push);
    assert!(wrong.problem.unwrap().contains("refused the credentials of user `carol`"));
    let untrusted = look("untrusted").await;
    assert!(!untrusted.reachable && untrusted.problem.unwrap().contains("not trusted"));
    let broken = look("broken").await;
    assert!(!broken.reachable && broken.problem.is_none(), "its own problems are listed already");
    registry.kill();
    let dead = look("good").await;
    assert!(!dead.reachable && dead.problem.unwrap().contains("cannot reach"));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}
