//! Flags about what other systems are told of an export.

use std::path::{Path, PathBuf};

use clap::Args;

use super::ControllerArgs;
use crate::destination::eda::Store;
use crate::destination::iofog::{FIRST_EDGELET_ID, LOCAL, Placing, id_of};
use crate::destination::systems::System;
use crate::error::Error;

/// The systems that can be told; Epinio installs charts as they are.
const SYSTEMS: [System; 4] = [System::Eda, System::Avassa, System::Iofog, System::Edgelet];

/// What another system needs to consume the export
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "For another system")]
pub(crate) struct EmitArgs {
    /// Write what another system needs to consume the export into a directory, which is made: eda,
    /// avassa, iofog or edgelet (repeatable)
    #[arg(long, num_args = 2, value_names = ["SYSTEM", "DIR"], conflicts_with = "all_apps")]
    pub(crate) emit: Vec<String>,
    /// Agent that runs the microservices (ioFog) [default: the first that the Controller finds]
    #[arg(long, value_name = "NAME", requires = "emit")]
    agent: Option<String>,
    /// Number of the destination's row at ioFog, or `remote` for public images of Docker Hub [default: as
    /// ioFog's documents say that describe the destination, or its Controller]
    #[arg(long, value_name = "ID|remote", value_parser = registry_id, requires = "emit")]
    registry_id: Option<u32>,
    /// Address of ioFog's Controller, which is asked for the number of the destination's row; the access
    /// token is the variable OUTHAUL_CONTROLLER_TOKEN
    #[arg(long, value_name = "URL", env = "OUTHAUL_CONTROLLER")]
    controller: Option<String>,
    /// Write user name and password of the registry, and what `--secrets` reads of the application's
    /// Secrets, and not placeholders
    #[arg(long, requires = "emit")]
    pub(crate) with_secrets: bool,
    /// Group of the application at Nokia EDA, such as shop.example.com [default: <app>.outhaul.dev]
    #[arg(long, value_name = "GROUP", requires = "emit")]
    eda_group: Option<String>,
    /// Version of EDA's core that the application is for, such as v5.0 (repeatable)
    #[arg(long, value_name = "VERSION", requires = "emit")]
    eda_core: Vec<String>,
    /// Also write Registry, Catalog and AppInstaller for the EDA Store
    #[arg(long, requires = "emit")]
    emit_store: bool,
    /// Also write a user bundle for edaadm, which carries the images to a site without a network
    #[arg(long, requires = "emit")]
    emit_air_gap: bool,
}

impl EmitArgs {
    /// Each system and its directory.
    ///
    /// # Errors
    /// When a word names no system that can be told, or the row is one that edgelet keeps for itself.
    pub(crate) fn wanted(&self) -> Result<Vec<(System, PathBuf)>, Error> {
        let pairs = self.emit.chunks_exact(2);
        pairs.map(|pair| Ok((self.system(&pair[0])?, Path::new(&pair[1]).to_owned()))).collect()
    }

    fn system(&self, word: &str) -> Result<System, Error> {
        let found = SYSTEMS.into_iter().find(|system| system.as_str() == word);
        let system = found.ok_or_else(|| Error::Arguments {
            text: format!("`--emit {word}` names no system that can be told of an export"),
            hint: "write `--emit SYSTEM DIR`, the system first: eda, avassa, iofog or edgelet",
        })?;
        match self.registry_id {
            Some(id) if system == System::Edgelet && (2..FIRST_EDGELET_ID).contains(&id) => {
                Err(Error::Arguments {
                    text: format!("`--registry-id {id}` is a row that edgelet keeps for itself"),
                    hint: "rows that are made have numbers from 4: `edgelet registry ls` shows them",
                })
            }
            _ => Ok(system),
        }
    }

    /// The Controller that is to be asked for the row, if there is anything to ask.
    pub(crate) fn controller(&self, ca_file: Option<&Path>) -> Option<ControllerArgs> {
        let is_iofog = |pair: &[String]| pair[0] == System::Iofog.as_str();
        let is_open = self.registry_id.is_none() && self.emit.chunks_exact(2).any(is_iofog);
        let address = self.controller.as_deref().filter(|_| is_open);
        address.map(|address| ControllerArgs::at(address, ca_file))
    }

    /// Where microservices run, and the row that their images are pulled with.
    pub(crate) fn placing(&self) -> Placing {
        let (agent, registry_id) = (self.agent.clone(), self.registry_id);
        Placing { agent, registry_id, ..Placing::default() }
    }

    /// What a Manifest of Nokia EDA says besides.
    pub(crate) fn store(&self) -> Store {
        Store {
            group: self.eda_group.clone(),
            core_versions: self.eda_core.clone(),
            trio: self.emit_store,
            bundle: self.emit_air_gap,
            login: None,
            has_registry: false,
        }
    }
}

/// A row that images can be pulled with; the cache is none.
fn registry_id(text: &str) -> Result<u32, String> {
    match id_of(text) {
        Some(id) if id == LOCAL.0 => {
            Err("images of `local` are not pulled: the node has them or has not".to_owned())
        }
        Some(id) => Ok(id),
        None => Err("an id is `remote` or a number from 1".to_owned()),
    }
}
