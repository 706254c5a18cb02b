//! Who of the replicas runs exports: the holder of a Lease, by the rules of client-go
//! (`k8s.io/client-go/tools/leaderelection`).
//!
//! Only our own monotonic clock counts. Times in the Lease are for people, so a clock that jumps or
//! is wrong changes nothing.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Error, LeaseRecord, Live};

/// How long others wait for a leader that is silent.
pub const DURATION: Duration = Duration::from_secs(15);

/// How long after its last renewal a leader stops by itself, well before others may begin.
pub const GIVE_UP: Duration = Duration::from_secs(10);

/// Between two looks, up to a fifth more, so that replicas do not ask in step.
pub const RENEW: Duration = Duration::from_secs(2);

/// Name of the Lease.
pub const LEASE: &str = "outhaul";

/// What a replica remembers of the Lease.
#[derive(Clone, Debug)]
pub struct Observed {
    me: String,
    /// The record as it was last seen to change, and when that was.
    seen: Option<(LeaseRecord, Instant)>,
    /// When the last renewal that succeeded was begun; `None`: we do not lead.
    renewed: Option<Instant>,
}

/// What a look at the Lease showed.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// There is none.
    Absent,
    /// It says this.
    Found(&'a LeaseRecord),
    /// The API server did not say.
    Failed,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Make the Lease.
    Create,
    /// Write it over this record: to take it, or to renew it.
    Write(LeaseRecord),
    /// Go on as it is, and look again.
    Wait,
    /// Lead no more.
    StepDown,
}

impl Observed {
    /// Of a replica that has seen nothing yet.
    pub fn new(me: impl Into<String>) -> Self {
        Self { me: me.into(), seen: None, renewed: None }
    }

    /// Whether this replica leads.
    pub fn leads(&self) -> bool {
        self.renewed.is_some()
    }

    /// Takes over what was seen at `now`.
    pub fn see(&mut self, record: &LeaseRecord, now: Instant) {
        if self.seen.as_ref().is_none_or(|(seen, _)| seen != record) {
            self.seen = Some((record.clone(), now));
        }
    }

    /// A write of ours that was begun at `begun` came through.
    pub fn won(&mut self, record: &LeaseRecord, begun: Instant) {
        self.see(record, begun);
        self.renewed = Some(begun);
    }

    /// This replica leads no more.
    pub fn lost(&mut self) {
        self.renewed = None;
    }

    /// When a leader has to have renewed; `None` for who does not lead.
    pub fn deadline(&self) -> Option<Instant> {
        self.renewed.map(|renewed| renewed + GIVE_UP)
    }

    /// The record to write over `over`.
    fn record(&self, over: &LeaseRecord, now: Timestamp) -> LeaseRecord {
        let mut record = LeaseRecord { renewed: Some(now), duration: DURATION, ..over.clone() };
        if over.holder != self.me {
            record.holder.clone_from(&self.me);
            record.acquired = Some(now);
            // What was never held does not change hands.
            record.transitions += u64::from(!over.version.is_empty());
        }
        record
    }
}

/// What a replica does that remembers `observed` and sees `look` at `now`. What it sees has been
/// taken over by [`Observed::see`].
pub fn decide(observed: &Observed, look: Look<'_>, now: Instant) -> Act {
    if observed.deadline().is_some_and(|deadline| now >= deadline) {
        return Act::StepDown;
    }
    let record = match look {
        Look::Failed => return Act::Wait,
        Look::Absent => return Act::Create,
        Look::Found(record) => record,
    };
    let unchanged_for = |(seen, since): &(LeaseRecord, Instant)| {
        if seen == record { now.saturating_duration_since(*since) } else { Duration::ZERO }
    };
    let silent = observed.seen.as_ref().map_or(Duration::ZERO, unchanged_for);
    let is_free = record.holder.is_empty() || record.holder == observed.me;
    if is_free || silent >= record.duration.max(DURATION) {
        return Act::Write(record.clone());
    }
    if observed.leads() { Act::StepDown } else { Act::Wait }
}

