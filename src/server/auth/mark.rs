//! The mark of a door: by it whoever carries out an export knows that a replica of this server made
//! the record or schedule, and so that it has recognised who asks. Nobody else can read the key.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde_json::json;
use sha2::Sha256;

use super::random_key;
use crate::cluster::Live;
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::record::{Export, MARK};
use crate::destination::select;
use crate::error::Error;
use crate::registry::Digest;

/// Secret of the system namespace with the key. Who deletes it makes marks worthless that are not
/// verified yet.
const SECRET: &str = "outhaul-keys";

/// A record is made within this time of its mark, so that the mark is none of a later record. It is
/// also how much the clocks of a replica and of the API server may differ.
const FRESH: Duration = Duration::from_secs(60);

/// Makes and verifies marks. The key is read each time, as it may be replaced.
#[derive(Clone, Debug)]
pub struct Marks {
    live: Live,
    system_namespace: Option<String>,
}

/// What can have a mark.
pub trait Markable {
    /// What the mark is of: all that is asked for and who asks, so that it is of no use to anybody else.
    fn parts(&self) -> Vec<String>;

    /// The same with this mark.
    #[must_use]
    fn marked(self, mark: &str) -> Self;

    /// The mark that it has.
    fn mark(&self) -> Option<&str>;

    /// When it was made.
    fn created(&self) -> Option<Timestamp>;
}

impl Markable for Export {
    fn parts(&self) -> Vec<String> {
        let by = self.spec.requested_by.as_ref();
        let user = by.map_or("", |by| by.user.as_str());
        let spec = Digest::of(json!(self.spec).to_string().as_bytes()).to_string();
        [self.namespace(), self.name(), &spec, user].map(str::to_owned).into()
    }

    fn marked(self, mark: &str) -> Self {
        self.with_annotation(MARK, mark)
    }

    fn mark(&self) -> Option<&str> {
        self.annotation(MARK)
    }

    fn created(&self) -> Option<Timestamp> {
        self.created()
    }
}

/// When it runs may be changed by whoever may change it: that gives no other rights. What stays is
/// deleted in the name of who asks.
impl Markable for ExportSchedule {
    fn parts(&self) -> Vec<String> {
        let rights = json!({
            "template": self.spec.template,
            "retention": self.spec.retention,
            "account": self.spec.service_account_name,
            "by": self.spec.requested_by,
        });
        let rights = Digest::of(rights.to_string().as_bytes()).to_string();
        [&self.title(), self.namespace(), self.name(), &rights].map(str::to_owned).into()
    }

    fn marked(mut self, mark: &str) -> Self {
        let annotations = self.metadata.annotations.get_or_insert_default();
        annotations.insert(MARK.to_owned(), mark.to_owned());
        self
    }

    fn mark(&self) -> Option<&str> {
        self.annotation(MARK)
    }

    fn created(&self) -> Option<Timestamp> {
        self.created()
    }
}

impl Marks {
    /// With the key in `system_namespace`, if it was said, else where destinations are.
    pub fn new(live: Live, system_namespace: Option<String>) -> Self {
        Self { live, system_namespace }
    }

    /// `record`, which is to be made now, with its mark.
    ///
    /// # Errors
    /// When the key can be neither read nor made.
    pub async fn put<R: Markable>(&self, record: R, now: Timestamp) -> Result<R, Error> {
        let mark = mark(self.key().await?, &record, now.as_second());
        Ok(record.marked(&mark))
    }

    /// Whether the record has a mark, and it is one of ours.
    ///
    /// # Errors
    /// When it has one and the key can be neither read nor made.
    pub async fn verify<R: Markable + Sync>(&self, record: &R) -> Result<bool, Error> {
        match record.mark() {
            Some(mark) => Ok(is_ours(self.key().await?, record, mark)),
            None => Ok(false),
        }
    }

    async fn key(&self) -> Result<Hmac<Sha256>, Error> {
        let broken = |source| Error::Runtime { source };
        let fresh = SecretSlice::from(random_key().map_err(broken)?.to_vec());
        let wanted = self.system_namespace.as_deref();
        let namespace = select::system_namespace(&self.live, wanted).await?;
        let key = self.live.shared_key(&namespace, SECRET, &fresh).await?;
        let key = Hmac::new_from_slice(key.expose_secret());
        key.map_err(|error| broken(io::Error::other(error)))
    }
}

fn mark(key: Hmac<Sha256>, record: &impl Markable, second: i64) -> String {
    let code = signed(key, record, second).finalize().into_bytes();
    format!("{second}.{}", URL_SAFE_NO_PAD.encode(code))
}

fn is_ours(key: Hmac<Sha256>, record: &impl Markable, mark: &str) -> bool {
    let read = || {
        let (second, code) = mark.split_once('.')?;
        Some((second.parse::<i64>().ok()?, URL_SAFE_NO_PAD.decode(code).ok()?, record.created()?))
    };
    let Some((second, code, created)) = read() else { return false };
    let is_fresh = created.as_second().abs_diff(second) <= FRESH.as_secs();
    is_fresh && signed(key, record, second).verify_slice(&code).is_ok()
}

fn signed(mut key: Hmac<Sha256>, record: &impl Markable, second: i64) -> Hmac<Sha256> {
    for part in record.parts().into_iter().chain([second.to_string()]) {
        key.update(part.as_bytes());
        key.update(&[0]);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::{ExportSpec, RequestedBy};

    fn export() -> Export {
        let by = |user: &str| RequestedBy {
            user: user.into(),
            groups: Vec::new(),
            via: None,
            request_id: None,
        };
        let spec = ExportSpec { requested_by: Some(by("alice")), ..ExportSpec::new("web", "team") };
        let mut export = Export::draft("shop", "web-1", spec);
        let created: Timestamp = "2026-11-26T02:40:00Z".parse().unwrap();
        export.metadata.creation_timestamp = serde_json::from_value(json!(created)).unwrap();
        export
    }

    #[test]
    fn a_mark_is_of_one_record_made_now_for_one_person() {
        let key = || Hmac::new_from_slice(b"key").unwrap();
        let now = export().created().unwrap().as_second();
        let marked = |second| mark(key(), &export(), second);
        assert!(is_ours(key(), &export(), &marked(now)));
        assert!(is_ours(key(), &export(), &marked(now + 60)));
        assert!(!is_ours(key(), &export(), &marked(now - 61)));
        assert!(!is_ours(Hmac::new_from_slice(b"other").unwrap(), &export(), &marked(now)));
        for bad in ["", "1", ".", "1.?", &format!("{now}."), &marked(now)[1..]] {
            assert!(!is_ours(key(), &export(), bad), "{bad}");
        }
        let changes: [fn(&mut Export); 5] = [
            |it| it.metadata.name = Some("web-2".into()),
            |it| it.metadata.namespace = Some("other".into()),
            |it| it.spec.options.use_pull_secrets = true,
            |it| it.spec.requested_by.as_mut().unwrap().groups.push("admins".into()),
            |it| it.spec.requested_by = None,
        ];
        for change in changes {
            let mut changed = export();
            change(&mut changed);
            assert!(!is_ours(key(), &changed, &marked(now)), "{changed:?}");
        }
    }
}
