//! Blobs: each digest once, verified on the way, started anew when cut.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, TryStreamExt as _};

use super::deliver::Call;
use super::opening::{Opening, Reporter};
use super::{CopyError, Side};
use crate::registry::progress::How;
use crate::registry::retry::{self, Fault};
use crate::registry::{Descriptor, Event, Pushed, RepositoryName};

/// How a blob is to be brought to the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A manifest at the destination vouches for it.
    Vouched,
    /// Ask, then mount or send.
    Ask,
    /// The destination said that it has it and then that it has not: send it.
    Send,
}

/// Sums over the blobs of a copy.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) copied: u64,
    pub(super) mounted: u64,
    pub(super) present: u64,
    pub(super) blobs: u64,
}

impl Tally {
    pub(super) fn add(&mut self, size: u64, how: How) {
        self.blobs += 1;
        match how {
            How::Copied => self.copied += size,
            How::Mounted => self.mounted += size,
            How::Present => self.present += size,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.copied += other.copied;
        self.mounted += other.mounted;
        self.present += other.present;
        self.blobs += other.blobs;
    }
}

impl Call<'_> {
    /// Brings all blobs to the destination, as many at once as there are permits.
    pub(super) async fn send_blobs(
        &self,
        blobs: impl IntoIterator<Item = (&Descriptor, Need)>,
    ) -> Result<Tally, CopyError> {
        let mut transfers: FuturesUnordered<_> =
            blobs.into_iter().map(|(blob, need)| self.send(blob, need)).collect();
        let mut tally = Tally::default();
        while let Some((size, how)) = transfers.try_next().await? {
            tally.add(size, how);
        }
        Ok(tally)
    }

    /// Waits first for others that are busy with the digest and only then for a permit: whoever
    /// has a permit waits for nobody.
    async fn send(&self, blob: &Descriptor, need: Need) -> Result<(u64, How), CopyError> {
        let mut holders = self.copier.flights.board(&blob.digest).await;
        let known = need != Need::Send && holders.contains(self.repository);
        let how = if known || need == Need::Vouched {
            How::Present
        } else {
            let _permit = self.permit().await;
            self.bring(blob, need, holders.first()).await?
        };
        if !holders.contains(self.repository) {
            holders.push(self.repository.clone());
        }
        self.progress.event(Event::BlobDone(blob, how));
        Ok((blob.size, how))
    }

    async fn bring(
        &self,
        blob: &Descriptor,
        need: Need,
        holder: Option<&RepositoryName>,
    ) -> Result<How, CopyError> {
        if need == Need::Send {
            return self.push(blob, None).await;
        }
        let present = self.copier.destination.has_blob(self.repository, blob).await;
        if present.map_err(Side::Destination.at(self.name_blob(blob)))? {
            return Ok(How::Present);
        }
        let here = self.source.store.name() == self.copier.destination.name();
        let own =
            (here && self.source.repository != *self.repository).then_some(&self.source.repository);
        self.push(blob, holder.or(own)).await
    }

    /// Sends the blob, from its beginning each time the transfer is cut. What failed before bytes
    /// could flow has been tried often enough: stores repeat such requests themselves.
    async fn push(
        &self,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
    ) -> Result<How, CopyError> {
        let opening = Opening::new(self.source, blob);
        let mut reporter = Reporter::new(self.progress, &opening);
        let mut mount_from = mount_from;
        let mut attempt = 0;
        loop {
            let streams = opening.streams();
            let push =
                self.copier.destination.push_blob(self.repository, blob, mount_from, &opening);
            let error = match reporter.follow(push).await {
                Ok(Pushed::Written) => return Ok(How::Copied),
                Ok(Pushed::Mounted) => return Ok(How::Mounted),
                Err(error) => opening.blame(error, self.name_blob(blob)),
            };
            let cut = opening.streams() > streams && error.source.is_transient();
            // How long the blob took so far says nothing about whether it is worth more.
            let pause = retry::next(attempt, Fault::Broken, None, Duration::ZERO);
            let Some(pause) = pause.filter(|_| cut) else { return Err(error) };
            tracing::debug!(error = %error.source, blob.digest = %blob.digest, "starts a blob anew");
            tokio::time::sleep(pause).await;
            mount_from = None;
            attempt += 1;
        }
    }

    pub(super) fn name_blob(&self, blob: &Descriptor) -> String {
        format!("blob {} of {}", blob.digest, self.source.repository)
    }
}
