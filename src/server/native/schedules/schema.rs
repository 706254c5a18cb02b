//! Schemas of what is taken as JSON, and read by its wire type: by themselves, as what is taken may leave
//! out what is always given.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::asked::NOT_ASKED;
use crate::cluster::record::schedule::{ExportScheduleSpec, Retention};

/// What a schedule is to say, but for who asks.
pub(super) struct RequestedSpec;

/// Which versions are to stay.
pub(in crate::server::native) struct RequestedRetention;

impl JsonSchema for RequestedSpec {
    fn schema_name() -> Cow<'static, str> {
        "RequestedScheduleSpec".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = taken::<ExportScheduleSpec>();
        let fields = schema.get_mut("properties").and_then(|fields| fields.as_object_mut());
        if let Some(fields) = fields {
            fields.retain(|field, _| !NOT_ASKED.contains(&field.as_str()));
        }
        schema
    }
}

impl JsonSchema for RequestedRetention {
    fn schema_name() -> Cow<'static, str> {
        "RequestedRetention".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        taken::<Retention>()
    }
}

/// Any fields.
pub(super) fn any(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": true})
}

fn taken<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.for_deserialize().into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema
}
