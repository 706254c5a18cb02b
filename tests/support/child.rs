//! Long-running programs and folders that are gone when the test binary is, however it ends.
//!
//! A killed process runs no destructors, and statics are never dropped at all. So a small shell stands
//! between us and each program and reads from a pipe whose other end only we hold: when we end, be it
//! by a panic, an abort or SIGKILL, the kernel closes the pipe and the shell kills the program.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Starts the program given as arguments, says its process id, and ends with its status.
const WATCH: &str = r#"
out=$1 err=$2
shift 2
exec 3<&0
"$@" </dev/null >>"$out" 2>>"$err" 3<&- &
child=$!
echo "$child"
exec >/dev/null
{ read -r _ <&3; kill -9 "$child"; } &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill "$watcher"
exit "$status"
"#;

/// Removes a folder once the pipe closes. The programs that write into it are killed at the same
/// time, each by its own shell, so the first attempts may find it growing.
const SWEEP: &str = r#"
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    rm -rf "$1" && exit
    sleep 0.1
done
"#;

/// A running program. Dropping it kills it.
pub(crate) struct Child {
    name: String,
    pid: i32,
    out: PathBuf,
    err: PathBuf,
    watchdog: Mutex<Process>,
}

/// A temporary folder. Dropping it removes it; so does the end of this process.
pub(crate) struct Folder {
    path: PathBuf,
    sweeper: Process,
}

impl Child {
    /// Starts a program with nothing in its environment but `PATH` and `env`. What it prints goes to
    /// `<name>.out` and `<name>.err` in `folder`, after what an earlier run left there.
    pub(crate) fn start(
        folder: &Path,
        name: &str,
        program: &Path,
        args: &[impl AsRef<OsStr>],
        env: &[(&str, &OsStr)],
    ) -> Self {
        let out = folder.join(format!("{name}.out"));
        let err = folder.join(format!("{name}.err"));
        let mut watchdog = shell(WATCH)
            .args([out.as_os_str(), err.as_os_str(), program.as_os_str()])
            .args(args)
            .env("HOME", folder)
            .envs(env.iter().copied())
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(watchdog.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let pid = line.trim().parse().unwrap();
        Self { name: name.to_owned(), pid, out, err, watchdog: Mutex::new(watchdog) }
    }

    /// The program's own process id, not the shell's.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// What it has written to stdout so far.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// What it has written to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }

    /// Its exit status if it has ended: its exit code, or 128 + the signal that ended it.
    pub(crate) fn exited(&self) -> Option<i32> {
        self.watchdog.lock().unwrap().try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }

    /// Waits until `probe` gives something.
    ///
    /// # Panics
    ///
    /// With the end of its logs when the program ends before, or the time is over.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut probe: impl FnMut() -> Option<T>,
    ) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = probe() {
                return found;
            }
            let exited = self.exited();
            if exited.is_some() || started.elapsed() > deadline {
                let (name, waited) = (&self.name, started.elapsed().as_secs());
                let (out, err) = (tail(&self.stdout()), tail(&self.stderr()));
                panic!("{name}: not {what} after {waited} s, exit status {exited:?}\n{out}\n{err}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it ends by itself, and gives its exit status.
    pub(crate) fn wait(&self, deadline: Duration) -> i32 {
        let started = Instant::now();
        loop {
            if let Some(status) = self.exited() {
                return status;
            }
            assert!(started.elapsed() < deadline, "{} has not ended in {deadline:?}", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it at once (SIGKILL) and waits until it is gone.
    pub(crate) fn kill(&self) {
        let mut watchdog = self.watchdog.lock().unwrap();
        drop(watchdog.stdin.take());
        let _ = watchdog.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Folder {
    /// Makes an empty folder below the system's temporary one.
    pub(crate) fn new(name: &str) -> Self {
        let prefix = format!("outhaul-test-{name}-");
        let path = tempfile::Builder::new().prefix(&prefix).tempdir().unwrap().keep();
        let sweeper = shell(SWEEP).arg(&path).stdout(Stdio::null()).spawn().unwrap();
        Self { path, sweeper }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into it and gives the file's path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.sweeper.stdin.take());
        let _ = self.sweeper.wait();
    }
}

/// A shell in a process group of its own, so that Ctrl-C in a terminal ends us and not what cleans up.
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "watchdog"]).stdin(Stdio::piped()).stderr(Stdio::null());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).process_group(0);
    command
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
