use super::{read, resolve, write};
use crate::cluster;
use crate::destination::systems::fixtures::{codes, file, fixture, text};
use crate::destination::systems::{CredentialUse, System, WriteOptions};

#[test]
fn the_page_as_it_is_pasted_says_where_it_is_broken() {
    let name = "seeds/epinio.verbatim.yaml";
    let error = cluster::parsed(name, &file(name)).unwrap_err().to_string();
    assert!(error.starts_with(name), "{error}");
}

#[test]
fn the_page_s_example_is_a_row_without_what_is_open_in_it() {
    let found = fixture(System::Epinio, "seeds/epinio.yaml");
    let row = &found.registries.rows[0];
    assert_eq!((row.address.host.as_str(), row.path.as_deref()), ("registry.hub.docker.com", None));
    assert!(row.credentials[0].login.as_ref().unwrap().password.is_none());
}

#[test]
fn what_was_read_is_written_and_read_again() {
    let found = fixture(System::Epinio, "made/epinio.yaml");
    assert_eq!(codes(&found.findings), [""; 0]);
    let options = WriteOptions { with_secrets: true, ..WriteOptions::default() };
    let written = text(&write(&found.registries, &options));
    let again = read(cluster::parsed("f", &written).unwrap()).unwrap();
    assert_eq!(text(&write(&again.registries, &options)), written);
    assert!(written.contains("robot$acme+ci") && written.contains("BEGIN CERTIFICATE"));
    let open = text(&write(&found.registries, &WriteOptions::default()));
    assert!(!open.contains("canary") && !open.contains("robot"), "{open}");
}

#[test]
fn docker_hub_is_one_host_and_paths_count() {
    let found = fixture(System::Epinio, "seeds/epinio.yaml");
    let resolved = resolve(&found.registries, "nginx").unwrap();
    assert_eq!(
        (resolved.address.as_str(), resolved.repository.as_str()),
        ("docker.io", "library/nginx")
    );
    assert_eq!(resolved.credential, CredentialUse::Named("<destination-name>".to_owned()));
    let found = fixture(System::Epinio, "made/epinio.yaml");
    let who = |image: &str| resolve(&found.registries, image).unwrap().credential;
    assert_eq!(who("registry.example.com/acme/apps/x"), CredentialUse::Named("hub".to_owned()));
    assert_eq!(who("registry.example.com/acme/appsx/x"), CredentialUse::Anonymous);
}
