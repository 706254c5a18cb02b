//! How much is taken: requests a second of one caller, and requests at once of all.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use super::state;
use crate::error::Code;

/// Requests that are answered at once. What waits for a cluster or a registry costs little but its
/// memory; beyond this many, waiting is better done by the callers.
const MAX_AT_ONCE: usize = 256;

/// Callers that are remembered: more are told to come back. One is forgotten when its bucket is full
/// again, which takes two seconds without a request.
const MAX_CALLERS: usize = 10_000;

/// How many seconds of its rate a caller may use up at once.
const BURST: f64 = 2.0;

/// Wrong passwords for one user from one address, at once and then in a minute: enough for somebody
/// who has forgotten which it was, and too few to guess.
const MAX_FAILURES: f64 = 5.0;

/// Namespaces that are read at once: one of a few thousand objects takes some 100 MiB until it is
/// told.
const MAX_READS: usize = 4;

/// Requests that wait for the end of an export, each for minutes: they must leave room for others.
const MAX_WAITS: usize = 64;

/// Destinations that are looked at once, each for up to 20 s.
const MAX_CHECKS: usize = 4;

/// Exports that are watched at once. Each has a connection, and some 30 KiB with its buffers.
const MAX_STREAMS: usize = 1024;

/// Of them by one caller: more than a browser opens, and enough for a team's screen.
const MAX_STREAMS_OF_ONE: usize = 16;

/// Requests and websockets that are with Epinio's own server at once. Each has two connections and
/// their buffers, and may last for hours; a page of its UI has one or two.
const MAX_PASSED: usize = 512;
/// Images that are downloaded at once. Each is a stream from a registry with some 100 KiB of buffers;
/// as many fill the link of a node several times over.
const MAX_DOWNLOADS: usize = 16;

/// Of them by one caller, who else could keep all others out by reading slowly.
const MAX_DOWNLOADS_OF_ONE: usize = 4;

/// The limits of one server.
pub(super) struct Limits {
    /// Of those who are known, by name.
    pub(super) users: Rate<String>,
    /// Of those who are not, by address: who is known may come through a proxy with many others.
    pub(super) strangers: Rate<IpAddr>,
    /// Wrong passwords, by user and address: so nobody can lock out a user who comes from elsewhere.
    pub(super) failures: Rate<(String, IpAddr)>,
    pub(super) reads: Arc<Semaphore>,
    pub(super) checks: Semaphore,
    /// Exports that are watched.
    pub(super) streams: Arc<Streams>,
    /// Images that are downloaded.
    pub(super) downloads: Arc<Streams>,
    pub(super) waits: Semaphore,
    passed: Arc<Semaphore>,
    at_once: Semaphore,
}

/// Who has answers open that last.
pub(super) struct Streams {
    most: usize,
    most_of_one: usize,
    /// How many, by caller.
    open: Mutex<HashMap<String, usize>>,
}

/// Room for one such answer, until it is dropped.
pub(super) struct Stream {
    streams: Arc<Streams>,
    caller: String,
}

/// Why there is no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The caller has all that one gets.
    Caller,
    /// All callers together have all that there is.
    All,
}

/// Requests a second by caller.
pub(super) struct Rate<K> {
    per_second: f64,
    /// What a caller may use up at once.
    most: f64,
    buckets: Mutex<Buckets<K>>,
}

struct Buckets<K> {
    of: HashMap<K, Bucket>,
    swept: Instant,
}

/// What a caller has left, and when that was so.
struct Bucket {
    left: f64,
    at: Instant,
}

impl Limits {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            users: Rate::new(per_second),
            strangers: Rate::new(per_second),
            failures: Rate::of(MAX_FAILURES / 60.0, MAX_FAILURES),
            reads: Arc::new(Semaphore::new(MAX_READS)),
            checks: Semaphore::new(MAX_CHECKS),
            streams: Arc::new(Streams::new(MAX_STREAMS, MAX_STREAMS_OF_ONE)),
            downloads: Arc::new(Streams::new(MAX_DOWNLOADS, MAX_DOWNLOADS_OF_ONE)),
            waits: Semaphore::new(MAX_WAITS),
            passed: Arc::new(Semaphore::new(MAX_PASSED)),
            at_once: Semaphore::new(MAX_AT_ONCE),
        }
    }

    /// Room for one request with Epinio's own server, until it is dropped.
    ///
    /// # Errors
    /// When all that there is, is taken.
    pub(super) fn passed(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let taken = Arc::clone(&self.passed).try_acquire_owned();
        taken.map_err(|_| Problem::overloaded(format!("{MAX_PASSED} requests are passed already")))
    }
}

impl Streams {
    /// For so many in all, and of one caller.
    pub(super) fn new(most: usize, most_of_one: usize) -> Self {
        Self { most, most_of_one, open: Mutex::default() }
    }

    /// Room for `caller` to have one more.
    pub(super) fn take(self: &Arc<Self>, caller: &str) -> Result<Stream, NoRoom> {
        let mut of = self.of();
        if of.get(caller).is_some_and(|own| *own >= self.most_of_one) {
            return Err(NoRoom::Caller);
        }
        if of.values().sum::<usize>() >= self.most {
            return Err(NoRoom::All);
        }
        *of.entry(caller.to_owned()).or_default() += 1;
        Ok(Stream { streams: Arc::clone(self), caller: caller.to_owned() })
    }

    /// Whether nobody watches.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.of().is_empty()
    }

    fn of(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut of = self.streams.of();
        match of.get_mut(&self.caller) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(of.remove(&self.caller)),
        }
    }
}

