//! The table of `edgectl create registry` and `edgectl get registries`.

use super::username;
use crate::destination::systems::Registries;

/// Its header; `NAME` stands there where a row has one, as objects of Kubernetes have.
const HEADER: [&str; 6] = ["ID", "URL", "USERNAME", "EMAIL", "PUBLIC", "NAME"];

/// Rows as edgectl prints them: columns as wide as their longest cell and two spaces, `False` and
/// `True` as it writes them ("Create a Registry Entry Using Google Cloud").
pub fn table(registries: &Registries) -> String {
    let rows = registries.rows.iter().filter(|row| row.is_usable()).map(|row| {
        let public = if row.is_public == Some(true) { "True" } else { "False" };
        [
            row.id.map(|id| id.to_string()).unwrap_or_default(),
            row.address.written(),
            username(row).to_owned(),
            row.email.clone().unwrap_or_default(),
            public.to_owned(),
            row.name.clone().unwrap_or_default(),
        ]
    });
    let is_named = registries.rows.iter().any(|row| row.name.is_some());
    let columns = if is_named { HEADER.len() } else { HEADER.len() - 1 };
    let all: Vec<[String; 6]> = std::iter::once(HEADER.map(str::to_owned)).chain(rows).collect();
    let width = |at: usize| all.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells = row[..columns].iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all.iter().map(line).collect()
}
