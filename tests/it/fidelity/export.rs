//! The whole way out: the built binary exports to a registry, helm renders the chart in it.

use outhaul::chart::ChartArchive;
use serde_json::Value;

use super::fixture::Fixture;
use crate::chart::oracle;
use crate::support::cluster::Cluster;
use crate::support::helm::Helm;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

/// The media type of charts in registries.
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// What an export left.
pub(super) struct Export {
    pub(super) chart: ChartArchive,
    pub(super) report: Value,
}

/// Exports the whole namespace of an application, Secrets included, so that they are compared, too.
///
/// # Errors
/// With what the binary said when it failed.
pub(super) fn run(
    fixture: &Fixture,
    cluster: &Cluster,
    registry: &Registry,
    further: &[&str],
) -> Result<Export, String> {
    let outhaul = Outhaul::new().kubeconfig(cluster.kubeconfig("admin"));
    let name = fixture.name.as_str();
    let to = format!("{}/apps", registry.address());
    let mut args = vec!["app", "export", name, "-n", name, "--all", "--secrets", "include"];
    args.extend(["-r", &to, "-o", "json"]);
    args.extend(fixture.expect.args.iter().map(String::as_str));
    args.extend(further);
    let output = outhaul.run(&args);
    if output.code != 0 {
        return Err(format!("the export ended with {}: {}", output.code, output.stderr));
    }
    let report = output.json();
    let text = |field: &str| report["chart"][field].as_str().unwrap();
    let (target, host) = (registry.target(), registry.address() + "/");
    let repository = text("repository").strip_prefix(&host).unwrap();
    let manifest = target.manifest(repository, text("digest")).unwrap();
    let parsed: Value = serde_json::from_slice(&manifest).unwrap();
    let layers = parsed["layers"].as_array().unwrap();
    let layer = layers.iter().find(|layer| layer["mediaType"] == CHART).unwrap();
    let blob = |of: &Value| target.blob(repository, of["digest"].as_str().unwrap()).unwrap();
    let chart = ChartArchive { tgz: blob(layer), config: blob(&parsed["config"]), manifest };
    Ok(Export { chart, report })
}

/// The YAML documents that a helm renders with the chart's default values.
pub(super) fn render(helm: &Helm, chart: &ChartArchive) -> Vec<String> {
    std::fs::write(helm.folder().join("chart.tgz"), &chart.tgz).unwrap();
    let text =
        helm.run(&["template", "back", "chart.tgz", "--namespace", super::EMPTY]).ok().stdout;
    documents(&text)
}

/// The YAML documents of what `helm template` printed.
pub(super) fn documents(text: &str) -> Vec<String> {
    // What is left of the line that names the template is no YAML.
    oracle::documents(text).into_iter().map(|document| format!("# {document}")).collect()
}
