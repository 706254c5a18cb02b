//! `kind: Registry` of `iofog.org/v2` and `/v3`, as iofogctl deploys it.

use serde_json::Value;

use super::read::{address, certificate, check, id, login, object};
use crate::app::{Code, Finding};
use crate::destination::systems::{Address, Fields, Row};

/// Reads one. `private` is false where it is left out, so that the row is public
/// (eclipse-iofog/iofogctl, `internal/deploy/registry`).
pub(super) fn row(mut value: Value, findings: &mut Vec<Finding>) -> Row {
    let spec = value.get_mut("spec").map(Value::take).unwrap_or_default();
    let object = object(&Address::name(spec["url"].as_str()));
    let mut fields = Fields::new(spec, "spec.", object, findings);
    let private = fields.flag("private");
    let mut row = Row {
        id: id(&mut fields, "id"),
        address: address(&mut fields),
        is_public: Some(!private.unwrap_or_default()),
        requires_cert: fields.flag("requiresCert"),
        ca: certificate(&mut fields),
        email: fields.text("email"),
        ..Row::default()
    };
    row.credentials.extend(login(&mut fields, row.is_public));
    if private.is_none() && !row.credentials.is_empty() {
        let text = "it is left out, which makes a public row";
        fields.odd(Code::IofogPublicCredentials, "private", text, "write `private: true`");
    } else {
        check(&row, &mut fields);
    }
    row.unknown = fields.rest();
    row
}
