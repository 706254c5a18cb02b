//! The definition of the resource, made from the wire types.

use kube::CustomResourceExt as _;
use serde::Serialize;
use serde_json::Value;

use super::Export;
use super::schedule::ExportSchedule;
use crate::cluster::error::Cause;

/// What stands above the definition.
const HEADER: &str = "# Made from src/cluster/record by `make generate`.\n";

/// The CustomResourceDefinition of `Export` as YAML, which is `deploy/crds/exports.outhaul.dev.yaml`.
///
/// # Errors
/// Never for these types.
pub fn crd_yaml() -> Result<String, Cause> {
    yaml(&Export::crd())
}

/// That of `ExportSchedule`, which is `deploy/crds/exportschedules.outhaul.dev.yaml`.
///
/// # Errors
/// Never for these types.
pub fn schedule_crd_yaml() -> Result<String, Cause> {
    yaml(&ExportSchedule::crd())
}

fn yaml(definition: &impl Serialize) -> Result<String, Cause> {
    let mut crd = serde_json::to_value(definition)?;
    plain(&mut crd);
    Ok(format!("{HEADER}{}", serde_saphyr::to_string(&crd)?))
}

/// Writes a schema as Kubernetes has them: with its own formats of numbers, of which it has no
/// unsigned ones and warns of others; without `nullable`, so that a null is as good as an absent field
/// and `has()` is all that a rule must ask; and with each comment as a paragraph.
fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("nullable").is_some_and(Value::is_boolean) {
                fields.shift_remove("nullable");
            }
            match fields.get_mut("format") {
                Some(Value::String(format)) if format.starts_with("uint") => {
                    *format = if format == "uint64" { "int64" } else { "int32" }.to_owned();
                }
                _ => {}
            }
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            fields.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
