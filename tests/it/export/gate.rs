//! `--fail-on` and `--accept`: findings that stop an export before anything is pushed.

use super::shop::{Shop, codes, manifests, push_images, versions};
use crate::support::faulty::{Fault, Faulty, Trouble};
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

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
fn what_only_the_push_brings_stops_it_before_the_tag() {
    const CHART: &str = "team/shop-shop-chart";
    let (sources, destination) = (Registry::plain().start(), Faulty::start());
    push_images(&sources);
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", manifests(&sources));
    let to = format!("{}/team", destination.address());
    let export = |flags: &[&str]| {
        // The first manifest under a digest is the chart's, the second one its report's.
        let path = format!("/v2/{CHART}/manifests/sha256:");
        destination.fault(Fault::on("PUT", &path, Trouble::Status(400)).after(1));
        let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
        outhaul
            .run(&[&args[..], &["-o", "json", "--fail-on", "REPORT_NOT_ATTACHED"], flags].concat())
    };
    let stopped = export(&[]).exits(17);
    assert!(stopped.stderr.contains("stopped by findings: REPORT_NOT_ATTACHED"), "{stopped:?}");
    assert_eq!(destination.target().tags(CHART), [""; 0]);

    let accepted = export(&["--accept", "REPORT_NOT_ATTACHED"]).ok().json();
    assert!(codes(&accepted).contains(&"REPORT_NOT_ATTACHED"), "{accepted}");
    assert_eq!(destination.target().tags(CHART).len(), 1);
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
