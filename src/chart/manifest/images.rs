//! The images: their values, and their places outside of pods that we know.

use serde_json::json;

use super::{Builder, Draft};
use crate::app::ObjectId;
use crate::chart::expr::{include, literal};
use crate::chart::input::Image;
use crate::chart::keys::pod_spec;
use crate::chart::values::{self, Setting, boolean, pattern, text};
use crate::chart::yaml::Node;

/// Host and path, or nothing.
const REGISTRY: &str = "^[^\\s@]*$";

/// A repository path.
const REPOSITORY: &str = "^[a-z0-9]+([._/-]+[a-z0-9]+)*$";

/// A digest, or nothing to take the tag.
const DIGEST: &str = "^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})?$";

/// Adds the images and what concerns all of them.
pub(super) fn values(builder: &mut Builder<'_>) {
    let everywhere = Setting::value(
        "Host and path prefix to pull every image from, such as registry.example.com/team. It \
         replaces `registry` of each image; empty: each keeps its own.",
        "",
        pattern(REGISTRY),
    );
    let pull_secrets = Setting::value(
        "Secrets to pull images with, for all charts of one parent; those of `imagePullSecrets` are \
         added.",
        json!([]),
        values::pull_secrets(),
    );
    let settings = [("imageRegistry", everywhere), ("imagePullSecrets", pull_secrets)];
    builder.values.section("global", Setting::group("", settings));
    for image in builder.input.images.iter().filter(|image| image.has_place()) {
        builder.values.entry("images", &image.key, setting(image));
    }
}

/// An image reference for people and for tools that look for images: with tag and digest.
pub(in crate::chart) fn reference(image: &Image) -> String {
    let mut reference = format!("{}/{}", image.registry, image.repository);
    if image.registry.is_empty() {
        reference.clone_from(&image.repository);
    }
    for (mark, part) in [(':', &image.tag), ('@', &image.digest)] {
        if !part.is_empty() {
            reference.push(mark);
            reference.push_str(part);
        }
    }
    reference
}

/// The pipeline that prints the reference of the image that `key`, a pipeline, names.
pub(super) fn pipeline(builder: &Builder<'_>, key: &str) -> String {
    include(builder.chart(), "image", &format!("(dict \"values\" .Values \"key\" {key})"))
}

/// The image of the container at a JSON pointer of an object.
pub(super) fn at<'a>(builder: &Builder<'a>, object: &ObjectId, pointer: &str) -> Option<&'a Image> {
    let uses = builder.images.get(object)?;
    uses.iter().find(|(place, _)| *place == pointer).map(|(_, image)| *image)
}

/// Images that stand outside of the containers of pods: in volumes and custom resources.
pub(super) fn elsewhere(builder: &Builder<'_>, draft: &mut Draft<'_>) {
    let Some(uses) = builder.images.get(&draft.object.id()) else { return };
    let pod = pod_spec(draft.object);
    for (pointer, image) in uses {
        if pointer.is_empty() || pod.is_some_and(|pod| is_container(pod, pointer)) {
            continue;
        }
        let Some(place) = draft.body.pointer_mut(pointer) else { continue };
        let reference = Node::Expr(pipeline(builder, &literal(&image.key)));
        // A container, or the field itself: of a volume, or of a custom resource.
        match place.get_mut("image") {
            Some(image) => *image = reference,
            None => *place = reference,
        }
    }
}

fn is_container(pod: &str, pointer: &str) -> bool {
    let lists = ["containers", "initContainers"];
    lists.iter().any(|list| pointer.starts_with(&format!("{pod}/{list}/")))
}

fn setting(image: &Image) -> Setting {
    // In order of objects, as the application has them.
    let places: Vec<String> = image
        .uses
        .chunk_by(|a, b| a.object == b.object)
        .map(|uses| {
            let containers: Vec<&str> = uses.iter().map(|of| &*of.container).collect();
            let ObjectId { kind, name, .. } = &uses[0].object;
            format!("{kind} {name} ({})", containers.join(", "))
        })
        .collect();
    let mut comment = format!("From {}", image.source);
    if !places.is_empty() {
        comment.push_str(&format!("; runs in {}", places.join(", ")));
    }
    comment.push('.');
    let mut settings = vec![
        ("registry", Setting::value("Host and path prefix.", &*image.registry, pattern(REGISTRY))),
        (
            "repository",
            Setting::value("The rest of the name.", &*image.repository, pattern(REPOSITORY))
                .needed(),
        ),
        ("tag", Setting::value("Only used where `digest` is empty.", &*image.tag, text())),
        ("digest", Setting::value("The content that ran.", &*image.digest, pattern(DIGEST))),
    ];
    if image.kept {
        let comment = "Whether `global.imageRegistry` leaves it where it is.";
        settings.push(("keep", Setting::value(comment, true, boolean())));
    }
    Setting::group(comment, settings)
}
