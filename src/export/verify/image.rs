//! Where an image is: as the chart refers to it, or beside the chart.

use std::sync::Arc;

use super::{Check, State, content};
use crate::chart::Image;
use crate::export::relocate::images::beside;
use crate::export::{ChartReference, Error, Sources, Target};
use crate::registry::{Digest, Reference, RepositoryName, Store};

/// Looks for an image where the chart refers to it, and then beside the chart.
pub(super) async fn check(
    target: &Target,
    chart: &ChartReference,
    image: &Image,
    sources: &Sources,
    deep: bool,
) -> Check {
    let name = format!("image {}", image.key);
    let places = match places(target, chart, image, sources) {
        Ok(places) => places,
        Err(error) => return Check::new(&name, State::Differs, error.to_string()),
    };
    let mut last = Check::new(&name, State::Missing, format!("{} is nowhere", image.digest));
    for (place, is_address) in places {
        let Place { store, repository, digest, address } = place;
        match content::walk(store.as_ref(), &repository, &digest, deep).await {
            Ok(None) => {}
            Ok(Some(content)) => {
                let away = if is_address { String::new() } else { away(&last) };
                let detail = format!("{address}: {}{away}", content.summary());
                return Check::new(&name, content.state(), detail);
            }
            Err(error) => {
                last = Check::new(&name, State::Unknown, format!("{address}: {error}"));
            }
        }
    }
    last
}

/// What to say of an image beside the chart, by what was found where the chart refers to.
fn away(there: &Check) -> String {
    match there.state {
        State::Unknown => format!("; beside the chart, as {}", there.detail),
        _ => "; it is beside the chart and not where the chart refers to".to_owned(),
    }
}

/// A place where an image may be.
struct Place {
    store: Arc<dyn Store>,
    repository: RepositoryName,
    digest: Digest,
    address: String,
}

/// Where the chart refers to, and beside the chart.
fn places(
    target: &Target,
    chart: &ChartReference,
    image: &Image,
    sources: &Sources,
) -> Result<Vec<(Place, bool)>, Error> {
    let text = format!("{}/{}@{}", image.registry, image.repository, image.digest);
    let address: Reference = text.parse()?;
    let digest: Digest = image.digest.parse().map_err(|_| Error::NotAnExport {
        reference: chart.to_string(),
        reason: format!("`{}` is no digest", image.digest),
    })?;
    let here = beside(&chart.repository, &image.repository)?;
    let is_here = chart.host.as_ref() == Some(&address.host);
    let near = Place {
        store: Arc::clone(&target.store),
        address: target.address(&here),
        repository: here,
        digest: digest.clone(),
    };
    if is_here && near.repository == address.repository {
        return Ok(vec![(near, true)]);
    }
    let store = if is_here { Ok(Arc::clone(&target.store)) } else { sources.store(&address.host) };
    let store = store.map_err(|source| target.failed(source))?;
    let far = Place {
        store,
        address: format!("{}/{}", address.host, address.repository),
        repository: address.repository,
        digest,
    };
    Ok(vec![(far, true), (near, false)])
}
