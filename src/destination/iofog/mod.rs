//! Edgeworx Cloud and Eclipse ioFog: rows of registries with numeric ids, as `edgectl`, the
//! Controller's REST API and YAML of `iofogctl` have them, and the Registry of edgelet.
//!
//! A row is a credential, not a prefix of names: an agent pulls the image as it is written, and
//! sends the row's credentials if the row is private (eclipse-iofog/Agent, `ContainerManager`).

mod application;
mod controller;
mod edgelet;
mod new;
mod read;
mod resolve;
mod table;
#[cfg(test)]
mod tests;
mod write;
mod yaml;

pub use application::{Placing, application, microservices};
pub use controller::{Answer, Call, ControllerError, RowChange};
pub(crate) use edgelet::FIRST_ID as FIRST_EDGELET_ID;
pub use edgelet::write as write_edgelet;
pub use new::{InvalidRow, NewRow};
pub use read::read;
pub(crate) use read::system_of;
pub use resolve::resolve;
pub use table::table;
pub(crate) use write::shown as username;
pub use write::{write_json, write_yaml};

use super::systems::{Address, Row};
use crate::registry::Host;

/// URL of the row whose images are not pulled: the node has them ("View Current Registry Content").
pub const FROM_CACHE: &str = "from_cache";

/// URL of the row for public images of Docker Hub.
pub const DOCKER_HUB: &str = "registry.hub.docker.com";

/// Id of that row, and its alias.
pub const REMOTE: (u32, &str) = (1, "remote");

/// Id of the cache's row, and its alias.
pub const LOCAL: (u32, &str) = (2, "local");

/// Largest id: the Controller's database has 32-bit signed integers.
pub const LAST_ID: u32 = i32::MAX as u32;

/// User name and password of a public row, which uses none: iofogctl and the Controller refuse
/// empty ones all the same (iofogctl, `internal/deploy/registry`; Controller, `schemas/registry`).
pub(crate) const UNUSED: &str = "unused";

/// What is said of certificates: they are stored and shown, and no agent reads them.
pub(crate) const CERTIFICATE_UNUSED: (&str, &str) = (
    "agents of ioFog do not read certificates of registries",
    "put the authority into /etc/docker/certs.d of each node",
);

/// The id of a row as YAML of applications has it: `remote`, `local` or a number.
pub fn id_of(text: &str) -> Option<u32> {
    match text.trim() {
        "remote" => Some(REMOTE.0),
        "local" => Some(LOCAL.0),
        text => text.parse().ok().filter(|id| (1..=LAST_ID).contains(id)),
    }
}

/// Whether the row is one of the two that each ioFog has by itself.
pub(crate) fn is_system(row: &Row) -> bool {
    let url = row.address.host.as_str();
    matches!((row.id, url), (Some(1), DOCKER_HUB) | (Some(2), FROM_CACHE))
        || matches!((row.id, url), (Some(1), "docker.io"))
}

/// Whether a host is Docker Hub in any spelling.
pub(crate) fn is_docker_hub(host: &str) -> bool {
    host.parse::<Host>().is_ok_and(|host| host.as_str() == "docker.io")
}

/// The two rows that each ioFog has by itself, as its database is filled.
pub fn system_rows() -> [Row; 2] {
    [(REMOTE, DOCKER_HUB), (LOCAL, FROM_CACHE)].map(|((id, _), url)| Row {
        id: Some(id),
        address: Address::parse(url),
        is_public: Some(true),
        is_secure: Some(true),
        requires_cert: Some(false),
        ..Row::default()
    })
}
