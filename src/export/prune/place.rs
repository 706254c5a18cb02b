//! Where is pruned, and the steps that both phases take there.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::SignedDuration;

use super::plan::AT_ONCE;
use crate::export::{Error, Target};
use crate::registry::{
    Deleted, Digest, Manifest, RepositoryName, Revision, Store, Tag, quirks, referrers,
};

/// A chart repository at a target, and what deletes there.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Where the charts are.
    pub target: &'a Target,
    /// The same registry with credentials that may delete.
    pub deleting: &'a dyn Store,
    /// The chart repository.
    pub charts: &'a RepositoryName,
    /// How long images stay after their last chart: [`GRACE`](super::GRACE), unless somebody knows better.
    pub grace: SignedDuration,
}

impl<'a> Place<'a> {
    pub(super) fn store(&self) -> &'a dyn Store {
        self.target.store.as_ref()
    }

    /// `None` where the repository is not known.
    pub(super) async fn tags(
        &self,
        repository: &RepositoryName,
    ) -> Result<Option<BTreeSet<Tag>>, Error> {
        let tags =
            self.store().tags(repository).await.map_err(|source| self.target.failed(source))?;
        Ok(tags.map(|tags| tags.into_iter().collect()))
    }

    pub(super) async fn digest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Digest>, Error> {
        let digest = self.store().manifest_digest(repository, revision).await;
        digest.map_err(|source| self.target.failed(source))
    }

    pub(super) async fn manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Manifest>, Error> {
        let manifest = self.store().manifest(repository, revision).await;
        manifest.map_err(|source| self.target.failed(source))
    }

    /// The manifests of these revisions, without those that are not there, some at once.
    pub(super) async fn manifests(
        &self,
        repository: &RepositoryName,
        revisions: impl IntoIterator<Item = Revision>,
    ) -> Result<Vec<(Revision, Manifest)>, Error> {
        let reading = revisions.into_iter().map(|revision| async move {
            let read = self.manifest(repository, &revision).await?;
            Ok::<_, Error>(read.map(|manifest| (revision, manifest)))
        });
        let read: Vec<_> =
            stream::iter(reading.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    pub(super) async fn delete(
        &self,
        repository: &RepositoryName,
        revision: impl Into<Revision>,
    ) -> Result<Deleted, Error> {
        let deleted = self.deleting.delete(repository, &revision.into()).await;
        deleted.map_err(|source| self.target.failed(source))
    }

    /// Deletes what refers to a manifest: signatures, reports, and the tags that list them, of which
    /// `tags` says whether they are there.
    pub(super) async fn delete_attached(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        tags: &BTreeSet<Tag>,
    ) -> Result<(), Error> {
        let listed = self.store().referrers(repository, subject).await;
        for referrer in listed.map_err(|source| self.target.failed(source))? {
            self.delete(repository, referrer.digest).await?;
        }
        let lists = std::iter::once(referrers::fallback_tag(subject));
        for tag in lists.chain(referrers::cosign_tags(subject)).filter(|tag| tags.contains(tag)) {
            let on = self.digest(repository, &Revision::Tag(tag.clone())).await?;
            // By digest first: a list without its tag would be found by nobody. Some want it the
            // other way round.
            let Some(on) = on else { continue };
            let listed = self.delete(repository, on.clone()).await?;
            self.delete(repository, tag).await?;
            if !listed.is_gone() {
                self.delete(repository, on).await?;
            }
        }
        Ok(())
    }

    /// Why something is still there, with the registry's own way if it has another.
    pub(super) fn refusal(&self, repository: &RepositoryName, reason: &str) -> String {
        let hint = self.target.host().and_then(|host| quirks::deletion_hint(host, repository));
        hint.map_or_else(|| reason.to_owned(), |hint| format!("{reason}; {hint}"))
    }
}
