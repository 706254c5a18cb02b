use serde_json::{Value, json};

use super::*;
use crate::cluster::FileDocument;
use crate::destination::documents::{Documents, read};
use crate::destination::select::{chosen, configured, named};
use crate::destination::systems::fixtures::{documents, recorded};
use crate::destination::{Error, direct, systems};
use crate::registry::credentials::DockerConfig;

fn adopted(name: &str) -> Vec<Destination> {
    mixed(&documents(name), None).adopted
}

fn names(destinations: &[Destination]) -> Vec<&str> {
    destinations.iter().map(|destination| destination.name.as_str()).collect()
}

fn fatal(destination: &Destination) -> &str {
    &destination.fatal().unwrap().text
}

/// Who we are for a repository of the destination.
fn user(destination: &Destination, repository: &str) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let repository = repository.parse().unwrap();
    let resolved = destination.keychain.resolve(&destination.host, &repository);
    runtime.block_on(resolved).unwrap().user().map(str::to_owned)
}

fn address(text: &str) -> Destination {
    direct::destination(text, &direct::Access::default()).unwrap()
}

#[test]
fn a_registry_of_eda_is_pushed_to_at_its_own_host_and_its_mirror_is_shown() {
    let [hub] = &adopted("made/eda-whole.yaml")[..] else { panic!() };
    assert_eq!((hub.name.as_str(), hub.problems.len()), ("hub", 0));
    assert_eq!(hub.address(), "registry.example.com:5000");
    assert_eq!(hub.pull_address(), hub.address());
    assert!(hub.endpoint.plain_http && !hub.endpoint.tls.skip_verify);
    assert_eq!(user(hub, "org/app").as_deref(), Some("bob"));
    assert_eq!(hub.described.mirror.as_deref(), Some("mirror.example.com"));
    let shown = serde_json::to_value(hub).unwrap();
    assert_eq!(shown["reported"], json!({"reachable": true}));
    assert_eq!((&shown["system"], &shown["mirror"]), (&json!("eda"), &json!("mirror.example.com")));
    assert!(!format!("{hub:?}{shown}").contains("canary"));
}

#[test]
fn what_eda_s_example_lacks_prevents_use_and_a_path_is_none_of_ours() {
    let [pasted] = &adopted("seeds/eda.yaml")[..] else { panic!() };
    assert_eq!(fatal(pasted), "it has no address that can be used");
    assert!(pasted.problems.iter().any(|p| p.text.contains("`your-registry-creds` are not there")));
    let registry = |spec: Value| {
        let registry = json!({"apiVersion": "appstore.eda.nokia.com/v1", "kind": "Registry",
            "metadata": {"name": "r"}, "spec": spec});
        let secret =
            json!({"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"username": "u"}});
        let found = systems::read(System::Eda, vec![registry, secret]).unwrap();
        adopt(System::Eda, &found.registries.rows[0])
    };
    let open = registry(json!({"remoteURL": "r.example/team", "skipTLSVerify": true}));
    assert_eq!((open.address().as_str(), open.fatal()), ("r.example", None));
    assert!(open.problems[0].text.starts_with("`spec.remoteURL`: it has a path"), "{open:?}");
    assert!(open.endpoint.tls.skip_verify && open.keychain.is_empty());
    let half = registry(json!({"remoteURL": "r.example", "authSecretRef": "s"}));
    assert_eq!(fatal(&half), "`s` has no password");
}

#[test]
fn avassa_s_credentials_are_those_of_the_longest_prefix_of_whole_segments() {
    let known = adopted("made/avassa-whole.yaml");
    let [registry] = &known[..] else { panic!() };
    assert_eq!(names(&known), ["registry.example.com:6000"]);
    assert_eq!(
        (registry.fatal(), registry.address().as_str()),
        (None, "registry.example.com:6000")
    );
    assert_eq!(registry.described.mirror.as_deref(), Some("mirror.example.com:8443"));
    assert!(!registry.endpoint.tls.extra_roots.is_empty());
    for (repository, whose) in
        [("x", "bob"), ("team/ab", "bob"), ("team/a", "any"), ("team/a/b", "any")]
    {
        assert_eq!(user(registry, repository).as_deref(), Some(whose), "{repository}");
    }
    let below = configured(&known, &address("registry.example.com:6000/team/a")).unwrap().unwrap();
    assert_eq!(below.address(), "registry.example.com:6000/team/a");
    for other in ["Registry.example.com:6000", "registry.example.com", "mirror.example.com:8443"] {
        assert!(configured(&known, &address(other)).unwrap().is_none(), "{other}");
    }
    let bare = adopted("made/avassa-prefixes.yaml");
    assert_eq!(fatal(&bare[0]), "its credentials `vault/v/secrets/a` are not there");
}

#[test]
fn a_prefix_is_never_more_than_it_says() {
    let document = json!({"address": "r.example", "credentials": [
        {"repository": "v2", "vault": "v", "secret": "s"},
        {"repository": "team/*", "vault": "v", "secret": "s"}]});
    let secret = json!({"name": "s", "data": {"token": "canary"}});
    let found = systems::read(System::Avassa, vec![document, secret]).unwrap();
    let registry = adopt(System::Avassa, &found.registries.rows[0]);
    assert_eq!(user(&registry, "v2/x").as_deref(), Some("any"));
    assert_eq!((user(&registry, "x"), user(&registry, "team/x")), (None, None));
    assert_eq!(registry.problems[0].text, "no repository is below `team/*` of its credentials");
}

#[test]
fn rows_of_iofog_are_chosen_by_id_and_its_own_two_are_always_there() {
    let known = adopted("made/iofog.yaml");
    assert_eq!(names(&known), ["3", "docker.io", "1", "2"]);
    let gcr = named(&known, "3").unwrap();
    assert_eq!(
        (gcr.address().as_str(), user(&gcr, "org/app").as_deref()),
        ("gcr.io", Some("_json_key"))
    );
    // A public row never uses what it has.
    assert!(known[1].keychain.is_empty());
    let hub = named(&known, "remote").unwrap();
    assert_eq!((hub.name.as_str(), hub.address().as_str()), ("1", "docker.io"));
    for name in ["local", "2"] {
        let error = named(&known, name).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("bad export destination `{name}`: it is the cache")),
            "{error}"
        );
    }
    assert_eq!(known[3].address(), "");
    let listed = json!([{"id": 4, "url": "r.example", "isPublic": false, "username": "bob"}]);
    assert_eq!(fatal(&mixed(&[listed], None).adopted[0]), "it has no password");
}

