//! The reproducible archive of a chart and its OCI manifest.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Chart;

/// Media types of a chart in a registry (helm, `pkg/registry/constants.go`).
const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Helm writes no media type of its own; registries that check the field take this one.
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Time of every entry: 1980-01-01, the first that zip knows. Of 1970 GNU tar warns.
const MTIME: u64 = 315_532_800;

/// gzip's "unknown" operating system, so that all systems write the same byte.
const UNKNOWN_SYSTEM: u8 = 255;

/// A packed chart: the three things that a registry stores. Digests are of these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartArchive {
    /// The `.tgz`: entries sorted as helm sorts, times fixed, gzip header fixed.
    pub tgz: Vec<u8>,
    /// The config blob (`application/vnd.cncf.helm.config.v1+json`).
    pub config: Vec<u8>,
    /// The OCI image manifest that names both.
    pub manifest: Vec<u8>,
}

/// Packs a chart.
pub fn archive(chart: &Chart) -> ChartArchive {
    let tgz = tgz(&chart.name, &chart.files);
    let config = chart.config.clone();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIG_TYPE, &config),
        "layers": [descriptor(LAYER_TYPE, &tgz)],
        "annotations": chart.annotations,
    });
    ChartArchive { tgz, config, manifest: manifest.to_string().into_bytes() }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> serde_json::Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Where helm puts a file among the others (helm, `pkg/chart/v2/util/save.go`).
fn rank(path: &str) -> usize {
    match path {
        "Chart.yaml" => 0,
        "values.yaml" => 1,
        "values.schema.json" => 2,
        path if path.starts_with("templates/") => 3,
        _ => 4,
    }
}

/// The files of a chart as `helm package` packs them, but reproducibly. Paths are relative and lead to
/// nowhere else.
pub(super) fn tgz(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    gzip(&tar(name, files))
}

#[expect(
    clippy::expect_used,
    reason = "writing to memory does not fail, and the paths are relative and our own"
)]
fn tar(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by_key(|(path, _)| (rank(path), *path));
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(MTIME);
        header.set_size(bytes.len() as u64);
        let path = format!("{name}/{path}");
        archive.append_data(&mut header, path, bytes.as_slice()).expect("an entry in memory");
    }
    archive.into_inner().expect("an archive in memory")
}

/// Packs at the best level, as helm does, without time and system.
#[expect(clippy::expect_used, reason = "writing to memory does not fail")]
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("compression in memory");
    encoder.finish().expect("compression in memory")
}
