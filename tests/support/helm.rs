//! helm 3 and 4, each run with caches, settings and credentials of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::Folder;
use super::output::{Output, run};
use super::tools;

/// A helm and its home.
pub(crate) struct Helm {
    program: &'static Path,
    kubeconfig: Option<PathBuf>,
    ca: Option<PathBuf>,
    driver: Option<&'static str>,
    home: Folder,
}

impl Helm {
    /// helm 3.
    pub(crate) fn v3() -> Self {
        Self::new(tools::helm3())
    }

    /// helm 4.
    pub(crate) fn v4() -> Self {
        Self::new(tools::helm4())
    }

    /// Both, for what has to work with either.
    pub(crate) fn both() -> [Self; 2] {
        [Self::v3(), Self::v4()]
    }

    fn new(program: &'static Path) -> Self {
        Self { program, kubeconfig: None, ca: None, driver: None, home: Folder::new("helm") }
    }

    /// Talks to this cluster. Without one, helm has none.
    #[must_use]
    pub(crate) fn kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.kubeconfig = Some(path.into());
        self
    }

    /// Keeps its records by this driver: `secret` or `configmap`.
    #[must_use]
    pub(crate) fn driver(mut self, driver: &'static str) -> Self {
        self.driver = Some(driver);
        self
    }

    /// Writes a file into its folder and gives the file's path.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        self.home.write(name, content)
    }

    /// Trusts this authority, and no other.
    #[must_use]
    pub(crate) fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca = Some(path.into());
        self
    }

    /// Logs in to registries by this Docker config, as [`super::registry::Registry::docker_config`] gives it.
    #[must_use]
    pub(crate) fn docker_config(self, json: &str) -> Self {
        self.home.write("registry.json", json);
        self
    }

    /// A folder for charts that it pulls; helm runs in it.
    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Runs `helm ARGS…`.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let home = self.home.path();
        let mut command = Command::new(self.program);
        command
            .args(args)
            .current_dir(home)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .env("HELM_REGISTRY_CONFIG", home.join("registry.json"))
            .env("DOCKER_CONFIG", home)
            .env("KUBECONFIG", self.kubeconfig.as_deref().unwrap_or(&home.join("none")));
        if let Some(driver) = self.driver {
            command.env("HELM_DRIVER", driver);
        }
        if let Some(ca) = &self.ca {
            command.env("SSL_CERT_FILE", ca).env("SSL_CERT_DIR", home.join("none"));
        }
        run(command, &[])
    }
}
