//! A chart that was rewritten for another place is the one that would have been built for it.

use std::collections::BTreeMap;

use outhaul::app::{SecretValues, SecretsPolicy};
use outhaul::chart::{self, Chart, Image, build, relocate};

use super::shop;

const DERIVED_FROM: &str = "dev.outhaul.derived-from";

/// The chart of the shop whose images are there, with these annotations besides.
fn chart_at(registry: &str, repository: &str, further: &BTreeMap<String, String>) -> Chart {
    let (app, values) = (shop::app(), SecretValues::default());
    let mut input = shop::input(&app, SecretsPolicy::Reference, &values);
    for image in &mut input.images {
        image.registry = registry.to_owned();
        image.repository = repository.to_owned();
    }
    input.annotations.extend(further.clone());
    build(&input).unwrap()
}

fn moved(chart: &Chart, registry: &str, repository: &str, set: &BTreeMap<String, String>) -> Chart {
    let before = chart::images(chart).unwrap();
    let to = |image: &Image| Image {
        registry: registry.to_owned(),
        repository: repository.to_owned(),
        ..image.clone()
    };
    relocate(chart, &before, &before.iter().map(to).collect::<Vec<_>>(), set).unwrap()
}

#[test]
fn a_rewritten_chart_is_the_one_that_is_built_there() {
    let none = BTreeMap::new();
    let long = format!("registry.example.org:5000/{}", "long/".repeat(20) + "x");
    for (from, to) in [
        (("registry.example.com/team", "shop-shop-image"), ("127.0.0.1:5000", "shop-shop-image")),
        (("127.0.0.1:5000", "other/image"), (&*long, "shop-shop-image")),
        ((&*long, "shop-shop-image"), ("docker.io/team", "shop-shop-image")),
    ] {
        let set = BTreeMap::from([
            ("dev.outhaul.content-digest".to_owned(), format!("sha256:{}", "1".repeat(64))),
            (DERIVED_FROM.to_owned(), format!("sha256:{}", "2".repeat(64))),
        ]);
        let there = moved(&chart_at(from.0, from.1, &none), to.0, to.1, &set);
        let built = chart_at(to.0, to.1, &set);
        for (path, bytes) in &built.files {
            let texts = [bytes, &there.files[path]].map(|bytes| String::from_utf8_lossy(bytes));
            assert_eq!(texts[0], texts[1], "{path}, from {from:?} to {to:?}");
        }
        assert_eq!(there, built);
        let text = String::from_utf8_lossy(&chart::archive(&there).manifest).into_owned();
        assert!(!text.contains(from.0), "{text}");
    }
}

#[test]
fn nothing_moved_is_nothing_changed() {
    let chart = chart_at("registry.example.com/team", "shop-shop-image", &BTreeMap::new());
    let same = moved(&chart, "registry.example.com/team", "shop-shop-image", &BTreeMap::new());
    assert_eq!(same, chart);
}

/// A file that a person has edited is refused rather than half changed.
#[test]
fn a_chart_that_is_written_otherwise_is_refused() {
    let chart = chart_at("registry.example.com/team", "shop-shop-image", &BTreeMap::new());
    let edited = |file: &str, change: fn(String) -> String| {
        let mut chart = chart.clone();
        let bytes = chart.files.get_mut(file).unwrap();
        *bytes = change(String::from_utf8(bytes.clone()).unwrap()).into_bytes();
        chart
    };
    let quoted = edited("values.yaml", |text| {
        text.replace("registry: registry.example.com/team", "registry: 'registry.example.com/team'")
    });
    let images = chart::images(&quoted).unwrap();
    let to: Vec<Image> =
        images.iter().map(|image| Image { registry: "a.b".into(), ..image.clone() }).collect();
    let refused = relocate(&quoted, &images, &to, &BTreeMap::new()).unwrap_err().to_string();
    assert_eq!(refused, "its values.yaml has no line `registry: registry.example.com/team`");
    let broken = edited("images.lock", |_| "images: [".to_owned());
    assert!(
        chart::images(&broken).unwrap_err().to_string().starts_with("its images.lock does not")
    );
    let mut without = chart.clone();
    without.files.remove("images.lock");
    assert_eq!(chart::images(&without).unwrap_err().to_string(), "it has no images.lock");
}
