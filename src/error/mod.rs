//! What the doors say when something fails: one place from error to exit code (`exit`), to what it
//! is called over HTTP (`status`) and to what the user can do about it (`hint`).

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::registry::{self, CopyError};
use crate::{cluster, destination, export, import, schedule};

mod control_tower;
mod exit;
mod hint;
mod status;

pub use exit::Exit;
pub use status::Code;

/// Any failure that reaches a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Epinio's sentence for `app export NAME` alone.
    #[error("Neither directory nor registry destination found")]
    NoDestination,
    /// Epinio's sentence for `app export NAME DIRECTORY --registry NAME`.
    #[error("Conflict, both directory and registry destinations found")]
    TwoDestinations,
    /// Arguments that do not go together, or with what is there.
    #[error("{text}")]
    Arguments {
        /// Which, and why.
        text: String,
        /// What to do.
        hint: &'static str,
    },
    /// A copy's destination is a name, not a content.
    #[error("`{0}` names a digest; a destination is a repository with or without a tag")]
    DigestAsDestination(String),
    /// An export failed.
    #[error(transparent)]
    Export(#[from] export::Error),
    /// A destination is unknown or cannot be used.
    #[error(transparent)]
    Destination(#[from] destination::Error),
    /// The source of objects failed.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// A copy failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// An import failed.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// A registry or layout failed.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// Documents are not what another system says of registries.
    #[error(transparent)]
    System(#[from] destination::systems::Error),
    /// A row of a registry that ioFog would refuse.
    #[error(transparent)]
    Row(#[from] destination::iofog::InvalidRow),
    /// A registry that is to be made is there: an object of its name, or another row of its id.
    #[error("{what}")]
    RegistryTaken {
        /// What there is, and that nothing was made.
        what: String,
    },
    /// A word that means no registry, or several.
    #[error(transparent)]
    NoRow(#[from] destination::systems::NotFound),
    /// ioFog's Controller did not do what it was asked.
    #[error(transparent)]
    Controller(#[from] destination::iofog::ControllerError),
    /// Another system would not read an image.
    #[error(transparent)]
    Unresolved(#[from] Box<destination::systems::Unresolved>),
    /// What a schedule says cannot be.
    #[error(transparent)]
    Schedule(#[from] schedule::declared::Invalid),
    /// A file that the user named.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate of the server's or its key.
    #[error("{} cannot be used: {reason}", .path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data could not be encoded.
    #[error("the output could not be written: {reason}")]
    Output {
        /// What the encoder said.
        reason: String,
    },
    /// No threads.
    #[error("cannot start: {source}")]
    Runtime {
        /// What the system said.
        source: io::Error,
    },
    /// Of several exports, some failed; each was said by itself.
    #[error("{} of {of} applications were not exported: {}", .failed.len(), .failed.join(", "))]
    PartlyExported {
        /// Names of those that failed.
        failed: Vec<String>,
        /// How many there were.
        of: usize,
        /// What stopped the first of them, which gives the exit code.
        first: Box<Self>,
    },
    /// Of several images, some were not copied; each was said by itself.
    #[error("{} of {of} images were not copied: {}", .failed.len(), .failed.join(", "))]
    PartlyCopied {
        /// References of those that failed.
        failed: Vec<String>,
        /// How many there were.
        of: usize,
        /// What stopped the first of them, which gives the exit code.
        first: Box<Self>,
    },
    /// Of several imports, some failed; each was said by itself.
    #[error("{} of {of} applications were not restored: {}", .failed.len(), .failed.join(", "))]
    PartlyRestored {
        /// Names of those that failed.
        failed: Vec<String>,
        /// How many there were.
        of: usize,
        /// What stopped the first of them, which gives the exit code.
        first: Box<Self>,
    },
    /// There is nothing to export.
    #[error("no applications to export in namespace `{0}`")]
    NoApplications(String),
    /// An export that the server carried out, and that did not succeed there.
    #[error("{what}: {reason}")]
    Elsewhere {
        /// Which.
        what: String,
        /// Why, as its record says it.
        reason: String,
        /// What to do, as its record says it.
        hint: Option<String>,
        /// The exit code that it would have had here.
        exit: Exit,
    },
    /// The server was asked, and refused or could not be reached.
    #[error("{text}")]
    Server {
        /// What happened, in the server's words if it has any.
        text: String,
        /// What to do.
        hint: Option<String>,
        /// The exit code that it would have had here.
        exit: Exit,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl From<export::scheduled::Fault> for Error {
    fn from(fault: export::scheduled::Fault) -> Self {
        use export::scheduled::Fault as F;
        match fault {
            F::Declared(error) => error.into(),
            F::Export(error) => (*error).into(),
            F::Name(name) => Self::Arguments {
                text: format!("`{name}` is no name of a schedule"),
                hint: "lower-case letters, digits, `-` and `.`, at most 45: those of its exports begin \
                       with it",
            },
            F::Address(address) => Self::Arguments {
                text: format!("`{address}` is an address, and schedules export to destinations"),
                hint: "name one of `outhaul export-registries`",
            },
            F::Labels { text, error, .. } => Self::Arguments {
                text: format!("`{text}` selects nothing: {error}"),
                hint: "such as `backup=daily,tier!=test`",
            },
        }
    }
}

impl Error {
    /// Texts of its causes, without those that its own text or an earlier one repeats.
    pub fn causes(&self) -> Vec<String> {
        let mut said = vec![self.to_string()];
        let mut cause = self.source();
        while let Some(source) = cause {
            let text = source.to_string();
            if !said.iter().any(|earlier| earlier.contains(&text)) {
                said.push(text);
            }
            cause = source.source();
        }
        said.split_off(1)
    }
}
