//! The clock by which runs are due, versions are taken and become too old, which a test may set. Nothing that a user can give sets it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<watch::Receiver<Timestamp>>);

impl Clock {
    /// One that stands where `time` says, and goes on when that does.
    pub fn standing(time: watch::Receiver<Timestamp>) -> Self {
        Self(Some(time))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.as_ref().map_or_else(Timestamp::now, |time| *time.borrow())
    }

    /// Waits until `at`, at most for `most`.
    pub(super) async fn wait(&mut self, at: Option<Timestamp>, most: Duration) {
        let left = |now: Timestamp| at.map(|at| at.duration_since(now));
        let pause = match left(self.now()).map(Duration::try_from) {
            Some(Ok(pause)) => pause.min(most),
            Some(Err(_)) => Duration::ZERO, // it is over
            None => most,
        };
        match &mut self.0 {
            None => sleep(pause).await,
            Some(_) if pause.is_zero() => {}
            Some(time) => {
                let _ = tokio::time::timeout(most, time.changed()).await;
            }
        }
    }
}
