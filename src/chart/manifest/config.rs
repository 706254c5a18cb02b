//! ConfigMaps: their text. Binary data stays in the template.

use serde_json::Value;

use super::generic::{keep_trailing_space, map_at, texts, title};
use super::{Builder, Draft};
use crate::chart::expr;
use crate::chart::keys::Section;
use crate::chart::values::{Setting, data as schema};

pub(super) fn parameterise(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let data = map_at(draft.object, "/data");
    if data.is_empty() || !data.values().all(Value::is_string) {
        return;
    }
    let key = builder.keys.key(Section::Configs, draft.object);
    let text = format!("({}).data", expr::entry("configs", &key));
    draft.body.set("data", texts(builder, &data, &text));
    keep_trailing_space(draft, data.values());
    let data = Setting::value("Text by key. More keys may be added.", data, schema());
    let entry = Setting::group(format!("{}.", title(draft.object)), [("data", data)]);
    builder.values.entry(Section::Configs.name(), key, entry);
}
