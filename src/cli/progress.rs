//! Progress of a copy: one line that moves on a terminal, plain lines off it.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::registry::progress::How;
use crate::registry::{Digest, Event, Progress};

/// How often the line is drawn again: often enough to look alive.
const TICK: Duration = Duration::from_millis(120);

/// Draws the progress of the blobs of one command.
#[derive(Debug)]
pub(crate) struct Bars {
    bar: ProgressBar,
    lines: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    moving: HashMap<Digest, u64>,
    blobs: u64,
    reused: u64,
}

impl Bars {
    pub(crate) fn new(quiet: bool, terminal: bool) -> Self {
        let bar = ProgressBar::new(0);
        bar.set_draw_target(if quiet || !terminal {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        });
        let template = "{spinner} {bytes}/{total_bytes}  {bytes_per_sec}  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, lines: !quiet && !terminal, state: Mutex::default() }
    }

    /// Shows how far somebody else is.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.bar.enable_steady_tick(TICK);
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Removes the moving line.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, blob: &crate::registry::Descriptor, how: How) {
        if self.lines {
            let how = match how {
                How::Copied => "copied",
                How::Mounted => "mounted",
                How::Present => "present",
            };
            let line = format!("{how:<8} {} {:>12} bytes", blob.digest.short(), blob.size);
            let _ = writeln!(std::io::stderr(), "{line}"); // nobody may be listening
        }
    }
}

impl Progress for Bars {
    fn event(&self, event: Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::BlobStarted(blob) => {
                self.bar.enable_steady_tick(TICK);
                self.bar.inc_length(blob.size);
                state.moving.insert(blob.digest.clone(), 0);
            }
            Event::BlobBytes(digest, bytes) => {
                self.bar.inc(bytes);
                *state.moving.entry(digest.clone()).or_default() += bytes;
            }
            Event::BlobRestarted(digest) => {
                let void = state.moving.insert(digest.clone(), 0).unwrap_or_default();
                self.bar.dec(void);
            }
            Event::BlobDone(blob, how) => {
                state.moving.remove(&blob.digest);
                state.blobs += 1;
                state.reused += u64::from(how != How::Copied);
                self.bar.set_message(format!("{} layers, {} reused", state.blobs, state.reused));
                self.line(blob, how);
            }
            _ => {}
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.finish();
    }
}
