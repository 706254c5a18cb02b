//! A chart for the eye.

use std::fmt::Write as _;

use super::Chart;

impl Chart {
    /// The files as a tree with their sizes.
    pub fn tree(&self) -> String {
        let mut tree = format!("{}-{}\n", self.name, self.version);
        let paths: Vec<&str> = self.files.keys().map(String::as_str).collect();
        branch(self, "", "", &paths, &mut tree);
        tree
    }
}

/// The entries of one folder. Paths are sorted, so a folder's files stand together.
fn branch(chart: &Chart, folder: &str, lead: &str, paths: &[&str], tree: &mut String) {
    let mut rest = paths;
    while let Some(path) = rest.first() {
        let name = path[folder.len()..].split('/').next().unwrap_or_default();
        let below = format!("{folder}{name}/");
        let count = rest.iter().take_while(|path| path.starts_with(&below)).count();
        let (entry, others) = rest.split_at(count.max(1));
        let (fork, next) =
            if others.is_empty() { ("└── ", "    ") } else { ("├── ", "│   ") };
        if count > 0 {
            // Writing to a String cannot fail.
            let _ = writeln!(tree, "{lead}{fork}{name}/");
            branch(chart, &below, &format!("{lead}{next}"), entry, tree);
        } else {
            let bytes = chart.files.get(*path).map_or(0, Vec::len);
            let label = format!("{lead}{fork}{name}");
            let _ = writeln!(tree, "{label:<52} {:>10}", size(bytes));
        }
        rest = others;
    }
}

/// A size for people.
fn size(bytes: usize) -> String {
    /// Bytes in a KiB.
    const KIB: usize = 1024;
    if bytes < KIB {
        return format!("{bytes} B");
    }
    let tenths = bytes * 10 / KIB;
    format!("{}.{} KiB", tenths / 10, tenths % 10)
}
