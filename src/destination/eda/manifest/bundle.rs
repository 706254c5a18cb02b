//! A user bundle for edaadm, which carries images to sites without a network (nokia-eda/edaadm,
//! `bundles/*.yaml`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Names;
use crate::destination::systems::{Document, File, Image, Shipped, placeholder};

/// Name of the file.
pub(super) const BUNDLE: &str = "bundle.yaml";

/// The images by host, repository and tag; the App image, which is no plain one, says so.
pub(super) fn bundle(names: &Names, images: &[Shipped]) -> File {
    let mut hosts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let plain = images.iter().map(|image| (image.tagged(), false));
    for (reference, is_app) in plain.chain([(names.image.clone(), true)]) {
        let image = Image::parse(&reference);
        let (host, repository) = image.host().unwrap_or(("docker.io", image.name));
        let Some(tag) = image.tag else { continue };
        let mut entry = json!({"name": repository, "tags": [tag]});
        if is_app {
            entry["format"] = "oci".into();
        }
        hosts.entry(host.to_owned()).or_default().push(entry);
    }
    let registries: Vec<Value> = hosts
        .into_iter()
        .map(|(host, images)| {
            let auth = json!({
                "extraEncodeCount": 0,
                "username": placeholder("user name in base64"),
                "password": placeholder("password in base64"),
            });
            json!({"name": host, "auth": auth, "images": images})
        })
        .collect();
    let value = json!({
        "name": names.app,
        "version": names.version,
        "assets": {"registries": registries},
    });
    File::one(BUNDLE, Document::new(value).comment("Fill in `auth`, or leave it out."))
}
