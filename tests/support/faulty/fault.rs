//! Faults: which request they hit, how often, and what they do to it.

use std::time::Duration;

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    method: String,
    path: String,
    /// Matching requests to let through before the first that it hits.
    skip: usize,
    /// How many it is still to hit.
    left: usize,
    pub(super) trouble: Trouble,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The request is answered with this status and nothing done. A 401 carries the challenge.
    Status(u16),
    /// As `Status`, with `Retry-After`: seconds, or a date.
    RetryAfter(u16, String),
    /// As `Status`, with a body that is no OCI error, such as a proxy's HTML page.
    Page(u16, String),
    /// The connection is dropped before anything is read or done.
    Drop,
    /// The connection is dropped after so many bytes of the request's body; an upload keeps them.
    DropUploadAfter(usize),
    /// The request is carried out, and the connection dropped instead of an answer.
    LoseAnswer,
    /// The connection is dropped after so many bytes of the answer's body.
    CutAfter(usize),
    /// The answer's body stops after so many bytes, and the connection stays.
    StallAfter(usize),
    /// The answer comes this much later.
    Slow(Duration),
    /// The answer's body has one byte wrong.
    WrongBytes,
    /// `Docker-Content-Digest` names something else.
    WrongDigest,
    /// A mount is answered with an upload session, as registries do that don't mount.
    RefuseMount,
    /// A redirect (307), and nothing done.
    Redirect(Place),
    /// The request is carried out, and its `Location` leads elsewhere.
    Location(Place),
}

/// Where a redirect or a `Location` leads.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// To the registry's other address, where the same path works.
    OtherHost,
    /// To exactly this.
    Url(String),
}

impl Fault {
    /// Hits the next request with this method whose path and query contain `path`, once.
    pub(crate) fn on(method: &str, path: &str, trouble: Trouble) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), skip: 0, left: 1, trouble }
    }

    /// Hits so many of them, in sequence.
    #[must_use]
    pub(crate) fn times(mut self, times: usize) -> Self {
        self.left = times;
        self
    }

    /// Lets so many of them through first.
    #[must_use]
    pub(crate) fn after(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Whether it hits this request, which uses it up.
    pub(super) fn fires(&mut self, method: &str, path: &str) -> bool {
        if self.left == 0 || self.method != method || !path.contains(&self.path) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left -= 1;
        true
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }
}
