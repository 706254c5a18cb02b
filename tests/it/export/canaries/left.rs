//! What left: everything that was pushed, printed, logged, saved and installed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use outhaul::chart::Chart;
use serde_json::Value;

use super::planted::{NEVER, USED, all};
use crate::export::shop::{Shop, version};
use crate::support::helm::Helm;
use crate::support::objects::Namespace;
use crate::support::output::Output;
use crate::support::tools;

/// Everything that left: what is at the destination, in a layout, on the streams, in files.
pub(super) struct Left {
    pub(super) chart: Chart,
    texts: BTreeMap<String, String>,
}

/// Exports under a policy, and does everything else that can be done with the application.
pub(super) fn export(shop: &Shop<'_>, policy: &[&str]) -> Left {
    let mut texts = BTreeMap::new();
    let mut said = |name: &str, output: &Output| {
        texts.insert(format!("stdout of {name}"), output.stdout.clone());
        texts.insert(format!("stderr of {name}"), output.stderr.clone());
    };
    let namespace = shop.namespace.name();
    let outhaul = shop.outhaul();
    let base = ["app", "export", "shop", "-n", namespace, "-vv"];
    let run = |further: &[&str]| outhaul.run(&[&base[..], policy, further].concat()).ok();
    for format in ["table", "json", "yaml"] {
        said(&format!("a plan as {format}"), &run(&["-r", "team", "--dry-run", "-o", format]));
    }
    let report = run(&["-r", "team", "-o", "json"]);
    said("an export", &report);
    said("an export again", &run(&["-r", "team", "-o", "table"]));
    said("an export to a layout", &run(&["--to", "layout", "-o", "yaml"]));
    said("everything that libraries log", &trace(shop, policy));
    for format in ["table", "json"] {
        let show = ["app", "show", "shop", "-n", namespace, "-vv", "-o", format];
        let save = ["--save-snapshot", "snapshot.json"];
        said(&format!("app show as {format}"), &outhaul.run(&[&show[..], &save].concat()).ok());
    }
    files(outhaul.home(), &mut texts);
    for (name, output) in afterwards(shop, policy) {
        texts.insert(format!("stdout of {name}"), output.stdout);
        texts.insert(format!("stderr of {name}"), output.stderr);
    }
    let target = shop.destination.target();
    for repository in [shop.chart_repository(), shop.image_repository()] {
        texts.insert(format!("tags of {repository}"), target.tags(&repository).join("\n"));
    }
    attached(shop, &mut texts);
    let chart = shop.published(&version(&report));
    texts.insert("the chart's configuration".into(), text(&chart.config));
    texts.insert("the chart's annotations".into(), format!("{:?}", chart.annotations));
    Left { chart, texts }
}

/// A plan, with all that the libraries have to say.
fn trace(shop: &Shop<'_>, policy: &[&str]) -> Output {
    let plan = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", "team", "--dry-run"];
    shop.outhaul().env("OUTHAUL_LOG", "trace").run(&[&plan[..], policy].concat()).ok()
}

/// What the other commands say of the application and its export, and what errors say.
fn afterwards(shop: &Shop<'_>, policy: &[&str]) -> Vec<(&'static str, Output)> {
    let outhaul = shop.outhaul().docker_config(&shop.destination.docker_config());
    let (namespace, ca) = (shop.namespace.name(), shop.destination.ca_file().display().to_string());
    let chart = format!("oci://{}/{}", shop.destination.address(), shop.chart_repository());
    let run = |args: &[&str]| outhaul.run(&[args, &["-vv", "-o", "json"]].concat());
    let export = |further: &[&str]| {
        run(&[&["app", "export", "shop", "-n", namespace][..], policy, further].concat())
    };
    let all = ["app", "export", "--all-apps", "-n", namespace, "-r", "team", "--dry-run"];
    let import = ["app", "import", &chart, "-n", namespace, "--dry-run", "--ca-file", &ca];
    let helm = tools::helm4().display().to_string();
    shop.set_currency("USD");
    vec![
        ("app list", run(&["app", "list", "-n", namespace]).ok()),
        ("plans of all applications", run(&[&all[..], policy].concat()).ok()),
        ("verify", run(&["verify", &chart, "--deep", "--ca-file", &ca]).ok()),
        ("app diff", run(&["app", "diff", "shop", "-n", namespace, "-r", "team"]).exits(16)),
        ("app copy", run(&["app", "copy", &chart, "--to", "copied", "--ca-file", &ca]).ok()),
        // What the target lacks differs by the policy, and is said as well.
        ("a plan of an import", run(&[&import[..], &["--helm", &helm]].concat())),
        ("an export that findings stop", export(&["-r", "team", "--fail-on", "info"]).exits(17)),
        ("an export to nowhere", export(&["-r", "127.0.0.1:1/team"]).exits(9)),
        ("an export of too little", export(&["-r", "team", "--exclude", "cm/none"]).exits(2)),
    ]
}

