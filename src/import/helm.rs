//! The user's helm, run as a program.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use semver::Version;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::Error;
use crate::app::snapshot::MAX_BYTES;

/// The first helm that reads charts of registries without being asked to experiment; our charts
/// need nothing newer.
const OLDEST: Version = Version::new(3, 8, 0);

/// Longest that helm may think about a question: rendering our largest charts takes it seconds, and
/// an API server that does not answer is given up by it after 30.
const LONGEST_QUESTION: Duration = Duration::from_secs(120);

/// Longest piece of what helm said that goes into an error, in characters.
const MAX_SAID: usize = 2000;

/// Lines of a running helm that are remembered for an error.
const LAST_LINES: usize = 20;

/// A helm, and how it finds the cluster.
#[derive(Clone, Debug)]
pub struct Helm {
    program: PathBuf,
    /// Its version.
    pub version: Version,
    connection: Vec<OsString>,
}

/// A release as a command names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    /// The chart's archive.
    pub(super) chart: &'a Path,
    /// The user's `--set`, `--values` and the like.
    pub(super) values: &'a [OsString],
}

impl Helm {
    /// Finds out whether `program` is a helm that will do. `connection` are the flags by which it
    /// finds the cluster.
    ///
    /// # Errors
    /// When it cannot be run, or is too old.
    pub async fn find(program: &Path, connection: Vec<OsString>) -> Result<Self, Error> {
        let output = Command::new(program)
            .args(["version", "--template", "{{.Version}}"])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| Error::HelmMissing { program: program.to_owned(), source })?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let version = said.strip_prefix('v').and_then(|text| Version::parse(text).ok());
        match version.filter(|version| *version >= OLDEST) {
            Some(version) => Ok(Self { program: program.to_owned(), version, connection }),
            None => Err(Error::HelmVersion { program: program.to_owned(), said: shortened(&said) }),
        }
    }

    /// What the release would be, as YAML.
    ///
    /// # Errors
    /// What helm says against it.
    pub(super) async fn template(&self, release: Release<'_>) -> Result<Vec<u8>, Error> {
        let Release { name, namespace, chart, values } = release;
        let mut command = self.command("template", name, namespace);
        command.arg(chart).args(values);
        let output = self.finish("template", command).await?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failed("template", &String::from_utf8_lossy(&output.stderr)))
    }

    /// Whether there is a release of this name.
    ///
    /// # Errors
    /// When helm cannot say.
    pub(super) async fn has(&self, name: &str, namespace: &str) -> Result<bool, Error> {
        let output = self.finish("status", self.command("status", name, namespace)).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.success() {
            true => Ok(true),
            false if said.contains("release: not found") => Ok(false),
            false => Err(failed("status", &said)),
        }
    }

    /// Installs or upgrades, and passes on every line that helm says.
    ///
    /// # Errors
    /// What helm says when it fails.
    pub(super) async fn install(
        &self,
        release: Release<'_>,
        further: &[OsString],
        say: &(dyn Fn(&str) + Sync),
    ) -> Result<(), Error> {
        let Release { name, namespace, chart, values } = release;
        let mut command = self.command("upgrade", name, namespace);
        // helm is not killed with us: it would leave a release that waits for itself.
        command.arg(chart).arg("--install").args(values).args(further).kill_on_drop(false);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let missing = |source| Error::HelmMissing { program: self.program.clone(), source };
        let mut child = command.spawn().map_err(missing)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let ((), last) =
            tokio::join!(async { drop(passed_on(out, say).await) }, passed_on(err, say));
        let status = child.wait().await.map_err(missing)?;
        if status.success() { Ok(()) } else { Err(failed("upgrade --install", &last.join("\n"))) }
    }

    fn command(&self, command: &str, name: &str, namespace: &str) -> Command {
        let mut all = Command::new(&self.program);
        all.args([command, name, "--namespace", namespace]).args(&self.connection);
        all.stdin(Stdio::null()).kill_on_drop(true);
        all
    }

    /// Runs a command that only asks, within bounds of time and size.
    async fn finish(&self, what: &'static str, mut command: Command) -> Result<Output, Error> {
        let missing = |source| Error::HelmMissing { program: self.program.clone(), source };
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(missing)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let done = timeout(LONGEST_QUESTION, async {
            let (stdout, stderr) = tokio::join!(bounded(out), bounded(err));
            Ok(Output { stdout, stderr, status: child.wait().await? })
        });
        let late = || failed(what, &format!("it took over {} s", LONGEST_QUESTION.as_secs()));
        done.await.map_err(|_| late())?.map_err(missing)
    }
}

/// Flags that name the same cluster as our own.
pub(super) fn flag(name: &str, value: impl AsRef<OsStr>) -> [OsString; 2] {
    [name.into(), value.as_ref().to_owned()]
}

/// What a stream says, as far as it is read: a program that says more fails as it goes on.
async fn bounded(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // A stream that breaks ends like one that is over; the program's status tells.
        let _ = stream.take(MAX_BYTES as u64).read_to_end(&mut bytes).await;
    }
    bytes
}

/// Passes on the lines of a stream, and gives back the last of them.
async fn passed_on(
    stream: Option<impl AsyncRead + Unpin>,
    say: &(dyn Fn(&str) + Sync),
) -> Vec<String> {
    let mut last = Vec::new();
    let Some(stream) = stream else { return last };
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        say(&line);
        if last.len() == LAST_LINES {
            last.remove(0);
        }
        last.push(line);
    }
    last
}

fn failed(command: &'static str, said: &str) -> Error {
    Error::HelmFailed { command, said: shortened(said) }
}

/// The end of a text: helm says last what is wrong.
fn shortened(said: &str) -> String {
    let said = said.trim().trim_start_matches("Error: ");
    let skip = said.chars().count().saturating_sub(MAX_SAID);
    said.chars().skip(skip).collect()
}
