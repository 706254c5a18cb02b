use super::*;

#[test]
fn a_password_in_a_reference_is_not_repeated() {
    for text in ["u:hunter2@r.example/a:1", "u:x@hunter2@r.example/a:1", "a/b@sha256:0"] {
        let error = text.parse::<Reference>().unwrap_err().to_string();
        assert!(error.contains("is not a valid digest"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
use proptest::prelude::*;

#[test]
fn docker_hub_has_one_spelling() {
    for text in ["nginx", "docker.io/nginx", "index.docker.io/library/nginx"] {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), "docker.io/library/nginx", "{text}");
    }
    for host in ["https://index.docker.io/v1/", "registry.hub.docker.com", "Docker.io:443"] {
        assert_eq!(host.parse::<Host>().unwrap().as_str(), "docker.io");
    }
}

#[test]
fn ports_tags_and_digests_are_told_apart() {
    let digest = Digest::of(b"");
    let text = format!("oci://localhost:5000/a/b__c.d:1.0@{digest}");
    let reference: Reference = text.parse().unwrap();
    assert!(reference.host.is_loopback());
    assert_eq!(reference.host.name(), "localhost");
    assert_eq!(reference.repository.as_str(), "a/b__c.d");
    assert_eq!(reference.tag.as_ref().map(Tag::as_str), Some("1.0"));
    assert_eq!(reference.revision(), Revision::Digest(digest));
}

#[test]
fn hosts_are_names_and_addresses() {
    for (text, host, repository) in [
        ("[::1]:5000/a/b:1", "[::1]:5000", "a/b"),
        ("[2001:DB8::1]/a", "[2001:db8::1]", "a"),
        ("10.0.0.1:5000/a", "10.0.0.1:5000", "a"),
        ("Registry/a", "registry", "a"),
        ("REG.Example:443/a", "reg.example", "a"),
        (
            "image-registry.openshift-image-registry.svc:5000/shop/web",
            "image-registry.openshift-image-registry.svc:5000",
            "shop/web",
        ),
    ] {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.host.as_str(), host, "{text}");
        assert_eq!(reference.repository.as_str(), repository, "{text}");
    }
    let host: Host = "[::1]:5000".parse().unwrap();
    assert!(host.is_loopback() && host.name() == "[::1]");
}

#[test]
fn what_is_no_reference_is_refused() {
    for text in [
        "",
        "web/UPPER",
        "Web:1",
        "a//b",
        "a/b:",
        "a/-b",
        "a/b_",
        "a/b___c",
        "a@sha256:1",
        "h:1/",
        "h:/a",
        "h:99999/a",
        "h:0/a",
        "h:x/a",
        "::1/a",
        "[::1/a",
        "[web]/a",
        "[::1]x/a",
        "h:1:2/a",
        "a b/c",
        "a:1:2",
        " a",
    ] {
        assert!(text.parse::<Reference>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_printed_reference_reads_back(
        host in "[a-z]{1,8}\\.[a-z]{2,3}(:[1-9][0-9]{3})?",
        path in "[a-z0-9]{1,8}(/[a-z0-9]{1,4}[._-][a-z0-9]{1,4}){0,3}",
        tag in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
    ) {
        let text = format!("{host}/{path}:{tag}");
        prop_assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,64}") {
        let _ = text.parse::<Reference>();
    }
}
