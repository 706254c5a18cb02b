//! Files as people have them.

use std::fs;

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    \
                      note: it is canary\ndata: {a: Y2FuYXJ5}\nstringData: {b: canary}\n";

fn read(text: &str) -> Result<Manifests, Error> {
    Manifests::from_reader(text.as_bytes(), "in.yaml", Timestamp::UNIX_EPOCH)
}

fn scope(namespace: Option<&str>, secrets: SecretRead) -> Scope {
    Scope { secrets, ..Scope::new(namespace.map(str::to_owned)) }
}

fn snapshot(manifests: &Manifests, namespace: Option<&str>) -> Result<Snapshot, Error> {
    let scope = scope(namespace, SecretRead::Nothing);
    futures_util::FutureExt::now_or_never(manifests.snapshot(&scope)).unwrap()
}

fn ids(snapshot: &Snapshot) -> Vec<String> {
    snapshot.objects.iter().map(|object| object.id().to_string()).collect()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn a_directory_is_read_in_order_of_paths() {
    let folder = folder(&[
        ("b.yml", CONFIG),
        ("a/deep.yaml", &format!("{WEB}---\n{SECRET}")),
        ("c.json", r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}"#),
        ("notes.txt", "no: [manifest"),
        (".hidden.yaml", "no: [manifest"),
        (".git/x.yaml", "no: [manifest"),
    ]);
    let manifests = Manifests::from_path(folder.path(), Timestamp::UNIX_EPOCH).unwrap();
    let snapshot = snapshot(&manifests, None).unwrap();
    let expected = ["Deployment shop/web", "Secret shop/s", "ConfigMap shop/c", "Service shop/web"];
    assert_eq!(ids(&snapshot), expected);
    assert_eq!(snapshot.namespace, "shop");
    assert_eq!(snapshot.origin, Origin::Manifests);
}

#[test]
fn the_namespace_is_the_users_the_files_or_the_default() {
    let of = |text: &str, wanted| snapshot(&read(text).unwrap(), wanted).map(|s| s.namespace);
    assert_eq!(of(WEB, None).unwrap(), "default");
    assert_eq!(of(CONFIG, None).unwrap(), "shop");
    assert_eq!(of(CONFIG, Some("other")).unwrap(), "other");
    let created = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: made}}\n---\n{WEB}");
    assert_eq!(of(&created, None).unwrap(), "made");
    let two = format!("{CONFIG}---\n{}", CONFIG.replace("shop", "blog"));
    let error = of(&two, None).unwrap_err().to_string();
    assert_eq!(error, "the manifests belong to several namespaces (blog, shop)");
    assert_eq!(ids(&snapshot(&read(&two).unwrap(), Some("blog")).unwrap()).len(), 2);
}

#[test]
fn only_kinds_that_have_a_namespace_get_one() {
    let text = "apiVersion: v1\nkind: List\nitems:\n\
        - {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ''}}\n\
        - {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: b}}\n\
        - {apiVersion: example.org/v1, kind: Thing, metadata: {name: c}}\n";
    let snapshot = snapshot(&read(text).unwrap(), Some("shop")).unwrap();
    assert_eq!(ids(&snapshot), ["Pod shop/a", "ClusterRole b", "Thing c"]);
}

#[test]
fn lists_of_any_kind_are_taken_apart() {
    let text = r#"{"apiVersion": "v1", "kind": "PodList", "items": [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "x": 9007199254740993}]}
        {"apiVersion": "v1", "kind": "List", "items": null}"#;
    let snapshot = snapshot(&read(text).unwrap(), None).unwrap();
    assert_eq!(ids(&snapshot), ["Pod default/a"]);
    assert_eq!(snapshot.objects[0].at("/x"), Some(&Value::from(9_007_199_254_740_993_u64)));
}

#[test]
fn the_same_object_twice_names_the_second_place() {
    let manifests = read(&format!("{CONFIG}---\n# again\n{CONFIG}")).unwrap();
    let error = snapshot(&manifests, None).unwrap_err().to_string();
    assert_eq!(error, "in.yaml:6: ConfigMap shop/c is there twice");
}

#[test]
fn errors_name_the_file_of_a_directory() {
    let folder = folder(&[("a.yaml", WEB), ("b.yaml", "a: 1\nb: [\n"), ("c.yaml", "\u{fe}")]);
    let error = Manifests::from_path(folder.path(), Timestamp::UNIX_EPOCH).unwrap_err();
    let expected = folder.path().join("b.yaml:").display().to_string();
    assert!(error.to_string().starts_with(&expected), "{error}");
    let missing = folder.path().join("missing.yaml");
    let error = Manifests::from_path(&missing, Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read {}", missing.display()));
    let error = Manifests::from_reader(&b"a: 1\nb: \xff"[..], "in", Timestamp::UNIX_EPOCH);
    assert_eq!(error.unwrap_err().to_string(), "in:2: this is not UTF-8");
}

#[test]
fn a_saved_snapshot_is_recognised_and_keeps_its_own_time() {
    let saved = snapshot(&read(&format!("{CONFIG}---\n{SECRET}")).unwrap(), None).unwrap();
    let json = String::from_utf8(saved.to_json().unwrap()).unwrap();
    let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1);
    let manifests = Manifests::from_reader(json.as_bytes(), "saved.json", later).unwrap();
    let back = snapshot(&manifests, None).unwrap();
    assert_eq!(back.to_json().unwrap(), json.as_bytes());
    assert_eq!(back.taken_at, Timestamp::UNIX_EPOCH);
    let error = snapshot(&manifests, Some("other")).unwrap_err().to_string();
    assert!(error.contains("`other`") && error.contains("namespace `shop`"), "{error}");
    let newer = json.replace("\"format\": 1", "\"format\": 9");
    let error = read(&newer).unwrap_err();
    let Error::Snapshot { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("format 9"), "{source}");
}

#[test]
fn secrets_are_redacted_and_values_come_only_when_asked() {
    let manifests = read(SECRET).unwrap();
    for (secrets, expected) in
        [(SecretRead::Nothing, 0), (SecretRead::Keys, 0), (SecretRead::Values, 1)]
    {
        let scope = scope(None, secrets);
        let read = futures_util::FutureExt::now_or_never(manifests.snapshot(&scope)).unwrap();
        let snapshot = read.unwrap();
        let json = String::from_utf8(snapshot.to_json().unwrap()).unwrap();
        for text in [json, format!("{snapshot:?}"), format!("{manifests:?}")] {
            assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "{text}");
        }
        assert_eq!(snapshot.secrets.0.len(), expected);
        if let Some(values) = snapshot.secrets.0.get("s") {
            assert_eq!(values["b"].expose_secret(), b"canary");
        }
    }
}

#[test]
fn circles_of_folders_end() {
    let folder = folder(&[("a.yaml", WEB)]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    let error = Manifests::from_path(folder.path(), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(error.to_string().contains("limit of 16 folders"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // each starts a thread for the parser

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-c:\\-\\n \\[\\]{}&*!'\"|>#,~0-9\\t]{0,80}") {
        let _ = read(&text);
    }
}
