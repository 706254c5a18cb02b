//! Whole applications, as snapshots to be read: a manifest application of every kind, and objects of
//! a real Epinio.

use outhaul::app::{App, Options, Origin, Plaintext, Selection, Snapshot, assemble};

use super::{cluster, named, objects, snapshot};

fn pretty(app: &App) -> String {
    serde_json::to_string_pretty(app).unwrap()
}

#[test]
fn shop() {
    insta::assert_snapshot!(pretty(&named(
        &snapshot(Origin::Manifests, objects("shop.yaml")),
        "shop"
    )));
}

/// A real application that Epinio deployed: without its resource and bookkeeping.
#[test]
fn epinio() {
    let mut snapshot = Snapshot::new(jiff::Timestamp::UNIX_EPOCH, cluster(), "workspace");
    for object in objects("epinio.yaml") {
        snapshot.push(object, Plaintext::Drop).unwrap();
    }
    let name = Selection::Name("fox".to_owned());
    insta::assert_snapshot!(pretty(&assemble(&snapshot, &name, &Options::default()).unwrap()));
}