#[test]
fn a_path_behind_a_name_is_below_the_destination() {
    let known = adopted("made/iofog.yaml");
    let below = chosen(&known, "3/org/team").unwrap();
    assert_eq!((below.name.as_str(), below.address().as_str()), ("3/org/team", "gcr.io/org/team"));
    assert_eq!(below.pull_address(), "gcr.io/org/team");
    assert!(matches!(chosen(&known, "3/UPPER"), Err(Error::Address { .. })));
    assert!(matches!(chosen(&known, "nobody/x"), Err(Error::Unknown { .. })));
}

fn mixed(parts: &[Value], eda_namespace: Option<&str>) -> Documents {
    let placed = parts.iter().cloned().zip(1..);
    let placed = placed.map(|(value, line)| FileDocument { file: "d.yaml".into(), line, value });
    read(placed.collect(), eda_namespace).unwrap()
}

#[test]
fn documents_of_all_systems_may_stand_in_one_file() {
    let examples = ["eda-whole", "avassa-whole", "avassa-prefixes", "iofog", "edgelet", "epinio"];
    let mut parts: Vec<Value> =
        examples.iter().flat_map(|name| documents(&format!("made/{name}.yaml"))).collect();
    parts
        .extend([json!({"nobody": "s"}), json!([{"id": 9, "url": "c.example", "isPublic": true}])]);
    let found = mixed(&parts, None);
    let expected = [
        "hub",
        "registry.example.com:6000",
        "registry.gitlab.com",
        "3",
        "docker.io",
        "9",
        "7",
        "1",
        "2",
    ];
    assert_eq!(names(&found.adopted), expected);
    // A row that has no name at all is said by its findings.
    assert!(
        found.notes.iter().any(|note| note.contains("another type than `oci`")),
        "{:?}",
        found.notes
    );
    let unknown: Vec<_> = found.notes.iter().filter(|note| note.contains("passed over")).collect();
    assert!(unknown[0].starts_with("d.yaml:") && unknown.len() == 1, "{:?}", found.notes);
    assert!(found.objects.iter().any(|object| object.value["kind"] == "List"));
    let mut twice = [found.adopted.clone(), adopted("made/eda-whole.yaml")].concat();
    shadow(&mut twice);
    let shadowed =
        twice.iter().filter(|of| of.problems.iter().any(|p| p.text.contains("same name")));
    assert_eq!(shadowed.count(), 1);
    assert_eq!(names(&mixed(&documents("made/eda-whole.yaml"), Some("other")).adopted), [""; 0]);
}

#[test]
fn a_refusal_of_a_server_is_no_list() {
    let exchanges = recorded("recorded/iofog-registries.txt");
    let refused = exchanges.iter().filter(|exchange| exchange.status == 401);
    let refused: Vec<Value> = refused.filter_map(|e| serde_json::from_str(&e.body).ok()).collect();
    assert!(!refused.is_empty());
    for value in refused.into_iter().chain([json!({"errors": [{"error-message": "sealed"}]})]) {
        let placed = vec![FileDocument { file: "d".into(), line: 1, value }];
        assert!(matches!(read(placed, None), Err(systems::Error::Refused { .. })));
    }
}

#[test]
fn no_document_decides_that_docker_credentials_are_sent_to_anybody() {
    let row = |url: &str, skip_tls_verify| Row {
        address: systems::Address::parse(url),
        skip_tls_verify,
        ..Row::default()
    };
    for (url, skips, is_asked) in [
        ("https://r.example", false, true),
        ("http://r.example", false, false),
        ("https://r.example", true, false),
        ("http://127.0.0.1:5000", true, true),
    ] {
        let mut destination = adopt(System::Eda, &row(url, skips));
        destination.ask_docker(&DockerConfig::default());
        assert_eq!(!destination.keychain.is_empty(), is_asked, "{url} {skips}");
    }
}
