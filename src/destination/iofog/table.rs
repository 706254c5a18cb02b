//! The table of `edgectl create registry` and `edgectl get registries`.

use super::write::shown;
use crate::destination::systems::Registries;

/// Its header.
const HEADER: [&str; 5] = ["ID", "URL", "USERNAME", "EMAIL", "PUBLIC"];

/// Rows as edgectl prints them: columns as wide as their longest cell and two spaces, `False` and
/// `True` as it writes them ("Create a Registry Entry Using Google Cloud").
pub fn table(registries: &Registries) -> String {
    let rows = registries.rows.iter().filter(|row| row.is_usable()).map(|row| {
        let public = if row.is_public == Some(true) { "True" } else { "False" };
        [
            row.id.map(|id| id.to_string()).unwrap_or_default(),
            row.address.written(),
            shown(row).to_owned(),
            row.email.clone().unwrap_or_default(),
            public.to_owned(),
        ]
    });
    let all: Vec<[String; 5]> = std::iter::once(HEADER.map(str::to_owned)).chain(rows).collect();
    let width = |at: usize| all.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all.iter().map(line).collect()
}
