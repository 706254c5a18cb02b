//! YAML, JSON, base64 and digests.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use sha2::{Digest as _, Sha256};

use super::super::{goyaml, read};
use super::{Answer, Function, Go, at, word};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("adler32sum", |args| Ok(Go::text(adler32(word(args, 0)?).to_string()))),
    ("b64dec", decoded),
    ("b64enc", |args| Ok(Go::text(STANDARD.encode(word(args, 0)?)))),
    ("fromJson", |args| Ok(object(json(args)))),
    ("fromJsonArray", |args| Ok(array(json(args)))),
    ("fromYaml", |args| Ok(object(read::value("", word(args, 0)?).map_err(|it| it.to_string())))),
    ("fromYamlArray", |args| {
        Ok(array(read::value("", word(args, 0)?).map_err(|it| it.to_string())))
    }),
    ("sha256sum", |args| Ok(Go::text(sha256(word(args, 0)?)))),
    ("toJson", |args| Ok(Go::text(html_escaped(&at(args, 0)?.json().to_string())))),
    ("toPrettyJson", pretty),
    ("toRawJson", |args| Ok(Go::text(at(args, 0)?.json().to_string()))),
    ("toYaml", |args| Ok(Go::text(goyaml::text(&at(args, 0)?.json())))),
    ("toYamlPretty", |_| Err("it is not known here".to_owned())),
];

/// What a mapping was read from; helm puts what is wrong with it under a key.
fn object(read: Result<Value, String>) -> Go {
    match read {
        Ok(Value::Null) => Go::from(&Value::Object(serde_json::Map::new())),
        Ok(value @ Value::Object(_)) => Go::from(&value),
        Ok(_) => Go::from(&serde_json::json!({"Error": "it is no mapping"})),
        Err(error) => Go::from(&serde_json::json!({"Error": error})),
    }
}

fn array(read: Result<Value, String>) -> Go {
    match read {
        Ok(Value::Null) => Go::list([]),
        Ok(value @ Value::Array(_)) => Go::from(&value),
        Ok(_) => Go::list([Go::text("it is no list")]),
        Err(error) => Go::list([Go::text(error)]),
    }
}

fn json(args: &[Go]) -> Result<Value, String> {
    serde_json::from_str(word(args, 0)?).map_err(|error| error.to_string())
}

/// As Go writes JSON, for whoever puts it into a page.
fn html_escaped(json: &str) -> String {
    let pairs = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    pairs.iter().fold(json.to_owned(), |json, (from, to)| json.replace(*from, to))
}

fn pretty(args: &[Go]) -> Answer {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::new());
    let written = at(args, 0)?.json().serialize(&mut serializer);
    written.map_err(|error| error.to_string())?;
    Ok(Go::text(html_escaped(&String::from_utf8_lossy(&bytes))))
}

/// What is no base64 is an error text, as in Sprig.
fn decoded(args: &[Go]) -> Answer {
    match STANDARD.decode(word(args, 0)?).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Go::text(text)),
        Ok(Err(_)) => Err("it is no text".to_owned()),
        Err(_) => Err("it is no base64".to_owned()),
    }
}

fn sha256(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// RFC 1950, section 8.2.
fn adler32(text: &str) -> u32 {
    const BASE: u32 = 65_521;
    let (low, high) = text.bytes().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(byte)) % BASE;
        (low, (high + low) % BASE)
    });
    high << 16 | low
}
