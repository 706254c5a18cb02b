//! `--identity`: the encrypted Secrets of an export come up with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::checks::grant;
use super::site::{Site, missing};
use crate::export::shop::{CANARIES, manifests};
use crate::support::objects;
use crate::support::outhaul::Outhaul;

/// `outhaul` with the identity of an encrypted export in `key.txt`, one of nobody in `other.txt`,
/// and the reference of that export.
fn sealed(site: &Site<'_>) -> (Outhaul, String) {
    let outhaul = site.outhaul("admin");
    let [key, other] = [(); 2].map(|()| age::x25519::Identity::generate());
    outhaul.write("key.txt", format!("# a comment\n{}\n", key.to_string().expose_secret()));
    outhaul.write("other.txt", other.to_string().expose_secret());
    outhaul.write("shop.yaml", manifests(&site.registry));
    let (to, recipient) = (format!("{}/sealed", site.registry.address()), key.to_public());
    let export = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
    let encrypt = ["--secrets", "encrypt", "--age-recipient", &recipient.to_string()];
    outhaul.run(&[&export[..], &encrypt].concat()).ok();
    (outhaul, format!("oci://{to}/shop-shop-chart"))
}

/// What the example's Secret holds.
fn data() -> Value {
    let [password, key] = CANARIES.map(|text| STANDARD.encode(text));
    serde_json::json!({"db-password": password, "session-key": key})
}

#[test]
fn who_has_the_identity_brings_the_secrets_and_another_changes_nothing() {
    let site = Site::new();
    let (outhaul, chart) = sealed(&site);
    let identity = std::fs::read_to_string(outhaul.home().join("key.txt")).unwrap();
    let cluster = site.namespace.cluster();
    let name = format!("{}-fresh", site.namespace.name());
    let get =
        |api: &str, kind: &str, object: &str| objects::get(cluster, Some(&name), api, kind, object);
    let import = |further: &[&str]| {
        let args = ["app", "import", &chart, "-n", &name, "--create-namespace", "-vv"];
        let output = outhaul.run(&[&args[..], further].concat());
        for canary in CANARIES {
            assert!(!output.mentions(canary) && !output.mentions(&STANDARD.encode(canary)));
        }
        assert!(!output.mentions(identity.lines().last().unwrap()));
        output
    };
    let wrong = import(&["--identity", "other.txt", "--skip-checks"]).exits(18);
    assert!(wrong.stderr.contains("secrets.age is encrypted for other recipients"), "{wrong:?}");
    import(&["--identity", "shop.yaml"]).exits(2);
    let without = import(&["-o", "json"]).exits(18).json();
    let file = "secrets.age: Secrets are missing, and it was not opened";
    assert_eq!(missing(&without, "sealed"), [file]);
    let plan = import(&["--identity", "key.txt", "--dry-run"]).ok();
    assert!(plan.stdout.contains("  secret   shop-credentials: db-password, session-key\n"));
    assert!(objects::get(cluster, None, "v1", "Namespace", &name).is_none(), "nothing is made");

    import(&["--identity", "key.txt"]).ok();
    let secret = get("v1", "Secret", "shop-credentials").unwrap();
    assert_eq!((&secret["data"], &secret["type"]), (&data(), &"Opaque".into()));
    let managers = secret["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().all(|by| by["manager"] == "outhaul"), "{managers:?}");
    assert!(get("apps/v1", "Deployment", "web").is_some());
    let again = import(&["--identity", "key.txt"]).ok();
    assert!(!again.stderr.contains("Secret shop-credentials is applied"), "{again:?}");
    assert_eq!(get("v1", "Secret", "shop-credentials"), Some(secret));
    import(&["--dry-run"]).ok();
}

#[test]
fn what_would_refuse_a_secret_is_asked_and_does_not_quote_it() {
    let site = Site::new();
    let (outhaul, chart) = sealed(&site);
    grant(&site, "alice", "[{apiGroups: ['*'], resources: ['*'], verbs: [get, list, create]}]");
    let outhaul = outhaul.kubeconfig(site.namespace.cluster().kubeconfig("alice"));
    let args = ["app", "import", &chart, "-n", site.namespace.name(), "--identity", "key.txt"];
    let refused = outhaul.run(&[&args[..], &["--dry-run", "-o", "json", "-vv"]].concat());
    let refused = refused.exits(18);
    let sealed = missing(&refused.json(), "sealed");
    let refusal = |name: &str| {
        format!("Secret {name}: the cluster would not take it: the Secret may not be written")
    };
    assert_eq!(sealed, [refusal("shop-credentials"), refusal("shop-tls")]);
    assert_eq!(missing(&refused.json(), "object").len(), 1, "its Role alone: {refused:?}");
    for canary in CANARIES {
        assert!(!refused.mentions(canary) && !refused.mentions(&STANDARD.encode(canary)));
    }
}

#[test]
fn a_secret_of_another_stays_unless_it_is_equal() {
    let site = Site::new();
    let (outhaul, chart) = sealed(&site);
    let args = ["app", "import", &chart, "-n", site.namespace.name(), "--identity", "key.txt"];
    let import = |further: &[&str]| outhaul.run(&[&args[..], further].concat());
    let put = |password: &str| {
        let [_, key] = CANARIES;
        site.namespace.apply(&format!(
            "
apiVersion: v1
kind: Secret
metadata: {{name: shop-credentials}}
stringData: {{db-password: {password}, session-key: {key}}}
"
        ));
        site.namespace.get("v1", "Secret", "shop-credentials").unwrap()
    };
    let theirs = put("another");
    let refused = import(&["-o", "json"]).exits(18);
    let text = "Secret shop-credentials: it exists with other values, which are not outhaul's";
    assert_eq!(missing(&refused.json(), "sealed"), [text]);
    let refused = import(&["--skip-checks"]).exits(18);
    assert!(refused.stderr.contains("is not overwritten"), "{refused:?}");
    assert_eq!(site.namespace.get("v1", "Secret", "shop-credentials"), Some(theirs));
    assert!(site.namespace.get("apps/v1", "Deployment", "web").is_none());

    let equal = put(CANARIES[0]);
    import(&[]).ok();
    assert_eq!(site.namespace.get("v1", "Secret", "shop-credentials"), Some(equal));
}
