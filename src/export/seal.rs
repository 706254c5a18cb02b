//! Encrypts Secrets for an export, or takes over what the version before encrypted.
//!
//! The same plaintext is another ciphertext each time, so what tells an unchanged application is
//! not the ciphertext. It is not the plaintext either: a digest of it, salted or not, would stand in
//! the chart, and whoever can pull that could try passwords against it. It is what the API server
//! says of the Secrets: uid and resourceVersion, which change with them and tell nothing of them.
//! Manifests say neither, or what was true when they were written: each export of them is new.

use std::io::Write as _;

use age::armor::{ArmoredWriter, Format};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::app::{App, Object, Origin, SecretValues, Snapshot};
use crate::chart::sealed;
use crate::destination::Recipient;
use crate::registry::{Digest, RepositoryName};

use super::history::{History, Published};
use super::{ChartReference, Error, Request, Target, published};

/// Encrypted Secrets.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The age file, armored.
    pub text: String,
    /// What it holds and for whom, as a digest: see [`super::identity::SECRETS`].
    pub identity: Digest,
    /// How many can decrypt it.
    pub recipients: usize,
}

/// The recipients of an export: the request's, else the destination's.
///
/// # Errors
/// When there are none.
pub(super) fn recipients(request: &Request, target: &Target) -> Result<Vec<Recipient>, Error> {
    let asked = [&request.recipients, &target.recipients].into_iter().find(|of| !of.is_empty());
    let mut recipients = asked.cloned().ok_or(Error::NoRecipients)?;
    recipients.sort_by_cached_key(Recipient::to_string);
    recipients.dedup();
    Ok(recipients)
}

/// Encrypts the Secrets of the application whose values were read; `None` if there are none.
///
/// # Errors
/// When the chart of the version before cannot be read.
pub(super) async fn seal(
    recipients: &[Recipient],
    snapshot: &Snapshot,
    app: &App,
    target: &Target,
    repository: &RepositoryName,
    history: &History,
) -> Result<Option<Sealed>, Error> {
    let Some(plaintext) = sealed::plaintext(app, &snapshot.secrets) else { return Ok(None) };
    let identity = identity(snapshot, app, recipients);
    let before = [&history.chosen, &history.newest].into_iter().flatten();
    let mut same = before.filter(|before| identity.is_some() && before.secrets == identity);
    let taken = match same.next() {
        Some(before) => taken_over(target, repository, before).await?,
        None => None,
    };
    let text = match taken {
        Some(text) => text,
        None => encrypt(recipients, plaintext.expose_secret()).map_err(Error::Encryption)?,
    };
    let identity = identity.unwrap_or_else(|| Digest::of(text.as_bytes()));
    Ok(Some(Sealed { text, identity, recipients: recipients.len() }))
}

/// What is encrypted and for whom; `None` where the source does not tell when a Secret changes.
fn identity(snapshot: &Snapshot, app: &App, recipients: &[Recipient]) -> Option<Digest> {
    if snapshot.origin == Origin::Manifests {
        return None;
    }
    let SecretValues(values) = &snapshot.secrets;
    let state = |name: &str| {
        let is = |object: &&Object| {
            object.kind() == "Secret"
                && object.group().is_empty()
                && object.name() == name
                && object.namespace().is_none_or(|of| of == snapshot.namespace)
        };
        let secret = snapshot.objects.iter().find(is)?;
        let text = |pointer| secret.text(pointer).filter(|text| !text.is_empty());
        Some(json!([name, text("/metadata/uid")?, text("/metadata/resourceVersion")?]))
    };
    let names = app.secrets.iter().filter(|of| !of.is_filled()).map(|secret| &*secret.name);
    let states = names.filter(|name| values.contains_key(*name)).map(state);
    let states: Vec<Value> = states.collect::<Option<_>>()?;
    let content = json!({"recipients": recipients, "secrets": states});
    Some(Digest::of(content.to_string().as_bytes()))
}

/// The file of the version before; `None` if its chart or the file is gone.
async fn taken_over(
    target: &Target,
    repository: &RepositoryName,
    before: &Published,
) -> Result<Option<String>, Error> {
    let digest = Some(before.digest.clone());
    let repository = repository.clone();
    let reference = ChartReference { host: target.host().cloned(), repository, tag: None, digest };
    match published::fetch(target, &reference).await {
        Ok(mut published) => {
            let file = published.chart.files.remove(sealed::FILE);
            Ok(file.and_then(|bytes| String::from_utf8(bytes).ok()))
        }
        Err(Error::ChartMissing(_) | Error::NotAChart { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn encrypt(recipients: &[Recipient], plaintext: &str) -> Result<String, std::io::Error> {
    let keys = recipients.iter().map(|recipient| recipient.key() as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(keys).map_err(std::io::Error::other)?;
    let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armored)?;
    writer.write_all(plaintext.as_bytes())?;
    let bytes = writer.finish()?.finish()?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}
