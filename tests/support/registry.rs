//! A real registry: CNCF Distribution on a free loopback port, storing in a temporary folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{RwLock, RwLockReadGuard};
use std::time::Duration;

use super::certs::Authority;
use super::child::{Child, Folder};
use super::images::Target;
use super::{block_on, free_port, tools};

/// Listening takes a tenth of a second; the rest is for machines that do much else.
const START: Duration = Duration::from_secs(60);

/// Marks the requests by which [`Registry::log`] finds out that the log is complete.
const MARKER: &str = "/v2/?end-of-log=";

/// What a registry is to be like. Without more it speaks plain HTTP, lets everybody in, and deletes.
#[must_use = "a registry runs once it is started"]
pub(crate) struct Builder {
    tls: bool,
    login: Option<(String, String)>,
    delete: bool,
}

/// A running registry. Dropping it ends it and removes what it stored.
pub(crate) struct Registry {
    port: u16,
    login: Option<(String, String)>,
    ca: Option<(PathBuf, String)>,
    config: PathBuf,
    /// Bytes of the access log that [`Self::clear_log`] has dealt with.
    cleared: AtomicUsize,
    markers: AtomicU32,
    child: RwLock<Child>,
    folder: Folder, // last: the child writes into it
}

/// One request, as the registry logged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessLine {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) status: u16,
}

impl Builder {
    /// Serves HTTPS with a certificate from an authority of its own.
    pub(crate) fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Lets in only who knows these (401 without).
    pub(crate) fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Whether it deletes manifests and blobs (405 if not).
    pub(crate) fn delete(mut self, delete: bool) -> Self {
        self.delete = delete;
        self
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(self) -> Registry {
        let folder = Folder::new("registry");
        let port = free_port();
        let mut config = format!(
            "version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: '{}'}}
  delete: {{enabled: {}}}
http:
  addr: 127.0.0.1:{port}
  secret: of no importance
",
            folder.path().join("storage").display(),
            self.delete,
        );
        let ca = self.tls.then(|| {
            let authority = Authority::new("registry");
            let identity = authority.loopback();
            let certificate = folder.write("tls.crt", identity.certificate);
            let key = folder.write("tls.key", identity.key);
            let (certificate, key) = (certificate.display(), key.display());
            config += &format!("  tls: {{certificate: '{certificate}', key: '{key}'}}\n");
            (folder.write("ca.crt", &authority.pem), authority.pem)
        });
        if let Some((user, password)) = &self.login {
            // The cheapest cost that bcrypt has: each request is checked anew.
            let hash = bcrypt::hash(password, 4).unwrap();
            let path = folder.write("htpasswd", format!("{user}:{hash}\n"));
            config += &format!("auth: {{htpasswd: {{realm: test, path: '{}'}}}}\n", path.display());
        }
        let config = folder.write("config.yaml", config);
        let child = RwLock::new(launch(&folder, &config, port));
        let (cleared, markers) = (AtomicUsize::new(0), AtomicU32::new(0));
        Registry { port, login: self.login, ca, config, cleared, markers, child, folder }
    }
}

impl Registry {
    /// A registry on plain HTTP that lets everybody in.
    pub(crate) fn plain() -> Builder {
        Builder { tls: false, login: None, delete: true }
    }

    /// `127.0.0.1:PORT`, as image references have it.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How to reach it without our own code.
    pub(crate) fn target(&self) -> Target {
        let scheme = if self.ca.is_some() { "https" } else { "http" };
        Target {
            url: format!("{scheme}://{}", self.address()),
            login: self.login.clone(),
            ca: self.ca.as_ref().map(|(_, pem)| pem.clone()),
        }
    }

    /// The certificate of its authority, as PEM.
    ///
    /// # Panics
    ///
    /// When it speaks plain HTTP.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca.as_ref().unwrap().1
    }

    /// The same in a file.
    pub(crate) fn ca_file(&self) -> &PathBuf {
        &self.ca.as_ref().unwrap().0
    }

