//! What documents of other systems are told of the destination, beside its address.

use crate::cli::controller::Controller;
use crate::destination::Destination;
use crate::destination::iofog::{LOCAL, id_of};
use crate::destination::systems::{Login, Registries, Row, System, Username, slug};
use crate::error::Error;
use crate::export::Emit;
use crate::registry::{self, Credential, Host, RepositoryName};

/// A destination as documents of other systems know it. All of it is unknown where they name another
/// host than the one that is pushed to.
#[derive(Debug, Default)]
pub(crate) struct At {
    /// Who we are there.
    credential: Credential,
    /// The system that describes it, and its row there (ioFog, edgelet).
    row: Option<(System, u32)>,
    /// It is a `Registry` of Nokia EDA.
    is_edas: bool,
    /// It is reached with roots of its own.
    own_roots: bool,
}

impl At {
    /// What is known of it for the application `app`.
    ///
    /// # Errors
    /// When a credential helper fails, or the Controller does not say its rows.
    pub(crate) async fn of(
        destination: &Destination,
        app: &str,
        controller: Option<&Controller>,
    ) -> Result<Self, Error> {
        if !destination.host.is_of(&destination.written_address()) {
            return Ok(Self::default());
        }
        let credential = credential(destination, app).await?;
        let row = match (row(destination), controller) {
            (None, Some(controller)) => {
                let known = controller.list().await?.registries;
                row_of(&known, &destination.host, !credential.is_anonymous())
            }
            (row, _) => row,
        };
        Ok(Self {
            credential,
            row,
            is_edas: destination.described.system == Some(System::Eda),
            own_roots: !destination.endpoint.tls.extra_roots.is_empty(),
        })
    }

    /// Completes what is asked for, where the user has not said it.
    pub(super) fn complete(&self, mut emit: Emit) -> Emit {
        let placing = &mut emit.placing;
        let row = self.row.filter(|(system, _)| *system == emit.system);
        placing.registry_id = placing.registry_id.or(row.map(|(_, id)| id));
        placing.has_login = !self.credential.is_anonymous();
        placing.own_roots = self.own_roots;
        emit.store.has_registry = self.is_edas;
        emit.store.login = self.login().filter(|_| emit.with_secrets);
        emit
    }

    /// User name and password as documents have them.
    fn login(&self) -> Option<Login> {
        let Credential::Basic { username, password } = &self.credential else { return None };
        let username = Username::Hidden(username.as_str().into());
        Some(Login { username, password: Some(password.clone()) })
    }
}

/// The credential for the image that edabuilder pushes: there may be others for other paths.
async fn credential(destination: &Destination, app: &str) -> Result<Credential, registry::Error> {
    let (keychain, host) = (&destination.keychain, &destination.host);
    let repository = slug(app).parse::<RepositoryName>();
    match repository.and_then(|app| app.under(destination.path.as_ref())) {
        Ok(repository) => keychain.resolve(host, &repository).await,
        Err(_) => keychain.resolve_host(host).await, // a path that leaves no room for a name
    }
}

/// The number by which ioFog's documents know it: its name, perhaps with a path below.
fn row(destination: &Destination) -> Option<(System, u32)> {
    let system = destination.described.system?;
    let name = destination.name.split('/').next()?;
    matches!(system, System::Iofog | System::Edgelet).then_some((system, id_of(name)?))
}

/// The row that a Controller has for a host, if it has exactly one that an agent could pull with: where
/// we log in, a private one.
fn row_of(known: &Registries, host: &Host, is_private: bool) -> Option<(System, u32)> {
    let is_it = |row: &&Row| {
        let is_there = row.address.host.parse::<Host>().is_ok_and(|own| own == *host);
        is_there && !(is_private && row.is_public == Some(true))
    };
    let ids = known.rows.iter().filter(is_it).filter_map(|row| row.id).filter(|id| *id > LOCAL.0);
    match ids.collect::<Vec<_>>()[..] {
        [id] => Some((System::Iofog, id)),
        _ => None,
    }
}
