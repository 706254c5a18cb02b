//! The table of registries, and what the Controller checks before it writes a row.

use regex::Regex;
use serde_json::{Value, json};

use super::{Answer, refusal};

/// The user whom the token is of, and another one.
const ANN: u64 = 1;
const BOB: u64 = 2;

/// Texts, flags and the e-mail address of a row (`src/schemas/registry.js`).
const FIELDS: [(&str, &str); 7] = [
    ("url", "string"),
    ("isPublic", "boolean"),
    ("username", "string"),
    ("password", "string"),
    ("email", "string"),
    ("requiresCert", "boolean"),
    ("certificate", "string"),
];

/// Those that a new row needs, in the order in which they are missed.
const REQUIRED: usize = 5;

/// Those that may not be empty.
const FILLED: [&str; 2] = ["url", "username"];

const EMAIL: &str = r#"^(([^<>()\[\]\\.,;:\s@"]+(\.[^<>()\[\]\\.,;:\s@"]+)*)|(".+"))@((\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}])|(([a-zA-Z\-0-9]+\.)+[a-zA-Z]{2,}))$"#;

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) is_public: bool,
    pub(crate) is_secure: Option<bool>,
    pub(crate) certificate: Option<String>,
    pub(crate) requires_cert: Option<bool>,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) email: String,
    pub(crate) user: Option<u64>,
}

pub(super) struct Rows {
    all: Vec<Row>,
    last: u64,
}

impl Default for Rows {
    /// The rows that the database is filled with; they are nobody's.
    fn default() -> Self {
        let seeds = [(1, "registry.hub.docker.com"), (2, "from_cache")];
        let all = seeds.map(|(id, url)| Row {
            id,
            url: url.to_owned(),
            is_public: true,
            is_secure: Some(true),
            certificate: Some(String::new()),
            requires_cert: Some(false),
            username: String::new(),
            password: String::new(),
            email: String::new(),
            user: None,
        });
        Self { all: all.into(), last: 2 }
    }
}

impl Rows {
    pub(super) fn all(&self) -> &[Row] {
        &self.all
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.all.iter().any(|row| row.id == id)
    }

    pub(super) fn add_foreign(&mut self, url: &str, is_public: bool) -> u64 {
        self.last += 1;
        self.all.push(Row {
            id: self.last,
            url: url.to_owned(),
            is_public,
            is_secure: None,
            certificate: None,
            requires_cert: None,
            username: "bob".to_owned(),
            password: "canary-of-bob".to_owned(),
            email: "bob@example.com".to_owned(),
            user: Some(BOB),
        });
        self.last
    }

    /// Own rows and public ones, without passwords.
    pub(super) fn list(&self) -> Answer {
        let seen = self.all.iter().filter(|row| row.user == Some(ANN) || row.is_public);
        let rows: Vec<Value> = seen.map(Row::shown).collect();
        (200, json!({"registries": rows}))
    }

    pub(super) fn create(&mut self, body: &Value) -> Answer {
        if let Some(refused) = checked(body, true) {
            return refused;
        }
        self.last += 1;
        let mut row = Row {
            id: self.last,
            url: String::new(),
            is_public: false,
            is_secure: None,
            certificate: None,
            requires_cert: None,
            username: String::new(),
            password: String::new(),
            email: String::new(),
            user: Some(ANN),
        };
        row.set(body);
        self.all.push(row);
        (201, json!({"id": self.last}))
    }

    /// Rows of others are found and not changed.
    pub(super) fn update(&mut self, id: &str, body: &Value) -> Answer {
        if let Some(refused) = checked(body, false) {
            return refused;
        }
        let Some(row) = self.all.iter_mut().find(|row| row.id.to_string() == id) else {
            return refusal(404, "NotFoundError", "Registry not found");
        };
        if row.user == Some(ANN) {
            row.set(body);
        }
        (204, Value::Null)
    }

    pub(super) fn delete(&mut self, id: &str, used: &[u64]) -> Answer {
        let Ok(number) = id.parse::<u64>() else {
            return refusal(400, "ValidationError", "Field 'id' is not of a type(s) integer");
        };
        let own = |row: &Row| row.id == number && row.user == Some(ANN);
        let Some(at) = self.all.iter().position(own) else {
            return refusal(404, "NotFoundError", &format!("Invalid registry id '{id}'"));
        };
        if used.contains(&number) {
            let text = "SQLITE_CONSTRAINT: FOREIGN KEY constraint failed";
            return refusal(500, "SequelizeForeignKeyConstraintError", text);
        }
        self.all.remove(at);
        (204, Value::Null)
    }
}

impl Row {
    fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "url": self.url,
            "isPublic": self.is_public,
            "isSecure": self.is_secure,
            "certificate": self.certificate,
            "requiresCert": self.requires_cert,
            "username": self.username,
            "userEmail": self.email,
            "userId": self.user,
        })
    }

    fn set(&mut self, body: &Value) {
        let text = |field: &str| body[field].as_str().map(str::to_owned);
        self.url = text("url").unwrap_or(std::mem::take(&mut self.url));
        self.username = text("username").unwrap_or(std::mem::take(&mut self.username));
        self.password = text("password").unwrap_or(std::mem::take(&mut self.password));
        self.email = text("email").unwrap_or(std::mem::take(&mut self.email));
        self.certificate = text("certificate").or(self.certificate.take());
        self.is_public = body["isPublic"].as_bool().unwrap_or(self.is_public);
        self.requires_cert = body["requiresCert"].as_bool().or(self.requires_cert);
    }
}

/// What the Controller has against a body, the first of it.
fn checked(body: &Value, is_new: bool) -> Option<Answer> {
    let invalid = |text: &str| Some(refusal(400, "ValidationError", text));
    let email = Regex::new(EMAIL).unwrap();
    let is_email = |text: &str| email.is_match(text);
    for (field, kind) in FIELDS {
        let Some(value) = body.get(field) else { continue };
        if !(kind == "string" && value.is_string() || kind == "boolean" && value.is_boolean()) {
            return invalid(&format!("Field '{field}' is not of a type(s) {kind}"));
        }
        if FILLED.contains(&field) && value == "" {
            return invalid(&format!("Field {field} does not meet minimum length of 1"));
        }
        if field == "email" && !value.as_str().is_some_and(is_email) {
            return invalid("Invalid format for field 'email'");
        }
    }
    let missing = FIELDS[..REQUIRED].iter().find(|(field, _)| body.get(field).is_none());
    if let Some((field, _)) = missing.filter(|_| is_new) {
        return invalid(&format!("Required field '{field}' is missing"));
    }
    if body["requiresCert"] == true && body.get("certificate").is_none() {
        return invalid(
            "Property \"certificate\" is required if property \"requiresCert\" is set to true",
        );
    }
    None
}
