//! `--templates DIR`.

use super::shop::{Shop, status};
use crate::support::outhaul::Outhaul;

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n";

/// A dry run with a directory of these files.
fn export(files: &[(&str, &str)]) -> crate::support::output::Output {
    let outhaul = Outhaul::new();
    outhaul.write("app.yaml", MANIFEST);
    std::fs::create_dir(outhaul.home().join("texts")).unwrap();
    for (name, text) in files {
        outhaul.write(&format!("texts/{name}"), text);
    }
    let args = ["app", "export", "shop", "--all", "--from", "app.yaml", "--to", "out"];
    outhaul.run(&[&args[..], &["--dry-run", "--templates", "texts"]].concat())
}

#[test]
fn what_is_no_template_is_said_with_file_and_line() {
    export(&[("README.md.hbs", "# {{chart}}")]).ok();
    let broken = export(&[("README.md.hbs", "# {{chart}}\n{{colour}}")]).exits(2);
    assert!(broken.mentions("README.md.hbs:2: ") && broken.mentions("docs/TEMPLATES.md"));
    let other = export(&[("Readme.md.hbs", "# {{chart}}")]).exits(2);
    assert!(other.mentions("Readme.md.hbs is no template of a chart"), "{}", other.stderr);
    let empty = export(&[("README.md", "x")]).exits(2);
    assert!(empty.mentions("texts holds no template") && empty.mentions("hint: "));
    let long = "x".repeat((1 << 20) + 1);
    let long = export(&[("NOTES.txt.hbs", &long)]).exits(2);
    assert!(long.mentions("NOTES.txt.hbs has more than 1024 KiB"), "{}", long.stderr);
}

#[test]
fn notes_may_use_all_of_helm_and_must_be_a_template() {
    let notes = "{{{{raw}}}}{{ lookup \"v1\" \"Pod\" .Release.Namespace \"\" | len }}{{{{/raw}}}}";
    export(&[("NOTES.txt.hbs", notes)]).ok();
    let broken = export(&[("NOTES.txt.hbs", "{{{{raw}}}}{{ if }}{{{{/raw}}}}")]);
    assert!(broken.code != 0 && broken.mentions("templates/NOTES.txt"), "{}", broken.stderr);
}

#[test]
fn another_template_is_another_version() {
    let shop = Shop::start();
    let texts = tempfile::tempdir().unwrap();
    std::fs::write(texts.path().join("README.md.hbs"), "# {{chart}} of team Storefront\n").unwrap();
    let args = ["--templates", texts.path().to_str().unwrap()];
    assert_eq!(status(&shop.export(&[]).ok()), "exported");
    assert_eq!(status(&shop.export(&args).ok()), "exported");
    assert_eq!(status(&shop.export(&args).ok()), "unchanged");
}
