//! What all watches have in common: how long one lasts, and how long to wait after a failure.

use std::time::Duration;

/// How long one watch lasts, in seconds; the next goes on where it ended. It has to be less than the
/// time after which our connections take silence for a fault (60 s).
pub(super) const WATCH_SECONDS: u32 = 50;

/// First pause after a failure; each further one is twice as long, with up to as much jitter, until
/// a watch has lasted.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest pause, without jitter: so late it may be seen that the cluster is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The pauses between watches that fail.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// How long to wait after a watch that failed when it had `lasted` so long.
    pub(super) fn after(&mut self, lasted: Duration) -> Duration {
        if lasted > LONGEST_PAUSE {
            self.0 = FIRST_PAUSE;
        }
        let pause = self.0;
        self.0 = LONGEST_PAUSE.min(pause * 2);
        jitter(pause)
    }
}

/// The pause, and up to as much again: many that failed together should not come back together.
pub(super) fn jitter(pause: Duration) -> Duration {
    pause + pause.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_watch_has_lasted() {
        let mut backoff = Backoff::new();
        let mut pause = |lasted| backoff.after(Duration::from_secs(lasted)).as_millis();
        assert!((250..=500).contains(&pause(0)));
        assert!((500..=1000).contains(&pause(0)));
        for _ in 0..9 {
            assert!(pause(1) <= 16_000);
        }
        assert!(pause(8) >= 8000);
        assert!((250..=500).contains(&pause(9)));
    }
}
