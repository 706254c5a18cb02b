//! The application that the tests of this folder make charts of: one object of every kind that is
//! dealt with in a way of its own, and as many traps as fit.

use std::collections::BTreeMap;

use outhaul::app::{App, SecretValues, SecretsPolicy};
use outhaul::chart::{Chart, Image, Input, Templates, build};

/// Secret values that must not be found where they do not belong.
pub(super) const CANARY: &str = "canary-5f3a9";

pub(super) fn app() -> App {
    serde_json::from_str(include_str!("fixtures/shop.json")).unwrap()
}

/// An application of these objects, without images and Secrets.
pub(super) fn app_of(objects: serde_json::Value) -> App {
    App {
        objects: serde_json::from_value(objects).unwrap(),
        images: Vec::new(),
        secrets: Vec::new(),
        requirements: Vec::new(),
        rewrites: Vec::new(),
        ..app()
    }
}

/// The chart of such an application.
pub(super) fn plain_chart_of(app: &App) -> Chart {
    chart_of(app, SecretsPolicy::Reference, &SecretValues::default())
}

pub(super) fn images(app: &App) -> Vec<Image> {
    let image = |(at, image): (usize, &outhaul::app::ImageUse)| {
        let tag = image.image.rsplit(':').next().unwrap();
        let digest = char::from_digit(at as u32 + 10, 16).unwrap().to_string().repeat(64);
        Image {
            key: image.key.clone(),
            registry: "registry.example.com/team".to_owned(),
            repository: "shop-shop-image".to_owned(),
            tag: format!("{}-{tag}-{}", image.key, &digest[..12]),
            digest: format!("sha256:{digest}"),
            source: image.image.clone(),
            platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
            uses: image.uses.clone(),
            kept: image.kept,
        }
    };
    app.images.iter().enumerate().map(image).collect()
}

/// What a chart of `app` is made of.
pub(super) fn input<'a>(
    app: &'a App,
    secrets: SecretsPolicy,
    secret_values: &'a SecretValues,
) -> Input<'a> {
    Input {
        app,
        name: "shop-prod-shop-chart".to_owned(),
        version: "2026.105.5".parse().unwrap(),
        images: images(app),
        secrets,
        secret_values,
        templates: Templates::default(),
        sealed: None,
        annotations: BTreeMap::from([
            ("dev.outhaul.content-digest".to_owned(), format!("sha256:{}", "0".repeat(64))),
            ("dev.outhaul.origin".to_owned(), "manifests/shop-prod/shop".to_owned()),
        ]),
        created: "2026-01-05T00:00:05Z".to_owned(),
    }
}

/// The chart of `app` under a policy.
pub(super) fn chart_of(app: &App, secrets: SecretsPolicy, values: &SecretValues) -> Chart {
    build(&input(app, secrets, values)).unwrap()
}

/// The chart of the application, Secrets by reference.
pub(super) fn chart() -> Chart {
    chart_of(&app(), SecretsPolicy::Reference, &SecretValues::default())
}

/// Values for every Secret: text, binary and empty.
pub(super) fn secret_values() -> SecretValues {
    let bytes = |text: &[u8]| text.to_vec().into();
    let tls = BTreeMap::from([
        (
            "tls.crt".to_owned(),
            bytes(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ),
        ("tls.key".to_owned(), bytes(&[0xff, 0xfe, 0x00, 0x01])),
    ]);
    let db = BTreeMap::from([
        ("password".to_owned(), bytes(CANARY.as_bytes())),
        ("user".to_owned(), bytes(b"")),
    ]);
    SecretValues(BTreeMap::from([("shop-db".to_owned(), db), ("shop-tls".to_owned(), tls)]))
}
