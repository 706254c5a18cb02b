//! The body of an export's request, read as Go would, and refused in its words. Pure.

use axum::http::StatusCode;
use serde_json::{Deserializer, Map, Value};

use super::envelope::Refusal;

/// What Epinio says besides.
const DETAILS: &str = "failed to unmarshal app export request";

/// What is asked for. What is empty is not said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) destination: String,
    pub(super) image_name: Option<String>,
    pub(super) chart_name: Option<String>,
    pub(super) image_tag: Option<String>,
    pub(super) chart_version: Option<String>,
}

impl Wish {
    /// Reads a body. Fields that are not known are ignored, as is what comes after the first value.
    ///
    /// # Errors
    /// 400: it is no JSON object with texts, or names no destination.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let fields = match Deserializer::from_slice(body).into_iter::<Value>().next() {
            None => return Err(unread("EOF".to_owned())),
            Some(Err(error)) => {
                let (line, column) = (error.line(), error.column());
                return Err(unread(format!("invalid JSON at line {line}, column {column}")));
            }
            Some(Ok(Value::Null)) => Map::new(),
            Some(Ok(Value::Object(fields))) => fields,
            Some(Ok(other)) => {
                let kind = kind(&other);
                let into = "into Go value of type models.AppExportRequest";
                return Err(unread(format!("json: cannot unmarshal {kind} {into}")));
            }
        };
        let mut wish = Self::default();
        for (key, value) in fields {
            wish.take(&key.to_lowercase(), value)?;
        }
        if wish.destination.is_empty() {
            let title = "export destination is missing/empty";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, title));
        }
        Ok(wish)
    }

    /// Takes a field. Go knows names in any case, and leaves a field as it is for null.
    fn take(&mut self, key: &str, value: Value) -> Result<(), Refusal> {
        let own = match key {
            "image-name" => &mut self.image_name,
            "chart-name" => &mut self.chart_name,
            "image-tag" => &mut self.image_tag,
            "chart-version" => &mut self.chart_version,
            "destination" => {
                if let Some(text) = text(key, value)? {
                    self.destination = text;
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        if let Some(text) = text(key, value)? {
            *own = Some(text).filter(|text| !text.is_empty());
        }
        Ok(())
    }
}

fn text(key: &str, value: Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        other => {
            let kind = kind(&other);
            let field = format!("Go struct field AppExportRequest.{key} of type string");
            Err(unread(format!("json: cannot unmarshal {kind} into {field}")))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn unread(title: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, title).details(DETAILS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(body: &str) -> String {
        Wish::read(body.as_bytes()).unwrap_err().title().to_owned()
    }

    #[test]
    fn a_body_is_refused_in_the_words_of_go() {
        let value = "json: cannot unmarshal KIND into Go value of type models.AppExportRequest";
        for (body, kind) in [("[]", "array"), ("1", "number"), ("\"canary\"", "string")] {
            assert_eq!(title(body), value.replace("KIND", kind));
        }
        assert_eq!(
            title(r#"{"destination": 1}"#),
            "json: cannot unmarshal number into Go struct field AppExportRequest.destination of \
             type string"
        );
        for empty in ["", " \n"] {
            assert_eq!(title(empty), "EOF");
        }
        for bare in ["{}", "null", r#"{"destination": ""}"#, r#"{"destination": null}"#] {
            assert_eq!(title(bare), "export destination is missing/empty");
        }
        assert_eq!(title("{\"destination\":\n canary}"), "invalid JSON at line 2, column 2");
    }

    #[test]
    fn names_are_taken_in_any_case_and_what_is_empty_is_not_said() {
        let body =
            r#"{"Destination": "good", "chart-name": "", "IMAGE-TAG": "1", "more": {}} rest"#;
        let wish = Wish {
            destination: "good".to_owned(),
            image_tag: Some("1".to_owned()),
            ..Wish::default()
        };
        assert_eq!(Wish::read(body.as_bytes()).unwrap(), wish);
    }
}
