//! A TCP proxy on the way to a server, which cuts connections when told to.

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
    is_over: AtomicBool,
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
            let left = &shared.to_lose;
            if bytes.starts_with(b"POST ")
                && left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                    .is_ok()
            {
                lost.store(true, Ordering::SeqCst);
            }
            true
        });
    });
    thread::spawn(move || carry(down.0, down.1, |_| !loses.load(Ordering::SeqCst)));
}

/// Carries what `may_pass` lets through, and cuts both sides at the end.
fn carry(mut from: TcpStream, mut to: TcpStream, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if !may_pass(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
