//! The place that a destination's name means, for an export of the server: with what the requester
//! could have had, and nothing of the pod's own.

use futures_util::future::join_all;

use crate::cluster::Live;
use crate::destination::{Destination, select};
use crate::error::Error;
use crate::export::learn::EpinioImages;
use crate::export::{ClusterSecrets, Sources, Target};
use crate::registry::{Keychain, Surroundings};
use crate::server::auth::{Authorizer, Caller, Right};

/// Where an export goes, and where its images are read.
#[derive(Debug)]
pub struct Place {
    /// Where it goes.
    pub target: Target,
    /// Where images are read: with the credentials of this destination and of others that who asks may
    /// `use`, of the application's pull secrets if they were asked for, and of Epinio's registry for
    /// the application's own image. Without the pod's Docker configuration.
    pub sources: Sources,
}

/// What is asked for, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Name of the destination.
    pub destination: &'a str,
    /// Namespace of the application.
    pub namespace: &'a str,
    /// Whether the application's pull secrets are used.
    pub pull_secrets: bool,
    /// Who asks; `None` where nobody is named.
    pub caller: Option<&'a Caller>,
}

impl Place {
    /// Reads the destinations of `system_namespace`, anew each time: Secrets change. Images at
    /// addresses of our own surroundings are read from `local_sources` alone.
    ///
    /// # Errors
    /// `bad export destination …` when there is none of that name, it cannot be used, or it is not for
    /// applications of that namespace.
    pub async fn read(
        live: &Live,
        system_namespace: &str,
        local_sources: &[String],
        authorizer: &dyn Authorizer,
        wanted: Wanted<'_>,
    ) -> Result<Self, Error> {
        let known = select::list(live, system_namespace).await?;
        let destination = select::named(&known, wanted.destination)?;
        select::allow(&destination, wanted.namespace)?;
        let mut sources = sources(live, system_namespace, wanted.pull_secrets, local_sources);
        sources.describe(&destination);
        for other in usable(&known, authorizer, wanted).await {
            sources.describe(other);
        }
        Ok(Self { target: Target::registry(&destination)?, sources })
    }
}

/// The other destinations that the caller could export to from there: whoever may push with their
/// credentials may read with them.
async fn usable<'d>(
    known: &'d [Destination],
    authorizer: &dyn Authorizer,
    wanted: Wanted<'_>,
) -> Vec<&'d Destination> {
    let Some(caller) = wanted.caller else { return Vec::new() };
    let namespace = wanted.namespace;
    let others = known.iter().filter(|other| {
        let is_open = other.fatal().is_none() && select::allow(other, namespace).is_ok();
        is_open && other.name != wanted.destination
    });
    let asked = others.map(|other| async move {
        let (name, namespace) = (other.name.clone(), namespace.to_owned());
        let right = Right::UseDestination { name, namespace };
        authorizer.allow(caller, &right).await.is_ok().then_some(other)
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Where images are read for somebody who asks the server, without any destination's credentials. See
/// [`Place`].
pub fn sources(
    live: &Live,
    system_namespace: &str,
    pull_secrets: bool,
    local_sources: &[String],
) -> Sources {
    let mut sources = Sources::new(Keychain::new(), Vec::new());
    sources.refuse_local(Surroundings::new(live.server()), local_sources.to_vec());
    sources.ask(ClusterSecrets {
        reader: Box::new(live.clone()),
        system_namespace: Some(system_namespace.to_owned()),
        epinio: EpinioImages::Own,
        pull_secrets,
    });
    sources
}
