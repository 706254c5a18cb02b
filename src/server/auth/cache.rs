//! Answers of the API server, kept for a while: bounded, asked for once however many wait, and
//! known by a keyed hash, so that no token is kept and none can be tried out on what is.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::random_key;

/// What says how late it is. The clock of the machine may jump; this one may not.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// HMAC-SHA256 of what an answer is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key([u8; 32]);

/// An answer, and how long it stands.
pub(super) struct Answer<V> {
    pub(super) value: V,
    pub(super) life: Duration,
}

/// Answers by what they are about. Failures are shared by those that wait, and not kept.
pub(super) struct Cache<V, E> {
    hmac: Hmac<Sha256>,
    inner: Arc<Inner<V, E>>,
}

struct Inner<V, E> {
    clock: Clock,
    bound: usize,
    state: Mutex<State<V, E>>,
}

struct State<V, E> {
    known: HashMap<Key, (V, Instant)>,
    /// The same by when they end.
    ends: BTreeSet<(Instant, Key)>,
    asking: HashMap<Key, (u64, WeakShared<Flight<V, E>>)>,
    flights: u64,
}

type Flight<V, E> = BoxFuture<'static, Result<V, E>>;

/// Ends a flight, also one that everybody stopped waiting for.
struct Landing<V, E> {
    inner: Arc<Inner<V, E>>,
    key: Key,
    number: u64,
}

impl<V, E> Cache<V, E>
where
    V: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// An empty cache of at most `bound` answers, with a hash key of its own.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(super) fn new(bound: usize, clock: Clock) -> io::Result<Self> {
        let hmac = Hmac::new_from_slice(&random_key()?).map_err(io::Error::other)?;
        let inner = Inner { clock, bound, state: Mutex::default() };
        Ok(Self { hmac, inner: Arc::new(inner) })
    }

    /// What stands for `about` in this cache.
    pub(super) fn key(&self, about: &impl Hash) -> Key {
        let mut hasher = KeyedHasher(self.hmac.clone());
        about.hash(&mut hasher);
        Key(hasher.0.finalize().into_bytes().into())
    }

    /// The answer that is kept, or that of `ask`, or that of the `ask` that is under way. It goes on
    /// while anybody waits for it.
    pub(super) async fn get<F>(&self, key: Key, ask: impl FnOnce() -> F) -> Result<V, E>
    where
        F: Future<Output = Result<Answer<V>, E>> + Send + 'static,
    {
        let now = (self.inner.clock)();
        let flight = {
            let mut state = self.inner.lock();
            if let Some((value, _)) = state.known.get(&key).filter(|(_, end)| now < *end) {
                return Ok(value.clone());
            }
            match state.asking.get(&key).and_then(|(_, flight)| flight.upgrade()) {
                Some(flight) => flight,
                None => self.start(&mut state, key, ask()),
            }
        };
        flight.await
    }

    fn start<F>(&self, state: &mut State<V, E>, key: Key, asked: F) -> Shared<Flight<V, E>>
    where
        F: Future<Output = Result<Answer<V>, E>> + Send + 'static,
    {
        state.flights += 1;
        let number = state.flights;
        let landing = Landing { inner: Arc::clone(&self.inner), key, number };
        let flight = async move {
            let Answer { value, life } = asked.await?;
            landing.inner.keep(landing.key, value.clone(), life);
            Ok(value)
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            state.asking.insert(key, (number, weak));
        }
        flight
    }
}

impl<V, E> Inner<V, E> {
    fn lock(&self) -> MutexGuard<'_, State<V, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an answer; the oldest go for it.
    fn keep(&self, key: Key, value: V, life: Duration) {
        let now = (self.clock)();
        let mut state = self.lock();
        if let Some((_, end)) = state.known.remove(&key) {
            state.ends.remove(&(end, key));
        }
        while let Some(&(end, first)) = state.ends.first()
            && (end <= now || state.known.len() >= self.bound)
        {
            state.ends.remove(&(end, first));
            state.known.remove(&first);
        }
        if !life.is_zero() {
            state.ends.insert((now + life, key));
            state.known.insert(key, (value, now + life));
        }
    }
}

impl<V, E> Drop for Landing<V, E> {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        if state.asking.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            state.asking.remove(&self.key);
        }
    }
}

impl<V, E> Default for State<V, E> {
    fn default() -> Self {
        Self { known: HashMap::new(), ends: BTreeSet::new(), asking: HashMap::new(), flights: 0 }
    }
}

