//! The table of what is a credential and what is not, through the one door.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Parts of credentials, so that no text of this repository is one.
fn token(parts: &[&str]) -> String {
    parts.concat()
}

/// Whether one of the finders finds something in the text.
pub(super) fn finds(find: fn(&str, &mut dyn FnMut(Credential, Place)), text: &str) -> bool {
    let mut found = false;
    find(text, &mut |_, _| found = true);
    found
}

fn of(value: Value) -> Vec<Finding> {
    scan(&[Object::new(value).unwrap()])
}

fn config(data: &Value) -> Vec<Finding> {
    of(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}))
}

fn workload(container: &Value) -> Vec<Finding> {
    of(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [container]}}}}))
}

fn fields(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.field.as_deref().unwrap()).collect()
}

#[test]
fn tokens_are_known_by_their_shape() {
    let hex = "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015";
    let mixed = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5";
    for (text, what) in [
        (token(&["AKIA", "IOSFODNN7ABCDEFG"]), "an access key of AWS"),
        (token(&["ghp_", mixed]), "a token of GitHub"),
        (token(&["github_pat_", "11ABCDEFG0", mixed]), "a token of GitHub"),
        (token(&["glpat-", &mixed[..20]]), "a token of GitLab"),
        (token(&["xoxb-", "123456789012-", &mixed[..24]]), "a token of Slack"),
        (token(&["sk_live_", &mixed[..24]]), "an API key of Stripe"),
        (token(&["AIza", &mixed[..35]]), "an API key of Google"),
        (token(&["npm_", mixed]), "a token of npm"),
        (token(&["pypi-", "AgEIcHlwaS5vcmc", hex, mixed]), "a token of PyPI"),
        (token(&["hvs.", &mixed[..24]]), "a token of Vault"),
        (token(&["dop_v1_", hex]), "a token of DigitalOcean"),
        (token(&["Authorization: Bearer ", mixed]), "a bearer token"),
        (
            token(&["Authorization: Basic ", "Y2Fyb2w6czNjcmV0"]),
            "a user name with a password in base64",
        ),
        (
            token(&["eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.", mixed]),
            "a JSON web token",
        ),
        (token(&["-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE"]), "a private key"),
        (token(&["-----BEGIN ", "PRIVATE KEY-----\\nMIIE"]), "a private key"),
        (token(&["-----BEGIN PGP ", "PRIVATE KEY BLOCK-----\n"]), "a private key"),
        (token(&["LS0tLS1CRUdJTiBQUklWQVRF", "IEtFWS0tLS0t"]), "a private key in base64"),
        (
            token(&["eyJhdXRocyI6", "eyJyLmV4YW1wbGUiOnt9fX0="]),
            "credentials of registries in base64",
        ),
    ] {
        for wrapped in [text.clone(), format!("a: \"{text}\"\n"), format!("x={text};")] {
            let found = config(&json!({"some": wrapped}));
            assert!(found.iter().any(|f| f.text.contains(what)), "{wrapped}: {found:?}");
        }
    }
}

#[test]
fn what_looks_like_a_token_and_is_none() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        "ghp_short".to_owned(),
        "MAKIAIOSFODNN7ABCDEFG".to_owned(),
        "-----BEGIN PUBLIC KEY-----\nMIIB".to_owned(),
        "-----BEGIN CERTIFICATE-----\nMIIB".to_owned(),
        "grep 'BEGIN PRIVATE KEY'".to_owned(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGaVb carol@example.com".to_owned(),
        "Basic authentication is used for everything".to_owned(),
        "Bearer of good news and bad news alike".to_owned(),
        "eyJhbGciOiJIUzI1NiJ9".to_owned(),
        "sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015".to_owned(),
        "123e4567-e89b-12d3-a456-426614174000".to_owned(),
        "npm_config_cache=/tmp".to_owned(),
    ] {
        assert_eq!(config(&json!({"some": text})), [], "{text}");
    }
}

#[test]
fn variables_arguments_and_headers_are_known_by_their_names() {
    let found = workload(&json!({"name": "main", "image": "a",
    "command": ["run", "--token", "9f86d081884c7d659a2feaa0c55ad015", "--password", "--verbose"],
    "args": ["--admin-password=hunter2", "--password-file", "/run/secrets/x"],
    "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "X-Api-Key", "value": "9f86d081884c7d659a2fe"}]}},
    "env": [
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "DATABASE_URL", "value": "postgres://shop:hunter2@db/shop"},
        {"name": "DB_PASSWORD_FILE", "value": "/run/secrets/db"},
        {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "shop-credentials-1", "key": "password"}}},
        {"name": "AUTH_ENABLED", "value": "true"},
        {"name": "URL", "value": "https://example.com"},
    ]}));
    let at = "spec.template.spec.containers[0]";
    let expected = [
        "command[2]",
        "args[0]",
        "livenessProbe.httpGet.httpHeaders[0].value",
        "env[0].value",
        "env[1].value",
    ];
    assert_eq!(fields(&found), expected.map(|field| format!("{at}.{field}")));
    assert_eq!(
        found[3].text,
        "Deployment web holds a password in plain text: spec.template.spec.containers[0].env[0].value (DB_PASSWORD)"
    );
}

