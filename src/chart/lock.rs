//! `images.lock`: what the chart's images are, for tools that copy or check them.

use serde_json::json;

use super::input::Image;
use super::manifest::reference;
use super::yaml::{Node, Row, document};

const INTRODUCTION: &str = "The images of this chart: where they came from, what they are, and for \
                            which platforms. Written by Outhaul.";

/// The lock file.
pub fn lock(images: &[Image]) -> String {
    let images = Node::list(images.iter().map(|image| entry(image, images)));
    document(&Node::Map(vec![
        Row::Comment(INTRODUCTION.to_owned()),
        Row::field("apiVersion", Node::str("outhaul.dev/v1alpha1")),
        Row::field("kind", Node::str("ImagesLock")),
        Row::field("images", images),
    ]))
}

fn entry(image: &Image, all: &[Image]) -> Node {
    let platforms = Node::list(image.platforms.iter().map(|platform| Node::str(platform.as_str())));
    let mut fields = vec![
        ("key", Node::str(image.key.as_str())),
        ("source", Node::str(image.source.as_str())),
        ("reference", Node::Str(reference(image))),
        ("digest", Node::str(image.digest.as_str())),
        ("platforms", platforms),
    ];
    if image.kept {
        fields.push(("kept", Node::from(&true.into())));
    }
    // Where the chart is installed there are digests only: of references that mean one image, this
    // tells which stood where.
    if all.iter().filter(|other| other.digest == image.digest).count() > 1 {
        fields.push(("uses", Node::from(&json!(image.uses))));
    }
    Node::map(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{ContainerRef, ObjectId};

    #[test]
    fn what_uses_an_image_is_said_where_its_digest_does_not_tell() {
        let image = |key: &str, digest: &str| Image {
            key: key.into(),
            registry: "r.io".into(),
            repository: "web".into(),
            tag: String::new(),
            digest: digest.into(),
            source: key.into(),
            platforms: Vec::new(),
            uses: vec![ContainerRef {
                object: ObjectId {
                    group: "apps".into(),
                    kind: "Deployment".into(),
                    namespace: None,
                    name: key.into(),
                },
                pointer: "/spec/template/spec/containers/0".into(),
                container: "main".into(),
            }],
            kept: false,
        };
        let text =
            lock(&[image("a", "sha256:ab"), image("b", "sha256:cd"), image("c", "sha256:ab")]);
        assert!(!lock(&[image("a", "sha256:ab")]).contains("uses"));
        let uses = "    digest: sha256:ab
    platforms: []
    uses:
      - object:
          group: apps
          kind: Deployment
          name: a
        pointer: /spec/template/spec/containers/0
        container: main
";
        assert!(text.contains(uses) && text.matches("uses:").count() == 2, "{text}");
    }
}
