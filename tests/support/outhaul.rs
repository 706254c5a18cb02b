//! The built binary, run as a user would: by its arguments, in an environment that the test decides.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::child::{Child, Folder};
use super::output::{Output, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_outhaul");

/// What takes seconds by itself takes longer beside other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// An environment to run the binary in. Nothing of the caller's own gets in but `PATH`.
pub(crate) struct Outhaul {
    env: Vec<(String, OsString)>,
    home: Folder,
}

/// The binary at work, in the background. Dropping it kills it.
pub(crate) struct Running {
    child: Child,
    home: Folder,
}

impl Outhaul {
    /// A home that is empty: no kubeconfig, no Docker config.
    pub(crate) fn new() -> Self {
        Self { env: Vec::new(), home: Folder::new("home") }
    }

    /// Sets a variable.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Talks to this cluster.
    #[must_use]
    pub(crate) fn kubeconfig(self, path: impl Into<PathBuf>) -> Self {
        self.env("KUBECONFIG", path.into())
    }

    /// Has this in `~/.docker/config.json`.
    #[must_use]
    pub(crate) fn docker_config(self, json: &str) -> Self {
        self.home.write(".docker/config.json", json);
        self
    }

    /// Its home, which is also where it runs: relative paths in arguments are below it.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into its home and gives the file's path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.home.write(name, content)
    }

    /// Runs `outhaul ARGS…` to its end.
    pub(crate) fn run(&self, args: &[impl AsRef<OsStr>]) -> Output {
        self.run_with(args, b"")
    }

    /// As [`Self::run`], with something on stdin.
    pub(crate) fn run_with(&self, args: &[impl AsRef<OsStr>], stdin: &[u8]) -> Output {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .current_dir(self.home())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        run(command, stdin)
    }

    /// Starts `outhaul ARGS…` and goes on.
    pub(crate) fn spawn(self, args: &[impl AsRef<OsStr>]) -> Running {
        let env: Vec<_> = self.env.iter().map(|(name, value)| (&**name, &**value)).collect();
        let child = Child::start(self.home(), "outhaul", Path::new(PROGRAM), args, &env);
        Running { child, home: self.home }
    }
}

impl Running {
    /// Its home, where relative paths in its arguments are.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// What it has written to stdout so far.
    pub(crate) fn stdout(&self) -> String {
        self.child.stdout()
    }

    /// What it has written to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.child.stderr()
    }

    /// Waits until `probe` finds something in what it has written: `probe(stdout, stderr)`.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        mut probe: impl FnMut(&str, &str) -> Option<T>,
    ) -> T {
        self.child.wait_for(what, PATIENCE, || probe(&self.stdout(), &self.stderr()))
    }

    /// Sends it SIGINT, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    /// Sends it SIGTERM, as Kubernetes does.
    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// The most memory that it has had so far, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.pid())).unwrap();
        let (_, rest) = status.split_once("VmHWM:").unwrap();
        let kib: usize = rest.split_whitespace().next().unwrap().parse().unwrap();
        kib << 10
    }

    /// Kills it at once.
    pub(crate) fn kill(&self) {
        self.child.kill();
    }

    /// Stops it where it is, until [`Self::resume`].
    pub(crate) fn pause(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// Its exit code if it has ended, or 128 + the signal that ended it.
    pub(crate) fn exited(&self) -> Option<i32> {
        self.child.exited()
    }

    /// Waits until it ends by itself: its exit code, or 128 + the signal that ended it.
    pub(crate) fn wait(&self) -> i32 {
        self.child.wait(PATIENCE)
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.pid()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}