/// Takes part in the election.
#[derive(Debug)]
pub struct Election {
    live: Live,
    namespace: String,
    observed: Observed,
    leads: watch::Sender<bool>,
}

impl Election {
    /// One for the Lease [`LEASE`] in `namespace`, as `me`, which says in `leads` whether it leads.
    pub fn new(live: Live, namespace: String, me: String, leads: watch::Sender<bool>) -> Self {
        Self { live, namespace, observed: Observed::new(me), leads }
    }

    /// Until `stop`: whenever this replica leads, runs `work`, which has to end soon after the token
    /// that it is given is cancelled, and may end by itself only after `stop`. Then the Lease is
    /// given back. Never fails: what goes wrong with the Lease is logged, and tried again.
    pub async fn run<W>(mut self, stop: CancellationToken, work: impl Fn(CancellationToken) -> W)
    where
        W: Future<Output = ()>,
    {
        while stop.run_until_cancelled(self.acquire()).await.is_some() {
            tracing::info!("this replica leads");
            self.leads.send_replace(true);
            let lost = CancellationToken::new();
            let mut working = std::pin::pin!(work(lost.clone()));
            tokio::select! {
                () = &mut working => {}
                () = self.keep() => {
                    tracing::warn!("this replica leads no more");
                    lost.cancel();
                    working.await;
                }
            }
            self.leads.send_replace(false);
            self.release().await;
        }
    }

    /// Looks until this replica leads.
    async fn acquire(&mut self) {
        while !self.observed.leads() {
            self.round().await;
            if !self.observed.leads() {
                pause().await;
            }
        }
    }

    /// Renews as long as that succeeds. An API server that does not answer ends it in time.
    async fn keep(&mut self) {
        while let Some(deadline) = self.observed.deadline() {
            let round = async {
                pause().await;
                self.round().await;
            };
            if tokio::time::timeout_at(deadline.into(), round).await.is_err() {
                self.observed.lost();
            }
        }
    }

    /// Gives the Lease back, so that nobody has to wait for its end.
    async fn release(&mut self) {
        if !self.observed.leads() {
            return;
        }
        self.observed.lost();
        let seen = self.observed.seen.take();
        let Some((record, _)) = seen.filter(|(seen, _)| seen.holder == self.observed.me) else {
            return;
        };
        let free = LeaseRecord { holder: String::new(), ..record };
        let written = self.live.update_lease(&self.namespace, LEASE, &free);
        match tokio::time::timeout(RENEW, written).await {
            Ok(Ok(_)) => tracing::info!("the Lease is given back"),
            Ok(Err(error)) => tracing::warn!("the Lease is not given back: {error}"),
            Err(_) => tracing::warn!("the Lease is not given back: no answer"),
        }
    }

    async fn round(&mut self) {
        let begun = Instant::now();
        let found = self.live.lease(&self.namespace, LEASE).await;
        let look = match &found {
            Ok(Some(record)) => {
                self.observed.see(record, begun);
                Look::Found(record)
            }
            Ok(None) => Look::Absent,
            Err(error) => {
                tracing::warn!("the Lease cannot be read: {error}");
                Look::Failed
            }
        };
        match decide(&self.observed, look, Instant::now()) {
            Act::Wait => {}
            Act::StepDown => self.observed.lost(),
            Act::Create => self.write(&LeaseRecord::default()).await,
            Act::Write(over) => self.write(&over).await,
        }
    }

    async fn write(&mut self, over: &LeaseRecord) {
        let begun = Instant::now();
        let record = self.observed.record(over, Timestamp::now());
        let (live, namespace) = (&self.live, &self.namespace);
        let written: Result<Option<LeaseRecord>, Error> = match over.version.as_str() {
            "" => live.create_lease(namespace, LEASE, &record).await,
            _ => live.update_lease(namespace, LEASE, &record).await,
        };
        match written {
            Ok(Some(record)) => self.observed.won(&record, begun),
            Ok(None) => tracing::debug!("another replica was faster"),
            Err(error) => tracing::warn!("the Lease cannot be written: {error}"),
        }
    }
}