#[test]
fn a_file_in_a_config_map_is_named_with_the_line() {
    let file =
        "server:\n  port: 8080\ndb:\n  url: postgres://shop:hunter2@db/shop\n  password: hunter2\n";
    let found =
        config(&json!({"application.yaml": file, "admin-password": "geheim", "level": "debug"}));
    let texts: Vec<_> = found.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "ConfigMap c holds a URL with a password in plain text: data[\"application.yaml\"], line 4",
            "ConfigMap c holds a password in plain text: data[\"application.yaml\"], line 5",
            "ConfigMap c holds a password in plain text: data.admin-password",
        ]
    );
    assert!(
        found
            .iter()
            .all(|finding| finding.code == Code::PlaintextSecret && !finding.remedy.is_empty())
    );
}

/// kubectl puts a file that is not UTF-8 there, such as one in Latin-1 or UTF-16.
#[test]
fn binary_data_that_is_text_is_scanned_like_any_other() {
    let latin1 = b"name: M\xfcller\npassword: hunter2\n".to_vec();
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}db\nurl=postgres://shop:hunter2@db/shop\n".encode_utf16().flat_map(order).collect()
    };
    let binary = [b"\0\x01password=hunter2".as_slice(), &[0; 100]].concat();
    let long = [b"x\n".repeat(LONGEST_TEXT), b"password: hunter2\n".to_vec()].concat();
    let [latin1, little, big, binary, long] =
        [latin1, utf16(u16::to_le_bytes), utf16(u16::to_be_bytes), binary, long]
            .map(|bytes| STANDARD.encode(bytes));
    let found = of(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"},
        "binaryData": {"latin1.yaml": latin1, "little.env": little, "big.env": big, "image": binary,
            "long": long, "broken": "no base64!", "password": STANDARD.encode("hunter2")}}));
    let texts: Vec<_> = found.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "ConfigMap c holds a password in plain text: binaryData[\"latin1.yaml\"], line 2",
            "ConfigMap c holds a URL with a password in plain text: binaryData[\"little.env\"], line 2",
            "ConfigMap c holds a URL with a password in plain text: binaryData[\"big.env\"], line 2",
            "ConfigMap c holds a password in plain text: binaryData.password",
        ]
    );
}

#[test]
fn names_of_fields_count_where_people_chose_them() {
    let custom =
        of(json!({"apiVersion": "acme.io/v1", "kind": "Database", "metadata": {"name": "d"},
        "spec": {"adminPassword": "hunter2", "secretName": "d-credentials",
            "auth": {"existingSecret": "database-credentials"}}}));
    assert_eq!(fields(&custom), ["spec.adminPassword"]);
    let sealed = of(json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {"name": "s"}, "spec": {"encryptedData": {"password": "AgBy3i4OJSWKPiTySYZZA9rO43cGDEq"}}}));
    assert_eq!(sealed, []);
    let ingress = of(json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "i", "annotations": {
            "nginx.ingress.kubernetes.io/auth-secret": "shop/basic-auth-users",
            "checksum/secret": "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
            "acme.io/password": "hunter2"}},
        "spec": {"tls": [{"secretName": "a-certificate-of-2026"}]}}));
    assert_eq!(fields(&ingress), ["metadata.annotations[\"acme.io/password\"]"]);
}

proptest! {
    /// Whatever is found: the finding has nothing of the value.
    #[test]
    fn no_finding_quotes_a_value(secret in "[A-Z]{4}[a-z]{4}[0-9]{8}", separator in "[=:]") {
        let space = if separator == ":" { " " } else { "" };
        let found = config(&json!({"password": &secret,
            "file": format!("a\npassword{separator}{space}{secret}\nurl: x://u:{secret}@h\n")}));
        prop_assert_eq!(found.len(), 3);
        for finding in found {
            prop_assert!(!serde_json::to_string(&finding).unwrap().contains(&secret));
        }
    }

    /// No text breaks it.
    #[test]
    fn any_text_can_be_scanned(text in r#"([a-z\p{L}]{0,6}|password|token|[:=>"'\\@ \n/{}$<]|://|-----BEGIN ){0,40}"#) {
        config(&json!({ "password": text }));
    }
}
