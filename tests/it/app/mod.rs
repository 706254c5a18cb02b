//! From fixtures to applications.

mod glances;
mod graph;
mod images;
mod live;
mod normalize;
mod portability;
mod properties;
mod recorded;
mod release;
mod select;
mod service;

use outhaul::app::{
    App, Code, Object, Options, Origin, Plaintext, SelectError, Selection, Snapshot,
    assemble as assemble_app,
};
use serde_json::Value;

/// The objects of a YAML stream.
pub(crate) fn yaml(text: &str) -> Vec<Object> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let objects = documents.into_iter().filter(|document| !document.is_null());
    objects.map(|document| Object::new(document).unwrap()).collect()
}

/// The objects of a fixture, in the order of the file.
pub(crate) fn objects(fixture: &str) -> Vec<Object> {
    yaml(&read(fixture))
}

fn read(fixture: &str) -> String {
    let path = format!("{}/tests/fixtures/app/{fixture}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The same, of a file with a JSON list.
pub(crate) fn json_objects(fixture: &str) -> Vec<Object> {
    serde_json::from_str(&read(fixture)).unwrap()
}

/// A snapshot of namespace `shop` with these objects.
pub(crate) fn snapshot(origin: Origin, objects: impl IntoIterator<Item = Object>) -> Snapshot {
    let mut snapshot = Snapshot::new(jiff::Timestamp::UNIX_EPOCH, origin, "shop");
    for object in objects {
        snapshot.push(object, Plaintext::Drop).unwrap();
    }
    snapshot
}

/// The origin of live fixtures.
pub(crate) fn cluster() -> Origin {
    Origin::Cluster { uid: "0000".to_owned(), version: "v1.33.0".to_owned() }
}

/// As [`outhaul::app::assemble`], but for findings that nearly every fixture gives rise to: pods
/// that `restricted` namespaces refuse, claims and Ingresses of the default class.
pub(crate) fn assemble(
    snapshot: &Snapshot,
    selection: &Selection,
    options: &Options,
) -> Result<App, SelectError> {
    const EVERYWHERE: [Code; 2] = [Code::DefaultClassRequired, Code::PodSecurityBaseline];
    let mut app = assemble_app(snapshot, selection, options)?;
    app.findings.retain(|finding| !EVERYWHERE.contains(&finding.code));
    Ok(app)
}

/// The application of this name.
pub(crate) fn named(snapshot: &Snapshot, name: &str) -> App {
    assemble(snapshot, &Selection::Name(name.to_owned()), &Options::default()).unwrap()
}

/// Kind and name of each object, in order.
pub(crate) fn kinds(app: &App) -> Vec<String> {
    app.objects.iter().map(|object| object.id().to_string()).collect()
}

/// Code and object of each finding, in order.
pub(crate) fn codes(app: &App) -> Vec<String> {
    let object =
        |id: Option<&outhaul::app::ObjectId>| id.map_or_else(String::new, |id| format!(" {id}"));
    app.findings.iter().map(|f| format!("{}{}", f.code, object(f.object.as_ref()))).collect()
}
