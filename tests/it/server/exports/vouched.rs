//! Who vouches for an export that names no service account.

use jiff::Timestamp;
use outhaul::cluster::record::{Door, Export, ExportSpec, RequestedBy};
use outhaul::cluster::{ClientOptions, Live};
use outhaul::server::auth::Marks;

use super::site::{SYSTEM, Shop, Site, site};
use crate::support::block_on;

/// An export as a door of the server makes it, for a service account of the shop as the caller.
fn by_a_door(
    site: &Site,
    shop: &Shop<'_>,
    (name, account): (&str, &str),
    change: impl FnOnce(Export) -> Export + Send,
) {
    let namespace = shop.namespace.name();
    let requested_by = RequestedBy {
        user: format!("system:serviceaccount:{namespace}:{account}"),
        groups: vec!["system:authenticated".to_owned()],
        via: Some(Door::Native),
        request_id: Some("r-1".to_owned()),
    };
    let spec =
        ExportSpec { requested_by: Some(requested_by), ..ExportSpec::new("shop", namespace) };
    let kubeconfig = Some(site.cluster.kubeconfig("admin"));
    block_on(async {
        let live = Live::connect(&ClientOptions { kubeconfig, context: None }).await.unwrap();
        let export = Export::draft(namespace, name, spec);
        let marks = Marks::new(live.clone(), Some(SYSTEM.to_owned()));
        let export = change(marks.put(export, Timestamp::now()).await.unwrap());
        live.create_export(&export).await.unwrap();
    });
}

#[test]
fn an_export_with_a_mark_has_the_rights_of_who_asked_and_no_others() {
    let (site, server) = site();
    let shop = site.shop();
    shop.grant_all(site);
    let failed = |name: &str, words: &str| {
        let status = shop.finished(server, name);
        assert_eq!(status["reason"], "NotAuthorized", "{status:#}");
        assert!(status["message"].as_str().unwrap().contains(words), "{status:#}");
    };
    by_a_door(site, &shop, ("strange", "stranger"), |export| export);
    failed("strange", ":stranger may not read");
    by_a_door(site, &shop, ("forged", "exporter"), |mut export| {
        export.spec.requested_by.as_mut().unwrap().user = "admin".to_owned();
        export
    });
    failed("forged", "nobody says");
    by_a_door(site, &shop, ("marked", "exporter"), |export| export);
    let status = shop.finished(server, "marked");
    assert_eq!(status["phase"], "Succeeded", "{status:#}");
    assert_eq!(status["conditions"][0]["reason"], "Door", "{status:#}");
}
