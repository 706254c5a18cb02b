//! One request.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{ControllerError, RowChange};
use crate::destination::iofog::{InvalidRow, LOCAL, NewRow, REMOTE};

/// A request to the Controller. Bodies hold passwords, so they cannot be printed.
#[derive(Clone, Debug)]
pub enum Call {
    /// Asks for a token.
    Login(SecretString),
    /// Reads the user's own rows and all public ones.
    List,
    /// Makes a row.
    Create(SecretString),
    /// Changes fields of a row.
    Update(u32, SecretString),
    /// Removes a row.
    Delete(u32),
}

impl Call {
    /// Asks for a token by e-mail address and password.
    pub fn login(email: &str, password: &SecretString) -> Self {
        let body = json!({"email": email, "password": password.expose_secret()});
        Self::Login(body.to_string().into())
    }

    /// Makes a row.
    ///
    /// # Errors
    /// At the first field that the Controller would refuse, or change by itself.
    pub fn create(row: &NewRow) -> Result<Self, InvalidRow> {
        Ok(Self::Create(row.request()?))
    }

    /// Changes a row.
    ///
    /// # Errors
    /// As [`Self::create`]; for the rows that each ioFog has by itself.
    pub fn update(id: u32, change: &RowChange) -> Result<Self, ControllerError> {
        refuse_system(id)?;
        Ok(Self::Update(id, change.request()?))
    }

    /// Removes a row.
    ///
    /// # Errors
    /// For the rows that each ioFog has by itself.
    pub fn delete(id: u32) -> Result<Self, ControllerError> {
        refuse_system(id)?;
        Ok(Self::Delete(id))
    }

    /// The HTTP method.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Login(_) | Self::Create(_) => "POST",
            Self::List => "GET",
            Self::Update(..) => "PATCH",
            Self::Delete(_) => "DELETE",
        }
    }

    /// Segments of the path below the Controller's address.
    pub fn path(&self) -> Vec<String> {
        let api = ["api", "v3"].map(str::to_owned).into_iter();
        let own = match self {
            Self::Login(_) => vec!["user".to_owned(), "login".to_owned()],
            Self::List | Self::Create(_) => vec!["registries".to_owned()],
            Self::Update(id, _) | Self::Delete(id) => vec!["registries".to_owned(), id.to_string()],
        };
        api.chain(own).collect()
    }

    /// What is sent, as JSON.
    pub fn body(&self) -> Option<&SecretString> {
        match self {
            Self::Login(body) | Self::Create(body) | Self::Update(_, body) => Some(body),
            Self::List | Self::Delete(_) => None,
        }
    }

    /// The row that it is about.
    pub(super) fn id(&self) -> Option<u32> {
        match self {
            Self::Update(id, _) | Self::Delete(id) => Some(*id),
            Self::Login(_) | Self::List | Self::Create(_) => None,
        }
    }
}

/// Nobody owns these rows: the Controller answers 204 to a change, and changes nothing.
fn refuse_system(id: u32) -> Result<(), ControllerError> {
    match [REMOTE, LOCAL].into_iter().find(|(own, _)| *own == id) {
        Some((id, alias)) => Err(ControllerError::System { id, alias }),
        None => Ok(()),
    }
}
