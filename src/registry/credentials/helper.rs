//! Credential helpers: `docker-credential-NAME get`, the server's address on its input, JSON on
//! its output (docker/docker-credential-helpers, `credentials.Helper`).

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::super::{Error, Host};
use super::Credential;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// A helper may ask a cloud for a token (ECR's takes seconds on a bad day), never a person.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer. A token is a few KiB; ACR's refresh tokens are the longest seen.
const MAX_ANSWER: u64 = 64 << 10;

/// What a helper answers where it has nothing (`errCredentialsNotFoundMessage`).
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The user name that marks an identity token.
pub(super) const TOKEN_USER: &str = "<token>";

/// The address under which Docker stores a host's credentials.
pub(super) fn server_url(host: &Host) -> &str {
    if host.as_str() == "docker.io" { "https://index.docker.io/v1/" } else { host.as_str() }
}

/// Asks one helper.
pub(super) async fn get(name: &str, server: &str) -> Result<Credential, Error> {
    let failed = |reason: String| Error::CredentialHelper {
        helper: format!("docker-credential-{name}"),
        host: server.to_owned(),
        reason,
    };
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(failed("its name is not that of a program".to_owned()));
    }
    ask(Path::new(&format!("docker-credential-{name}")), server, TIMEOUT).await.map_err(failed)
}

async fn ask(program: &Path, server: &str, limit: Duration) -> Result<Credential, String> {
    let child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it could not be run: {error}"))?;
    match tokio::time::timeout(limit, talk(child, server)).await {
        Ok(Ok(said)) => interpret(&said),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
    }
}

/// Whether it succeeded, its output and its complaints.
struct Said {
    success: bool,
    output: Vec<u8>,
    complaint: Vec<u8>,
}

async fn talk(mut child: Child, server: &str) -> std::io::Result<Said> {
    let (mut output, mut complaint) = (Vec::new(), Vec::new());
    if let Some(mut input) = child.stdin.take() {
        // One that answers without reading has closed its input, which is no failure.
        let _ = input.write_all(server.as_bytes()).await;
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read_output = async {
        match stdout {
            Some(pipe) => pipe.take(MAX_ANSWER).read_to_end(&mut output).await,
            None => Ok(0),
        }
    };
    let read_complaint = async {
        match stderr {
            Some(pipe) => pipe.take(MAX_ANSWER).read_to_end(&mut complaint).await,
            None => Ok(0),
        }
    };
    tokio::try_join!(read_output, read_complaint)?;
    let success = child.wait().await?.success();
    Ok(Said { success, output, complaint })
}

fn interpret(said: &Said) -> Result<Credential, String> {
    if !said.success {
        let output = String::from_utf8_lossy(&said.output);
        let complaint = String::from_utf8_lossy(&said.complaint);
        let line = |text: &str| text.trim().lines().next().unwrap_or_default().to_owned();
        return match (line(&output), line(&complaint)) {
            (output, _) if output.contains(NOT_FOUND) => Ok(Credential::Anonymous),
            (output, complaint) if complaint.is_empty() => Err(cut(&output)),
            (_, complaint) => Err(cut(&complaint)),
        };
    }
    let answer: Answer = serde_json::from_slice(&said.output)
        .map_err(|_| "its answer is not the expected JSON".to_owned())?;
    Ok(match answer {
        Answer { username, secret } if username.is_empty() && secret.is_empty() => {
            Credential::Anonymous
        }
        Answer { username, secret } if username == TOKEN_USER => {
            Credential::IdentityToken(secret.into())
        }
        Answer { username, secret } => Credential::basic(username, secret),
    })
}

/// A complaint fit for one line of ours.
fn cut(text: &str) -> String {
    if text.is_empty() {
        "it failed and said nothing".to_owned()
    } else {
        text.chars().take(200).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(success: bool, output: &str, complaint: &str) -> Said {
        Said { success, output: output.into(), complaint: complaint.into() }
    }

    #[test]
    fn answers_are_understood() {
        let basic =
            interpret(&said(true, r#"{"ServerURL":"x","Username":"AWS","Secret":"s"}"#, ""));
        assert_eq!(basic.unwrap().user(), Some("AWS"));
        let token = interpret(&said(true, r#"{"Username":"<token>","Secret":"s"}"#, "")).unwrap();
        assert!(matches!(token, Credential::IdentityToken(_)));
        assert!(
            interpret(&said(false, "credentials not found in native keychain\n", ""))
                .unwrap()
                .is_anonymous()
        );
        assert_eq!(interpret(&said(false, "", "no key\nmore")).unwrap_err(), "no key");
        assert!(!interpret(&said(true, "hunter2", "")).unwrap_err().contains("hunter2"));
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_named() {
        let error = get("outhaul-no-such-helper", "reg.example").await.unwrap_err().to_string();
        let text = "credential helper `docker-credential-outhaul-no-such-helper` failed for \
                    reg.example: it could not be run: ";
        assert!(error.starts_with(text), "{error}");
        assert!(get("../evil", "reg.example").await.is_err());
    }

    /// A program of the shell, which gets `get` as its argument and the server on its input.
    async fn run(script: &str, limit: u64) -> Result<Credential, String> {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("helper");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        ask(&path, "reg.example", Duration::from_secs(limit)).await
    }

    #[tokio::test]
    async fn a_helper_gets_the_server_and_is_heard() {
        let echo = r#"read server; echo "{\"Username\":\"$1 $server\",\"Secret\":\"s\"}""#;
        assert_eq!(run(echo, 30).await.unwrap().user(), Some("get reg.example"));
        assert_eq!(run("echo broken >&2; exit 1", 30).await.unwrap_err(), "broken");
        let deaf = r#"exec <&-; echo '{"Username":"u","Secret":"s"}'"#;
        assert_eq!(run(deaf, 30).await.unwrap().user(), Some("u"));
    }

    #[tokio::test]
    async fn a_helper_neither_hangs_us_nor_fills_our_memory() {
        assert!(run("sleep 60", 1).await.unwrap_err().contains("no answer"));
        assert!(run("yes", 30).await.is_err());
    }
}
