//! `outhaul copy --from-file`: a catalog's images fill a mirror, under their own names.

use serde_json::{Value, json};

use crate::support::images::{Image, Target};
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

/// Repository and tag of each image of the catalog.
const IMAGES: [(&str, &str); 3] = [("org/shop", "v1.0.0"), ("org/web", "v1"), ("other/db", "16")];

/// Pushes the images, and gives the manifests that name them.
fn catalog(registry: &Registry) -> String {
    let host = registry.address();
    for (seed, (repository, tag)) in IMAGES.iter().enumerate() {
        Image::new(seed as u64 + 1, 2, 5_000).push(&registry.target(), repository, tag);
    }
    let at = |(repository, tag): (&str, &str)| format!("{host}/{repository}:{tag}");
    let container = |image| json!({"container": {"name": "c", "image": image}});
    let embedded = container("image/inside".to_owned());
    let manifests = [
        json!({"apiVersion": "core.eda.nokia.com/v1", "kind": "Manifest", "metadata": {"name": "shop"},
            "spec": {"image": at(IMAGES[0]), "dependencies": [container(at(IMAGES[1])), embedded]}}),
        json!({"apiVersion": "core.eda.nokia.com/v1", "kind": "Manifest", "metadata": {"name": "db"},
            "spec": {"dependencies": [container(at(IMAGES[2])), container(at(IMAGES[1]))]}}),
    ];
    manifests.iter().map(|manifest| format!("---\n{manifest}\n")).collect()
}

fn manifests(target: &Target) -> Vec<Option<Vec<u8>>> {
    IMAGES.iter().map(|(repository, tag)| target.manifest(repository, tag)).collect()
}

#[test]
fn a_mirror_gets_the_same_repositories_tags_and_digests_and_then_nothing_more() {
    let (source, mirror) = (Registry::plain().start(), Registry::plain().start());
    let outhaul = Outhaul::new();
    let list = outhaul.write("catalog.yaml", catalog(&source));
    let host = mirror.address();
    let args = ["copy", "--from-file", list.to_str().unwrap(), "--to-host", &host, "-o", "json"];
    let copied = outhaul.run(&args).ok().json();
    assert_eq!(copied.as_array().unwrap().len(), IMAGES.len(), "each once: {copied:#}");
    assert_eq!(manifests(&mirror.target()), manifests(&source.target()));
    assert!(manifests(&mirror.target()).iter().all(Option::is_some));
    let again = outhaul.run(&args).ok().json();
    let bytes = |row: &Value| row["bytesCopied"].as_u64().unwrap();
    assert!(copied.as_array().unwrap().iter().all(|row| bytes(row) > 0), "{copied:#}");
    assert_eq!(again.as_array().unwrap().iter().map(bytes).sum::<u64>(), 0, "{again:#}");

    // The same from a list, of which one is not there: the others are copied all the same.
    let (third, other) = (Registry::plain().start(), source.address());
    let text = format!("# ours\n{other}/none/here:1\n\n{other}/org/web:v1 # the web\n");
    let list = outhaul.write("list.txt", text);
    let host = third.address();
    let args = ["copy", "--from-file", list.to_str().unwrap(), "--to-host", &host];
    let partly = outhaul.run(&args).exits(10);
    assert!(partly.stderr.contains("1 of 2 images were not copied"), "{partly:?}");
    assert!(partly.stdout.contains("not copied: "), "{partly:?}");
    assert_eq!(third.target().tags("org/web"), ["v1"]);
}

#[test]
fn what_has_no_place_at_a_mirror_is_refused_before_anything_moves() {
    let mirror = Registry::plain().start();
    let outhaul = Outhaul::new();
    let host = mirror.address();
    let refused = |text: &str, host: &str| {
        let list = outhaul.write("list", text);
        outhaul.run(&["copy", "--from-file", list.to_str().unwrap(), "--to-host", host]).exits(2)
    };
    for (text, host, says) in [
        ("r.example/a:1", "mirror.example/path", "`mirror.example/path` is no mirror"),
        ("r.example/a:1", "ann:s3cret@mirror.example", "what is given is no mirror"),
        ("nginx:1", host.as_str(), "list:1: `nginx:1` is no image"),
        ("r.example/a:1\n\nnot an image\n", host.as_str(), "list:3: `not an image` is no image"),
        ("a.example/web:1\nb.example/web:1", &host, "have one place at the mirror"),
        ("# nothing\n", &host, "names no image"),
        ("kind: Other\nspec: {}\n", &host, "names no image"),
    ] {
        let refused = refused(text, host);
        assert!(refused.stderr.contains(says) && refused.stderr.contains("hint: "), "{refused:?}");
    }
    for args in [
        &["copy"][..],
        &["copy", "a.example/web:1"],
        &["copy", "--from-file", "list"],
        &["copy", "--to-host", "m.example", "a.example/web:1", "b.example/web:1"],
        &["copy", "--from-file", "list", "--to-host", "m.example", "a.example/web:1"],
    ] {
        outhaul.run(args).exits(2);
    }
    assert_eq!(mirror.requests(&["PUT", "POST", "HEAD", "GET"]), []);
}
