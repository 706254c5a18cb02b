//! `--secrets encrypt`: who has the key gets the Secrets back, and nobody else anything of them.

use std::collections::BTreeMap;
use std::process::Command;

use outhaul::chart::Chart;
use outhaul::chart::sealed::{self, OpenError};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::shop::{CANARIES, Shop, codes, status, version};
use crate::support::output::run;
use crate::support::tools;

/// A key of age, and who may encrypt for it.
struct Key(age::x25519::Identity);

impl Key {
    fn new() -> Self {
        Self(age::x25519::Identity::generate())
    }

    fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }
}

/// Type and data of each Secret.
fn opened(chart: &Chart, key: &Key) -> BTreeMap<String, (Value, Value)> {
    let opened = sealed::open(chart, std::slice::from_ref(&key.0)).unwrap();
    let parts = opened.into_iter().map(|secret| {
        let manifest: Value = serde_json::from_str(secret.manifest.expose_secret()).unwrap();
        assert_eq!(manifest["metadata"].get("namespace"), None);
        (secret.name, (manifest["type"].clone(), manifest["data"].clone()))
    });
    parts.collect()
}

/// The same of the live Secrets.
fn live(shop: &Shop<'_>) -> BTreeMap<String, (Value, Value)> {
    let secret = |name: &str| {
        let live = shop.namespace.get("v1", "Secret", name).unwrap();
        (name.to_owned(), (live["type"].clone(), live["data"].clone()))
    };
    ["shop-credentials", "shop-tls"].map(secret).into()
}

#[test]
fn who_has_the_key_gets_the_secrets_back_and_nothing_else_does() {
    let shop = Shop::start();
    let (key, other) = (Key::new(), Key::new());
    let export = ["--secrets", "encrypt", "--age-recipient", &key.recipient(), "-vv"];
    let report = shop.export(&export).ok();
    assert!(codes(&report.json()).contains(&"SECRET_ENCRYPTED"), "{report:?}");
    let chart = shop.published(&version(&report));
    assert_eq!(opened(&chart, &key), live(&shop));
    let refused = sealed::open(&chart, std::slice::from_ref(&other.0)).unwrap_err();
    assert!(matches!(refused, OpenError::NotARecipient), "{refused}");
    for canary in CANARIES {
        let leaks =
            chart.files.values().any(|bytes| String::from_utf8_lossy(bytes).contains(canary));
        assert!(!leaks && !report.mentions(canary), "{canary}");
    }
    // The line that the chart's README has, by age's own program.
    let readme = std::str::from_utf8(&chart.files["README.md"]).unwrap();
    assert!(readme.contains("age --decrypt --identity KEY.txt"), "{readme}");
    let folder = tempfile::tempdir().unwrap();
    let (identity, file) = (folder.path().join("KEY.txt"), folder.path().join(sealed::FILE));
    std::fs::write(&identity, key.0.to_string().expose_secret()).unwrap();
    std::fs::write(&file, &chart.files[sealed::FILE]).unwrap();
    let mut age = Command::new(tools::age());
    age.args(["--decrypt", "--identity"]).arg(&identity).arg(&file);
    let manifests = run(age, b"").ok().stdout;
    assert!(CANARIES.iter().all(|canary| manifests.contains(&base64(canary))));
    let target = shop.namespace.cluster().namespace("decrypted");
    target.apply(&manifests);
    let applied = target.get("v1", "Secret", "shop-credentials").unwrap();
    assert_eq!(applied["data"], live(&shop)["shop-credentials"].1);
}