impl<V, E> fmt::Debug for Cache<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("known", &self.inner.lock().known.len())
            .finish_non_exhaustive()
    }
}

/// `Hash` writes lengths or ends between its parts, so that no two things look alike to it.
struct KeyedHasher(Hmac<Sha256>);

impl Hasher for KeyedHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(self.0.clone().finalize().into_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use tokio::sync::Notify;

    /// A clock that is set by hand.
    fn clock() -> (Clock, Arc<AtomicU64>) {
        let (start, seconds) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let read = Arc::clone(&seconds);
        let clock = move || start + Duration::from_secs(read.load(Ordering::SeqCst));
        (Arc::new(clock), seconds)
    }

    async fn ask(cache: &Cache<u32, ()>, about: &str, value: u32, life: u64) -> u32 {
        let answer = Answer { value, life: Duration::from_secs(life) };
        cache.get(cache.key(&about), || async { Ok(answer) }).await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_stands_for_its_life_and_no_longer() {
        let (clock, seconds) = clock();
        let cache = Cache::new(10, clock).unwrap();
        assert_eq!(ask(&cache, "a", 1, 30).await, 1);
        seconds.store(29, Ordering::SeqCst);
        assert_eq!(ask(&cache, "a", 2, 30).await, 1);
        assert_eq!(ask(&cache, "b", 3, 0).await, 3);
        assert_eq!(ask(&cache, "b", 4, 5).await, 4, "no life, nothing kept");
        seconds.store(30, Ordering::SeqCst);
        assert_eq!(ask(&cache, "a", 2, 30).await, 2);
    }

    #[tokio::test]
    async fn the_bound_holds_and_what_ends_first_goes_first() {
        let (clock, seconds) = clock();
        let cache = Cache::new(2, clock).unwrap();
        ask(&cache, "long", 1, 30).await;
        for other in ["a", "b", "c"] {
            ask(&cache, other, 2, 5).await;
        }
        assert_eq!(cache.inner.lock().known.len(), 2);
        assert_eq!(ask(&cache, "long", 9, 30).await, 1);
        seconds.store(5, Ordering::SeqCst);
        ask(&cache, "d", 2, 5).await;
        let state = cache.inner.lock();
        assert_eq!((state.known.len(), state.ends.len(), state.asking.len()), (2, 2, 0));
    }

    #[tokio::test]
    async fn many_wait_and_one_asks() {
        let cache: Cache<u32, ()> = Cache::new(10, clock().0).unwrap();
        let (asked, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let one = || {
            let (asked, gate) = (Arc::clone(&asked), Arc::clone(&gate));
            cache.get(cache.key(&"a"), move || async move {
                asked.fetch_add(1, Ordering::SeqCst);
                gate.notified().await;
                Ok(Answer { value: 7, life: Duration::from_secs(1) })
            })
        };
        // The first to ask goes away; the others get their answer all the same.
        let mut first = Box::pin(one());
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut others = Box::pin(futures_util::future::join_all((0..50).map(|_| one())));
        assert!(futures_util::poll!(&mut others).is_pending());
        drop(first);
        gate.notify_one();
        assert_eq!(others.await, vec![Ok(7); 50]);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failure_is_shared_and_not_kept() {
        let cache: Cache<u32, &str> = Cache::new(10, clock().0).unwrap();
        let key = cache.key(&"a");
        assert_eq!(cache.get(key, || async { Err("away") }).await, Err("away"));
        let answer = || async { Ok(Answer { value: 1, life: Duration::from_secs(1) }) };
        assert_eq!(cache.get(key, answer).await, Ok(1));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_leaves_nothing() {
        let cache: Cache<u32, ()> = Cache::new(10, clock().0).unwrap();
        let key = cache.key(&"a");
        let mut waiting = Box::pin(cache.get(key, std::future::pending));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(waiting);
        assert_eq!(cache.inner.lock().asking.len(), 0);
        assert_eq!(ask(&cache, "a", 1, 1).await, 1);
    }

    #[test]
    fn keys_tell_parts_apart_and_are_of_one_cache() {
        let cache: Cache<u32, ()> = Cache::new(1, clock().0).unwrap();
        let other: Cache<u32, ()> = Cache::new(1, clock().0).unwrap();
        assert!(cache.key(&("a", "bc")) == cache.key(&("a", "bc")));
        assert!(cache.key(&("a", "bc")) != cache.key(&("ab", "c")));
        assert!(cache.key(&vec!["a", "b"]) != cache.key(&vec!["ab"]));
        assert!(cache.key(&"a") != other.key(&"a"));
    }
}
