//! Where an agent pulls an image from, and with which row's credentials.

use super::{LOCAL, REMOTE, id_of, is_docker_hub};
use crate::app::{Code, Finding};
use crate::destination::systems::{Image, Registries, Resolved, Row, System, Unresolved};

/// The host in the image says where, as the container engine reads it; the row with the id says as
/// whom. Without an id it is `remote`.
///
/// # Errors
/// When there is no such row, or it is the cache, from which nothing is pulled.
pub fn resolve(
    system: System,
    registries: &Registries,
    text: &str,
    registry: Option<&str>,
) -> Result<Resolved, Unresolved> {
    let no = |reason: String, hint: &str| {
        let (image, hint) = (text.to_owned(), hint.to_owned());
        Unresolved { system, image, reason, hint }
    };
    let written = registry.unwrap_or(REMOTE.1);
    let id = id_of(written).ok_or_else(|| {
        no(format!("`{written}` is no id"), "an id is `remote`, `local` or a number from 1")
    })?;
    let row = registries.rows.iter().find(|row| row.id == Some(id));
    if id == LOCAL.0 || row.is_some_and(Row::is_cache) {
        let hint = "name another row if it is to be pulled";
        return Err(no(
            "the row is the cache of the node, which has the image or has not".into(),
            hint,
        ));
    }
    // Row 1 is everywhere, even where the list does not show it.
    if row.is_none() && id != REMOTE.0 {
        let hint = "`outhaul registry list` shows the ids";
        return Err(no(format!("Invalid registry id '{id}'"), hint));
    }
    let image = Image::parse(text);
    let mut resolved = match image.host() {
        Some((host, rest)) => Resolved::at(host, rest, &image),
        None if image.name.contains('/') => Resolved::at("docker.io", image.name, &image),
        None => Resolved::at("docker.io", &format!("library/{}", image.name), &image),
    };
    if system == System::Iofog {
        resolved.findings.extend(unpullable(&image));
    }
    Ok(match row {
        Some(row) if may_use(row, &resolved.address) => resolved.with_rule(row, row.used().first()),
        _ => resolved,
    })
}

/// The engine sends the credentials of a row with the row's own address.
fn may_use(row: &Row, host: &str) -> bool {
    row.address.host == host || is_docker_hub(&row.address.host) && is_docker_hub(host)
}

/// What Java agents cannot pull: they cut the image at its first colon.
pub(super) fn unpullable(image: &Image<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |text: &str, remedy: &str| {
        findings.push(Finding::new(Code::IofogImageUnpullable, text).remedy(remedy));
    };
    if image.host().is_some_and(|(host, _)| host.contains(':')) {
        let text = "Java agents take the port for a tag, and cannot pull from a host with a port";
        found(text, "serve the registry at port 443, or use edgelet");
    }
    if image.digest.is_some() {
        let text = "Java agents cannot pull by digest";
        found(text, "name a tag that never moves, or use edgelet");
    }
    findings
}
