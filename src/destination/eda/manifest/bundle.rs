//! A user bundle for edaadm, which carries images to sites without a network (nokia-eda/edaadm,
//! `bundles/*.yaml`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Names;
use crate::app::{Code, Finding};
use crate::destination::systems::{
    Document, File, Image, Login, Shipped, fill, fill_username, is_placeholder,
};

/// Name of the file.
pub(super) const BUNDLE: &str = "bundle.yaml";

/// The images by host, repository and tag; the App image, which is no plain one, says so. The login is for
/// its host. An image without a tag has no place there.
pub(super) fn bundle(
    names: &Names,
    images: &[Shipped],
    login: Option<&Login>,
    findings: &mut Vec<Finding>,
) -> File {
    let mut hosts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let plain = images.iter().map(|image| (image.tagged(), false));
    for (reference, is_app) in plain.chain([(names.image.clone(), true)]) {
        let image = Image::parse(&reference);
        let (host, repository) = image.host().unwrap_or(("docker.io", image.name));
        let Some(tag) = image.tag else {
            findings.push(untagged(&reference));
            continue;
        };
        let mut entry = json!({"name": repository, "tags": [tag]});
        if is_app {
            entry["format"] = "oci".into();
        }
        hosts.entry(host.to_owned()).or_default().push(entry);
    }
    let own = Image::parse(&names.image).host().map(|(host, _)| host.to_owned());
    let registries = hosts.into_iter().map(|(host, images)| {
        let login = login.filter(|_| own.as_ref() == Some(&host));
        json!({"name": host, "auth": auth(login), "images": images})
    });
    let registries: Vec<Value> = registries.collect();
    let value = json!({
        "name": names.app,
        "version": names.version,
        "assets": {"registries": registries},
    });
    File::one(BUNDLE, Document::new(value).comment("Fill in `auth`, or leave it out."))
}

fn untagged(reference: &str) -> Finding {
    let text = format!("{BUNDLE} names images by tag, and {reference} has none: it is left out");
    let remedy =
        "Export it with the others, without `--keep-image`, or carry it to the site by hand.";
    Finding::new(Code::ApplicationFieldLost, text).remedy(remedy)
}

fn auth(login: Option<&Login>) -> Value {
    let encoded = |text: String| match is_placeholder(&text) {
        true => text,
        false => STANDARD.encode(text),
    };
    json!({
        "extraEncodeCount": 0,
        "username": encoded(fill_username(login, "user name in base64", true)),
        "password": encoded(fill(login, "password in base64", true)),
    })
}