async fn pause() {
    tokio::time::sleep(RENEW + RENEW.mul_f64(fastrand::f64() / 5.0)).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn held(by: &str, version: u32) -> LeaseRecord {
        LeaseRecord {
            holder: by.into(),
            duration: DURATION,
            version: version.to_string(),
            ..LeaseRecord::default()
        }
    }

    #[test]
    fn the_lease_of_another_is_taken_only_after_it_was_silent_for_its_duration() {
        let start = Instant::now();
        let theirs = held("b", 1);
        let mut observed = Observed::new("a");
        observed.see(&theirs, start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(decide(&observed, Look::Found(&theirs), at(14)), Act::Wait);
        assert_eq!(decide(&observed, Look::Found(&theirs), at(15)), Act::Write(theirs.clone()));
        let renewed = held("b", 2);
        observed.see(&renewed, at(14));
        assert_eq!(decide(&observed, Look::Found(&renewed), at(28)), Act::Wait);
    }

    #[test]
    fn who_leads_renews_and_gives_up_in_time_or_when_another_has_it() {
        let start = Instant::now();
        let mut observed = Observed::new("a");
        assert_eq!(decide(&observed, Look::Absent, start), Act::Create);
        observed.won(&held("a", 1), start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(decide(&observed, Look::Failed, at(9)), Act::Wait);
        assert_eq!(decide(&observed, Look::Failed, at(10)), Act::StepDown);
        assert_eq!(decide(&observed, Look::Found(&held("a", 1)), at(9)), Act::Write(held("a", 1)));
        let theirs = held("b", 2);
        observed.see(&theirs, at(2));
        assert_eq!(decide(&observed, Look::Found(&theirs), at(2)), Act::StepDown);
    }

    #[test]
    fn what_is_given_back_is_taken_at_once_and_changes_hands() {
        let free = held("", 4);
        let mut observed = Observed::new("a");
        observed.see(&free, Instant::now());
        assert_eq!(decide(&observed, Look::Found(&free), Instant::now()), Act::Write(free.clone()));
        let now = Timestamp::now();
        let ours = observed.record(&free, now);
        assert_eq!((ours.holder.as_str(), ours.transitions, ours.acquired), ("a", 1, Some(now)));
        assert_eq!(observed.record(&ours, Timestamp::now()).acquired, Some(now));
    }

    proptest! {
        /// Two replicas on clocks of their own, an API server that now and then does not answer one
        /// of them: never do both lead.
        #[test]
        fn two_never_lead(
            rounds in prop::collection::vec((any::<bool>(), 0u64..6_000, prop::bool::weighted(0.7)), 1..200),
            skew in 0u64..1_000_000,
        ) {
            let epoch = Instant::now();
            let mut replicas = [Observed::new("a"), Observed::new("b")];
            let mut lease: Option<LeaseRecord> = None;
            let (mut elapsed, mut writes) = (0, 0);
            for (second, pause, answers) in rounds {
                elapsed += pause;
                let index = usize::from(second);
                let now = |of: usize| {
                    epoch + Duration::from_millis(elapsed + if of == 1 { skew } else { 0 })
                };
                // The other's own timer ends its leading whatever it hears.
                for of in [0, 1] {
                    if replicas[of].deadline().is_some_and(|deadline| now(of) >= deadline) {
                        replicas[of].lost();
                    }
                }
                let replica = &mut replicas[index];
                let look = match (&lease, answers) {
                    (_, false) => Look::Failed,
                    (None, true) => Look::Absent,
                    (Some(record), true) => {
                        replica.see(record, now(index));
                        Look::Found(record)
                    }
                };
                writes += 1;
                let write = match decide(replica, look, now(index)) {
                    Act::Create => Some(LeaseRecord::default()),
                    Act::Write(over) => Some(over),
                    Act::StepDown => { replica.lost(); None }
                    Act::Wait => None,
                };
                if let Some(over) = write {
                    let mut record = replica.record(&over, Timestamp::now());
                    record.version = writes.to_string();
                    replica.won(&record, now(index));
                    lease = Some(record);
                }
                prop_assert!(!(replicas[0].leads() && replicas[1].leads()));
            }
        }
    }
}