/// What is attached to the chart: manifests, and what is in them.
fn attached(shop: &Shop<'_>, texts: &mut BTreeMap<String, String>) {
    let (target, repository) = (shop.destination.target(), shop.chart_repository());
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let digests = |of: &Value| {
        let all = of.as_array().unwrap().iter();
        all.map(|it| it["digest"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let tags = target.tags(&repository).into_iter();
    let lists: Vec<String> = tags.filter(|tag| tag.starts_with("sha256-")).collect();
    assert!(!lists.is_empty(), "the report is attached");
    for list in lists {
        let list = target.manifest(&repository, &list).unwrap();
        for digest in digests(&json(&list)["manifests"]) {
            let manifest = target.manifest(&repository, &digest).unwrap();
            for layer in digests(&json(&manifest)["layers"]) {
                let blob = target.blob(&repository, &layer).unwrap();
                texts.insert(format!("attached {layer}"), text(&blob));
            }
            texts.insert(format!("attached {digest}"), text(&manifest));
        }
        texts.insert("the list of what is attached".to_owned(), text(&list));
    }
}

/// Every file below a folder, unpacked where it is packed. The chart in a layout is packed, and is
/// looked at by itself: what it may hold depends on the policy.
fn files(folder: &Path, texts: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, texts);
        } else {
            texts.insert(path.display().to_string(), text(&std::fs::read(&path).unwrap()));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Names of the texts in which the value stands, as it is or in base64 at any offset.
fn holding<'t>(
    texts: impl IntoIterator<Item = (&'t String, String)>,
    canary: &str,
) -> Vec<&'t str> {
    // Cut by up to two bytes at either end, the middle of the base64 is the same in every context.
    let encoded = (0..3).map(|skip| {
        let rest = &canary[skip..];
        STANDARD.encode(&rest[..rest.len() / 3 * 3])
    });
    // Shorter ones occur by chance.
    let encoded = encoded.filter(|encoded| encoded.len() >= 8);
    let spellings: Vec<String> = encoded.chain([canary.to_owned()]).collect();
    let holds = |text: &str| spellings.iter().any(|spelling| text.contains(spelling.as_str()));
    texts.into_iter().filter(|(_, text)| holds(text)).map(|(name, _)| name.as_str()).collect()
}

impl Left {
    /// Where in the chart's files the value stands.
    fn in_chart(&self, canary: &str) -> Vec<&str> {
        holding(self.chart.files.iter().map(|(path, bytes)| (path, text(bytes))), canary)
    }

    fn elsewhere(&self, canary: &str) -> Vec<&str> {
        holding(self.texts.iter().map(|(name, text)| (name, text.clone())), canary)
    }

    /// No canary is anywhere but in the chart, and there only those that are used, in `file`.
    pub(super) fn check(&self, file: Option<&str>) {
        for canary in all() {
            assert_eq!(self.elsewhere(canary), [""; 0], "{canary}");
        }
        for canary in NEVER {
            assert_eq!(self.in_chart(canary), [""; 0], "{canary}");
        }
        for (_, canary) in USED {
            assert_eq!(self.in_chart(canary), file.as_slice(), "{canary}");
        }
    }

    /// Installs the chart with `values` in an empty namespace. Neither what helm prints holds a
    /// canary, nor the record that it keeps, but for those that the chart holds.
    pub(super) fn install(&self, shop: &Shop<'static>, values: &Value) -> Namespace<'static> {
        let cluster = shop.namespace.cluster();
        let helm = Helm::v4().kubeconfig(cluster.kubeconfig("admin"));
        let target = cluster.namespace("installed");
        let folder = helm.folder().join("chart");
        for (path, bytes) in &self.chart.files {
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        let values = helm.write("values.json", &values.to_string()).display().to_string();
        let folder = folder.display().to_string();
        let args = ["install", "shop", &folder, "-n", target.name(), "-f", &values];
        let installed = helm.run(&args).ok();
        assert!(installed.stdout.contains("NOTES:"), "{installed:?}");
        let said = ("helm".to_owned(), installed.stdout + &installed.stderr);
        let record = ("the record".to_owned(), record(&target));
        for canary in all() {
            assert_eq!(holding([(&said.0, said.1.clone())], canary), [""; 0], "{canary}");
            let is_known = !self.in_chart(canary).is_empty();
            let held = holding([(&record.0, record.1.clone())], canary);
            assert_eq!(!held.is_empty(), is_known, "{canary} in the record");
        }
        target
    }
}

/// Helm's record of the release, unpacked: in base64 twice, and gzip.
fn record(namespace: &Namespace<'_>) -> String {
    let secret = namespace.get("v1", "Secret", "sh.helm.release.v1.shop.v1").unwrap();
    let once = STANDARD.decode(secret["data"]["release"].as_str().unwrap()).unwrap();
    let packed = STANDARD.decode(once).unwrap();
    let mut record = String::new();
    GzDecoder::new(&*packed).read_to_string(&mut record).unwrap();
    record
}
