//! The image of Outhaul that `make image` builds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::support::child::Folder;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

#[allow(dead_code, reason = "its main function is for the example")]
#[path = "../../examples/image.rs"]
mod example;

/// A small binary that is linked as ours is; ours without optimisation takes long to pack.
pub(crate) const BINARY: &str = "/bin/true";

fn blob(layout: &Path, digest: &Value) -> Vec<u8> {
    let hex = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
    fs::read(layout.join("blobs/sha256").join(hex)).unwrap()
}

fn json(layout: &Path, digest: &Value) -> Value {
    serde_json::from_slice(&blob(layout, digest)).unwrap()
}

#[test]
fn the_image_is_the_same_each_time_and_goes_to_a_registry() {
    let folder = Folder::new("image");
    let binaries = [format!("linux/amd64={BINARY}"), format!("linux/arm64={BINARY}")];
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let digest = example::make(&one, &binaries).unwrap();
    assert_eq!(example::make(&two, &binaries).unwrap(), digest);
    let index = json(&one, &digest.to_string().into());
    let platforms: Vec<_> =
        index["manifests"].as_array().unwrap().iter().map(|of| &of["platform"]).collect();
    assert_eq!(platforms.len(), 2);
    assert_eq!(platforms[1]["architecture"], "arm64");

    let registry = Registry::plain().start();
    copy_to(&registry, &one, "tools/outhaul:1");
    assert!(registry.target().manifest("tools/outhaul", &digest.to_string()).is_some());
}

/// An image with this binary as `make image` builds it, in a registry as the README has it there: its
/// digest.
pub(crate) fn pushed(registry: &Registry, reference: &str, binary: &Path) -> String {
    let folder = Folder::new("image");
    let layout = folder.path().join("layout");
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let binary = format!("linux/{architecture}={}", binary.display());
    let digest = example::make(&layout, &[binary]).unwrap();
    copy_to(registry, &layout, reference);
    digest.to_string()
}

/// Serves a layout and copies its image out of it, by our own commands.
fn copy_to(registry: &Registry, layout: &Path, reference: &str) {
    let serve = Outhaul::new().spawn(&[
        "layout",
        "serve",
        layout.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ]);
    let address = serve.wait_for("the address", |stdout, stderr| {
        let said = format!("{stdout}{stderr}");
        let at = said.find("127.0.0.1:")?;
        let rest = &said[at..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c))?;
        Some(rest[..end].to_owned())
    });
    let source = format!("{address}/outhaul:{}", env!("CARGO_PKG_VERSION"));
    let target = format!("{}/{reference}", registry.address());
    Outhaul::new().run(&["copy", &source, &target]).ok();
}

fn names(layer: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(GzDecoder::new(layer));
    let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| entry.path().unwrap().display().to_string()).collect()
}

/// Everything that the binary needs is in the image, and nobody but a user without rights.
#[test]
fn what_is_in_the_image_runs_with_nothing_around_it() {
    let folder = Folder::new("image");
    let layout = folder.path().join("layout");
    let digest = example::make(&layout, &[format!("linux/amd64={BINARY}")]).unwrap();
    let index = json(&layout, &digest.to_string().into());
    let manifest = json(&layout, &index["manifests"][0]["digest"]);
    let config = json(&layout, &manifest["config"]["digest"]);
    assert_eq!(config["config"]["User"], "65532:65532");
    let root = folder.path().join("root");
    let layer = blob(&layout, &manifest["layers"][0]["digest"]);
    let names = names(&layer);
    let of_ours: Vec<&String> = names.iter().filter(|name| !name.contains(".so")).collect();
    let expected = ["etc/group", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "outhaul"];
    assert_eq!(of_ours, expected, "no shell, and nothing else but libraries");
    tar::Archive::new(GzDecoder::new(&*layer)).unpack(&root).unwrap();
    let mode = fs::metadata(root.join("outhaul")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert!(fs::metadata(root.join("etc/ssl/certs/ca-certificates.crt")).unwrap().len() > 10_000);
    let mut command = Command::new("chroot");
    if !rustix::process::geteuid().is_root() {
        command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]);
    }
    let ran = command.arg(&root).arg("/outhaul").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
