//! How much is taken: requests a second of one caller, and requests at once of all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

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

/// The limits of one server.
pub(super) struct Limits {
    callers: Rate,
    at_once: Semaphore,
}

/// Requests a second by caller.
struct Rate {
    per_second: f64,
    buckets: Mutex<Buckets>,
}

struct Buckets {
    of: HashMap<IpAddr, Bucket>,
    swept: Instant,
}

/// What a caller has left, and when that was so.
struct Bucket {
    left: f64,
    at: Instant,
}

impl Limits {
    pub(super) fn new(per_second: u32) -> Self {
        Self { callers: Rate::new(per_second), at_once: Semaphore::new(MAX_AT_ONCE) }
    }
}

/// Refuses what is too much.
pub(super) async fn limit(
    State(state): State<Arc<state::State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(wait) = state.limits.callers.take(caller(peer.ip()), Instant::now()) {
        let detail = "you send more requests than are taken from one caller";
        return Problem::new(Code::RateLimited, detail).retry_after(wait).into_response();
    }
    let Ok(_permit) = state.limits.at_once.try_acquire() else {
        let detail = format!("{MAX_AT_ONCE} requests are answered already");
        return Problem::new(Code::Overloaded, detail).retry_after(SECOND).into_response();
    };
    next.run(request).await
}

const SECOND: Duration = Duration::from_secs(1);

/// Whoever has one address of IPv6 has a whole /64 of them.
fn caller(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !0 << 64).into(),
        v4 => v4,
    }
}

impl Rate {
    fn new(per_second: u32) -> Self {
        let buckets = Buckets { of: HashMap::new(), swept: Instant::now() };
        Self { per_second: f64::from(per_second), buckets: Mutex::new(buckets) }
    }

    /// Takes one request out of the caller's bucket, or says how long it takes to have one again.
    fn take(&self, caller: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.of.len() >= MAX_CALLERS && !buckets.of.contains_key(&caller) {
            self.sweep(&mut buckets, now);
            if buckets.of.len() >= MAX_CALLERS {
                return Err(SECOND);
            }
        }
        let full = Bucket { left: self.per_second * BURST, at: now };
        let bucket = buckets.of.entry(caller).or_insert(full);
        bucket.left = self.filled(bucket, now);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.left) / self.per_second));
        }
        bucket.left -= 1.0;
        Ok(())
    }

    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * self.per_second).min(self.per_second * BURST)
    }

    /// Forgets callers whose buckets are full again, once a second at most.
    fn sweep(&self, buckets: &mut Buckets, now: Instant) {
        if now.saturating_duration_since(buckets.swept) >= SECOND {
            buckets.swept = now;
            buckets.of.retain(|_, bucket| self.filled(bucket, now) < self.per_second * BURST);
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

    #[test]
    fn neighbours_in_ipv6_are_one_caller() {
        let of = |text: &str| caller(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
