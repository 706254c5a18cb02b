//! The arrows of `src/lib.rs`: which module may use which. A new arrow is a decision: it goes
//! into this table and into `docs/ARCHITECTURE.md`, or it goes away.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Module → modules of this crate that it may use. `cli` is the outermost door.
const ARROWS: [(&str, &[&str]); 11] = [
    ("registry", &[]),
    ("app", &[]),
    ("chart", &["app"]),
    ("cluster", &["app"]),
    ("destination", &["app", "cluster", "registry"]),
    ("export", &["app", "chart", "cluster", "destination", "registry", "schedule"]),
    ("schedule", &["cluster"]),
    ("import", &["app", "chart", "cluster", "export", "registry"]),
    (
        "error",
        &["app", "chart", "cluster", "destination", "export", "import", "registry", "schedule"],
    ),
    (
        "server",
        &["app", "chart", "cluster", "destination", "error", "export", "registry", "schedule"],
    ),
    (
        "cli",
        &[
            "app",
            "chart",
            "cluster",
            "destination",
            "error",
            "export",
            "import",
            "registry",
            "schedule",
            "server",
        ],
    ),
];

/// Libraries that only one module may use.
const LIBRARIES: [(&str, &[&str]); 14] = [
    ("kube", &["cluster"]),
    ("k8s_openapi", &["cluster"]),
    ("jsonwebtoken", &["server"]),
    ("reqwest", &["registry", "cli", "server"]),
    ("schemars", &["app", "chart", "cluster", "destination", "export", "schedule", "server"]),
    ("axum", &["registry", "server"]),
    ("axum_server", &["server"]),
    ("axum_reverse_proxy", &["server"]),
    ("hyper_util", &["server"]),
    ("hyper_rustls", &["server"]),
    ("rcgen", &["server"]),
    ("prometheus_client", &["server"]),
    ("clap", &["cli"]),
    ("opentelemetry_otlp", &["cli"]),
];

/// Modules that may make schemas; others may only derive them.
const SCHEMAS: [&str; 2] = ["cluster", "server"];

/// What a pure module may not touch: files, the network, tasks and clocks.
const IMPURE: [&str; 6] =
    ["std::fs", "std::net", "std::env", "tokio", "Timestamp::now", "SystemTime"];

#[test]
fn modules_use_only_what_their_arrows_allow() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(violations(&src), Vec::<String>::new());
}

#[test]
fn a_forbidden_arrow_is_found() {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("app/a.rs", "use crate::registry::Digest;\nfn f() { tokio::spawn(g()); }"),
        ("registry/r.rs", "fn f() -> crate::app::App { todo() }"),
        ("export/e.rs", "use crate::{app::App, cli};\nuse kube::Client;"),
        ("destination/d.rs", "use schemars::JsonSchema;\nfn f() -> schemars::Schema { g() }"),
        ("chart/c.rs", "use crate::app::App;\n// crate::cli in a comment is no arrow"),
    ] {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let found = violations(dir.path());
    assert_eq!(
        found,
        [
            "app/a.rs: app may not use crate::registry",
            "app/a.rs: app is pure and may not use tokio",
            "destination/d.rs: destination may only derive schemas",
            "export/e.rs: export may not use crate::cli",
            "export/e.rs: kube belongs to cluster",
            "registry/r.rs: registry may not use crate::app",
        ]
    );
}

#[test]
fn every_module_has_its_arrows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let declared: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(declared, ARROWS.iter().map(|(module, _)| *module).collect());
}

/// With the feature `arbitrary_precision`, which any dependency could switch on, every emitter but
/// serde_json's own writes a private key in place of numbers.
#[test]
fn numbers_are_numbers_to_every_emitter() {
    let number = serde_json::json!({"count": 1});
    assert_eq!(serde_saphyr::to_string(&number).unwrap().trim(), "count: 1");
}

fn violations(src: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (module, allowed) in ARROWS {
        let mut files = Vec::new();
        collect(&src.join(module), &mut files);
        for file in files {
            let name = file.strip_prefix(src).unwrap().display().to_string();
            let text = code(&fs::read_to_string(&file).unwrap());
            for (other, _) in ARROWS {
                if other != module && !allowed.contains(&other) && uses(&text, other) {
                    found.push(format!("{name}: {module} may not use crate::{other}"));
                }
            }
            for (library, owners) in LIBRARIES {
                if !owners.contains(&module) && mentions(&text, &format!("{library}::")) {
                    found.push(format!("{name}: {library} belongs to {}", owners.join(", ")));
                }
            }
            let derived = text.replace("use schemars::JsonSchema;", "");
            if !SCHEMAS.contains(&module) && mentions(&derived, "schemars::") {
                found.push(format!("{name}: {module} may only derive schemas"));
            }
            if ["app", "chart", "schedule"].contains(&module) {
                for what in IMPURE.iter().filter(|what| mentions(&text, what)) {
                    found.push(format!("{name}: {module} is pure and may not use {what}"));
                }
            }
        }
    }
    found.sort_by(|a, b| a.split(':').next().cmp(&b.split(':').next()));
    found
}

/// The text without comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn uses(text: &str, module: &str) -> bool {
    let grouped = text.split("use crate::{").skip(1).any(|rest| {
        let group = rest.split(';').next().unwrap_or_default();
        group.split([',', '{', '}']).any(|part| part.trim().split("::").next() == Some(module))
    });
    grouped || mentions(text, &format!("crate::{module}"))
}

/// Whether `what` stands in `text` as a word of its own.
fn mentions(text: &str, what: &str) -> bool {
    text.match_indices(what).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + what.len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !word(before) && (what.ends_with(':') || !word(after))
    })
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
}
