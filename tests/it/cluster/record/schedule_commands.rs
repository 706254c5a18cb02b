//! `outhaul schedule …` on a real API server, where no server of ours is.

use std::time::Duration;

use outhaul::cluster::record::schedule::{ExportScheduleStatus, RUN, SCHEDULE};
use outhaul::cluster::record::{Export, ExportSpec, ExportStatus, Phase};
use outhaul::schedule::run::requested_name;
use serde_json::{Value, json};

use super::{live, namespace};
use crate::support::cluster::cluster_with_exports;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

const API: &str = "outhaul.dev/v1alpha1";

struct Cli<'n> {
    outhaul: Outhaul,
    namespace: &'n Namespace<'static>,
}

impl<'n> Cli<'n> {
    fn of(namespace: &'n Namespace<'static>) -> Self {
        let outhaul = Outhaul::new().kubeconfig(cluster_with_exports().kubeconfig("admin"));
        Self { outhaul, namespace }
    }

    fn run(&self, verb: &str, args: &[&str]) -> Output {
        let place = ["schedule", verb, "-n", self.namespace.name()];
        self.outhaul.run(&[&place[..], args].concat())
    }

    fn stored(&self) -> Value {
        self.namespace.list(API, "ExportSchedule")[0].clone()
    }
}

const NIGHTLY: [&str; 9] = [
    "nightly",
    "--app",
    "shop",
    "-r",
    "backup",
    "--secrets",
    "reference",
    "--schedule",
    "30 2 * * *",
];

#[test]
fn a_schedule_is_made_seen_changed_and_removed() {
    let namespace = namespace();
    let cli = Cli::of(&namespace);
    let further = [
        "--time-zone",
        "Europe/Berlin",
        "--jitter",
        "10m",
        "--deadline",
        "2h",
        "--catch-up",
        "none",
        "--concurrency",
        "replace",
        "--keep-last",
        "3",
        "--keep-daily",
        "7",
        "--exclude",
        "ConfigMap/web",
        "--fail-on",
        "error",
        "--chart-from",
        "release",
        "--adopt",
        "--allow-oversize",
        "--allow-differences",
        "--skip-unreadable",
        "--wait-rollout=90s",
        "--no-attach-report",
        "--app-namespace",
        "elsewhere",
        "--successful-history-limit",
        "20",
        "--failed-history-limit",
        "7",
    ];
    let made = cli.run("create", &[&NIGHTLY[..], &further].concat()).ok();
    assert!(made.stderr.contains("/nightly is made; it is due at 20"), "{made:?}");
    let spec = cli.stored()["spec"].clone();
    for (field, value) in [
        ("/timeZone", json!("Europe/Berlin")),
        ("/jitterSeconds", json!(600)),
        ("/startingDeadlineSeconds", json!(7200)),
        ("/catchUp", json!("None")),
        ("/concurrencyPolicy", json!("Replace")),
        ("/retention/keepDaily", json!(7)),
        ("/template/exclude", json!(["ConfigMap/web"])),
        ("/template/failOn", json!(["error"])),
        ("/template/chartFrom", json!("release")),
        ("/template/adopt", json!(true)),
        ("/template/allowOversize", json!(true)),
        ("/template/allowDifferences", json!(true)),
        ("/template/skipUnreadable", json!(true)),
        ("/template/waitRollout", json!("90s")),
        ("/template/attachReport", json!(false)),
        ("/template/namespace", json!("elsewhere")),
        ("/historyLimits", json!({"successful": 20, "failed": 7})),
        ("/requestedBy/user", json!("admin")),
        ("/requestedBy/via", json!("kubernetes")),
    ] {
        assert_eq!(spec.pointer(field), Some(&value), "{field}: {spec:#}");
    }
    let again = cli.run("create", &NIGHTLY).exits(4);
    assert!(again.stderr.contains("exists"), "{again:?}");

    let listed = cli.run("list", &[]).ok();
    assert!(listed.stdout.contains("Europe/Berlin  no         shop  backup"), "{listed:?}");
    let all = cli.outhaul.run(&["schedule", "list", "-A", "-o", "json"]).ok().json();
    let mut names = all.as_array().unwrap().iter().map(|it| &it["namespace"]);
    assert!(names.any(|name| name == namespace.name()), "{all:#}");
    let shown = cli.run("show", &["nightly"]).ok();
    for says in ["30 2 * * * (Europe/Berlin)", "3 last, 7 daily, at least 1", "no server has seen"]
    {
        assert!(shown.stdout.contains(says), "{says}: {shown:?}");
    }
    let next = cli.run("show", &["nightly", "-o", "json"]).ok().json()["next"].clone();
    assert!(next[2].as_str().unwrap().contains("T02:30:00+0"), "{next}");

    let preview = cli.run("preview", &["nightly", "--count", "4", "-o", "json"]).ok().json();
    assert_eq!(preview["runs"][3]["kept"].as_array().unwrap().len(), 3, "{preview:#}");
    assert!(preview["runs"][0]["begins"].is_string(), "{preview:#}");

    cli.run("suspend", &["nightly"]).ok();
    assert_eq!(cli.stored()["spec"]["suspend"], true);
    let refused = cli.run("run", &["nightly"]).exits(2);
    assert!(refused.stderr.contains("schedule resume"), "{refused:?}");
    cli.run("resume", &["nightly"]).ok();
    assert_eq!(cli.stored()["spec"]["suspend"], false);
    let asked = cli.run("run", &["nightly", "--no-wait"]).ok();
    assert!(asked.stderr.contains("is asked for"), "{asked:?}");
    assert!(cli.stored()["metadata"]["annotations"]["outhaul.dev/run"].is_string());

    let removed = cli.run("delete", &["nightly"]).ok();
    assert!(removed.stderr.contains("all versions stay"), "{removed:?}");
    let gone = cli.run("show", &["nightly"]).exits(1);
    assert!(gone.stderr.contains("there is no schedule `nightly`"), "{gone:?}");
    assert!(gone.stderr.contains("hint: "), "{gone:?}");
}