impl From<NoRoom> for Problem {
    fn from(why: NoRoom) -> Self {
        let problem = match why {
            NoRoom::Caller => {
                let detail = format!("you watch {MAX_STREAMS_OF_ONE} exports already");
                Self::new(Code::RateLimited, detail)
            }
            NoRoom::All => {
                let detail = format!("{MAX_STREAMS} exports are watched already");
                Self::new(Code::StreamsExhausted, detail)
            }
        };
        problem.retry_after(Duration::from_secs(10))
    }
}

/// Refuses what is too much of all callers together.
pub(super) async fn at_once(
    State(state): State<Arc<state::State>>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(_permit) = state.limits.at_once.try_acquire() else {
        return Problem::overloaded(format!("{MAX_AT_ONCE} requests are answered already"))
            .into_response();
    };
    next.run(request).await
}

/// Refuses what is too much of a caller who is not known.
pub(super) async fn strangers(
    State(state): State<Arc<state::State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match state.limits.strangers.take(place(peer.ip()), Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(wait) => Problem::too_often(wait).into_response(),
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Whoever has one address of IPv6 has a whole /64 of them.
pub(super) fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !0 << 64).into(),
        v4 => v4,
    }
}

impl<K: Eq + Hash> Rate<K> {
    fn new(per_second: u32) -> Self {
        Self::of(f64::from(per_second), f64::from(per_second) * BURST)
    }

    fn of(per_second: f64, most: f64) -> Self {
        let buckets = Buckets { of: HashMap::new(), swept: Instant::now() };
        Self { per_second, most, buckets: Mutex::new(buckets) }
    }

    /// Whether the caller has used up what it has, and how long until it has some again.
    pub(super) fn is_spent(&self, caller: &K, now: Instant) -> Result<(), Duration> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.of.get(caller).map_or(Ok(()), |bucket| self.enough(self.filled(bucket, now)))
    }

    fn enough(&self, left: f64) -> Result<(), Duration> {
        if left >= 1.0 {
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - left) / self.per_second))
    }

    /// Takes one request out of the caller's bucket, or says how long it takes to have one again.
    pub(super) fn take(&self, caller: K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.of.len() >= MAX_CALLERS && !buckets.of.contains_key(&caller) {
            self.sweep(&mut buckets, now);
            if buckets.of.len() >= MAX_CALLERS {
                return Err(SECOND);
            }
        }
        let full = Bucket { left: self.most, at: now };
        let bucket = buckets.of.entry(caller).or_insert(full);
        bucket.left = self.filled(bucket, now);
        bucket.at = now;
        self.enough(bucket.left)?;
        bucket.left -= 1.0;
        Ok(())
    }

    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.per_second).min(self.most)
    }

    /// Forgets callers whose buckets are full again, once a second at most.
    fn sweep(&self, buckets: &mut Buckets<K>, now: Instant) {
        if now.saturating_duration_since(buckets.swept) >= SECOND {
            buckets.swept = now;
            buckets.of.retain(|_, bucket| self.filled(bucket, now) < self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> IpAddr {
        Ipv6Addr::from_bits((number as u128) << 64).into()
    }

    #[test]
    fn a_caller_gets_its_rate_and_others_do_not_notice() {
        let (rate, start) = (Rate::new(2), Instant::now());
        let take = |caller, ms| rate.take(address(caller), start + Duration::from_millis(ms));
        for _ in 0..4 {
            take(1, 0).unwrap();
        }
        assert_eq!(take(1, 0), Err(Duration::from_millis(500)));
        take(2, 0).unwrap();
        assert_eq!(take(1, 400), Err(Duration::from_millis(100)));
        take(1, 500).unwrap();
        take(1, 500).unwrap_err();
    }

    #[test]
    fn callers_are_forgotten_before_there_are_too_many() {
        let (rate, start) = (Rate::new(2), Instant::now());
        let take =
            |caller, seconds| rate.take(address(caller), start + Duration::from_secs(seconds));
        for caller in 0..MAX_CALLERS {
            take(caller, 0).unwrap();
        }
        take(MAX_CALLERS, 0).unwrap_err();
        take(5, 0).unwrap();
        take(MAX_CALLERS, 2).unwrap();
        assert_eq!(rate.buckets.lock().unwrap().of.len(), 1);
    }

    /// Ten thousand who want to watch are refused but for the first thousand, and who goes makes room.
    #[test]
    fn no_more_watch_than_there_is_room_for() {
        let streams = Arc::new(Streams::new(MAX_STREAMS, MAX_STREAMS_OF_ONE));
        let mut own: Vec<Stream> = (0..16).map(|_| streams.take("alice").ok().unwrap()).collect();
        assert_eq!(streams.take("alice").err(), Some(NoRoom::Caller));
        let take = |number: usize| streams.take(&format!("user-{}", number / 16)).ok();
        let others: Vec<Stream> = (0..10_000).filter_map(take).collect();
        assert_eq!(others.len(), 1024 - 16);
        assert_eq!(streams.take("bob").err(), Some(NoRoom::All));
        drop(own.pop());
        let bob = streams.take("bob").ok().unwrap();
        drop((own, others, bob));
        assert!(streams.is_empty());
    }

    #[test]
    fn who_finds_no_room_is_told_whose_it_is_and_when_to_come_back() {
        for (why, code) in
            [(NoRoom::Caller, Code::RateLimited), (NoRoom::All, Code::StreamsExhausted)]
        {
            let (found, _, _, retry_after) = Problem::from(why).into_parts();
            assert_eq!((found, retry_after), (code, Some(Duration::from_secs(10))));
        }
    }

    #[test]
    fn neighbours_in_ipv6_are_one_caller() {
        let of = |text: &str| place(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
