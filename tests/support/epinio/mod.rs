//! Epinio's client, as a script: it sends what the unmodified one (1.14, Go) sends for a command, byte
//! for byte, takes answers as that does, and prints what that prints.

mod app;
mod binary;
mod commands;
mod model;
mod table;
mod talk;
mod wire;

use rustls::pki_types::CertificateDer;

use binary::Binary;
use wire::{Connection, Place};

/// The client with its settings.
pub(crate) struct Epinio {
    version: String,
    place: Place,
    url: String,
    user: String,
    password: String,
    namespace: String,
    /// What `login` trusted.
    root: Option<CertificateDer<'static>>,
    /// Of one command: connections are not kept any longer.
    connection: Option<Connection>,
    warned: bool,
    stdout: String,
    stderr: String,
}

/// What a command has printed.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// 0, or 255.
    pub(crate) exit: i32,
}

/// Something that is run as `epinio`.
pub(crate) trait Client {
    /// Runs `epinio ARGS…`.
    fn run(&mut self, args: &[&str]) -> Printed;
}

/// The scripted client of this version, and the real one where there is one.
pub(crate) fn clients(version: &str) -> Vec<Box<dyn Client>> {
    let real = Binary::named().map(|binary| Box::new(binary) as Box<dyn Client>);
    let scripted: Box<dyn Client> = Box::new(Epinio::new(version));
    std::iter::once(scripted).chain(real).collect()
}

impl Epinio {
    /// A client of this version that nobody has logged in with.
    pub(crate) fn new(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            place: Place { is_https: false, address: String::new() },
            url: String::new(),
            user: String::new(),
            password: String::new(),
            namespace: "workspace".to_owned(),
            root: None,
            connection: None,
            warned: false,
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    /// Has settings as somebody may write them: with plain HTTP, to which nobody can log in.
    pub(crate) fn settings(mut self, url: &str, user: &str, password: &str) -> Self {
        self.enter(url, user, password);
        self
    }

    fn enter(&mut self, url: &str, user: &str, password: &str) {
        self.place = Place::of(url);
        (self.url, self.user) = (url.to_owned(), user.to_owned());
        self.password = password.to_owned();
    }
}

impl Client for Epinio {
    fn run(&mut self, args: &[&str]) -> Printed {
        self.stdout.clear();
        self.stderr.clear();
        (self.connection, self.warned) = (None, args[0] == "__complete");
        let done = self.command(args);
        if let Err(error) = &done {
            self.stdout.push_str(&format!("\n❌  {error}\n"));
        }
        let exit = if done.is_ok() { 0 } else { 255 };
        Printed { stdout: self.stdout.clone(), stderr: self.stderr.clone(), exit }
    }
}

impl Printed {
    /// What it printed, if it succeeded.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.exit, 0, "{self:?}");
        self.stdout
    }

    /// What it printed, of which the last line is this error.
    pub(crate) fn fails(self, error: &str) -> Self {
        assert_eq!(self.exit, 255, "{self:?}");
        assert!(self.stdout.trim_end().ends_with(&format!("❌  {error}")), "{self:?}");
        self
    }
}
