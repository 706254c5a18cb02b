//! Restored in another cluster, an application goes on with its backups from there.

use serde_json::{Value, json};

use super::replica::Replica;
use super::{condition, schedule, until, until_schedule};
use crate::export::shop::declare_as;
use crate::server::exports::site::{API, MAY_READ, MAY_READ_ROLES, MAY_USE, Shop, Site, held};
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::tools;

const ACCOUNT: &str = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: exporter}}";

/// An admin of the cluster, logged in to the destination.
fn admin(site: &Site, shop: &Shop<'_>) -> Outhaul {
    Outhaul::new()
        .kubeconfig(site.cluster.kubeconfig("admin"))
        .env("HELM", tools::helm4())
        .docker_config(&shop.destination.docker_config())
}

/// What `outhaul ARGS… -o json` says to them.
fn outhaul(site: &Site, shop: &Shop<'_>, args: &[&str]) -> Value {
    let ca = shop.destination.ca_file();
    let access = ["--ca-file", ca.to_str().unwrap(), "-o", "json"];
    admin(site, shop).run(&[args, &access].concat()).ok().json()
}

fn uid(site: &Site) -> String {
    let system = site.send("admin", "GET", "/api/v1/namespaces/kube-system", &Value::Null).unwrap();
    system["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// Makes the same schedule there, or changes it.
fn schedule_at(place: &Namespace<'_>, destination: &str, adopt: bool) {
    let spec = json!({
        "schedule": "0 * * * *", "serviceAccountName": "exporter",
        "template": {"app": "shop", "destination": destination, "secrets": "reference", "adopt": adopt},
    });
    let schedule = json!({"apiVersion": API, "kind": "ExportSchedule",
        "metadata": {"name": "hourly"}, "spec": spec});
    place.apply(&schedule.to_string());
}

fn until_there(place: &Namespace<'_>, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, || place.get(API, "ExportSchedule", "hourly").unwrap(), is)
}

fn runs(schedule: &Value, result: &str) -> u64 {
    schedule["status"]["runs"][result].as_u64().unwrap_or_default()
}

#[test]
fn a_schedule_of_the_new_cluster_goes_on_where_the_old_one_ended() {
    let (first, second) = (Site::start(), Site::start());
    let shop = held(&first, 0);
    shop.grant_all(&first);
    let name = shop.namespace.name();
    let replica = Replica::start(&first);
    schedule(&shop, "hourly", &json!({}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 1);
    replica.next_hour();
    until_schedule(&shop, "hourly", "a version", |it| runs(it, "succeeded") == 1);
    drop(replica); // the old cluster is gone

    let place = second.cluster.named_namespace(name);
    declare_as(&second.system(), name, &shop.destination);
    [ACCOUNT, MAY_READ, MAY_READ_ROLES, MAY_USE].iter().for_each(|yaml| place.apply(yaml));
    let chart = format!("{}/backups/{name}-shop-chart", shop.destination.address());
    let latest = format!("{chart}@latest");
    let restored = outhaul(&second, &shop, &["app", "import", &latest, "-n", name]);
    assert_eq!(restored["differences"]["changed"], json!([]), "{restored:#}");

    // What another cluster has pushed is not gone on with unless somebody says so.
    let replica = Replica::start(&second);
    schedule_at(&place, name, false);
    until_there(&place, "seen", |it| it["status"]["observedGeneration"] == 1);
    replica.next_hour();
    let refused = until_there(&place, "refused", |it| runs(it, "failed") == 1);
    assert_eq!(condition(&refused, "Healthy").0, "False", "{:#}", refused["status"]);
    assert_eq!(shop.versions().len(), 1);
    schedule_at(&place, name, true);
    until_there(&place, "seen", |it| it["status"]["observedGeneration"] == 2);
    // After a failure, due times of the next two minutes are left out.
    replica.next_hour();
    let adopted = until_there(&place, "adopted", |it| runs(it, "succeeded") == 1);
    assert_eq!(condition(&adopted, "Healthy").0, "True", "{:#}", adopted["status"]);
    replica.next_hour();
    until_there(&place, "unchanged", |it| runs(it, "unchanged") == 1);

    let history = outhaul(&second, &shop, &["app", "history", &chart]);
    let rows = history["versions"].as_array().unwrap();
    let [new, old] = [&second, &first].map(uid);
    let of = |uid: &str| (format!("{uid}/{name}/shop"), format!("{uid}/{name}/hourly"));
    let said: Vec<(String, String)> = rows
        .iter()
        .map(|row| ["origin", "schedule"].map(|key| row[key].as_str().unwrap().to_owned()).into())
        .collect();
    assert_eq!(said, [of(&new), of(&old)], "{history:#}");
    // The image is there once.
    let chart = format!("{chart}:{}", rows[1]["version"].as_str().unwrap());
    let newest = rows[0]["version"].as_str().unwrap();
    let ca = shop.destination.ca_file();
    let args = ["app", "diff", &chart, newest, "--ca-file", ca.to_str().unwrap(), "-o", "json"];
    let diff = admin(&second, &shop).run(&args).json();
    for image in diff["images"].as_array().unwrap() {
        assert_eq!(image["layers"]["added"]["layers"], 0, "{diff:#}");
    }
}
