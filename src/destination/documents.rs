//! Documents of any system in any order: each says by itself whose it is.
//!
//! ```text
//!  FileDocument ─┬─ objects of Kubernetes ─┬─► labelled Secrets (select)
//!                │                         └─► eda::read ──┐
//!                ├─ mappings and lists ───► avassa::read ──┼─► adopt ─► Destination
//!                ├─ rows, iofog.org ──────► iofog::read ───┘
//!                └─ others are said
//! ```

use serde_json::Value;

use super::systems::{Read, Registries, Row, System, read as read_system};
use super::{Destination, adopt, avassa, eda, iofog, systems};
use crate::app::Finding;
use crate::cluster::FileDocument;

/// What documents say of destinations.
#[derive(Default)]
pub struct Documents {
    /// Objects of Kubernetes, the labelled Secrets among them.
    pub objects: Vec<FileDocument>,
    /// Registries that other systems describe.
    pub adopted: Vec<Destination>,
    /// The same as their readers found them.
    pub rows: Registries,
    /// What is odd about them.
    pub findings: Vec<Finding>,
    /// What is odd and no destination's own problem, in sentences.
    pub notes: Vec<String>,
}

/// Takes documents apart and reads those of other systems. Of EDA's resources those of `eda_namespace`
/// are taken and those that name none; without it, all.
///
/// # Errors
/// When a document is a server's refusal in place of what it was asked for.
pub fn read(
    documents: Vec<FileDocument>,
    eda_namespace: Option<&str>,
) -> Result<Documents, systems::Error> {
    let mut all = Documents::default();
    let (mut avassa, mut iofog, mut edgelet) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents {
        match whose(&document.value) {
            Whose::Object => all.objects.push(document),
            Whose::Of(System::Avassa) => avassa.push(document.value),
            Whose::Of(System::Edgelet) => edgelet.push(document.value),
            Whose::Of(_) => iofog.push(document.value),
            Whose::Nobody => all.notes.push(format!(
                "{}:{}: this describes no registry of any system that is known, and is passed over",
                document.file, document.line
            )),
        }
    }
    let is_iofog = !iofog.is_empty() || !edgelet.is_empty();
    let eda = eda_objects(&all.objects, eda_namespace);
    let of = [
        (System::Eda, eda),
        (System::Avassa, avassa),
        (System::Iofog, iofog),
        (System::Edgelet, edgelet),
    ];
    for (system, documents) in of.into_iter().filter(|(_, documents)| !documents.is_empty()) {
        all.take(system, read_system(system, documents)?);
    }
    if is_iofog {
        all.add_own_rows();
    }
    Ok(all)
}

/// Reads Registries of EDA and their Secrets, of which there may be none.
///
/// # Errors
/// Never: what is no Registry is passed over.
pub fn of_eda(resources: Vec<Value>) -> Result<Documents, systems::Error> {
    let mut all = Documents::default();
    if !resources.is_empty() {
        all.take(System::Eda, read_system(System::Eda, resources)?);
    }
    Ok(all)
}

impl Documents {
    fn take(&mut self, system: System, read: Read) {
        let Read { registries, findings } = read;
        // What a row's reader found is among the problems of its destination.
        let named = |row: &&Row| !row.object().name.is_empty();
        let rows: Vec<&Row> = registries.rows.iter().filter(named).collect();
        let of_rows: Vec<&Finding> = rows.iter().flat_map(|row| &row.findings).collect();
        let others = findings.iter().filter(|found| !of_rows.contains(found));
        self.notes.extend(others.map(note));
        self.adopted.extend(rows.into_iter().map(|row| adopt::adopt(system, row)));
        self.rows.rows.extend(registries.rows);
        self.findings.extend(findings);
    }

    /// Adds the two rows that each ioFog has by itself, where no list shows them.
    fn add_own_rows(&mut self) {
        let own = iofog::system_rows().map(|row| adopt::adopt(System::Iofog, &row));
        let is_new = |own: &Destination| !self.adopted.iter().any(|known| known.name == own.name);
        let new: Vec<_> = own.into_iter().filter(is_new).collect();
        self.adopted.extend(new);
    }
}

/// Whose a document is.
enum Whose {
    /// An object of Kubernetes, as EDA's resources are.
    Object,
    /// A system's that has no objects.
    Of(System),
    /// Nobody's.
    Nobody,
}

fn whose(document: &Value) -> Whose {
    const OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];
    if let Some(system) = iofog::system_of(document) {
        Whose::Of(system)
    } else if avassa::is_document(document) {
        Whose::Of(System::Avassa)
    } else if OBJECT.iter().any(|field| document.get(field).is_some()) {
        Whose::Object
    } else {
        Whose::Nobody
    }
}

/// EDA's Registries and all Secrets beside them; nothing where there is no Registry.
fn eda_objects(objects: &[FileDocument], namespace: Option<&str>) -> Vec<Value> {
    let items = objects.iter().flat_map(|object| match object.value["items"].as_array() {
        Some(items) => items.iter().collect(),
        None => vec![&object.value],
    });
    let is_here = |object: &&Value| {
        let own = object["metadata"]["namespace"].as_str();
        namespace.is_none() || own.is_none() || own == namespace
    };
    let is_one = |object: &&Value| object["kind"] == "Secret" || eda::is_registry(object);
    let found: Vec<Value> = items.filter(is_here).filter(is_one).cloned().collect();
    if found.iter().any(eda::is_registry) { found } else { Vec::new() }
}

fn note(finding: &Finding) -> String {
    let object = finding.object.iter().map(|object| format!("{} {}: ", object.kind, object.name));
    object.chain([finding.text.clone()]).collect()
}
