//! A new row, checked as the Controller does before it is asked.

use secrecy::{ExposeSecret as _, SecretString};

use crate::destination::systems::{Address, Login, Row, Rule, Scope, Username};

/// What `registry create` is given: the flags of `edgectl create registry`.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// `--url`: a host, or a URL.
    pub url: String,
    /// `--username`.
    pub username: String,
    /// `--password`, or standard input; a JSON key of several lines is one.
    pub password: SecretString,
    /// `--email`, which only the Controller asks for.
    pub email: Option<String>,
    /// `--public`: credentials are not used.
    pub is_public: bool,
    /// `--requires-cert`.
    pub requires_cert: bool,
    /// `--cert`.
    pub certificate: Option<String>,
}

/// Why the Controller would refuse a row, in its own words (recorded).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRow {
    /// No URL.
    #[error("Field url does not meet minimum length of 1")]
    Url,
    /// No user name.
    #[error("Field username does not meet minimum length of 1")]
    Username,
    /// Not an e-mail address.
    #[error("Invalid format for field 'email'")]
    Email,
    /// No certificate, although one is required.
    #[error("Property \"certificate\" is required if property \"requiresCert\" is set to true")]
    Certificate,
    /// Our own: a private row without password.
    #[error("a private registry needs a password")]
    Password,
    /// Our own: a URL that is none.
    #[error("`{0}` is not the address of a registry")]
    Address(String),
}

impl InvalidRow {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Url | Self::Address(_) => "give `--url [https://]HOST[:PORT]`",
            Self::Username => "give `--username`; for keys of Google it is `_json_key`",
            Self::Email => {
                "give `--email NAME@HOST`; the Controller asks for one and uses it nowhere"
            }
            Self::Certificate => "give `--cert FILE`, or leave out `--requires-cert`",
            Self::Password => {
                "give `--password-stdin < FILE`, or say `--public` if the registry asks for nothing"
            }
        }
    }
}

impl NewRow {
    /// Checks what is given as the Controller does, and that credentials are there which are used.
    ///
    /// # Errors
    /// At the first field that it would refuse.
    pub fn check(&self) -> Result<(), InvalidRow> {
        if self.url.trim().is_empty() {
            return Err(InvalidRow::Url);
        }
        if Address::parse(&self.url).host.is_empty() {
            return Err(InvalidRow::Address(self.url.clone()));
        }
        if self.username.is_empty() && !self.is_public {
            return Err(InvalidRow::Username);
        }
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(InvalidRow::Email);
        }
        if self.requires_cert && self.certificate.as_deref().is_none_or(str::is_empty) {
            return Err(InvalidRow::Certificate);
        }
        if !self.is_public && self.password.expose_secret().is_empty() {
            return Err(InvalidRow::Password);
        }
        Ok(())
    }

    /// The row, with the id that was given to it, if one was.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn row(self, id: Option<u32>) -> Result<Row, InvalidRow> {
        self.check()?;
        let has_credentials = !self.username.is_empty();
        let username = Username::Shown(self.username);
        let login = Some(Login { username, password: Some(self.password) });
        let rule = has_credentials.then_some(Rule { scope: Scope::All, secret: None, login });
        Ok(Row {
            id,
            address: Address::parse(&self.url),
            is_public: Some(self.is_public),
            requires_cert: Some(self.requires_cert),
            ca: self.certificate,
            email: self.email,
            credentials: rule.into_iter().collect(),
            ..Row::default()
        })
    }
}

/// `something@host.domain`: less strict than the Controller, which has the last word.
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    !name.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && host.split('.').count() > 1
        && host.split('.').all(|label| !label.is_empty())
}
