//! What stands after `?`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::error::Code;
use crate::server::problem::Problem;
use crate::server::routes::{Argument, Takes};

/// The query as a type. What the type does not know is refused: a misspelt filter must not be a
/// filter that lets everything through.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(query) => Ok(Self(query.0)),
            Err(error) => {
                let reason = std::error::Error::source(&error).map(ToString::to_string);
                let reason = reason.unwrap_or_else(|| error.to_string());
                Err(Problem::new(Code::RequestInvalid, format!("the query: {reason}")))
            }
        }
    }
}

impl<T: JsonSchema> Argument for Query<T> {
    fn describe(takes: &mut Takes) {
        takes.query = Some(T::json_schema);
        takes.refuses.push(Code::RequestInvalid);
    }
}
