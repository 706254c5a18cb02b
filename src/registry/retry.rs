//! Whether a request is sent again, and when. Pure but for the dice.
//!
//! Used for requests that are safe to repeat and have no streamed body; a cut blob is begun anew
//! by the copy engine.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::Error;
use super::transport::Cause;

/// What went wrong, as far as it decides about another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens. Quickly again, for a registry that is just starting, and not for long: a
    /// registry that is down must be reported within seconds.
    Refused,
    /// No connection came about in time, or the name is unknown.
    NoConnection,
    /// The connection broke, or no answer came.
    Broken,
    /// 408, 500, 502, 503, 504.
    Server,
    /// 429.
    Throttled,
}

/// How one fault is answered.
struct Policy {
    /// Requests in all, the first included.
    attempts: u32,
    /// Wait before the second; doubles from there.
    first: Duration,
    /// No further attempt when so much time has passed since the first.
    total: Duration,
}

/// Longest `Retry-After` that is waited for. Docker Hub's and GitHub's windows are minutes to
/// hours long, and then the answer to the user is worth more than the wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The wait before attempt number `attempt + 2`, or `None` when it is time to give up.
///
/// `attempt` counts from 0, `elapsed` is the time since the first request was sent, and
/// `retry_after` what the server asked for.
pub fn next(
    attempt: u32,
    fault: Fault,
    retry_after: Option<Duration>,
    elapsed: Duration,
) -> Option<Duration> {
    decide(attempt, fault, retry_after, elapsed, fastrand::f64())
}

/// The fault behind a status, if it is one that may pass.
pub fn of_status(status: u16) -> Option<Fault> {
    match status {
        429 => Some(Fault::Throttled),
        408 | 500 | 502 | 503 | 504 => Some(Fault::Server),
        _ => None,
    }
}

/// The fault behind a request that failed, if it is one that may pass.
pub(in crate::registry) fn fault(cause: Option<Cause>, error: &Error) -> Option<Fault> {
    match (cause, error) {
        (Some(Cause::Refused), _) => Some(Fault::Refused),
        (Some(Cause::NoConnection), _) => Some(Fault::NoConnection),
        (Some(Cause::Broken), _) => Some(Fault::Broken),
        (None, Error::Status { status, .. }) => of_status(*status),
        _ => None,
    }
}

/// Reads `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3).
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(value).ok()?.timestamp();
    let seconds = until.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn decide(
    attempt: u32,
    fault: Fault,
    retry_after: Option<Duration>,
    elapsed: Duration,
    dice: f64,
) -> Option<Duration> {
    let policy = fault.policy();
    if attempt + 1 >= policy.attempts || elapsed >= policy.total {
        return None;
    }
    // Half fixed, half random: clients that failed together do not come back together.
    let step = policy.first.saturating_mul(1 << attempt.min(16));
    let backoff = step.mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0);
    let wait = match retry_after {
        Some(asked) if asked > MAX_RETRY_AFTER => return None,
        Some(asked) => asked.max(Duration::ZERO) + backoff.min(policy.first),
        None => backoff,
    };
    (elapsed + wait <= policy.total).then_some(wait)
}

impl Fault {
    fn policy(self) -> Policy {
        let policy = |attempts, first, total| Policy {
            attempts,
            first: Duration::from_millis(first),
            total: Duration::from_secs(total),
        };
        match self {
            Self::Refused => policy(4, 200, 3),
            Self::NoConnection => policy(2, 250, 4),
            Self::Broken => policy(4, 250, 70),
            Self::Server => policy(5, 250, 70),
            Self::Throttled => policy(6, 1000, 120),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Fault; 5] =
        [Fault::Refused, Fault::NoConnection, Fault::Broken, Fault::Server, Fault::Throttled];

    #[test]
    fn a_registry_that_is_down_is_given_up_within_seconds() {
        let mut elapsed = Duration::ZERO;
        for attempt in 0.. {
            match decide(attempt, Fault::Refused, None, elapsed, 1.0) {
                Some(wait) => elapsed += wait,
                None => break,
            }
        }
        assert!(elapsed > Duration::from_millis(500) && elapsed < Duration::from_secs(3));
    }

    #[test]
    fn what_the_server_asks_for_is_waited_and_no_more_than_a_minute() {
        let wait = |seconds| {
            decide(0, Fault::Throttled, Some(Duration::from_secs(seconds)), Duration::ZERO, 0.5)
        };
        assert!(wait(7).unwrap() >= Duration::from_secs(7));
        assert!(wait(7).unwrap() <= Duration::from_secs(8));
        assert_eq!(wait(61), None);
        assert_eq!(decide(0, Fault::Throttled, None, Duration::from_secs(120), 0.0), None);
    }

    #[test]
    fn only_passing_faults_are_retried() {
        for status in [200, 301, 400, 401, 403, 404, 405, 413, 501] {
            assert_eq!(of_status(status), None);
        }
        let error = || Error::Unreachable { host: String::new(), reason: String::new() };
        assert_eq!(fault(Some(Cause::Certificate), &error()), None);
        assert_eq!(fault(Some(Cause::Handshake), &error()), None);
        assert_eq!(fault(None, &error()), None);
        assert_eq!(fault(Some(Cause::Broken), &error()), Some(Fault::Broken));
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now: Timestamp = "2015-10-21T07:27:30Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:20:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_policy_goes_on_for_ever(
            fault in prop::sample::select(&ALL),
            asked in prop::option::of(0u64..100),
            dice in 0.0f64..1.0,
        ) {
            let (mut elapsed, mut attempt) = (Duration::ZERO, 0);
            while let Some(wait) = decide(attempt, fault, asked.map(Duration::from_secs), elapsed, dice) {
                elapsed += wait;
                attempt += 1;
            }
            prop_assert!(attempt < 10 && elapsed <= fault.policy().total);
        }

        #[test]
        fn no_header_makes_it_panic(value in ".{0,40}") {
            let _ = retry_after(&value, Timestamp::UNIX_EPOCH);
        }
    }
}
