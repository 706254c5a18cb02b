//! Where the programs are that the tests drive: the environment says so, or `tests/tools/build.sh` does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What `build.sh test` prints, one `KEY=VALUE` a line.
const KEYS: [&str; 5] = ["KUBEBUILDER_ASSETS", "HELM", "HELM3", "REGISTRY", "AGE"];

/// A program of the control plane: `etcd`, `kube-apiserver` or `kube-controller-manager`.
pub(crate) fn control_plane(program: &str) -> PathBuf {
    located("KUBEBUILDER_ASSETS").join(program)
}

/// helm 4.
pub(crate) fn helm4() -> &'static Path {
    located("HELM")
}

/// helm 3, which most people still run.
pub(crate) fn helm3() -> &'static Path {
    located("HELM3")
}

/// CNCF Distribution.
pub(crate) fn registry() -> &'static Path {
    located("REGISTRY")
}

/// age's own program, which decrypts what we encrypt.
pub(crate) fn age() -> &'static Path {
    located("AGE")
}

/// kubelet, where `make e2e` has named one.
pub(crate) fn kubelet() -> &'static Path {
    of_node("KUBELET")
}

/// kube-scheduler, as [`kubelet`].
pub(crate) fn kube_scheduler() -> &'static Path {
    of_node("KUBE_SCHEDULER")
}

/// The folder of the network plugins, as [`kubelet`].
pub(crate) fn cni_plugins() -> &'static Path {
    of_node("CNI_PLUGINS")
}

fn of_node(key: &str) -> &'static Path {
    let found = std::env::var_os(key).unwrap_or_else(|| panic!("{key} is not set: use `make e2e`"));
    Box::leak(PathBuf::from(found).into_boxed_path())
}

fn located(key: &str) -> &'static Path {
    static TOOLS: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    &TOOLS.get_or_init(locate)[key]
}

/// `make test` has exported all of them; under a plain `cargo test` they are built on first use.
fn locate() -> BTreeMap<String, PathBuf> {
    let named = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty());
    let found: BTreeMap<_, _> =
        KEYS.iter().filter_map(|key| Some(((*key).to_owned(), named(key)?.into()))).collect();
    if found.len() == KEYS.len() {
        return found;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/build.sh");
    let output = Command::new(script).arg("test").stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "tests/tools/build.sh test failed, see what it says above");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect()
}
