//! Server-sent events as they arrive (WHATWG HTML, section 9.2.6). Pure.

use std::time::Duration;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name.
    pub(super) name: String,
    /// What it says.
    pub(super) data: String,
}

/// What has arrived of a stream.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// The last byte ended a line by `\r`; a `\n` would belong to it.
    returned: bool,
    event: Event,
    /// Identity of the last event, where to go on after a break.
    last: Option<String>,
    retry: Option<Duration>,
}

/// An event is longer than anything that a server of ours sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Longest event: a state of an export has at most 32 KiB and what was asked for.
const MAX_EVENT: usize = 1 << 20;

impl Parser {
    /// For a stream that goes on where another one broke.
    pub(super) fn after(last: Option<String>) -> Self {
        Self { last, ..Self::default() }
    }

    /// Identity of the last event.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// How long the server asks to wait before coming again.
    pub(super) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Takes what has arrived, and gives the events that are whole now.
    ///
    /// # Errors
    /// When an event is too long.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_return = std::mem::take(&mut self.returned);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.returned = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.take(&String::from_utf8_lossy(&line)));
                }
                byte if self.line.len() + self.event.data.len() < MAX_EVENT => self.line.push(byte),
                _ => return Err(TooLong),
            }
        }
        Ok(events)
    }

    fn take(&mut self, line: &str) -> Option<Event> {
        let line = line.trim_start_matches('\u{feff}');
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                let between = if self.event.data.is_empty() { "" } else { "\n" };
                self.event.data.push_str(between);
                self.event.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.last = Some(value.to_owned()),
            "retry" => self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry),
            _ => {} // a comment, or what nobody knows yet
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = "\u{feff}: alive\n\nid: 7\nevent: export\ndata: {\"a\":\ndata: 1}\n\n\
                          event:gone\r\ndata:x\r\n\r\nretry: 2000\revent: reconnect\rdata: {}\r\r\
                          retry: soon\nid: 8\n\nevent: cut\ndata: not whole";

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_are_read_as_the_standard_has_them() {
        let mut parser = Parser::after(Some("6".into()));
        assert_eq!(parser.last(), Some("6"));
        let events = parser.push(STREAM.as_bytes()).unwrap();
        let wanted = [event("export", "{\"a\":\n1}"), event("gone", "x"), event("reconnect", "{}")];
        assert_eq!(events, wanted);
        assert_eq!((parser.last(), parser.retry()), (Some("8"), Some(Duration::from_secs(2))));
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(&vec![b'a'; MAX_EVENT]), Ok(Vec::new()));
        assert_eq!(parser.push(b"a"), Err(TooLong));
        let mut parser = Parser::default();
        let line = format!("data: {}\n", "a".repeat(MAX_EVENT / 2));
        assert!(parser.push(line.as_bytes()).is_ok());
        assert_eq!(parser.push(line.as_bytes()), Err(TooLong));
    }

    proptest! {
        #[test]
        fn where_it_is_cut_makes_no_difference(cuts in prop::collection::vec(0..STREAM.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let (mut whole, mut parts) = (Parser::default(), Parser::default());
            let all = whole.push(STREAM.as_bytes()).unwrap();
            let mut found = Vec::new();
            for cut in cuts.windows(2) {
                found.extend(parts.push(&STREAM.as_bytes()[cut[0]..cut[1]]).unwrap());
            }
            prop_assert_eq!(found, all);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parser::default().push(&bytes);
        }
    }
}
