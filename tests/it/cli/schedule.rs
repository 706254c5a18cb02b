//! `outhaul schedule preview`: no cluster, no configuration.

use serde_json::{Value, json};

use crate::support::outhaul::Outhaul;

const BERLIN: [&str; 8] = [
    "schedule",
    "preview",
    "--schedule",
    "30 2 * * *",
    "--time-zone",
    "Europe/Berlin",
    "--from",
    "2026-10-24T00:00:00Z",
];

/// A table, as it is pasted into a ticket.
#[test]
fn the_next_runs_are_shown_by_the_clock_of_the_zone() {
    let args = ["--count", "3", "--jitter", "90s", "--keep-last", "1", "--keep-weekly", "2"];
    let shown = Outhaul::new().run(&[&BERLIN[..], &args].concat()).ok();
    assert_eq!(
        shown.stdout.lines().map(str::trim).collect::<Vec<_>>(),
        [
            "DUE (Europe/Berlin)        UTC                   KEPT AFTER THE LAST",
            "2026-10-24T02:30:00+02:00  2026-10-24T00:30:00Z  no",
            "2026-10-25T02:30:00+02:00  2026-10-25T00:30:00Z  held at the end of the week of 2026-10-19",
            "2026-10-26T02:30:00+01:00  2026-10-26T01:30:00Z  always kept as one of the newest; one of the newest that are counted; held at the end of the week of 2026-10-26",
            "each begins up to 1m 30s later",
        ]
        .map(str::trim)
    );
}

#[test]
fn the_same_is_told_to_programs() {
    let args = ["--count", "1", "--max-age", "90d", "-o"];
    let wanted = json!({
        "schedule": "30 2 * * *", "timeZone": "Europe/Berlin", "jitterSeconds": 0,
        "runs": [{
            "due": "2026-10-24T02:30:00+02:00", "utc": "2026-10-24T00:30:00Z",
            "kept": ["always kept as one of the newest", "young enough"],
        }],
    });
    let outhaul = Outhaul::new();
    let json = outhaul.run(&[&BERLIN[..], &args, &["json"]].concat()).ok();
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap(), wanted);
    let yaml = outhaul.run(&[&BERLIN[..], &args, &["yaml"]].concat()).ok();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.stdout).unwrap(), wanted);
}

/// What is wrong is said with what to do.
#[test]
fn what_cannot_be_is_refused_with_a_way_out() {
    let outhaul = Outhaul::new();
    for (args, says, hint) in [
        (&["--schedule", "31 2"][..], "five fields", "such as `30 2 * * 1-5`"),
        (&["--schedule", "0 30 2 * * *"], "no seconds", "leave out the field of seconds"),
        (
            &["--schedule", "CRON_TZ=Asia/Tokyo 30 2 * * *"],
            "`CRON_TZ=Asia/Tokyo` belongs into the field timeZone",
            "`--time-zone Asia/Tokyo`",
        ),
        (&["--schedule", "@every 1000y"], "`@every 1000y` is not from 1m to 8784h", "BACKUPS"),
        (&["--schedule", "0 0 31 2 *"], "never be due", "28-31"),
        (&["--schedule", "@daily", "--time-zone", "Berln"], "zone `Berln`", "`Europe/Berlin`?"),
        (&["--schedule", "@daily", "--time-zone", "Mordor"], "zone `Mordor`", "IANA"),
        (&["--schedule", "@daily", "--keep-last", "0"], "no rule says", "`--keep-last`"),
        (&["--schedule", "@daily", "--include-manual"], "no rule says", "everything stays"),
        (
            &["--schedule", "@daily", "--keep-last", "1", "--min-successful", "0"],
            "minSuccessful is at least 1",
            "leave it out",
        ),
        (&["--schedule", "@daily", "--max-age", "3 months"], "no age such as 90d", "24 hours"),
    ] {
        let refused = outhaul.run(&[&["schedule", "preview"], args].concat()).exits(2);
        let (error, way) = refused.stderr.split_once("\nhint: ").unwrap_or_default();
        assert!(error.contains(says) && way.contains(hint), "{args:?}: {refused:?}");
    }
    for args in [
        &["--schedule", "@daily", "--jitter", "2h"][..],
        &["--schedule", "@daily", "--count", "0"],
        &["--schedule", "@daily", "--keep-last", "10001"],
        &["--schedule", "@daily", "--from", "yesterday"],
    ] {
        outhaul.run(&[&["schedule", "preview"], args].concat()).exits(2);
    }
}
