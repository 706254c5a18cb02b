use super::*;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

fn entry(json: &str) -> AuthEntry {
    let document = format!(r#"{{"auths": {{"reg.example": {json}}}}}"#);
    DockerConfig::parse(document.as_bytes(), "test").unwrap().entries()[0].clone()
}

fn login(entry: &AuthEntry) -> Option<(String, String)> {
    match &entry.credential {
        Credential::Basic { username, password } => {
            Some((username.clone(), password.expose_secret().to_owned()))
        }
        _ => None,
    }
}

fn pair(user: &str, password: &str) -> Option<(String, String)> {
    Some((user.to_owned(), password.to_owned()))
}

async fn resolve(config: &DockerConfig, host: &str, repository: &str) -> Result<Credential, Error> {
    config.resolve(&host.parse().unwrap(), Some(&repository.parse().unwrap())).await
}

#[test]
fn auth_is_split_at_the_first_colon_only() {
    let key = "{\n  \"type\": \"service_account\",\n  \"k\": \"a:b\"\n}\n";
    let auth = STANDARD.encode(format!("_json_key:{key}"));
    assert_eq!(login(&entry(&format!(r#"{{"auth": "{auth}"}}"#))), pair("_json_key", key));
    let unpadded = auth.trim_end_matches('=');
    assert_eq!(login(&entry(&format!(r#"{{"auth": "{unpadded}\n"}}"#))), pair("_json_key", key));
}

#[test]
fn user_name_and_password_win_over_auth_and_say_so() {
    let auth = STANDARD.encode("placeholder:placeholder");
    let both = entry(&format!(r#"{{"username": "u", "password": "p", "auth": "{auth}"}}"#));
    assert_eq!(login(&both), pair("u", "p"));
    assert!(both.disagreement);
    let same = STANDARD.encode("u:p");
    assert!(
        !entry(&format!(r#"{{"username": "u", "password": "p", "auth": "{same}"}}"#)).disagreement
    );
    assert!(entry(r#"{"username": "u", "password": "p", "auth": "%%"}"#).disagreement);
}

#[test]
fn tokens_are_told_apart() {
    assert!(matches!(entry(r#"{"identitytoken": "t"}"#).credential, Credential::IdentityToken(_)));
    assert!(matches!(entry(r#"{"registrytoken": "t"}"#).credential, Credential::RegistryToken(_)));
    assert!(entry(r#"{"email": "a@b", "auth": ""}"#).credential.is_anonymous());
}

#[test]
fn an_entry_that_cannot_be_used_says_why_and_shows_no_value() {
    let no_colon = STANDARD.encode("hunter2");
    for (json, reason) in [
        (r#"{"auth": "hunter2!"}"#.to_owned(), "`auth` is not base64"),
        (format!(r#"{{"auth": "{no_colon}"}}"#), "`auth` has no colon between user and password"),
        (r#"{"auth": ["hunter2"]}"#.to_owned(), "`auth` is not text"),
        (r#"{"password": "hunter2"}"#.to_owned(), "it has a password without a user name"),
        (r#"{"username": "hunter2"}"#.to_owned(), "it has a user name without a password"),
        (r#""hunter2""#.to_owned(), "it is not an object"),
    ] {
        let entry = entry(&json);
        assert_eq!(entry.problem.as_deref(), Some(reason), "{json}");
        assert!(!format!("{entry:?}").contains("hunter2"));
    }
}

#[test]
fn a_document_that_is_none_shows_no_value() {
    for document in
        [r#"{"auths": {"a": hunter2}}"#, r#"["hunter2"]"#, r#"{"auths": "hunter2"}"#, ""]
    {
        let error = DockerConfig::parse(document.as_bytes(), "Secret x/y").unwrap_err();
        assert!(error.to_string().starts_with("Secret x/y cannot be used"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn unknown_fields_are_tolerated() {
    let document =
        br#"{"HttpHeaders": {"X": "y"}, "auths": {}, "proxies": 1, "credHelpers": null}"#;
    assert!(DockerConfig::parse(document, "test").unwrap().entries().is_empty());
}

#[tokio::test]
async fn keys_are_found_in_every_spelling() {
    let auth = |user: &str| STANDARD.encode(format!("{user}:p"));
    let document = format!(
        r#"{{"auths": {{
            "https://index.docker.io/v1/": {{"auth": "{}"}},
            "http://REG.example:5000/v2/": {{"auth": "{}"}},
            "quay.io/org": {{"auth": "{}"}},
            "quay.io": {{"auth": "{}"}},
            "*.example.com": {{"auth": "{}"}}
        }}}}"#,
        auth("hub"),
        auth("port"),
        auth("org"),
        auth("quay"),
        auth("glob"),
    );
    let config = DockerConfig::parse(document.as_bytes(), "test").unwrap();
    for (host, repository, user) in [
        ("docker.io", "library/nginx", "hub"),
        ("registry-1.docker.io", "a/b", "hub"),
        ("reg.example:5000", "a", "port"),
        ("quay.io", "org/a", "org"),
        ("quay.io", "organ/a", "quay"),
    ] {
        let found = resolve(&config, host, repository).await.unwrap();
        assert_eq!(found.user(), Some(user), "{host}/{repository}");
    }
    assert!(resolve(&config, "reg.example", "a").await.unwrap().is_anonymous());
    assert_eq!(config.entries()[4].problem.as_deref(), Some("the key is not the name of a host"));
}

#[tokio::test]
async fn a_bad_entry_fails_only_where_it_is_needed() {
    let document =
        br#"{"auths": {"bad.example": {"auth": "%"}, "good.example": {"auth": "dTpw"}}}"#;
    let config = DockerConfig::parse(document, "test").unwrap();
    assert_eq!(resolve(&config, "good.example", "a").await.unwrap().user(), Some("u"));
    let error = resolve(&config, "bad.example", "a").await.unwrap_err().to_string();
    assert!(error.contains("bad.example") && error.contains("base64"), "{error}");
}

#[test]
fn files_are_looked_for_where_docker_and_podman_keep_them() {
    let all = |name: &str| match name {
        "HOME" => Some(PathBuf::from("/home/u")),
        "XDG_RUNTIME_DIR" => Some(PathBuf::from("/run/user/1")),
        "REGISTRY_AUTH_FILE" => Some(PathBuf::from("/x/auth.json")),
        _ => None,
    };
    let expected =
        ["/home/u/.docker/config.json", "/x/auth.json", "/run/user/1/containers/auth.json"];
    assert_eq!(default_paths(all), expected.map(PathBuf::from));
    let docker = |name: &str| (name == "DOCKER_CONFIG").then(|| PathBuf::from("/d"));
    assert_eq!(default_paths(docker), [PathBuf::from("/d/config.json")]);
}

#[test]
fn files_that_are_missing_are_empty_and_the_first_entry_wins() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("1"), r#"{"auths": {"a.b": {"auth": "dTE6cA=="}}}"#).unwrap();
    std::fs::write(path("2"), r#"{"auths": {"a.b": {"auth": "dTI6cA=="}}, "credsStore": "s"}"#)
        .unwrap();
    let config = DockerConfig::load(&[path("0"), path("1"), path("2")]).unwrap();
    assert_eq!(config.entries()[0].credential.user(), Some("u1"));
    assert_eq!(config.store.as_deref(), Some("s"));
    std::fs::write(path("3"), "{").unwrap();
    assert!(DockerConfig::load(&[path("3")]).unwrap_err().to_string().contains("line 1"));
}

proptest! {
    #[test]
    fn any_user_and_password_come_back(user in "[^:\u{0}]{1,20}", password in "[^\u{0}]{0,40}") {
        let auth = STANDARD.encode(format!("{user}:{password}"));
        prop_assert_eq!(login(&entry(&format!(r#"{{"auth": "{auth}"}}"#))), pair(&user, &password));
    }

    #[test]
    fn no_document_makes_the_parser_panic(document in ".{0,200}") {
        let _ = DockerConfig::parse(document.as_bytes(), "test");
    }

    #[test]
    fn no_entry_makes_the_parser_panic(key in ".{0,40}", auth in ".{0,40}") {
        let document = serde_json::json!({"auths": {key: {"auth": auth}}}).to_string();
        DockerConfig::parse(document.as_bytes(), "test").unwrap();
    }
}
