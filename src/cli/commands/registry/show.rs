//! `outhaul registry show`: one row with all its fields, and no password.

use serde_json::Value;

use super::place;
use crate::cli::args::{Global, RegistryShowArgs};
use crate::cli::output::Printer;
use crate::error::Error;

pub(super) async fn run(
    args: &RegistryShowArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let found = place::rows(&args.place, args.namespace.as_deref(), global, printer).await?;
    let row = serde_json::to_value(found.registries.find(&args.registry)?.shown())
        .map_err(|error| Error::Output { reason: error.to_string() })?;
    printer.data(&row, |row| if args.json { format!("{row:#}") } else { lines(row) })
}

/// A field a line; what has fields of its own is JSON.
fn lines(row: &Value) -> String {
    let fields: Vec<_> = row.as_object().into_iter().flatten().collect();
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let line = |(name, value): &(&String, &Value)| {
        let indent = format!("\n{:width$}  ", "");
        let text = match value {
            Value::String(text) => text.trim_end().to_owned(),
            value => value.to_string(),
        };
        format!("{name:width$}  {}\n", text.replace('\n', &indent))
    };
    fields.iter().map(line).collect()
}
