//! `POST /v1/namespaces/{ns}/schedules`: a schedule that runs in the name of who makes it.

use std::pin::pin;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::time::timeout;

use super::asked::{may, read, refused, requester, said};
use super::model::{ScheduleRequest, location};
use super::{Asked, about, right, told};
use crate::cluster;
use crate::cluster::record::RequestedBy;
use crate::cluster::record::schedule::{ExportSchedule, ExportScheduleSpec};
use crate::error::{Code, Error};
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::Verb;
use crate::server::json::Body;
use crate::server::problem::Problem;
use crate::server::routes::Header;

/// Our own watch sees in milliseconds what we made, so that who lists schedules next finds it.
const SEEN: Duration = Duration::from_secs(2);

/// Headers of the answer.
pub(super) const CREATED: [Header; 2] = [
    Header { name: "Location", text: "Where the schedule is." },
    Header { name: "ETag", text: "What changes when the schedule says something else." },
];

/// The same request sent again by the same caller gives the same schedule, while that says what was asked
/// for: no key is needed, as the caller names it.
pub(super) async fn create(
    asked: Asked,
    Path(namespace): Path<String>,
    request: Body<ScheduleRequest>,
) -> Result<Response, Problem> {
    let (event, ScheduleRequest { name, spec }) = (Event::ScheduleCreate, request.0);
    let tried = About { namespace: Some(&namespace), schedule: Some(&name), ..About::default() };
    asked.need(&right(Verb::Create, Some(&namespace)), event, tried).await?;
    let draft = ExportSchedule::draft(&namespace, &name, read(&spec)?);
    may(&asked, &draft, event).await?;
    said(&asked, &draft).await?;
    let by = Some(requester(&asked));
    let spec = ExportScheduleSpec { requested_by: by, ..draft.spec.clone() };
    let draft = ExportSchedule { spec, ..draft };
    let draft = asked.state.marks.put(draft, Timestamp::now()).await?;
    let made = make(&asked, &draft).await?;
    asked.sender.audit(event, about(&made), Decision::Allow, None);
    let mut response = told(&made, StatusCode::CREATED);
    if let Ok(location) = HeaderValue::try_from(location(&made)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn make(asked: &Asked, draft: &ExportSchedule) -> Result<ExportSchedule, Problem> {
    use cluster::Error as E;
    let live = &asked.state.live;
    let made = match live.create_schedule(draft).await {
        Ok(made) => made,
        // Whether it was made is not known, or it was made by the same request before.
        Err(error @ (E::Unreachable { .. } | E::Timeout { .. } | E::Exists { .. })) => {
            let exists = matches!(error, E::Exists { .. });
            match live.schedule(draft.namespace(), draft.name()).await.map_err(Error::from)? {
                Some(found) if is_same(&found, draft) => found,
                Some(_) if exists => {
                    let detail = format!("there is a schedule `{}` already", draft.name());
                    return Err(Problem::new(Code::ScheduleExists, detail));
                }
                _ => return Err(Error::from(error).into()),
            }
        }
        Err(error) => return Err(refused(draft, error)),
    };
    let mut changes = pin!(asked.state.schedules.changes(made.namespace(), made.name()));
    let seen = async { while changes.next().await.is_some_and(|state| state.is_none()) {} };
    let _ = timeout(SEEN, seen).await;
    Ok(made)
}

/// Whether it says the same for the same caller, whichever request has made it.
fn is_same(found: &ExportSchedule, draft: &ExportSchedule) -> bool {
    let plain = |schedule: &ExportSchedule| {
        let by = schedule.spec.requested_by.clone();
        let by = by.map(|by| RequestedBy { request_id: None, ..by });
        ExportScheduleSpec { requested_by: by, ..schedule.spec.clone() }
    };
    plain(found) == plain(draft)
}
