//! Part `archive`: values, chart and image in one zip, named as the client names them.

use std::collections::VecDeque;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use flate2::Crc;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::super::envelope::Refusal;
use super::download::{Chunks, body, chunks, room};
use super::zip::{self, Zip};
use super::{App, chart, file, image, values};
use crate::app::helm::Record;
use crate::registry;

const ZIP: &str = "application/zip";

/// The three as a stream, with its length.
///
/// # Errors
/// When one of them cannot be had; nothing is sent then.
pub(super) async fn answer(app: &App, record: &Record) -> Result<Response, Refusal> {
    let room = room(&app.asked)?;
    let (values, chart) = (values::text(record), chart::archive(record)?);
    let (image, from) = image::locate(app).await?;
    let sizes = [values.len() as u64, chart.len() as u64, image.length];
    let names = ["values.yaml", "app-chart.tar.gz", "app-image.tar"];
    let [first, second, third] = [0, 1, 2].map(|at| (names[at], sizes[at]));
    let Some(length) = zip::length(&[first, second, third]) else {
        let title = "the image's manifest states sizes that cannot be";
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, title));
    };
    let whole = |bytes: Vec<u8>| stream::iter([Ok(Bytes::from(bytes))]).boxed();
    let parts = [(first, whole(values)), (second, whole(chart)), (third, chunks(image, from))];
    let mut response = file(ZIP, length, body(zipped(parts), room));
    let disposition = format!("attachment; filename=\"{}-helm-chart.zip\"", app.name);
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// A zip that is being sent.
struct Zipping {
    zip: Zip,
    /// Entries that have not begun.
    left: VecDeque<((&'static str, u64), Chunks)>,
    /// What is left of the one that has, and the checksum of the rest.
    open: Option<(Chunks, Crc)>,
}

/// The zip of these contents, each as long as is said of it.
fn zipped(parts: [((&'static str, u64), Chunks); 3]) -> Chunks {
    let start = Zipping { zip: Zip::default(), left: parts.into(), open: None };
    let next = |zipping: Option<Zipping>| async {
        match zipping {
            Some(zipping) => zipping.next().await.map(Some),
            None => Ok(None),
        }
    };
    stream::try_unfold(Some(start), next).boxed()
}

impl Zipping {
    /// The next bytes, and what comes then; `None` behind the last.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), registry::Error> {
        if let Some((content, crc)) = &mut self.open {
            if let Some(chunk) = content.try_next().await? {
                crc.update(&chunk);
                return Ok((chunk, Some(self)));
            }
            let end = self.zip.end(crc.sum());
            self.open = None;
            return Ok((end.into(), Some(self)));
        }
        let Some(((name, size), content)) = self.left.pop_front() else {
            return Ok((self.zip.finish().into(), None));
        };
        self.open = Some((content, Crc::new()));
        Ok((self.zip.begin(name, size).into(), Some(self)))
    }
}
