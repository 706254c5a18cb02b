//! `/v1/destinations`: where exports may go. Read anew at each request, so that what is added,
//! changed or removed shows at once.

use std::sync::Arc;

use axum::extract::Path;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Asked;
use super::query::Query;
use crate::destination::{self, Check, Destination, select};
use crate::error::{Code, Error};
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::Right;
use crate::server::json::Json;
use crate::server::problem::Problem;
use crate::server::state::State;

/// What may be asked of the list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Says of each destination whether applications of this namespace may be exported to it.
    namespace: Option<String>,
}

/// The destinations.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DestinationList")]
pub(super) struct List {
    /// In order of name.
    items: Vec<Item>,
}

/// One destination, as far as the caller may see it.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "DestinationItem")]
enum Item {
    /// Who may use or see it sees all of it but its credentials.
    Whole(Box<Seen>),
    /// Who may do nothing with it sees what it is called.
    Name {
        /// Its name.
        name: String,
        /// What its owner says of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Whether the caller may export to it from the namespace in question.
        #[serde(skip_serializing_if = "Option::is_none")]
        usable: Option<bool>,
    },
}

/// A destination, without its credentials.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Destination")]
pub(super) struct Seen {
    #[serde(flatten)]
    destination: Destination,
    /// Whether the caller may export to it from the namespace in question.
    #[serde(skip_serializing_if = "Option::is_none")]
    usable: Option<bool>,
}

/// `GET /v1/destinations`
pub(super) async fn list(asked: Asked, wanted: Query<Wanted>) -> Result<Json<List>, Problem> {
    let known = known(&asked.state).await?;
    let namespace = wanted.0.namespace.as_deref();
    let items = known.into_iter().map(|destination| item(&asked, destination, namespace));
    Ok(Json(List { items: try_join_all(items).await? }))
}

/// `GET /v1/destinations/{name}`
pub(super) async fn one(asked: Asked, Path(name): Path<String>) -> Result<Json<Seen>, Problem> {
    let about = About { destination: Some(&name), ..About::default() };
    asked.need(&Right::SeeDestination { name: name.clone() }, Event::Read, about).await?;
    let destination = find(&asked.state, &name).await?;
    Ok(Json(Seen { destination, usable: None }))
}

/// `POST /v1/destinations/{name}/check`
pub(super) async fn check(asked: Asked, Path(name): Path<String>) -> Result<Json<Check>, Problem> {
    let about = About { destination: Some(&name), ..About::default() };
    let event = Event::DestinationCheck;
    asked.need(&Right::SeeDestination { name: name.clone() }, event, about).await?;
    let Ok(_turn) = asked.state.limits.checks.try_acquire() else {
        return Err(Problem::overloaded("as many destinations are checked as are at once"));
    };
    asked.sender.audit(event, about, Decision::Allow, None);
    let destination = find(&asked.state, &name).await?;
    Ok(Json(destination::check(&destination).await))
}

async fn item(
    asked: &Asked,
    destination: Destination,
    namespace: Option<&str>,
) -> Result<Item, Problem> {
    let usable = match namespace {
        Some(namespace) => Some(usable(asked, &destination, namespace).await?),
        None => None,
    };
    let name = destination.name.clone();
    if asked.may(&Right::SeeDestination { name: name.clone() }).await? || usable == Some(true) {
        return Ok(Item::Whole(Box::new(Seen { destination, usable })));
    }
    Ok(Item::Name { name, description: destination.description, usable })
}

async fn usable(
    asked: &Asked,
    destination: &Destination,
    namespace: &str,
) -> Result<bool, Problem> {
    let is_open = destination.fatal().is_none() && select::allow(destination, namespace).is_ok();
    let (name, namespace) = (destination.name.clone(), namespace.to_owned());
    Ok(is_open && asked.may(&Right::UseDestination { name, namespace }).await?)
}

/// The destination of this name, with its problems.
async fn find(state: &Arc<State>, name: &str) -> Result<Destination, Problem> {
    let mut known = known(state).await?;
    match known.iter().position(|known| known.name == name) {
        Some(at) => Ok(known.swap_remove(at)),
        None => Err(Problem::new(Code::DestinationUnknown, format!("there is no `{name}`"))),
    }
}

async fn known(state: &State) -> Result<Vec<Destination>, Error> {
    let namespace = state.system_namespace.as_deref();
    let namespace = select::system_namespace(&state.live, namespace).await?;
    Ok(select::list(&state.live, &namespace).await?)
}
