//! Exports are made, read, written and removed.

use outhaul::cluster::Error;
use outhaul::cluster::record::{
    APP, CANCEL, DESTINATION, Export, ExportSpec, ExportStatus, Phase, REQUEST, crd_yaml,
};
use serde_json::{Map, Value};

use super::{export, live, namespace, text, whole_spec, whole_status};

/// Dotted paths of every field that a schema has.
fn fields(schema: &Value, within: &str, all: &mut Vec<String>) {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    for (name, schema) in properties {
        let path = format!("{within}.{name}");
        fields(schema, &path, all);
        fields(&schema["items"], &path, all);
        all.push(path);
    }
}

/// The same of a value.
fn set(value: &Value, within: &str, all: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{within}.{name}");
        set(value, &path, all);
        value.as_array().into_iter().flatten().for_each(|item| set(item, &path, all));
        all.push(path);
    }
}

#[tokio::test]
async fn every_field_comes_back() {
    let (live, namespace) = (live().await, namespace());
    let asked = Export::draft(namespace.name(), "whole", whole_spec()).with_label(REQUEST, "0123");
    let made = live.create_export(&asked).await.unwrap();
    let written = live.patch_status(&made, &whole_status()).await.unwrap();
    let read = live.export(namespace.name(), "whole").await.unwrap().unwrap();
    assert_eq!(read, written);
    assert_eq!((&read.spec, read.status.as_ref()), (&whole_spec(), Some(&whole_status())));
    let labels = [APP, DESTINATION, REQUEST].map(|key| read.label(key));
    assert_eq!(labels, [Some("shop"), Some("backup.eu"), Some("0123")]);
    assert_eq!((read.uid(), read.target(), read.sequence()), (made.uid(), "team", 7));
    assert!(read.is_terminal() && read.created().is_some() && !read.is_cancelled());

    // The test is of every field only if these are all that the schema has.
    let schema: Value = serde_saphyr::from_str(&crd_yaml().unwrap()).unwrap();
    let schema = &schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let (mut known, mut seen) = (Vec::new(), Vec::new());
    for part in ["spec", "status"] {
        fields(&schema[part], part, &mut known);
        set(&serde_json::to_value(&read).unwrap()[part], part, &mut seen);
    }
    known.retain(|field| !seen.contains(field));
    assert_eq!(known, ["spec.ageRecipients"], "which is always empty");
}

#[tokio::test]
async fn a_status_is_written_only_over_what_was_read() {
    let (live, namespace) = (live().await, namespace());
    let first = live.create_export(&export(&namespace, "a")).await.unwrap();
    let running = ExportStatus { phase: Some(Phase::Running), ..ExportStatus::default() };
    let second = live.patch_status(&first, &running).await.unwrap();
    assert_eq!(second.phase(), Some(Phase::Running));
    let stale = live.patch_status(&first, &ExportStatus::default()).await.unwrap_err();
    assert!(matches!(stale, Error::Conflict { .. }), "{stale}");
    let expected = format!("Export {}/a has been changed meanwhile", namespace.name());
    assert_eq!(stale.to_string(), expected);

    let stale = live.annotate_as_read(&first, (CANCEL, "Superseded")).await.unwrap_err();
    assert!(matches!(stale, Error::Conflict { .. }), "what has begun stays: {stale}");

    // An annotation is a change, too: who was about to write has not seen the cancelling.
    let cancelled = live.annotate(&first, &[(CANCEL, "alice")]).await.unwrap();
    assert!(cancelled.is_cancelled() && cancelled.phase() == Some(Phase::Running));
    let stale = live.patch_status(&second, &running).await.unwrap_err();
    assert!(matches!(stale, Error::Conflict { .. }), "{stale}");

    let done = ExportStatus { phase: Some(Phase::Cancelled), ..ExportStatus::default() };
    let done = live.patch_status(&cancelled, &done).await.unwrap();
    assert!(done.is_terminal() && done.is_cancelled());
}

#[tokio::test]
async fn neither_making_nor_a_status_write_goes_beyond_its_part() {
    let (live, namespace) = (live().await, namespace());
    let asked = Export { status: Some(whole_status()), ..export(&namespace, "a") };
    let made = live.create_export(&asked).await.unwrap();
    assert_eq!(made.status, None);
    let spec = ExportSpec { all: true, ..made.spec.clone() };
    let other = Export { spec, ..made.clone() }.with_annotation(CANCEL, "x");
    let written = live.patch_status(&other, &whole_status()).await.unwrap();
    assert_eq!((written.spec, written.status), (made.spec, Some(whole_status())));
    assert_eq!(written.metadata.annotations, None);
}

#[tokio::test]
async fn a_later_export_of_the_same_name_is_another_one() {
    let (live, namespace) = (live().await, namespace());
    let first = live.create_export(&export(&namespace, "a")).await.unwrap();
    let again = live.create_export(&export(&namespace, "a")).await.unwrap_err();
    assert!(matches!(again, Error::Exists { .. }), "{again}");
    live.delete_export(&first).await.unwrap();
    assert_eq!(live.export(namespace.name(), "a").await.unwrap(), None);
    let gone = [
        live.patch_status(&first, &whole_status()).await.map(drop).unwrap_err(),
        live.annotate(&first, &[(CANCEL, "x")]).await.map(drop).unwrap_err(),
        live.delete_export(&first).await.unwrap_err(),
    ];
    let second = live.create_export(&export(&namespace, "a")).await.unwrap();
    let other = [
        live.patch_status(&first, &whole_status()).await.map(drop).unwrap_err(),
        live.annotate(&first, &[(CANCEL, "x")]).await.map(drop).unwrap_err(),
        live.delete_export(&first).await.unwrap_err(),
    ];
    for error in gone.iter().chain(&other) {
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
    }
    assert_eq!(live.export(namespace.name(), "a").await.unwrap(), Some(second));
}

#[tokio::test]
async fn a_list_has_no_more_than_was_asked_for() {
    let (live, namespace) = (live().await, namespace());
    for name in ["c", "a", "b"] {
        live.create_export(&export(&namespace, name)).await.unwrap();
    }
    let names = async |limit| {
        let list = live.exports(Some(namespace.name()), limit).await.unwrap();
        list.iter().map(|of| of.name().to_owned()).collect::<Vec<_>>().join(",")
    };
    assert_eq!([names(0).await, names(2).await, names(500).await], ["", "a,b", "a,b,c"]);
    let all = live.exports(None, 5000).await.unwrap();
    assert!(all.iter().filter(|of| of.namespace() == namespace.name()).count() == 3);
}

#[tokio::test]
async fn a_long_name_of_a_destination_is_no_label() {
    let namespace = namespace();
    let spec = ExportSpec::new("shop", "d".repeat(64));
    let export = Export::draft(namespace.name(), "a", spec);
    assert_eq!(export.label(DESTINATION), None);
    let made = live().await.create_export(&export).await.unwrap();
    assert_eq!(made.label(APP).map(str::to_owned), text("shop"));
}
