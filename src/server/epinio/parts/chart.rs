//! Part `chart`: the chart that was installed.

use axum::http::StatusCode;
use axum::response::Response;

use super::super::envelope::Refusal;
use super::bytes;
use crate::app::helm::Record;
use crate::chart::original;

const GZIP: &str = "application/x-gzip";

/// The chart as a `.tgz`.
///
/// # Errors
/// As [`archive`].
pub(super) fn answer(record: &Record) -> Result<Response, Refusal> {
    Ok(bytes(GZIP, archive(record)?))
}

/// # Errors
/// 422 when helm's record has not all of it.
pub(super) fn archive(record: &Record) -> Result<Vec<u8>, Refusal> {
    original::archive(record).map_err(|reason| {
        let title = format!("the chart cannot be rebuilt from the release: {reason}");
        let hint = "take it from where the application chart has it, or export to a registry";
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, title).details(hint)
    })
}
