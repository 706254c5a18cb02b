//! Which version an import takes: `@latest`, `@before=TIME`, and what is no version.

use super::site::{NEEDS, Site};
use crate::export::shop::manifests;
use crate::support::outhaul::Outhaul;

/// Exports the example once more, with another greeting, as this version.
fn export(site: &Site<'_>, version: &str) {
    let outhaul = Outhaul::new().docker_config(&site.registry.docker_config());
    let extra = format!(
        "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: marker, labels: \
         {{app.kubernetes.io/instance: shop}}}}\ndata: {{version: '{version}'}}\n"
    );
    outhaul.write("shop.yaml", manifests(&site.registry) + &extra);
    let to = format!("{}/team", site.registry.address());
    let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
    outhaul.run(&[&args[..], &["--chart-version", version]].concat()).ok();
}

#[test]
fn the_version_in_force_at_a_time_comes_back() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let versions = ["2020.105.0", "2020.106.120000", "2020.107.5"];
    versions.iter().for_each(|version| export(&site, version));
    let outhaul = site.outhaul("admin");
    let import = |selector: &str, further: &[&str]| {
        let reference = format!("{}{selector}", site.chart);
        let args = ["app", "import", &reference, "-n", site.namespace.name(), "-o", "json"];
        outhaul.run(&[&args[..], &["--dry-run"], further].concat())
    };
    let version = |selector: &str, further: &[&str]| {
        import(selector, further).ok().json()["version"].as_str().unwrap().to_owned()
    };
    assert_eq!(version("@before=2020-01-06T12:00:00Z", &[]), versions[1]);
    assert_eq!(version("@before=2020-01-06T11:59:59Z", &[]), versions[0]);
    assert_eq!(version("@before=2020-01-07", &[]), versions[1]);
    // Midnight is an hour earlier there, twelve seconds of which the last version is from.
    assert_eq!(
        version("@before=2020-01-07T01:00:05", &["--time-zone", "Europe/Berlin"]),
        versions[2]
    );
    let latest = version("@latest", &[]);
    assert_eq!(latest, version("", &[]));
    assert!(!versions.contains(&&*latest), "the site's own export is the newest");

    let early = import("@before=2019-12-31", &[]).exits(15);
    assert!(
        early.stderr.contains("the nearest versions are 2020.105.0 of 2020-01-05"),
        "{early:?}"
    );
    for odd in ["@before=soon", ":2020.105.0@latest"] {
        import(odd, &[]).exits(2);
    }
}
