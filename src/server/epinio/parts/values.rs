//! Part `values`: what the chart was installed with.

use axum::response::Response;
use secrecy::ExposeSecret as _;

use super::bytes;
use crate::app::helm::Record;
use crate::chart::original;

/// What Epinio says that any bytes are.
const BYTES: &str = "application/octet-stream";

/// The values, in clear: they go to somebody who may have them, and nowhere else.
pub(super) fn answer(record: &Record) -> Response {
    bytes(BYTES, text(record))
}

pub(super) fn text(record: &Record) -> Vec<u8> {
    original::given_values(record).expose_secret().as_bytes().to_vec()
}
