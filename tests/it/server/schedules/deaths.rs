//! The leader dies at any moment of a run.

use std::time::Duration;

use serde_json::{Value, json};

use super::{records, run_now, schedule, until, until_schedule};
use crate::server::exports::site::{Shop, Site, held};

/// Applications of a run: some are made before the leader dies, some after.
const APPS: usize = 12;

fn more_apps(shop: &Shop<'_>) {
    let shop_itself = shop.namespace.get("apps/v1", "Deployment", "shop").unwrap();
    let image = &shop_itself["spec"]["template"]["spec"]["containers"][0]["image"];
    for number in 1..APPS {
        let labels = json!({"app.kubernetes.io/name": format!("app{number}"), "backup": "yes"});
        let app = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": format!("app{number}"), "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": image}]}}}});
        shop.namespace.apply(&app.to_string());
    }
}

#[test]
fn each_run_has_one_record_and_is_counted_once_whenever_a_leader_dies() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    more_apps(&shop);
    let (mut leader, mut next) = (site.serve("r0", &[]), site.serve("r1", &[]));
    let template = json!({"app": null, "appSelector": "backup=yes"});
    let limits = json!({"successful": 100, "failed": 100});
    let further = json!({"schedule": "0 0 1 1 *", "runOnCreate": true, "template": template,
        "historyLimits": limits});
    schedule(&shop, "all", &further);
    let mut expected = 0;
    for (seed, millis) in [0_u64, 120, 260, 400, 700, 1500].into_iter().enumerate() {
        // The first run is due, the others are asked for.
        if seed > 0 {
            run_now(&shop, "all", &format!("seed {seed}"));
        }
        std::thread::sleep(Duration::from_millis(millis));
        leader.running().kill();
        site.system().delete("coordination.k8s.io/v1", "Lease", "outhaul"); // as if it had run out
        let fresh = site.serve(&format!("r{}", seed + 2), &[]);
        leader = std::mem::replace(&mut next, fresh);
        expected += APPS - 1;
        let counted = |it: &Value| {
            let runs = &it["status"]["runs"];
            let count = |key: &str| runs[key].as_u64().unwrap_or(0);
            count("succeeded") + count("unchanged") + count("failed") == expected as u64
        };
        let done = until_schedule(&shop, "all", "all are counted", counted);
        let all = records(&shop, "all");
        assert_eq!(all.len(), expected, "after {millis} ms");
        assert_eq!(done["status"]["runs"]["failed"], 0, "{:#}", done["status"]);
        assert_eq!(done["status"]["runs"]["succeeded"], APPS - 1, "as if each had happened once");
    }
    until(
        "nothing is under way",
        || super::get(&shop, "all"),
        |it| it["status"]["active"].is_null(),
    );
    drop(leader);
}
