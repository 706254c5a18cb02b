//! A stream of server-sent events, read from the bytes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::server::Server;

/// An open stream. Dropping it closes the connection.
pub(crate) struct Events {
    from: BufReader<TcpStream>,
    /// Status line and headers.
    pub(crate) head: String,
    text: String,
}

/// One event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<u64>,
    pub(crate) retry: Option<u64>,
    pub(crate) data: Value,
}

impl Events {
    /// `GET path` of a server without TLS, with what has been seen already.
    pub(crate) fn open(
        server: &Server,
        path: &str,
        authorization: &str,
        last: Option<u64>,
    ) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n{last}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let (mut from, mut head) = (BufReader::new(stream), String::new());
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(from.read_line(&mut head).unwrap(), 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        Self { from, head, text: String::new() }
    }

    /// The next event; `None` where the stream has ended. Comments are passed over.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if !block.starts_with(':') {
                    return Some(Event::of(&block));
                }
            }
            let chunk = self.chunk()?;
            self.text.push_str(&chunk);
        }
    }

    /// The next chunk of the body (RFC 9112, section 7.1).
    fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        self.from.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.from.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }
}

impl Event {
    fn of(block: &str) -> Self {
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        Self {
            name: field("event").unwrap().to_owned(),
            id: field("id").map(|id| id.parse().unwrap()),
            retry: field("retry").map(|time| time.parse().unwrap()),
            data: serde_json::from_str(field("data").unwrap()).unwrap(),
        }
    }
}
