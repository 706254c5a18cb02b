//! Flags about ioFog's Controller.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::Error;

/// Which Controller, and as whom
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "ioFog's Controller")]
pub(crate) struct ControllerArgs {
    /// Address of ioFog's Controller, such as https://iofog.example.com:51121
    #[arg(long, value_name = "URL", env = "OUTHAUL_CONTROLLER")]
    pub(crate) controller: Option<String>,
    /// File with an access token for the Controller [default: the variable OUTHAUL_CONTROLLER_TOKEN]
    #[arg(long, value_name = "FILE", conflicts_with = "controller_email")]
    pub(crate) controller_token_file: Option<PathBuf>,
    /// E-mail address of the user to log in as; without it an access token is used
    #[arg(long, value_name = "ADDRESS", requires = "controller_password_file")]
    pub(crate) controller_email: Option<String>,
    /// File with that user's password
    #[arg(long, value_name = "FILE", requires = "controller_email")]
    pub(crate) controller_password_file: Option<PathBuf>,
    /// Further certificate authorities, PEM, for the Controller
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Speak to the Controller without TLS: token and passwords are sent in clear
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Of Edgeworx Cloud alone
    #[arg(long, hide = true, value_name = "PROJECT")]
    project: Option<String>,
}

impl ControllerArgs {
    /// The Controller at this address, with the token of the environment.
    pub(crate) fn at(address: &str, ca_file: Option<&Path>) -> Self {
        let (controller, ca_file) = (Some(address.to_owned()), ca_file.map(Path::to_owned));
        Self { controller, ca_file, ..Self::default() }
    }

    /// The address of the Controller, if one is named.
    pub(crate) fn named(&self) -> Option<&str> {
        self.controller.as_deref().filter(|text| !text.is_empty())
    }

    /// Refuses the project of Edgeworx Cloud: a Controller has none.
    ///
    /// # Errors
    /// When one is named.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.project {
            None => Ok(()),
            Some(_) => Err(Error::Arguments {
                text: "`--project` is of Edgeworx Cloud, and ioFog's Controller has no projects"
                    .to_owned(),
                hint: "leave it out; rows of a project are made by `edgectl`, with the same flags, \
                       and read by `outhaul registry list --from iofog`",
            }),
        }
    }
}
