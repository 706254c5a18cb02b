//! Everything that is printed: data on standard output, talk on standard error.

use std::io::{BufRead as _, IsTerminal, Write};

use serde::Serialize;

use super::args::Format;
use super::progress::Bars;
use crate::error::Error;

/// Prints as the user asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    format: Format,
    quiet: bool,
}

/// What a command asks before it does something that cannot be undone.
pub(crate) struct Question<'a> {
    /// What is asked.
    pub(crate) text: &'a str,
    /// The error where nobody can be asked.
    pub(crate) nobody: &'a str,
    /// The error after a no.
    pub(crate) no: &'a str,
}

impl Printer {
    pub(crate) fn new(format: Format, quiet: bool) -> Self {
        Self { format, quiet }
    }

    /// Prints `data` as JSON or YAML, or what `table` makes of it.
    pub(crate) fn data<T: Serialize>(
        &self,
        data: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Error> {
        let encoding = |reason: String| Error::Output { reason };
        let text = match self.format {
            Format::Table => table(data),
            Format::Json => {
                serde_json::to_string_pretty(data).map_err(|error| encoding(error.to_string()))?
            }
            Format::Yaml => {
                serde_saphyr::to_string(data).map_err(|error| encoding(error.to_string()))?
            }
        };
        print(text.trim_end())
    }

    /// Says something to the user, unless told to be quiet.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// Asks the user, and waits for a yes.
    ///
    /// # Errors
    /// When it is a no, or nobody is at the terminal.
    pub(crate) fn confirm(&self, question: &Question<'_>) -> Result<(), Error> {
        let refused = |text: &str| Error::Arguments {
            text: text.to_owned(),
            hint: "look with `--dry-run`, then say `--yes`",
        };
        if !std::io::stdin().is_terminal() {
            return Err(refused(question.nobody));
        }
        self.ask(&format!("{} [y/N] ", question.text));
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.map_err(|source| Error::File { path: "standard input".into(), source })?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(refused(question.no)),
        }
    }

    /// Asks the user; the answer is typed on the same line.
    pub(crate) fn ask(&self, text: &str) {
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
    }

    /// Whether a person reads along.
    pub(crate) fn is_interactive(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Progress of a copy: bars on a terminal, lines off it, nothing when quiet.
    pub(crate) fn progress(&self) -> Bars {
        Bars::new(self.quiet, std::io::stderr().is_terminal())
    }

    /// Prints an error, its hint, and nothing else.
    pub(crate) fn error(&self, error: &Error) {
        let mut text = format!("error: {error}");
        for cause in error.causes() {
            text.push_str(&format!("\n  caused by: {cause}"));
        }
        if let Some(hint) = error.hint() {
            text.push_str(&format!("\nhint: {hint}"));
        }
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Prints one text a line.
    pub(crate) fn lines(&self, lines: &[String]) -> Result<(), Error> {
        print(&lines.join("\n"))
    }

    /// Prints a completion script.
    pub(crate) fn completions(
        &self,
        shell: clap_complete::Shell,
        command: clap::Command,
    ) -> Result<(), Error> {
        print(&super::complete::script(shell, command))
    }
}

/// Writes data. A reader that closed the pipe has seen enough; a full disk has not.
fn print(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::File { path: "standard output".into(), source })
        }
        _ => Ok(()),
    }
}
