//! A new row, checked as the Controller does before it is asked.

use std::sync::LazyLock;

use regex::Regex;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::UNUSED;
use crate::destination::secret::is_pem;
use crate::destination::systems::{Address, Login, Row, Rule, Scope, Username};

/// What the Controller takes for an e-mail address (its `src/schemas/registry.js`).
const EMAIL: &str = concat!(
    r#"^(([^<>()\[\]\\.,;:\s@"]+(\.[^<>()\[\]\\.,;:\s@"]+)*)|(".+"))"#,
    r"@((\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\])|(([a-zA-Z\-0-9]+\.)+[a-zA-Z]{2,}))$",
);

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
    /// No e-mail address, for the Controller.
    #[error("Required field 'email' is missing")]
    NoEmail,
    /// No certificate, although one is required.
    #[error("Property \"certificate\" is required if property \"requiresCert\" is set to true")]
    Certificate,
    /// Our own: a certificate that is none.
    #[error("the certificate is not PEM")]
    NotPem,
    /// Our own: a text that the Controller would take for a template.
    #[error("`{0}` has `{{{{` or `{{%` in it, and the Controller would put something else there")]
    Template(String),
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
            Self::Email | Self::NoEmail => {
                "give `--email NAME@HOST`; the Controller asks for one and uses it nowhere"
            }
            Self::Template(_) => "use another value: the Controller renders templates in requests",
            Self::Certificate => "give `--cert FILE`, or leave out `--requires-cert`",
            Self::NotPem => "give a file of PEM blocks `CERTIFICATE` with `--cert`",
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
        check_url(&self.url)?;
        if self.username.is_empty() && !self.is_public {
            return Err(InvalidRow::Username);
        }
        check_email(self.email.as_deref())?;
        if self.requires_cert && self.certificate.as_deref().is_none_or(str::is_empty) {
            return Err(InvalidRow::Certificate);
        }
        check_certificate(self.certificate.as_deref())?;
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

    /// The body of the request that makes the row. A public one has texts where the Controller
    /// refuses none.
    ///
    /// # Errors
    /// As [`Self::check`]; when there is no e-mail address, or a template in a text.
    pub(super) fn request(&self) -> Result<SecretString, InvalidRow> {
        self.check()?;
        let email = self.email.as_deref().ok_or(InvalidRow::NoEmail)?;
        let filled = |text: &str| if text.is_empty() { UNUSED.to_owned() } else { text.to_owned() };
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("url", json!(self.url));
        put("isPublic", json!(self.is_public));
        put("username", filled(&self.username).into());
        put("password", filled(self.password.expose_secret()).into());
        put("email", email.into());
        put("requiresCert", json!(self.requires_cert));
        if let Some(certificate) = &self.certificate {
            put("certificate", json!(certificate));
        }
        refuse_templates(&body)?;
        Ok(Value::from(body).to_string().into())
    }
}

/// Refuses a URL without a host.
pub(super) fn check_url(url: &str) -> Result<(), InvalidRow> {
    if url.trim().is_empty() {
        return Err(InvalidRow::Url);
    }
    let Address { host, rest, .. } = Address::parse(url);
    if !host.is_empty() && !rest.contains(['?', '#', ':', ' ']) {
        return Ok(());
    }
    // Before an `@` may be a password.
    let shown = if url.contains('@') { "what is given" } else { url };
    Err(InvalidRow::Address(shown.to_owned()))
}

/// Refuses an e-mail address that the Controller refuses.
pub(super) fn check_email(email: Option<&str>) -> Result<(), InvalidRow> {
    static RULE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EMAIL).ok());
    let is_email = |text: &str| RULE.as_ref().is_some_and(|rule| rule.is_match(text));
    if email.is_none_or(is_email) { Ok(()) } else { Err(InvalidRow::Email) }
}

/// Refuses certificates that nothing could read: the Controller stores any text.
pub(super) fn check_certificate(pem: Option<&str>) -> Result<(), InvalidRow> {
    if pem.is_none_or(|pem| is_pem(pem.as_bytes())) { Ok(()) } else { Err(InvalidRow::NotPem) }
}

/// Refuses texts in which the Controller would find a template: it renders every text of a request
/// about registries (`substitutionMiddleware` in its `src/helpers/template-helper.js`).
pub(super) fn refuse_templates(body: &Map<String, Value>) -> Result<(), InvalidRow> {
    match body.iter().find(|(_, value)| value.as_str().is_some_and(is_template)) {
        Some((field, _)) => Err(InvalidRow::Template(field.clone())),
        None => Ok(()),
    }
}

/// Whether the Controller takes a text for a template (Liquid).
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}
