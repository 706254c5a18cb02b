//! The client itself, where somebody has built it.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use super::{Client, Printed};
use crate::support::child::Folder;

/// The variable that names it. `docs/SERVER.md` §13.9 says how it is built.
const VARIABLE: &str = "EPINIO";

/// The unmodified client, with settings of its own.
pub(super) struct Binary {
    program: OsString,
    home: Folder,
}

impl Binary {
    /// The one that the variable names.
    pub(super) fn named() -> Option<Self> {
        let program = std::env::var_os(VARIABLE).filter(|program| !program.is_empty());
        if program.is_none() {
            eprintln!("{VARIABLE} names no client: the scripted one alone is run");
        }
        Some(Self { program: program?, home: Folder::new("epinio") })
    }
}

impl Client for Binary {
    fn run(&mut self, args: &[&str]) -> Printed {
        let output = Command::new(&self.program)
            .args(args)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("EPINIO_SETTINGS", self.home.path().join("settings.yaml"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Printed {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            exit: output.status.code().unwrap(),
        }
    }
}
