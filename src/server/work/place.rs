//! The place that a destination's name means, for an export of the server: with what the requester
//! could have had, and nothing of the pod's own.

use crate::cluster::Live;
use crate::destination::select;
use crate::error::Error;
use crate::export::learn::EpinioImages;
use crate::export::{ClusterSecrets, Sources, Target};
use crate::registry::Keychain;

/// Where an export goes, and where its images are read.
#[derive(Debug)]
pub struct Place {
    /// Where it goes.
    pub target: Target,
    /// Where images are read: with the credentials of this destination, of the application's pull
    /// secrets if they were asked for, and of Epinio's registry for the application's own image.
    /// Without the pod's Docker configuration.
    pub sources: Sources,
}

impl Place {
    /// Reads the destination `name` of `system_namespace`, anew each time: Secrets change. Images at
    /// addresses of our own surroundings are read from `local_sources` alone.
    ///
    /// # Errors
    /// `bad export destination …` when there is none, it cannot be used, or it is not for
    /// applications of `namespace`.
    pub async fn read(
        live: &Live,
        system_namespace: &str,
        name: &str,
        namespace: &str,
        pull_secrets: bool,
        local_sources: &[String],
    ) -> Result<Self, Error> {
        let known = select::list(live, system_namespace).await?;
        let destination = select::named(&known, name)?;
        select::allow(&destination, namespace)?;
        let mut sources = Sources::new(Keychain::new(), Vec::new());
        sources.describe(&destination);
        sources.refuse_local(live.server(), local_sources.to_vec());
        sources.ask(ClusterSecrets {
            reader: Box::new(live.clone()),
            system_namespace: Some(system_namespace.to_owned()),
            epinio: EpinioImages::Own,
            pull_secrets,
        });
        Ok(Self { target: Target::registry(&destination)?, sources })
    }
}
