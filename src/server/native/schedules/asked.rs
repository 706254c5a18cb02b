//! What schedules are asked to say: read, checked and allowed.

use serde_json::Value;

use super::model::reaches_out;
use super::{Asked, KIND, about};
use crate::cluster;
use crate::cluster::record::schedule::{ExportSchedule, ExportScheduleSpec, Misfit, strict};
use crate::cluster::record::{Door, RequestedBy};
use crate::destination::select;
use crate::error::{Code, Error};
use crate::export;
use crate::export::scheduled::{check, export_of};
use crate::server::audit::{Decision, Event};
use crate::server::json::of_data;
use crate::server::problem::Problem;
use crate::server::submit::{self, is_open};

/// What belongs to a schedule and is not a caller's to say: the token says it.
pub(super) const NOT_ASKED: [&str; 2] = ["requestedBy", "serviceAccountName"];

/// Who asks, by this door.
pub(super) fn requester(asked: &Asked) -> RequestedBy {
    let caller = &asked.sender.caller;
    let by = RequestedBy::new(&caller.user, &caller.groups, Door::Native);
    RequestedBy { request_id: Some(asked.sender.id.as_str().to_owned()), ..by }
}

/// Whether the caller may have the exports of this schedule: what admission asks for it.
pub(super) async fn may(
    asked: &Asked,
    schedule: &ExportSchedule,
    event: Event,
) -> Result<(), Problem> {
    let spec = export_of(&schedule.spec.template);
    let allowed = submit::may(&asked.state, &asked.sender.caller, &spec, schedule.target()).await;
    allowed.map_err(|error| {
        if matches!(error, submit::Error::Forbidden(_)) {
            asked.sender.audit(event, about(schedule), Decision::Deny, Some("forbidden"));
        }
        error.into()
    })
}

/// Whether what it says can be, as far as its words and the destination tell.
pub(super) async fn said(asked: &Asked, schedule: &ExportSchedule) -> Result<(), Problem> {
    check(schedule).map_err(fault)?;
    let template = &schedule.spec.template;
    if reaches_out(template, schedule.namespace()) {
        let wanted = asked.state.system_namespace.as_deref();
        let system =
            select::system_namespace(&asked.state.live, wanted).await.map_err(Error::from)?;
        if schedule.namespace() != system {
            let detail = "a schedule exports applications of its own namespace only, but in the system \
                          namespace";
            let field =
                if template.namespace.is_some() { "namespace" } else { "namespaceSelector" };
            return Err(invalid(&format!("spec.template.{field}"), detail));
        }
    }
    if template.namespace_selector.is_none() {
        is_open(&asked.state, &template.destination, schedule.target()).await?;
    }
    Ok(())
}

/// What a schedule is to say, of what a caller has written.
pub(super) fn read(written: &Value) -> Result<ExportScheduleSpec, Problem> {
    is_askable(written)?;
    strict(written, "spec").map_err(|error| misfit(&error))
}

/// Refuses what is the token's to say.
pub(super) fn is_askable(written: &Value) -> Result<(), Problem> {
    match NOT_ASKED.iter().find(|field| written.get(**field).is_some_and(|value| !value.is_null()))
    {
        None => Ok(()),
        Some(field) => {
            let detail = "who asks is the token's to say: its exports have the rights of who makes the \
                          schedule, or changes what it exports or what stays of it";
            Err(invalid(&format!("spec.{field}"), detail))
        }
    }
}

/// A value that is not what it should be, without a word of its own.
pub(super) fn misfit(misfit: &Misfit) -> Problem {
    match &misfit.reason {
        Some(reason) => invalid(&misfit.path, of_data(reason)),
        None => invalid(&misfit.path, "there is no such field"),
    }
}

pub(in crate::server::native) fn invalid(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::ScheduleInvalid, detail).field(field)
}

pub(super) fn fault(fault: export::scheduled::Fault) -> Problem {
    let (field, error) = (fault.field(), Error::from(fault));
    let problem = invalid(&field, error.to_string());
    match error.hint() {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// What the API server has against a schedule.
pub(super) fn refused(schedule: &ExportSchedule, error: cluster::Error) -> Problem {
    let namespace = schedule.namespace().to_owned();
    match error {
        cluster::Error::Api { status: 422, reason, .. } => {
            let (field, reason) = cause(&reason);
            match field {
                Some(field) => invalid(field, reason),
                None => Problem::new(Code::ScheduleInvalid, reason),
            }
        }
        cluster::Error::Api { status: 404, reason, server, .. } => {
            if !reason.starts_with("namespaces ") {
                return Problem::not_served(KIND);
            }
            Error::from(cluster::Error::NamespaceMissing { namespace, place: server }).into()
        }
        cluster::Error::Forbidden { reason, .. } if reason.contains("being terminated") => {
            Error::from(export::Error::Terminating(namespace)).into()
        }
        error => Error::from(error).into(),
    }
}

/// The first cause that the API server gives, and its field: `KIND "NAME" is invalid: FIELD: WHY`, or
/// several of these in brackets.
fn cause(text: &str) -> (Option<&str>, &str) {
    let causes = text.split_once(" is invalid: ").map_or(text, |(_, causes)| causes);
    let causes = causes.trim_start_matches('[');
    match causes.split_once(": ") {
        Some((field, why)) if !field.contains(' ') => (Some(field), why.trim_end_matches(']')),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::server::native::schedules::merge::merge;

    #[test]
    fn the_field_that_the_api_server_refuses_is_told() {
        let one = "ExportSchedule.outhaul.dev \"a\" is invalid: spec.jitterSeconds: Invalid value: 9999: \
                   should be at most 3600";
        assert_eq!(
            cause(one),
            (Some("spec.jitterSeconds"), "Invalid value: 9999: should be at most 3600")
        );
        let two = "X \"a\" is invalid: [spec.a: Required value, spec.b: Required value]";
        assert_eq!(cause(two), (Some("spec.a"), "Required value, spec.b: Required value"));
        assert_eq!(cause("something else: b"), (None, "something else: b"));
    }

    #[test]
    fn who_asks_is_not_taken_from_a_body_and_no_value_is_told() {
        let spec = |further: Value| {
            let mut spec = json!({"schedule": "@daily",
                "template": {"app": "shop", "destination": "team", "secrets": "reference"}});
            merge(&mut spec, &further);
            read(&spec)
        };
        assert!(spec(json!({})).is_ok());
        for (further, field) in [
            (json!({"requestedBy": {"user": "admin"}}), "spec.requestedBy"),
            (json!({"serviceAccountName": "x"}), "spec.serviceAccountName"),
            (json!({"catchUp": "canary"}), "spec.catchUp"),
            (json!({"retention": {"keepLast": "canary"}}), "spec.retention.keepLast"),
        ] {
            let problem = format!("{:?}", spec(further).unwrap_err());
            assert!(problem.contains(&format!("field: Some(\"{field}\")")), "{problem}");
            assert!(!problem.contains("canary"), "{problem}");
        }
    }
}
