//! Lists that come in pages: tags and referrers.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use reqwest::{Method, header};
use serde::Deserialize;

use super::super::manifest::{MAX_MANIFEST_BYTES, OCI_INDEX};
use super::super::transport::stay;
use super::super::{
    Descriptor, Digest, Error, RepositoryName, Revision, Store as _, Tag, referrers,
};
use super::Registry;
use super::call::{Answer, Call, To};
use super::link;

/// The answer of `tags/list`.
#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

/// Tags asked for at once: what Docker Hub and Distribution give at most (`maxentries`).
const PAGE: usize = 1000;

/// Statuses of registries that have no such list. One that answers 404 is not told from one that has no
/// such repository.
const NO_LIST: [u16; 2] = [405, 501];

/// Largest page. Google's lists describe each manifest along with the tags, and some registries
/// send all tags whatever was asked for.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// Most tags of one repository. An export every five minutes for a year makes as many.
const MAX_TAGS: usize = 100_000;

/// Most pages of one list, for servers with small pages (Docker Hub's web pages have 100) and
/// against ones that lead in circles.
const MAX_PAGES: usize = 2000;

/// Most referrers of one manifest. Signatures and attestations, one set for each release of a
/// scanner, are tens; each costs a copy.
const MAX_REFERRERS: usize = 10_000;

impl Registry {
    pub(super) async fn list_tags(
        &self,
        repository: &RepositoryName,
    ) -> Result<Option<Vec<Tag>>, Error> {
        let mut tags = Vec::new();
        let mut call = Call::read(Method::GET, repository, &format!("tags/list?n={PAGE}"));
        for _ in 0..MAX_PAGES {
            let answer = self.exchange(&call).await?;
            if answer.is_not_found() {
                return Ok(None);
            }
            let status = answer.status().as_u16();
            if NO_LIST.contains(&status) {
                let (host, repository) = (self.host().to_string(), repository.clone());
                return Err(Error::NoTagList { host, repository, status });
            }
            if !answer.is_success() {
                return Err(answer.error(self).await);
            }
            let next = self.next_page(&answer)?;
            let bytes = answer.body(self.host().as_str(), "a list of tags", MAX_PAGE_BYTES).await?;
            let page: Page = serde_json::from_slice(&bytes).map_err(|error| {
                self.protocol(format!("its list of tags is malformed: {error}"))
            })?;
            // What is no tag by the specification cannot be asked for either.
            tags.extend(page.tags.unwrap_or_default().iter().filter_map(|tag| tag.parse().ok()));
            if tags.len() > MAX_TAGS {
                break;
            }
            match next {
                Some(next) => call.to = next,
                None => return Ok(Some(tags)),
            }
        }
        Err(self.protocol(format!(
            "{repository} has more than {MAX_TAGS} tags or {MAX_PAGES} pages of them"
        )))
    }

    /// By the API; by the fallback tag where that answers anything else than the list. A fault
    /// that may pass is an error: signatures must not go missing because of it. Once there was no list
    /// and something under the fallback tag, the API is not asked again.
    pub(super) async fn list_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        if !self.has_referrers_by_tag()
            && let Some(found) = self.ask_for_referrers(repository, subject).await?
        {
            return Ok(found);
        }
        self.referrers_by_tag(repository, subject).await
    }

    /// `None` where there is no such API.
    pub(super) async fn ask_for_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Option<Vec<Descriptor>>, Error> {
        let mut found = Vec::new();
        // GHCR redirects to a web page that then limits the rate (artifacthub/hub#4785).
        let read = Call::read(Method::GET, repository, &format!("referrers/{subject}"));
        let mut call = Call { follow: false, ..read }.header(header::ACCEPT, OCI_INDEX);
        for _ in 0..MAX_PAGES {
            let answer = self.exchange(&call).await?;
            match answer.status().as_u16() {
                200 => {}
                500.. => return Err(answer.error(self).await),
                _ => return Ok(None),
            }
            let next = self.next_page(&answer)?;
            let body = answer.body(self.host().as_str(), "a list of referrers", MAX_MANIFEST_BYTES);
            let Some(page) = self.parse_referrers(&body.await?)? else { return Ok(None) };
            found.extend(page);
            if found.len() > MAX_REFERRERS {
                break;
            }
            match next {
                Some(next) => call.to = next,
                None => return Ok(Some(found)),
            }
        }
        Err(self
            .protocol(format!("{repository}@{subject} has more than {MAX_REFERRERS} referrers")))
    }

    async fn referrers_by_tag(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let tag = Revision::Tag(referrers::fallback_tag(subject));
        let index = self.get_manifest(repository, &tag).await?;
        if index.is_some() {
            self.inner.referrers_by_tag.store(true, Ordering::Relaxed);
        }
        let bytes = index.map_or_else(Bytes::new, |index| index.bytes);
        Ok(self.parse_referrers(&bytes)?.unwrap_or_default())
    }

    fn parse_referrers(&self, bytes: &[u8]) -> Result<Option<Vec<Descriptor>>, Error> {
        referrers::parse(bytes)
            .map_err(|error| self.protocol(format!("its list of referrers is malformed: {error}")))
    }

    /// Where a list goes on; a page that leads to itself is none.
    pub(super) fn next_page(&self, answer: &Answer) -> Result<Option<To>, Error> {
        let Some(next) = link::next(answer.response.headers()) else { return Ok(None) };
        let from = answer.response.url();
        let next = stay(self.host().as_str(), from, &next, "a list")?;
        if next == *from {
            return Err(self.protocol("the next page of a list is the same page"));
        }
        Ok(Some(To::Url(next)))
    }
}
