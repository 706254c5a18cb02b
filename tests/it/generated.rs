//! Files made from the code: `make generate` writes them, and these tests fail when one is out of
//! date.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use outhaul::app::finding;
use outhaul::cluster::record;
use outhaul::error::{Code, Exit};

#[test]
fn exit_codes() {
    let mut text =
        "# Exit codes\n\n| code | meaning |\n| --- | --- |\n| 0 | Success. |\n".to_owned();
    for (exit, meaning) in Exit::ALL {
        writeln!(text, "| {} | {} |", *exit as u8, meaning.trim()).unwrap();
    }
    check("docs/EXIT_CODES.md", &text);
}

#[test]
fn problems() {
    let mut text = "# Problems\n\nWhat the server answers when it refuses or fails, as \
                    `application/problem+json` (RFC 9457).\n\n\
                    | code | status | meaning |\n| --- | --- | --- |\n"
        .to_owned();
    for code in Code::ALL {
        let (name, status) = (code.as_str(), code.status());
        writeln!(text, "| `{name}` | {status} | {}. |", code.title()).unwrap();
    }
    check("docs/PROBLEMS.md", &text);
}

#[test]
fn findings() {
    check("docs/FINDINGS.md", &finding::markdown());
}

#[test]
fn command_line_reference() {
    let mut text = "# Commands\n\nWhat `--help` prints.\n".to_owned();
    let mut command = outhaul::cli::command().term_width(100);
    command.build();
    describe(&mut command, &mut text);
    check("docs/cli.md", &text);
}

#[test]
fn definition_of_the_resource() {
    let definition = record::crd_yaml().unwrap();
    check("deploy/crds/exports.outhaul.dev.yaml", &definition);
    check("charts/outhaul/crds/exports.outhaul.dev.yaml", &definition);
    let definition = record::schedule_crd_yaml().unwrap();
    check("deploy/crds/exportschedules.outhaul.dev.yaml", &definition);
    check("charts/outhaul/crds/exportschedules.outhaul.dev.yaml", &definition);
}

#[test]
fn description_of_the_api() {
    let document = serde_json::to_string_pretty(&outhaul::server::openapi()).unwrap();
    check("docs/openapi.json", &format!("{document}\n"));
}

#[test]
fn plain_manifests() {
    let (policy, rest) = crate::deploy::plain();
    check("deploy/policy/exports.yaml", &policy);
    check("deploy/outhaul.yaml", &rest);
    let alerts = include_str!("../../charts/outhaul/files/alerts.yaml");
    check("deploy/alerts.yaml", alerts);
}

fn describe(command: &mut clap::Command, text: &mut String) {
    let name = command.get_display_name().unwrap_or_default().replace('-', " ");
    let name = command.get_bin_name().map_or(name, str::to_owned);
    write!(
        text,
        "\n## {name}\n\n```text\n{}\n```\n",
        command.render_long_help().to_string().trim_end()
    )
    .unwrap();
    for subcommand in command.get_subcommands_mut().filter(|it| !it.is_hide_set()) {
        describe(subcommand, text);
    }
}

fn check(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, expected).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is out of date: run `make generate`");
}
