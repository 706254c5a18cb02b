//! Flags about the server that does what is asked for.

use std::path::PathBuf;

use clap::Args;

use crate::error::Error;

/// Which server, and as whom
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "On the server")]
pub(crate) struct ServerArgs {
    /// Let this server of Outhaul do it: its address, such as https://outhaul.example.com
    #[arg(long, value_name = "URL", env = "OUTHAUL_SERVER")]
    pub(crate) server: Option<String>,
    /// File with the token for the server, read anew for each request [default: the variable
    /// OUTHAUL_TOKEN, else one is made if the kubeconfig's user is a service account]
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) token_file: Option<PathBuf>,
}

/// The same for commands that speak to no registry
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "On the server")]
pub(crate) struct RemoteArgs {
    #[command(flatten)]
    pub(crate) at: ServerArgs,
    /// Further certificate authorities, PEM, for the server
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) making: MakesNone,
}

/// The flag of exports, for commands that make none and say so
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct MakesNone {
    /// Not for this command
    #[arg(long, hide = true)]
    in_cluster: bool,
}

impl ServerArgs {
    /// The address of the server, if one is named.
    pub(crate) fn named(&self) -> Option<&str> {
        self.server.as_deref().filter(|text| !text.is_empty())
    }

    /// Refuses flags that mean something here and nothing to a server, where one is named.
    ///
    /// # Errors
    /// The first of `flags` that is given.
    pub(crate) fn refuse(&self, flags: &[(bool, &str)]) -> Result<(), Error> {
        match flags.iter().find(|(given, _)| *given && self.named().is_some()) {
            None => Ok(()),
            Some((_, flag)) => Err(Error::Arguments {
                text: format!("`{flag}` does not go with `--server`"),
                hint: "the server reads its own cluster and exports to its own destinations; leave \
                       out one of the two (the variable OUTHAUL_SERVER counts as `--server`)",
            }),
        }
    }
}

impl MakesNone {
    /// Refuses the flag of exports for commands that make none.
    ///
    /// # Errors
    /// When it is given.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.in_cluster {
            false => Ok(()),
            true => Err(Error::Arguments {
                text:
                    "`--in-cluster` is for `outhaul app export`, and this command makes no export"
                        .to_owned(),
                hint: "leave it out, and the cluster is read with your kubeconfig; or ask a server \
                       with `--server URL`",
            }),
        }
    }
}
