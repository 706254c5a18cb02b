//! `_catalog`: every repository of a registry. It is Docker's; the specification of OCI has none, and
//! public registries do not answer it.

use reqwest::Method;
use serde::Deserialize;

use super::super::auth::Scopes;
use super::super::{Error, RepositoryName};
use super::Registry;
use super::call::{Call, To};

#[derive(Deserialize)]
struct Page {
    repositories: Option<Vec<String>>,
}

/// Repositories asked for at once, as Distribution gives at most by default (`catalog.maxentries`).
const PAGE: usize = 1000;

/// Largest page: a thousand names of 255 characters, and much room.
const MAX_PAGE_BYTES: usize = 4 << 20;

/// Most repositories of one registry: two for each application of a large company.
const MAX_REPOSITORIES: usize = 100_000;

/// Most pages, against servers that lead in circles.
const MAX_PAGES: usize = 2000;

impl Registry {
    /// Every repository; `None` where the registry has no such list, or does not show it to us.
    ///
    /// # Errors
    /// When it cannot be reached, or answers what is no list.
    pub async fn catalog(&self) -> Result<Option<Vec<RepositoryName>>, Error> {
        let mut all = Vec::new();
        let mut call = Call {
            to: To::Path(format!("_catalog?n={PAGE}")),
            scopes: Scopes::parse("registry:catalog:*"),
            method: Method::GET,
            ..Call::root()
        };
        for _ in 0..MAX_PAGES {
            let answer = match self.exchange(&call).await {
                Ok(answer) => answer,
                Err(Error::Unauthorized { .. } | Error::Forbidden { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            if answer.status().is_client_error() || answer.status().is_redirection() {
                return Ok(None);
            }
            if !answer.is_success() {
                return Err(answer.error(self).await);
            }
            let next = self.next_page(&answer)?;
            let host = self.host().as_str();
            let bytes = answer.body(host, "a list of repositories", MAX_PAGE_BYTES).await?;
            // A web page for people is no list.
            let Ok(page) = serde_json::from_slice::<Page>(&bytes) else { return Ok(None) };
            let names = page.repositories.unwrap_or_default();
            all.extend(names.iter().filter_map(|name| name.parse().ok()));
            if all.len() > MAX_REPOSITORIES {
                break;
            }
            match next {
                Some(next) => call.to = next,
                None => return Ok(Some(all)),
            }
        }
        Err(self.protocol(format!(
            "its list has more than {MAX_REPOSITORIES} repositories or {MAX_PAGES} pages of them"
        )))
    }
}
