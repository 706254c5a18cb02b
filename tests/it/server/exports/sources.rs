//! Where images are read for an export of the server: with what who asks could have had, and not
//! around the server itself.

use std::net::ToSocketAddrs as _;

use reqwest::Method;
use serde_json::json;

use super::http::{ALL, Door};
use super::site::{MAY_READ, MAY_READ_ROLES, MAY_SEE, Shop, Site, site, until};
use crate::support::images::Image;
use crate::support::registry::Registry;
use crate::support::server::Server;

/// What a registry says to whom it does not know, in our words.
const UNKNOWN: &str = "needs credentials and none were found";

/// An application of one image.
fn app(image: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "vaulted", "labels": {"app": "vaulted"}},
        "spec": {
            "selector": {"matchLabels": {"app": "vaulted"}},
            "template": {
                "metadata": {"labels": {"app": "vaulted"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    })
    .to_string()
}

/// Lets the exporter `use` the shop's own destination, and no other.
fn may_use_its_own(site: &Site, shop: &Shop<'_>) {
    let (api, group) = ("rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io");
    let namespace = shop.namespace.name();
    let rules = json!([{"apiGroups": ["outhaul.dev"], "resources": ["destinations"],
        "verbs": ["use"], "resourceNames": [namespace]}]);
    for object in [
        json!({"apiVersion": api, "kind": "Role", "metadata": {"name": "own"}, "rules": rules}),
        json!({"apiVersion": api, "kind": "RoleBinding", "metadata": {"name": "own"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "own"},
            "subjects": [{"kind": "ServiceAccount", "name": "exporter"}]}),
    ] {
        shop.namespace.apply(&object.to_string());
    }
    let user = format!("system:serviceaccount:{namespace}:exporter");
    let what = json!({"verb": "use", "group": "outhaul.dev", "resource": "destinations",
        "namespace": namespace, "name": namespace});
    until("the right is seen", || site.allows(&user, &[], &what));
}

/// Anybody can write the address of a private image into a pod. Whoever could push with the
/// credentials of its registry may read with them, and nobody else.
#[test]
fn another_destinations_credentials_are_for_those_who_may_use_it() {
    let (site, server) = site();
    let vault = Registry::plain().basic_auth("keeper", "s3cret").start();
    Image::new(5, 1, 1000).push(&vault.target(), "vault/web", "1");
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "vault", "labels": {"outhaul.dev/destination": "true"}},
        "stringData": {".dockerconfigjson": vault.docker_config()}});
    site.system().apply(&secret.to_string());

    let door = |rights: &[&str]| {
        let door = Door::to(site, server, site.shop(), rights);
        door.shop.namespace.apply(&app(&format!("{}/vault/web:1", vault.address())));
        door
    };
    let plan = |door: &Door<'_>| {
        let path = format!("/v1/namespaces/{}/apps/vaulted/plan", door.shop.namespace.name());
        let body = door.request(&json!({"app": "vaulted"}));
        door.send(&door.exporter, Method::POST, &path, &[], &body)
    };
    let export = |door: &Door<'_>| {
        door.shop.ask("one", &json!({"app": "vaulted"}));
        door.shop.finished(server, "one")
    };

    let without = door(&[MAY_READ, MAY_READ_ROLES, MAY_SEE]);
    may_use_its_own(site, &without.shop);
    let status = export(&without);
    assert_eq!(status["phase"], "Failed", "{status:#}");
    assert!(status["message"].as_str().unwrap().contains(UNKNOWN), "{status:#}");
    let refused = plan(&without);
    assert!(refused.status >= 400 && refused.text.contains(UNKNOWN), "{refused:?}");

    let with = door(&ALL);
    assert_eq!(plan(&with).json()["action"], "push");
    assert_eq!(export(&with)["phase"], "Succeeded");
}

/// A name of this machine that is not seen to be one.
fn disguised() -> String {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap();
    let lines = hosts.lines().filter_map(|line| line.split('#').next());
    let names = lines.flat_map(|line| line.split_whitespace().skip(1));
    let mut names = names.filter(|name| *name != "localhost" && !name.ends_with(".localhost"));
    let is_this = |name: &&str| {
        let found = (*name, 0).to_socket_addrs().into_iter().flatten();
        let mut addresses = found.map(|address| address.ip()).peekable();
        addresses.peek().is_some() && addresses.all(|address| address.is_loopback())
    };
    names.find(is_this).expect("no name of this machine in /etc/hosts but localhost").to_owned()
}

/// The name says nothing of where it leads; what it resolves to does.
#[test]
fn a_name_that_leads_to_the_server_itself_is_not_followed() {
    let site = Site::start();
    let shop = site.shop();
    shop.grant_all(&site);
    let registry = Registry::plain().start();
    Image::new(6, 1, 1000).push(&registry.target(), "shop/web", "1");
    let port = registry.address().rsplit_once(':').unwrap().1.to_owned();
    let name = disguised();
    shop.namespace.apply(&app(&format!("{name}:{port}/shop/web:1")));
    registry.clear_log();
    let strict = Server::start_strict(site.outhaul("strict"), &[]);
    shop.ask("one", &json!({"app": "vaulted"}));
    let status = shop.finished(&strict, "one");
    assert_eq!((&status["phase"], &status["reason"]), (&json!("Failed"), &json!("SOURCE_REFUSED")));
    assert!(status["message"].as_str().unwrap().contains(&name), "{status:#}");
    assert_eq!(registry.log(), []);
}
