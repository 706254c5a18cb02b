//! Which destination's credentials are for an image.

use crate::destination::systems::{Address, Image, Registries, Resolved, Row, System, Unresolved};
use crate::registry::Host;

/// The destination of the host, in any of Docker Hub's spellings, with the longest path that the
/// repository is below. Another host is asked without credentials: Epinio only pushes to these.
///
/// # Errors
/// When the reference has a host that is none.
pub fn resolve(registries: &Registries, text: &str) -> Result<Resolved, Unresolved> {
    let image = Image::parse(text);
    let (host, repository) = match image.host() {
        Some((host, rest)) => (host, rest.to_owned()),
        None if image.name.contains('/') => ("docker.io", image.name.to_owned()),
        None => ("docker.io", format!("library/{}", image.name)),
    };
    let canonical: Host = host.parse().map_err(|_| Unresolved {
        system: System::Epinio,
        image: text.to_owned(),
        reason: format!("`{host}` is no host"),
        hint: "write `HOST[:PORT]/REPOSITORY[:TAG]`".to_owned(),
    })?;
    let is_there = |row: &&Row| {
        row.address.host.parse().is_ok_and(|host: Host| host == canonical)
            && path(row).is_none_or(|path| {
                repository.strip_prefix(&path).is_some_and(|rest| rest.starts_with('/'))
            })
    };
    let found = registries.rows.iter().filter(is_there);
    let found = found.max_by_key(|row| path(row).map_or(0, |path| path.len()));
    let mut resolved = Resolved::at(host, &repository, &image);
    resolved.plain_http = found.is_some_and(|row| row.address.plain_http());
    Ok(match found {
        Some(row) => resolved.with_rule(row, row.used().first()),
        None => resolved,
    })
}

/// The path of the address and that of the annotation.
fn path(row: &Row) -> Option<String> {
    let Address { rest, .. } = &row.address;
    let parts = [rest.trim_matches('/'), row.path.as_deref().unwrap_or_default().trim_matches('/')];
    let joined = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    Some(joined).filter(|path| !path.is_empty())
}