/// What `--dry-run` prints is what `-f` takes.
#[test]
fn a_manifest_is_printed_and_made() {
    let namespace = namespace();
    let cli = Cli::of(&namespace);
    let args = ["--keep-weekly", "4", "--service-account", "exporter", "--dry-run"];
    let printed = cli.run("create", &[&NIGHTLY[..], &args].concat()).ok();
    assert!(namespace.list(API, "ExportSchedule").is_empty());
    let file = cli.outhaul.write("nightly.yaml", &printed.stdout);
    cli.run("create", &["-f", file.to_str().unwrap()]).ok();
    let stored = cli.stored();
    let written: Value = serde_saphyr::from_str(&printed.stdout).unwrap();
    assert_eq!(stored["spec"], written["spec"]);
    assert_eq!(stored["spec"]["serviceAccountName"], "exporter");

    for flag in [
        &["--keep-last", "3"][..],
        &["--time-zone", "UTC"],
        &["--app", "shop"],
        &["--concurrency", "allow"],
        &["--all"],
        &["--platform", "linux/amd64"],
        &["--fail-on", "error"],
        &["--service-account", "other"],
        &["--keep-dry-run"],
        &["--chart-from", "live"],
        &["--adopt"],
        &["--wait-rollout"],
        &["--app-namespace", "shop"],
        &["--failed-history-limit", "3"],
    ] {
        // It would count for nothing: the manifest says all.
        cli.run("create", &[&["-f", file.to_str().unwrap()], flag].concat()).exits(2);
    }

    let misspelt = printed.stdout.replace("keepWeekly", "keepweekly");
    let file = cli.outhaul.write("bad.yaml", misspelt);
    let refused = cli.run("create", &["-f", file.to_str().unwrap()]).exits(2);
    assert!(refused.stderr.contains("no field `spec.retention.keepweekly`"), "{refused:?}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_asked() {
    let outhaul = Outhaul::new();
    let base = ["schedule", "create", "a", "-r", "backup", "--secrets", "reference"];
    for (args, says) in [
        (&["--app", "shop"][..], "nothing says when it is due"),
        (&["--schedule", "@daily"], "nothing says what is exported"),
        (&["--schedule", "31 2", "--app", "shop"], "five fields"),
        (&["--schedule", "@daily", "--app", "shop", "--keep-last", "0"], "no rule says"),
        (&["--schedule", "@daily", "--app", "shop", "--keep-dry-run"], "none is given"),
        (&["--schedule", "@daily", "--app-selector", "a in"], "selects nothing"),
        (&["--schedule", "@daily", "--app-selector", "a", "--all"], "what an application is"),
        (
            &["--schedule", "@daily", "--app", "shop", "--map-registry", "a=b"],
            "is for exports from here",
        ),
    ] {
        let refused = outhaul.run(&[&base[..], args].concat()).exits(2);
        assert!(refused.stderr.contains(says), "{args:?}: {refused:?}");
        assert!(refused.stderr.contains("hint: "), "{args:?}: {refused:?}");
    }
    let app = ["--schedule", "@daily", "--app", "shop", "--secrets", "reference"];
    for (name, place, says) in [
        ("Nightly", "backup", "no name of a schedule"),
        (&*"a".repeat(46), "backup", "at most 45"),
        ("a", "registry.example.com/team", "is an address"),
    ] {
        let args = [&["schedule", "create", name, "-r", place], &app[..]].concat();
        let refused = outhaul.run(&args).exits(2);
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
    outhaul.run(&["schedule", "create", "a", "--app", "b", "-r", "c"]).exits(2);
}

/// Where nothing carries it out, `run` says so, and Ctrl-C ends it.
#[test]
fn a_run_waits_for_a_server_and_can_be_left() {
    let namespace = namespace();
    let cli = Cli::of(&namespace);
    cli.run("create", &NIGHTLY).ok();
    let outhaul = Outhaul::new().kubeconfig(cluster_with_exports().kubeconfig("admin"));
    let waits = outhaul.spawn(&["schedule", "run", "nightly", "-n", namespace.name()]);
    waits.wait_for("the run is asked for", |_, stderr| {
        stderr.contains("is asked for").then_some(())
    });
    waits.interrupt();
    assert_eq!(waits.wait(), 130);
}

/// Carries out the run that is asked for, as a server does: an export for each of `apps`, which ends so.
async fn carry_out(namespace: &Namespace<'_>, apps: &[(&str, Phase)]) {
    let live = live().await;
    let (schedule, request) = loop {
        let schedule = live.schedule(namespace.name(), "nightly").await.unwrap().unwrap();
        let asked = schedule.annotation(RUN).map(str::to_owned);
        let done = schedule.status.as_ref().and_then(|status| status.last_run.clone());
        match asked {
            Some(request) if Some(&request) != done.as_ref() => break (schedule, request),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    for (app, phase) in apps {
        let (name, uid) = (schedule.name(), schedule.uid());
        let name = requested_name(name, uid, &request, namespace.name(), app);
        let draft = Export::draft(namespace.name(), &name, ExportSpec::new(*app, "backup"));
        let draft = draft.with_label(SCHEDULE, schedule.name());
        let made = live.create_export(&draft).await.unwrap();
        let failed = *phase == Phase::Failed;
        let status = ExportStatus {
            phase: Some(*phase),
            message: failed.then(|| "an image is missing".to_owned()),
            exit_code: failed.then_some(10),
            ..ExportStatus::default()
        };
        live.patch_status(&made, &status).await.unwrap();
    }
    let status =
        ExportScheduleStatus { last_run: Some(request), ..ExportScheduleStatus::default() };
    live.patch_schedule_status(&schedule, &status).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_as_its_exports_do() {
    let namespace = namespace();
    Cli::of(&namespace).run("create", &NIGHTLY).ok();
    let well = Phase::Succeeded;
    for (apps, code, says) in [
        (&[("shop", well)][..], 0, "/shop"),
        (&[("shop", Phase::Failed)], 10, "an image is missing"),
        (&[("shop", well), ("cart", Phase::Failed)], 10, "1 of 2 applications were not exported"),
        (&[], 1, "it has selected no application"),
    ] {
        let outhaul = Outhaul::new().kubeconfig(cluster_with_exports().kubeconfig("admin"));
        let run = outhaul.spawn(&["schedule", "run", "nightly", "-n", namespace.name()]);
        carry_out(&namespace, apps).await;
        let ended = run.wait();
        let text = run.stdout() + &run.stderr();
        assert!(ended == code && text.contains(says), "{apps:?}: {ended}: {text}");
        assert!(apps.iter().all(|(app, phase)| {
            text.contains(&format!("/{app}")) && text.contains(&format!("{phase:?}"))
        }));
    }
}