    /// A Docker config that logs in here, with `auths` as `docker login` writes them.
    pub(crate) fn docker_config(&self) -> String {
        let (user, password) = self.login.as_ref().unwrap();
        let auth = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("{user}:{password}"),
        );
        serde_json::json!({ "auths": { self.address(): { "auth": auth } } }).to_string()
    }

    /// Every request answered since the start, or since [`Self::clear_log`], in order.
    pub(crate) fn log(&self) -> Vec<AccessLine> {
        let log = self.whole_log();
        parse(&log[self.cleared.load(Ordering::SeqCst).min(log.len())..])
    }

    /// Those of [`Self::log`] with one of these methods.
    pub(crate) fn requests(&self, methods: &[&str]) -> Vec<AccessLine> {
        let mut log = self.log();
        log.retain(|line| methods.contains(&line.method.as_str()));
        log
    }

    /// Forgets the requests up to now.
    pub(crate) fn clear_log(&self) {
        self.cleared.store(self.whole_log().len(), Ordering::SeqCst);
    }

    /// Kills it in the middle of whatever it does; what it stored stays.
    pub(crate) fn kill(&self) {
        self.child().kill();
    }

    /// Starts it again, after [`Self::kill`] or out of the blue, on the same port and storage.
    pub(crate) fn restart(&self) {
        let mut child = self.child.write().unwrap();
        child.kill();
        *child = launch(&self.folder, &self.config, self.port);
    }

    /// Where it stores blobs, to damage them behind its back.
    pub(crate) fn storage(&self) -> PathBuf {
        self.folder.path().join("storage/docker/registry/v2")
    }

    /// Runs its garbage collector, for which it is not served, as its documentation asks.
    pub(crate) fn garbage_collect(&self) {
        let mut child = self.child.write().unwrap();
        child.kill();
        let collected = std::process::Command::new(tools::registry())
            .args([OsStr::new("garbage-collect"), self.config.as_os_str()])
            .env("OTEL_TRACES_EXPORTER", "none")
            .output()
            .unwrap();
        assert!(collected.status.success(), "{}", String::from_utf8_lossy(&collected.stderr));
        *child = launch(&self.folder, &self.config, self.port);
    }

    /// Sizes of all blobs that it stores.
    pub(crate) fn blobs(&self) -> Vec<u64> {
        let folders = |path: PathBuf| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        let prefixes = folders(self.storage().join("blobs/sha256"));
        let blobs = prefixes.flat_map(|prefix| folders(prefix.path()));
        blobs
            .filter_map(|blob| blob.path().join("data").metadata().ok())
            .map(|of| of.len())
            .collect()
    }

    /// Bytes of all of them.
    pub(crate) fn stored(&self) -> u64 {
        self.blobs().iter().sum()
    }

    fn child(&self) -> RwLockReadGuard<'_, Child> {
        self.child.read().unwrap()
    }

    /// The log up to now. A line is written when its answer has been, so a client may be ahead of it:
    /// a request of our own goes through, and its line is waited for.
    fn whole_log(&self) -> String {
        let child = self.child();
        if child.exited().is_some() {
            return child.stdout();
        }
        let marker = format!("{MARKER}{} ", self.markers.fetch_add(1, Ordering::Relaxed));
        block_on(self.target().get(marker.trim_end()));
        child
            .wait_for("logging", START, || Some(child.stdout()).filter(|log| log.contains(&marker)))
    }
}

fn launch(folder: &Folder, config: &Path, port: u16) -> Child {
    let args = [OsStr::new("serve"), config.as_os_str()];
    let env = [("OTEL_TRACES_EXPORTER", OsStr::new("none"))];
    let child = Child::start(folder.path(), "registry", tools::registry(), &args, &env);
    child.wait_for("listening", START, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    child
}

/// Reads Apache's combined format: `… [time] "GET /v2/ HTTP/1.1" 200 2 "" "agent"`.
fn parse(log: &str) -> Vec<AccessLine> {
    let line = |line: &str| {
        let (request, rest) = line.split_once(" \"")?.1.split_once("\" ")?;
        let mut words = request.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let status = rest.split(' ').next()?.parse().ok()?;
        Some(AccessLine { method, path, status })
    };
    log.lines().filter_map(line).filter(|line| !line.path.starts_with(MARKER)).collect()
}
