//! What a user should know of an export, beyond what the application itself shows.

use semver::Version;

use crate::app::{Code, ContainerRef, Finding, ObjectId, SecretUse, SecretsPolicy};

use crate::registry::Digest;

use super::history::Published;
use super::{Request, Resolution, Target};

/// All findings that do not depend on the version.
pub(super) fn of(request: &Request, target: &Target, resolution: &Resolution) -> Vec<Finding> {
    let mut findings = resolution.findings.clone();
    findings.extend(resolution.app.findings.iter().cloned());
    if target.pull_address.is_none() && !resolution.images.is_empty() {
        findings.push(pull_address_missing());
    }
    findings.extend(images_of_operators(target, resolution));
    let secrets = resolution.app.secrets.iter();
    findings.extend(secrets.filter_map(|secret| secret_finding(request, resolution, secret)));
    findings
}

/// Images that operators run of themselves, and where they can have them from now.
fn images_of_operators<'a>(
    target: &'a Target,
    resolution: &'a Resolution,
) -> impl Iterator<Item = Finding> + 'a {
    resolution.images.iter().flat_map(move |image| {
        let (registry, repository) = super::compose::address(target, &resolution.names, image);
        let nowhere = image.uses.iter().filter(|of| of.pointer.is_empty());
        nowhere.map(move |of| {
            let ContainerRef { object, container, .. } = of;
            let text = format!(
                "container `{container}` of {object} runs `{}`, which no exported object names; it \
                 is at {registry}/{repository}@{}",
                image.written, image.digest
            );
            let remedy = format!(
                "Point the operator there, by a field of the {} or by the operator's own settings.",
                object.kind
            );
            Finding::new(Code::ImageOfOperator, text).on(object.clone()).remedy(remedy)
        })
    })
}

/// The calendar is behind the newest version.
pub(super) fn clock_behind(taken: &Version) -> Finding {
    let text = format!("the newest version is later than the clock; {taken} was taken");
    Finding::new(Code::ClockBehind, text).remedy("Check the clock.")
}

/// A version that helm does not pick by itself.
pub(super) fn not_latest(version: &Version, newest: Option<&Published>) -> Option<Finding> {
    let newest = newest.filter(|newest| newest.version > *version)?;
    let text = format!("{version} is below {}, which helm goes on picking", newest.version);
    Some(Finding::new(Code::VersionNotLatest, text).remedy("Install it with `--version`."))
}

pub(super) fn pull_address_missing() -> Finding {
    let text = "the chart refers to the images where they came from, not to this copy";
    Finding::new(Code::PullAddressMissing, text)
        .remedy("Give `--pull-address HOST[/PATH]`: where the images will be served.")
}

/// What was attached to a chart is about its bytes, and the copy has others.
pub(super) fn referrers_left(chart: &Digest) -> Finding {
    let text = format!("signatures and reports of {chart} are not about the rewritten chart");
    Finding::new(Code::ReferrersLeft, text)
        .remedy("Sign the copy, or compare its annotation dev.outhaul.derived-from.")
}

/// What a Secret means for whoever installs, or pulls, the chart. Nothing waits for one that every
/// reference calls optional.
fn secret_finding(
    request: &Request,
    resolution: &Resolution,
    secret: &SecretUse,
) -> Option<Finding> {
    if secret.is_filled() {
        return None;
    }
    let (name, values) = (&secret.name, &resolution.secret_values);
    let made = secret.made_by.as_ref().map(|made| format!(": {made}")).unwrap_or_default();
    let recipients = resolution.sealed.as_ref().map_or(0, |sealed| sealed.recipients);
    let recipients =
        if recipients == 1 { "1 recipient".into() } else { format!("{recipients} recipients") };
    let (code, text, remedy) = match request.secrets {
        SecretsPolicy::Include if values.0.contains_key(name) => (
            Code::SecretIncluded,
            format!("the values of Secret {name} are in the chart, in clear"),
            "Let only those pull the chart who may know them.",
        ),
        SecretsPolicy::Encrypt if values.0.contains_key(name) => (
            Code::SecretEncrypted,
            format!("the values of Secret {name} are in the chart, encrypted for {recipients}"),
            "Decrypt `secrets.age` and apply it before the chart is installed.",
        ),
        _ if secret.optional => return None,
        SecretsPolicy::Encrypt | SecretsPolicy::Include => (
            Code::SecretNotIncluded,
            format!("the values of Secret {name} could not be read and are not in the chart"),
            "Export from the cluster that has it: a saved snapshot holds no values.",
        ),
        SecretsPolicy::Require => (
            Code::SecretRequired,
            format!("the values of Secret {name} must be given at install{made}"),
            "Set them in a values file.",
        ),
        SecretsPolicy::Reference => (
            Code::SecretRequired,
            format!("Secret {name} must exist where the chart is installed{made}"),
            "Create it first; the chart's `secrets.example.yaml` is a start.",
        ),
    };
    Some(Finding::new(code, text).on(secret_id(name)).remedy(remedy))
}

fn secret_id(name: &str) -> ObjectId {
    let (group, kind) = (String::new(), "Secret".to_owned());
    ObjectId { group, kind, namespace: None, name: name.to_owned() }
}
