//! A TCP proxy on the way to a server, which cuts connections and holds requests back when told to.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// It. Dropping it cuts everything.
pub(crate) struct Proxy {
    address: String,
    way: Arc<Way>,
}

struct Way {
    to: String,
    open: Mutex<Vec<TcpStream>>,
    /// Whether nobody gets through.
    is_shut: AtomicBool,
    /// How many answers to a `POST` are still to be lost.
    to_lose: AtomicUsize,
    /// How many `DELETE` requests still get through.
    deletes: AtomicUsize,
    /// Whether one has come that does not.
    is_holding: AtomicBool,
    is_over: AtomicBool,
}

/// What becomes of bytes that came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passed,
    /// They are lost with all that follow, and the connection stays.
    Held,
    /// The connection is cut.
    Cut,
}

impl Proxy {
    /// On a free port of this machine, to `host:port`.
    pub(crate) fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let way = Arc::new(Way {
            to: address.to_owned(),
            open: Mutex::default(),
            is_shut: AtomicBool::new(false),
            to_lose: AtomicUsize::new(0),
            deletes: AtomicUsize::new(usize::MAX),
            is_holding: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let shared = Arc::clone(&way);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                if !shared.is_shut.load(Ordering::SeqCst) {
                    pass(&shared, client);
                }
            }
        });
        Self { address: own, way }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts what is open, and lets nobody through until [`Self::let_through`].
    pub(crate) fn shut(&self) {
        self.way.is_shut.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Cuts what is open.
    pub(crate) fn cut(&self) {
        for stream in self.way.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets everybody through again.
    pub(crate) fn let_through(&self) {
        self.way.is_shut.store(false, Ordering::SeqCst);
    }

    /// Loses the answers to the next so many `POST` requests, which get to the server.
    pub(crate) fn lose_answers(&self, number: usize) {
        self.way.to_lose.store(number, Ordering::SeqCst);
    }

    /// Lets the next so many `DELETE` requests through, and holds those back that follow: no answer comes,
    /// and the server never sees them. Requests are known by what a read begins with, as those of clients
    /// that send one after the other and no body do.
    pub(crate) fn hold_deletes_after(&self, number: usize) {
        self.way.deletes.store(number, Ordering::SeqCst);
        self.way.is_holding.store(false, Ordering::SeqCst);
    }

    /// Whether one is held back since [`Self::hold_deletes_after`].
    pub(crate) fn is_holding(&self) -> bool {
        self.way.is_holding.load(Ordering::SeqCst)
    }

    /// How many answers are still to be lost.
    pub(crate) fn left_to_lose(&self) -> usize {
        self.way.to_lose.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.way.is_over.store(true, Ordering::SeqCst);
        self.cut();
        let _ = TcpStream::connect(&self.address); // so that the listener sees it
    }
}

/// Carries bytes both ways until one side ends.
fn pass(way: &Arc<Way>, client: TcpStream) {
    let Ok(server) = TcpStream::connect(&way.to) else { return };
    let loses = Arc::new(AtomicBool::new(false));
    let ends = [&client, &server].map(|stream| stream.try_clone().unwrap());
    way.open.lock().unwrap().extend(ends.map(|stream| stream.try_clone().unwrap()));
    let (up, down) = ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
    let (shared, lost) = (Arc::clone(way), Arc::clone(&loses));
    thread::spawn(move || {
        carry(up.0, up.1, |bytes| {
            if bytes.starts_with(b"POST ") && is_one_of(&shared.to_lose) {
                lost.store(true, Ordering::SeqCst);
            }
            if bytes.starts_with(b"DELETE ") && !is_one_of(&shared.deletes) {
                shared.is_holding.store(true, Ordering::SeqCst);
                return Fate::Held;
            }
            Fate::Passed
        });
    });
    let fate = move || if loses.load(Ordering::SeqCst) { Fate::Cut } else { Fate::Passed };
    thread::spawn(move || carry(down.0, down.1, |_| fate()));
}

/// Takes one of what is left, if anything is.
fn is_one_of(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}

/// Carries bytes, by their fate, and cuts both sides at the end.
fn carry(mut from: TcpStream, mut to: TcpStream, mut fate: impl FnMut(&[u8]) -> Fate) {
    let mut buffer = [0; 16 << 10];
    let mut is_held = false;
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let fate = if is_held { Fate::Held } else { fate(&buffer[..read]) };
        is_held = fate == Fate::Held;
        if fate == Fate::Cut || (!is_held && to.write_all(&buffer[..read]).is_err()) {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
