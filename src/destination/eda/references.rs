//! The images that manifests of a catalog name, and where a mirror has them.

use serde_json::Value;

use crate::destination::systems::Image;

/// The images of `Manifest` resources, in their order and each once: the App image, and the
/// containers that are external references. One without a host (`image/NAME`) is embedded in the
/// App image and travels with it.
pub fn references(documents: &[Value]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for manifest in documents.iter().filter(|document| document["kind"] == "Manifest") {
        let spec = &manifest["spec"];
        let list = |field: &str| spec[field].as_array().into_iter().flatten();
        let containers = list("dependencies").map(|item| &item["container"]["image"]);
        let workflows = list("components").map(|item| &item["workflow"]["image"]);
        let images = std::iter::once(&spec["image"]).chain(containers).chain(workflows);
        for image in images.filter_map(Value::as_str) {
            let is_new = !found.iter().any(|known| known == image);
            if is_new && Image::parse(image).host().is_some() {
                found.push(image.to_owned());
            }
        }
    }
    found
}

/// The images of a list, each with its line from 1: one reference a line, with empty lines and comments
/// (`#`). `None` for manifests in YAML, which begin with a field: a word with `:` and nothing or a space
/// behind it.
pub fn listed(text: &str) -> Option<Vec<(usize, String)>> {
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    let lines = (1..).zip(lines).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<(usize, String)> = lines.map(|(at, line)| (at, line.to_owned())).collect();
    let is_field = |line: &str| line == "---" || line.ends_with(':') || line.contains(": ");
    let is_yaml =
        lines.first().is_some_and(|(_, line)| is_field(line) || line.starts_with(['{', '[']));
    (!is_yaml).then_some(lines)
}

/// The image at the mirror: the host is exchanged, and nothing else ("Only the hostname/FQDN will
/// be replaced"). `None` where the image names no host, or the mirror is no host.
pub fn mirrored(image: &str, mirror: &str) -> Option<String> {
    let host: Result<crate::registry::Host, _> = mirror.parse();
    let (old, _) = Image::parse(image).host()?;
    if host.is_err() || mirror.contains('/') {
        return None;
    }
    Some(format!("{mirror}{}", image.strip_prefix(old)?))
}
