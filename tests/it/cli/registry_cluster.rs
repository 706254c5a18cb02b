//! `outhaul registry …` over a cluster: labelled Secrets, and Registries of Nokia EDA.

use serde_json::{Value, json};

use crate::cluster::proxy::{Proxy, Verdict};
use crate::support::cluster::{Cluster, cluster};
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

const EDA: &str = "appstore.eda.nokia.com/v1";
const ID: &str = "outhaul.dev/registry-id";

fn run(namespace: &Namespace<'_>, args: &[&str], stdin: &str) -> Output {
    let outhaul = Outhaul::new().kubeconfig(namespace.cluster().kubeconfig("admin"));
    let args = [&["registry"], args, &["-n", namespace.name()]].concat();
    outhaul.run_with(&args, stdin.as_bytes())
}

fn create(namespace: &Namespace<'_>, name: &str, further: &[&str]) -> Output {
    let base = ["create", "--apply", "cluster", "--url", "https://a.example:5000", "--name", name];
    let login = ["--username", "bob", "--password-stdin"];
    run(namespace, &[&base[..], &login, further].concat(), "canary")
}

fn secret(namespace: &Namespace<'_>, name: &str) -> Option<Value> {
    namespace.get("v1", "Secret", name)
}

fn id_of(namespace: &Namespace<'_>, name: &str) -> String {
    let secret = secret(namespace, name).unwrap();
    secret["metadata"]["annotations"][ID].as_str().unwrap().to_owned()
}

fn certificates() -> String {
    crate::support::certs::Authority::new("ca").pem
}

#[test]
fn secrets_are_made_numbered_listed_shown_and_removed() {
    let namespace = cluster().namespace("rows");
    let made = create(&namespace, "team", &["-j"]).ok();
    assert_eq!((&made.json()["id"], &made.json()["name"]), (&json!(3), &json!("team")));
    create(&namespace, "other", &["--id", "7"]).ok();
    create(&namespace, "third", &[]).ok();
    assert_eq!(["team", "other", "third"].map(|name| id_of(&namespace, name)), ["3", "7", "8"]);

    let listed = run(&namespace, &["list"], "").ok();
    assert_eq!(listed.json().as_array().unwrap().len(), 3);
    assert!(run(&namespace, &["list", "-t"], "").ok().stdout.contains("NAME"));
    let shown = run(&namespace, &["show", "7", "-j"], "").ok();
    assert_eq!(shown.json()["url"], "a.example:5000");
    assert_eq!(run(&namespace, &["show", "other", "-j"], "").ok().stdout, shown.stdout);

    // What was made is a destination, and what is no destination is not found.
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("admin"));
    let args = ["export-registries", "--system-namespace", namespace.name()];
    assert!(outhaul.run(&args).ok().stdout.contains("team"));
    namespace.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: mine}\n");
    let missing = run(&namespace, &["delete", "mine"], "").exits(6);
    assert!(missing.stderr.contains("known are"), "{missing:?}");
    run(&namespace, &["delete", "a.example:5000"], "").exits(6);
    let removed = run(&namespace, &["delete", "7"], "").ok();
    assert_eq!(removed.stdout, format!("removed Secret {}/other\n", namespace.name()));
    assert!(secret(&namespace, "other").is_none() && secret(&namespace, "mine").is_some());
    for output in [made, listed, shown, removed] {
        assert!(!output.mentions("canary"), "{output:?}");
    }
}