/// One plaintext is another ciphertext each time; that alone is no new version.
#[test]
fn a_ciphertext_stays_until_a_secret_or_a_recipient_changes() {
    let shop = Shop::start();
    let (one, two) = (Key::new(), Key::new());
    let export = |recipients: &[&Key]| {
        let keys: Vec<String> = recipients.iter().map(|key| key.recipient()).collect();
        let mut args = vec!["--secrets", "encrypt"];
        keys.iter().for_each(|key| args.extend(["--age-recipient", key]));
        let report = shop.export(&args).ok();
        let file = shop.published(&version(&report)).files[sealed::FILE].clone();
        (status(&report), file)
    };
    let (_, first) = export(&[&one]);
    assert_eq!(export(&[&one]), ("unchanged".to_owned(), first.clone()));
    shop.set_currency("USD");
    assert_eq!(export(&[&one]), ("exported".to_owned(), first.clone()));
    let (status, both) = export(&[&one, &two]);
    assert_eq!((status.as_str(), both == first), ("exported", false));
    assert_eq!(export(&[&two, &one, &one]), ("unchanged".to_owned(), both.clone()));
    shop.namespace.apply(
        "{apiVersion: v1, kind: Secret, metadata: {name: shop-credentials}, stringData: {more: x}}",
    );
    let (status, changed) = export(&[&one, &two]);
    assert_eq!((status.as_str(), changed == both), ("exported", false));
}

/// Manifests do not tell when a Secret has changed, and what would tell would tell others, too.
#[test]
fn manifests_are_encrypted_anew_each_time() {
    let shop = Shop::start();
    let key = Key::new();
    let outhaul = shop.outhaul();
    outhaul.write("shop.yaml", super::shop::manifests(&shop.sources));
    let args = ["app", "export", "shop", "--from", "shop.yaml", "--to", "out", "-o", "json"];
    let recipient = key.recipient();
    let args = [&args[..], &["--secrets", "encrypt", "--age-recipient", &recipient]].concat();
    for _ in 0..2 {
        let report = outhaul.run(&args).ok();
        assert_eq!(status(&report), "exported");
    }
}

#[test]
fn recipients_come_from_files_and_destinations_and_are_never_guessed() {
    let shop = Shop::start();
    let key = Key::new();
    let nobody = shop.export(&["--secrets", "encrypt"]).exits(2);
    assert!(nobody.stderr.contains("hint: give `--age-recipient"), "{nobody:?}");
    let idle = shop.export(&["--age-recipient", &key.recipient()]).exits(2);
    assert!(idle.stderr.contains("add `--secrets encrypt`"), "{idle:?}");
    let secret = key.0.to_string();
    let mistaken = ["--secrets", "encrypt", "--age-recipient", secret.expose_secret()];
    let mistaken = shop.export(&mistaken).exits(2);
    assert!(mistaken.stderr.contains("a secret key of age"), "{mistaken:?}");
    assert!(!mistaken.mentions(&secret.expose_secret()[20..]), "the key is not repeated");

    let outhaul = shop.outhaul();
    outhaul.write("team.txt", format!("# the team\n{}\n", key.recipient()));
    outhaul.write("bad.txt", "# nobody\n\nssh-ed25519 AAAA\n");
    let export = |file: &str| {
        let args =
            ["app", "export", "shop", "-n", shop.namespace.name(), "-r", "team", "-o", "json"];
        outhaul.run(&[&args[..], &["--secrets", "encrypt", "--age-recipients-file", file]].concat())
    };
    assert!(export("bad.txt").exits(2).stderr.contains("bad.txt, line 3: keys of SSH"));
    export("none.txt").exits(13);
    let report = export("team.txt").ok();
    assert_eq!(opened(&shop.published(&version(&report)), &key), live(&shop));

    let annotate = |recipients: &str| {
        shop.system.apply_as(
            "another",
            &format!(
                "{{apiVersion: v1, kind: Secret, metadata: {{name: team, annotations: \
                 {{outhaul.dev/age-recipients: '{recipients}'}}}}}}"
            ),
        );
    };
    annotate(&format!("{}, {}", key.recipient(), Key::new().recipient()));
    let report = shop.export(&["--secrets", "encrypt"]).ok();
    assert!(report.stdout.contains("encrypted for 2 recipients"), "{report:?}");
    assert_eq!(opened(&shop.published(&version(&report)), &key), live(&shop));
    annotate("nobody");
    let refused = shop.export(&["--secrets", "encrypt"]).exits(6);
    assert!(refused.stderr.contains("outhaul.dev/age-recipients: a recipient is"), "{refused:?}");
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
