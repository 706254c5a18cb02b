//! `--fail-on` and `--accept`: findings that stop an export before anything is pushed.

use super::shop::{Shop, codes, versions};
use crate::support::outhaul::Outhaul;

/// What the example gives rise to that matters.
const WARNINGS: &str = "CLUSTER_SCOPED_REQUIRED,VOLUME_DATA_NOT_EXPORTED";

#[test]
fn findings_stop_an_export_before_anything_is_pushed() {
    let shop = Shop::start();
    for flags in [&["--fail-on", "warning"][..], &["--fail-on-findings"], &["--fail-on", WARNINGS]]
    {
        shop.destination.clear_log();
        let stopped = shop.export(flags).exits(17);
        let plan = stopped.json();
        assert_eq!(plan["action"], "push");
        let by: Vec<&str> =
            plan["stoppedBy"].as_array().unwrap().iter().map(|of| of.as_str().unwrap()).collect();
        assert_eq!(by.join(","), WARNINGS);
        assert!(
            stopped
                .stderr
                .contains(&format!("hint: settle them, or go on with `--accept {WARNINGS}`")),
            "{}",
            stopped.stderr
        );
        assert_eq!(shop.destination.requests(&["POST", "PUT", "PATCH"]), []);
    }
    assert_eq!(versions(&shop), Vec::<String>::new());
    shop.export(&["--fail-on", "warning", "--dry-run"]).exits(17);
    shop.export(&["--fail-on", "error,API_REMOVED", "--dry-run"]).ok();

    let accepted = shop.export(&["--fail-on", "warning", "--accept", WARNINGS]).ok().json();
    assert!(codes(&accepted).contains(&"VOLUME_DATA_NOT_EXPORTED"), "{accepted}");
    assert_eq!(versions(&shop).len(), 1);
}

#[test]
fn a_stopped_export_leaves_no_layout() {
    let outhaul = Outhaul::new();
    outhaul.write(
        "app.yaml",
        "
apiVersion: v1
kind: ConfigMap
metadata: {name: x, labels: {app: x}, annotations: {external-dns.alpha.kubernetes.io/target: a.example}}
",
    );
    let args = ["app", "export", "x", "--all", "--from", "app.yaml", "--to"];
    let run = |to: &str| outhaul.run(&[&args[..], &[to, "--fail-on", "ADDON_REQUIRED"]].concat());
    for to in ["out", "out.tar"] {
        assert!(run(to).exits(17).stdout.contains("ADDON_REQUIRED"));
        assert!(!outhaul.home().join(to).exists());
    }
}

#[test]
fn a_code_that_does_not_exist_is_refused() {
    for flag in ["--fail-on", "--accept"] {
        let output = Outhaul::new().run(&["app", "export", "x", "-r", "h:1/x", flag, "warnings"]);
        assert!(output.exits(2).stderr.contains("docs/FINDINGS.md"));
    }
}
