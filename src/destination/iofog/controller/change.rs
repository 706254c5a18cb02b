//! A change of a row, and whether it has come about.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::destination::iofog::InvalidRow;
use crate::destination::iofog::new::{check_certificate, check_email, check_url, refuse_templates};
use crate::destination::iofog::username;
use crate::destination::systems::{Address, Row};

/// Fields of a row that become others; those that are unset stay.
#[derive(Clone, Debug, Default)]
pub struct RowChange {
    /// A host, or a URL.
    pub url: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// Password; no answer shows it.
    pub password: Option<SecretString>,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether credentials are not used.
    pub is_public: Option<bool>,
    /// Whether a certificate is needed.
    pub requires_cert: Option<bool>,
    /// It, in PEM.
    pub certificate: Option<String>,
}

impl RowChange {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.fields().is_empty()
    }

    /// The body of the request.
    ///
    /// # Errors
    /// At the first field that the Controller would refuse, or change by itself.
    pub(super) fn request(&self) -> Result<SecretString, InvalidRow> {
        if let Some(url) = &self.url {
            check_url(url)?;
        }
        if self.username.as_deref() == Some("") {
            return Err(InvalidRow::Username);
        }
        check_email(self.email.as_deref())?;
        // The one that the row has does not count there.
        if self.requires_cert == Some(true) && self.certificate.is_none() {
            return Err(InvalidRow::Certificate);
        }
        check_certificate(self.certificate.as_deref())?;
        let fields = self.fields();
        refuse_templates(&fields)?;
        Ok(Value::from(fields).to_string().into())
    }

    fn fields(&self) -> Map<String, Value> {
        let text = |value: &Option<String>| value.clone().map(Value::from);
        let password = self.password.as_ref().map(|password| password.expose_secret().into());
        let fields = [
            ("url", text(&self.url)),
            ("username", text(&self.username)),
            ("password", password),
            ("email", text(&self.email)),
            ("isPublic", self.is_public.map(Value::from)),
            ("requiresCert", self.requires_cert.map(Value::from)),
            ("certificate", text(&self.certificate)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect()
    }

    /// Fields that the row has otherwise, or that it cannot be seen to have: of a row that the
    /// Controller shows to everybody, a password says nothing. Rows that it does not are the user's.
    pub fn missing_in(&self, row: &Row) -> Vec<&'static str> {
        let differs = |field, is_other: bool| is_other.then_some(field);
        let text = |wanted: &Option<String>, is: &str| wanted.as_deref().is_some_and(|w| w != is);
        let flag = |wanted: Option<bool>, is: Option<bool>| {
            wanted.is_some_and(|wanted| wanted != is.unwrap_or_default())
        };
        let found = [
            differs(
                "url",
                self.url.as_deref().is_some_and(|url| Address::parse(url) != row.address),
            ),
            differs("username", text(&self.username, username(row))),
            differs("email", text(&self.email, row.email.as_deref().unwrap_or_default())),
            differs("isPublic", flag(self.is_public, row.is_public)),
            differs("requiresCert", flag(self.requires_cert, row.requires_cert)),
            differs("certificate", text(&self.certificate, row.ca.as_deref().unwrap_or_default())),
        ];
        found.into_iter().flatten().collect()
    }

    /// Whether all that changes is what nobody can read back, of a row that may be another user's.
    pub fn is_unseen_in(&self, row: &Row) -> bool {
        self.fields().keys().all(|field| field == "password") && row.is_public == Some(true)
    }
}
