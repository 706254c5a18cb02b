//! Tables as Epinio's client prints them (tablewriter 0.0.5 with borders at the sides).

/// Longest line of a cell; longer ones are broken at blanks, which is not done here.
const LONGEST: usize = 30;

/// A table with its header, ending in a line feed.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|title| title.to_uppercase()).collect();
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.iter().map(|row| width(&row[column]));
            cells.chain([width(&header[column])]).max().unwrap()
        })
        .collect();
    let line = |cells: &[String], pad: fn(&str, usize) -> String| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| {
            let fits = cell.chars().count() <= LONGEST || !cell.contains(' ');
            assert!(fits, "`{cell}` would be broken");
            pad(cell, *width)
        });
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let mut text = line(&header, centred);
    text.push_str(&format!("|{}|\n", rules.join("|")));
    for row in rows {
        text.push_str(&line(row, aligned));
    }
    text
}

fn centred(text: &str, width: usize) -> String {
    let gap = width - text.chars().count();
    format!("{}{text}{}", " ".repeat(gap / 2), " ".repeat(gap - gap / 2))
}

/// Numbers stand at the right.
fn aligned(text: &str, width: usize) -> String {
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if is_number { format!("{text:>width$}") } else { format!("{text:<width$}") }
}
