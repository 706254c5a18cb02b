//! Applications and destinations as the server knows them.

use serde::Deserialize;
use serde_json::Value;

use super::answer::Refused;
use super::http::{Ask, Server};
use crate::app::{App, Candidate};
use crate::destination::Check;
use crate::error::{Code, Error, Exit};
use crate::export::diff::Diff;
use crate::export::prune::Pruned;

/// Most applications that are listed; a namespace has dozens.
const MOST: usize = 10_000;

/// A page of applications.
#[derive(Deserialize)]
struct Page {
    items: Vec<Candidate>,
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    unreadable: Vec<String>,
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Value>,
}

impl Server {
    /// The applications of a namespace.
    ///
    /// # Errors
    /// What the server says against it; kinds that it may not read, unless they are to be skipped.
    pub(crate) async fn apps(
        &self,
        namespace: &str,
        skip_unreadable: bool,
    ) -> Result<Vec<Candidate>, Error> {
        let path = ["v1", "namespaces", namespace, "apps"];
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        while all.len() < MOST {
            let next = cursor.as_deref().map(|cursor| ("cursor", cursor));
            let query: Vec<_> = [("limit", "500")].into_iter().chain(next).collect();
            let page: Page = self.get(&path, &query).await?;
            if !page.unreadable.is_empty() && !skip_unreadable {
                return Err(unreadable(&page.unreadable));
            }
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// One application.
    ///
    /// # Errors
    /// What the server says against it.
    pub(crate) async fn app(&self, namespace: &str, name: &str) -> Result<App, Error> {
        Ok(self.get(&["v1", "namespaces", namespace, "apps", name], &[]).await?)
    }

    /// What has changed since the version of a chart at a destination; `compared` says which.
    ///
    /// # Errors
    /// As [`Self::app`].
    pub(crate) async fn diff(
        &self,
        namespace: &str,
        name: &str,
        compared: &Value,
    ) -> Result<Diff, Error> {
        let path = ["v1", "namespaces", namespace, "apps", name, "diff"];
        let ask = Ask { path: &path, body: Some(compared), ..Ask::default() };
        Ok(self.post(&ask).await?.body)
    }

    /// What of an application's versions goes, or went; `wanted` says which and whether.
    ///
    /// # Errors
    /// As [`Self::app`].
    pub(crate) async fn prune(
        &self,
        namespace: &str,
        name: &str,
        wanted: &Value,
    ) -> Result<Pruned, Error> {
        let path = ["v1", "namespaces", namespace, "apps", name, "prune"];
        let ask = Ask { path: &path, body: Some(wanted), ..Ask::default() };
        Ok(self.post(&ask).await?.body)
    }

    /// What an export would do, as JSON, and why it would not be done, if it would not.
    ///
    /// # Errors
    /// As [`Self::app`], when there is no plan.
    pub(super) async fn plan(
        &self,
        namespace: &str,
        name: &str,
        asked: &Value,
    ) -> Result<(Value, Option<Error>), Error> {
        let path = ["v1", "namespaces", namespace, "apps", name, "plan"];
        let ask = Ask { path: &path, body: Some(asked), ..Ask::default() };
        match self.post(&ask).await {
            Ok(answer) => Ok((answer.body, None)),
            Err(Refused { plan: Some(plan), error, .. }) => Ok((plan, Some(error))),
            Err(refused) => Err(refused.error),
        }
    }

    /// The destinations, each as far as we may see it: whole, or its name. Who may export to it from
    /// `namespace` sees it whole.
    ///
    /// # Errors
    /// As [`Self::app`].
    pub(crate) async fn destinations(&self, namespace: Option<&str>) -> Result<Vec<Value>, Error> {
        let query: Vec<_> =
            namespace.map(|namespace| ("namespace", namespace)).into_iter().collect();
        let Items { items } = self.get(&["v1", "destinations"], &query).await?;
        Ok(items)
    }

    /// Whether a destination works, as the server finds it; `None` where we may not ask that.
    ///
    /// # Errors
    /// As [`Self::app`].
    pub(crate) async fn check(&self, destination: &str) -> Result<Option<Check>, Error> {
        let path = ["v1", "destinations", destination, "check"];
        let ask = Ask { path: &path, ..Ask::default() };
        match self.post(&ask).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(Refused { code: Some(Code::Forbidden), .. }) => Ok(None),
            Err(refused) => Err(refused.error),
        }
    }
}

fn unreadable(kinds: &[String]) -> Error {
    Error::Server {
        text: format!("the server may not list {}", kinds.join(", ")),
        hint: Some("its account needs the right; or go on without with `--skip-unreadable`".into()),
        exit: Exit::Cluster,
    }
}
