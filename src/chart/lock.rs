//! `images.lock`: what the chart's images are, for tools that copy or check them.

use super::input::Image;
use super::manifest::reference;
use super::yaml::{Node, Row, document};

const INTRODUCTION: &str = "The images of this chart: where they came from, what they are, and for \
                            which platforms. Written by Outhaul.";

/// The lock file.
pub fn lock(images: &[Image]) -> String {
    let images = Node::list(images.iter().map(entry));
    document(&Node::Map(vec![
        Row::Comment(INTRODUCTION.to_owned()),
        Row::field("apiVersion", Node::str("outhaul.dev/v1alpha1")),
        Row::field("kind", Node::str("ImagesLock")),
        Row::field("images", images),
    ]))
}

fn entry(image: &Image) -> Node {
    let platforms = Node::list(image.platforms.iter().map(|platform| Node::str(platform.as_str())));
    let mut fields = vec![
        ("key", Node::str(image.key.as_str())),
        ("source", Node::str(image.source.as_str())),
        ("reference", Node::Str(reference(image))),
        ("digest", Node::str(image.digest.as_str())),
        ("platforms", platforms),
    ];
    if image.kept {
        fields.push(("kept", Node::from(&serde_json::Value::Bool(true))));
    }
    Node::map(fields)
}