#[test]
fn what_is_there_is_refused_and_nothing_is_half_made() {
    let namespace = cluster().namespace("taken");
    create(&namespace, "team", &[]).ok();
    let before = namespace.list("v1", "Secret").len();
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("admin"));
    let ca = outhaul.write("ca.pem", certificates());
    let create_with_certs = |name: &str, id: &str| {
        let args = ["registry", "create", "--apply", "cluster", "--url", "a.example", "--public"];
        let which = ["--name", name, "--id", id, "--cert", ca.to_str().unwrap()];
        outhaul.run(&[&args[..], &which, &["-n", namespace.name()]].concat())
    };
    // The Secret with the certificates is made first, and taken back.
    let refused = create_with_certs("team", "9").exits(12);
    assert!(refused.stderr.contains("/team exists already; nothing was made"), "{refused:?}");
    let refused = create_with_certs("another", "3").exits(12);
    assert!(refused.stderr.contains("Secret `team` is registry 3 already"), "{refused:?}");
    assert_eq!(namespace.list("v1", "Secret").len(), before);
    assert!(!refused.mentions("canary"));

    create_with_certs("another", "9").ok();
    let removed = run(&namespace, &["delete", "another"], "").ok();
    assert!(removed.stdout.contains("left    Secret "), "{removed:?}");
    assert!(secret(&namespace, "another-certs").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_made_without_an_answer_is_named() {
    let namespace = cluster().namespace("lost");
    let proxy =
        Proxy::start(cluster(), |seen| match seen.path.contains("/secrets?fieldManager=") {
            true => Verdict::Answer(504, "{}".to_owned()),
            false => Verdict::Pass,
        })
        .await;
    let outhaul = Outhaul::new().kubeconfig(proxy.kubeconfig("admin"));
    let args = ["registry", "create", "--apply", "cluster", "--url", "a.example", "--public"];
    let name = ["--name", "team", "-n", namespace.name()];
    let lost = outhaul.run(&[&args[..], &name].concat()).exits(4);
    let says = format!("whether Secret {}/team was made is not known", namespace.name());
    assert!(lost.stderr.contains(&says) && lost.stderr.contains("hint: look"), "{lost:?}");
}

#[test]
fn who_makes_registries_at_the_same_time_gets_different_numbers() {
    let namespace = cluster().namespace("numbers");
    let names: Vec<String> = (0..4).map(|at| format!("r{at}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| create(&namespace, name, &[]).ok());
        }
    });
    let mut ids: Vec<String> = names.iter().map(|name| id_of(&namespace, name)).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), names.len(), "{ids:?}");
}

#[test]
fn a_registry_of_eda_is_made_and_its_mirror_set_and_nothing_else_of_it() {
    let cluster = Cluster::start();
    let definition =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/systems/eda/registry-crd.yaml");
    let namespace = cluster.namespace("eda");
    let absent = create(&namespace, "hub", &["--format", "eda"]).exits(2);
    assert!(absent.stderr.contains("does not serve Registry"), "{absent:?}");
    assert!(secret(&namespace, "hub-credentials").is_none());

    cluster.apply(&std::fs::read_to_string(definition).unwrap());
    cluster.await_served(EDA, "registries");
    create(&namespace, "hub", &["--format", "eda"]).ok();
    let credentials = secret(&namespace, "hub-credentials").unwrap();
    assert_eq!(credentials["metadata"]["labels"]["eda.nokia.com/backup"], "true");
    // The Registry is there, so the Secret that was made before it is taken back.
    namespace.delete("v1", "Secret", "hub-credentials");
    create(&namespace, "hub", &["--format", "eda"]).exits(12);
    assert!(secret(&namespace, "hub-credentials").is_none());

    let read = || {
        let mut registry = namespace.get(EDA, "Registry", "hub").unwrap();
        let metadata = registry["metadata"].as_object_mut().unwrap();
        for written_by_server in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(written_by_server);
        }
        registry
    };
    let before = read();
    let set = run(&namespace, &["update", "hub", "--mirror", "mirror.example.com:5000"], "").ok();
    assert!(set.stdout.contains("hub has the mirror mirror.example.com:5000"), "{set:?}");
    let mut expected = before.clone();
    expected["spec"]["mirror"] = json!("mirror.example.com:5000");
    assert_eq!(read(), expected);
    let shown = run(&namespace, &["show", "hub", "-j", "--system-namespace", namespace.name()], "");
    assert_eq!(shown.ok().json()["mirror"], "mirror.example.com:5000");
    for bad in ["mirror.example.com/path", "https://mirror.example.com", "u:canary@m"] {
        let refused = run(&namespace, &["update", "hub", "--mirror", bad], "").exits(2);
        assert!(refused.stderr.contains("is no mirror") && !refused.mentions("canary"));
    }
    assert_eq!(read(), expected);
    run(&namespace, &["update", "hub", "--mirror", ""], "").ok();
    assert_eq!(read(), before);
    run(&namespace, &["update", "none", "--mirror", "m.example"], "").exits(6);
}

#[test]
fn a_mirror_is_set_in_documents_of_those_who_have_mirrors() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/systems");
    let update = |from: &str, file: &str, which: &str, mirror: &str| {
        let file = format!("{folder}/{file}");
        let args = ["registry", "update", which, "--from", from, &file, "--mirror", mirror];
        Outhaul::new().run(&args)
    };
    let avassa =
        update("avassa", "seeds/avassa.yaml", "registry.example.com:6000", "m.example").ok();
    assert!(avassa.stdout.contains("override-address: m.example"), "{avassa:?}");
    let eda = update("eda", "seeds/eda-filled.yaml", "your-registry", "m.example").ok();
    assert!(eda.stdout.contains("mirror: m.example"), "{eda:?}");
    let none = update("iofog", "seeds/iofog-list.json", "1", "m.example").exits(2);
    assert!(none.stderr.contains("ioFog has no mirrors"), "{none:?}");
}
