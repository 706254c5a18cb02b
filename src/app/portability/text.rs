//! Text that not every way to install a chart takes.

use serde_json::Value;

use super::Portability;
use crate::app::graph::shorten;
use crate::app::path::{Path, Step};
use crate::app::{Code, Finding, Object};

pub(super) fn check(object: &Object, found: &mut Portability) {
    let mut fields = Vec::new();
    for (key, value) in object.fields() {
        collect(value, &Path::default().key(key), &mut fields);
    }
    let Some(first) = fields.first().map(Path::to_string) else { return };
    let id = object.id();
    let fields = shorten(fields.iter());
    let text = format!(
        "{id} holds a control character in {fields}: server-side apply, the default of helm 4, \
         refuses it"
    );
    let remedy = "Install with helm 3 or `--server-side=false`, or keep such data in `binaryData`.";
    let finding = Finding::new(Code::ControlCharacter, text).on(id).field(first);
    found.findings.push(finding.remedy(remedy));
}

fn collect(value: &Value, at: &Path, found: &mut Vec<Path>) {
    match value {
        Value::String(text) if text.contains(is_refused) => found.push(at.clone()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &at.then(Step::Item(index)), found);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let at = at.key(key);
                if key.contains(is_refused) {
                    found.push(at.clone());
                }
                collect(value, &at, found);
            }
        }
        _ => {}
    }
}

/// Characters that YAML holds as escapes alone (YAML 1.1, `c-printable`). JSON holds most of them as
/// they are; helm 4 sends objects as JSON, and the API server reads what is applied as YAML. Those
/// below a space are escaped in JSON, too.
fn is_refused(of: char) -> bool {
    matches!(of, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}
