//! Applications that helm cannot keep.

use super::shop::codes;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

/// Exports, as a dry run, a namespace whose ConfigMap holds this many bytes that do not pack.
fn export(bytes: usize, further: &[&str]) -> Output {
    let mut random = fastrand::Rng::with_seed(3);
    let noise: String = std::iter::repeat_with(|| random.alphanumeric()).take(bytes).collect();
    let outhaul = Outhaul::new();
    let manifest = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: huge, namespace: shop}}\n\
         data: {{text: {noise}}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: small, namespace: shop}}\n\
         data: {{text: x}}\n"
    );
    let file = outhaul.write("app.yaml", manifest).display().to_string();
    let mut args = vec!["app", "export", "shop", "--all", "--from", &file, "--to", "out"];
    args.extend(["--dry-run", "-o", "json"]);
    args.extend(further);
    outhaul.run(&args)
}

#[test]
fn a_release_that_helm_cannot_keep_is_refused_until_asked_for() {
    let refused = export(900 << 10, &[]).exits(15);
    assert!(refused.mentions("helm keeps a release in one Secret of at most 1024 KiB"));
    assert!(refused.mentions("the largest: ConfigMap huge (901 KiB)"), "{}", refused.stderr);
    assert!(refused.mentions("hint: ") && refused.mentions("--allow-oversize"));
    let plan = export(900 << 10, &["--allow-oversize"]).ok();
    assert!(codes(&plan.json()).contains(&"RELEASE_TOO_LARGE"));
    let without = export(900 << 10, &["--exclude", "ConfigMap/huge"]).ok();
    assert!(!codes(&without.json()).contains(&"RELEASE_TOO_LARGE"));
}

#[test]
fn near_the_limit_there_is_a_warning() {
    let plan = export(400 << 10, &[]).ok();
    assert!(codes(&plan.json()).contains(&"RELEASE_TOO_LARGE"), "{}", plan.stdout);
}

#[test]
fn a_file_that_helm_does_not_load_is_refused_until_asked_for() {
    let refused = export(6 << 20, &[]).exits(15);
    assert!(refused.mentions("helm loads files of at most 5120 KiB; values.yaml has "));
    let plan = export(6 << 20, &["--allow-oversize"]).ok();
    assert!(codes(&plan.json()).contains(&"CHART_TOO_LARGE"));
}
