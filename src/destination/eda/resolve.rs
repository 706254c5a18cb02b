//! Which host the EDA Store reads an image from.

use crate::destination::systems::{
    Address, Image, Registries, Resolved, System, Unresolved, rule_for,
};

/// The Registry whose host is that of the image, letter for letter; its mirror takes the place of
/// the host, and nothing else changes ("Mirroring a Registry to the App Store"). The credential of
/// the Registry is taken for the mirror, too: there is no other.
///
/// # Errors
/// When the image names no host, or one that no Registry has.
pub fn resolve(registries: &Registries, text: &str) -> Result<Resolved, Unresolved> {
    let image = Image::parse(text);
    let no = |reason: String| Unresolved {
        system: System::Eda,
        image: text.to_owned(),
        reason,
        hint: "make a Registry whose `remoteURL` has the host of the image".to_owned(),
    };
    let Some((host, repository)) = image.host() else {
        return Err(no("it names no host, and there is no default registry".to_owned()));
    };
    let row = registries.rows.iter().find(|row| row.address.host == host);
    let row = row.ok_or_else(|| no(format!("no Registry has the host `{host}`")))?;
    let mirror = row.mirror.as_deref().map(Address::parse).filter(|mirror| !mirror.host.is_empty());
    let read_at = mirror.as_ref().unwrap_or(&row.address);
    let mut resolved = Resolved::at(&read_at.host, repository, &image);
    resolved.plain_http = read_at.plain_http();
    Ok(resolved.with_rule(row, rule_for(row, repository)))
}
