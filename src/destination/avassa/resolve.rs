//! Which registry Control Tower pulls an image from, and as whom.

use crate::app::{Code, Finding};
use crate::destination::systems::{Image, Registries, Resolved, System, Unresolved, rule_for};

/// The configured registry whose address is the first segment of the image, letter for letter;
/// else, for an image without a host, the default; else the host as it is, anonymously ("Refer to
/// a remote registry in an application specification"). Names of Docker Hub are not folded.
///
/// # Errors
/// When the image names no host and there is no default: Control Tower has none built in.
pub fn resolve(registries: &Registries, text: &str) -> Result<Resolved, Unresolved> {
    let image = Image::parse(text);
    let configured = |host: &str| registries.rows.iter().find(|row| row.address.host == host);
    if let Some((first, repository)) = image.first()
        && configured(first).is_some()
    {
        return Ok(at(registries, first, repository, &image));
    }
    if let Some((host, repository)) = image.host() {
        return Ok(at(registries, host, repository, &image));
    }
    match &registries.default_address {
        Some(default) => Ok(at(registries, default, image.name, &image)),
        None => Err(Unresolved {
            system: System::Avassa,
            image: text.to_owned(),
            reason: "it names no host, and there is no `default-remote-registry`".to_owned(),
            hint: "write the host in the reference, or configure `default-remote-registry`"
                .to_owned(),
        }),
    }
}

fn at(registries: &Registries, host: &str, repository: &str, image: &Image<'_>) -> Resolved {
    let Some(row) = registries.rows.iter().find(|row| row.address.host == host) else {
        let mut resolved = Resolved::at(host, repository, image);
        let text = format!("`{host}` is no configured registry: it is asked anonymously");
        let remedy = "configure it with `supctl create image-registry remote-registries`, in the \
                      very spelling that images use";
        let finding = Finding::new(Code::AvassaImageUnresolved, text).remedy(remedy);
        resolved.findings.push(finding);
        return resolved;
    };
    let host = row.mirror.as_deref().unwrap_or(host);
    Resolved::at(host, repository, image).with_rule(row, rule_for(row, repository))
}
