//! Who did what, and who was not let: one line of JSON each, with the target `audit`.
//!
//! A line holds names and decisions, and has no place for a body, a token or a value.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use super::auth::{Caller, Via};

/// Something that is worth a line: every write, and everything that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What was tried.
    pub event: Event,
    /// Who tried; `None` if nobody was recognised.
    pub caller: Option<&'a Caller>,
    /// What with.
    pub about: About<'a>,
    /// Whether it was let.
    pub decision: Decision,
    /// Why not, in words of ours.
    pub reason: Option<&'a str>,
    /// Identity of the request.
    pub request_id: &'a str,
    /// Address of who sent it.
    pub source: Option<IpAddr>,
}

/// What an entry is about, as far as the request names it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct About<'a> {
    /// Namespace of the application.
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    pub namespace: Option<&'a str>,
    /// The application.
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    pub app: Option<&'a str>,
    /// The destination.
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    pub destination: Option<&'a str>,
    /// The export.
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    pub export: Option<&'a str>,
    /// The schedule.
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    pub schedule: Option<&'a str>,
}

/// What is tried.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum Event {
    /// To make an export.
    #[serde(rename = "export.create")]
    ExportCreate,
    /// To cancel one.
    #[serde(rename = "export.cancel")]
    ExportCancel,
    /// To make a schedule.
    #[serde(rename = "schedule.create")]
    ScheduleCreate,
    /// To change one.
    #[serde(rename = "schedule.update")]
    ScheduleUpdate,
    /// To remove one.
    #[serde(rename = "schedule.delete")]
    ScheduleDelete,
    /// To run one.
    #[serde(rename = "schedule.run")]
    ScheduleRun,
    /// To delete versions that no rule keeps.
    #[serde(rename = "prune")]
    Prune,
    /// To check a destination.
    #[serde(rename = "destination.check")]
    DestinationCheck,
    /// To be recognised, in vain.
    #[serde(rename = "login.fail")]
    LoginFail,
    /// To read something.
    #[serde(rename = "read")]
    Read,
}

/// Whether it was let.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It was.
    Allow,
    /// It was not.
    Deny,
}

/// Longest text of somebody else's in a line; names of Kubernetes have at most 253.
const MAX_TEXT: usize = 256;

/// Most groups in a line, as many as an `Export` keeps.
const MAX_GROUPS: usize = 64;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    ts: Timestamp,
    event: Event,
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    groups: Vec<&'a str>,
    via: Option<&'static str>,
    #[serde(flatten)]
    about: About<'a>,
    decision: Decision,
    #[serde(serialize_with = "short", skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    request_id: &'a str,
    source: Option<IpAddr>,
}

/// Writes the line of an entry.
pub fn write(entry: &Entry<'_>) {
    match serde_json::to_string(&Line::new(entry, Timestamp::now())) {
        Ok(line) => tracing::info!(target: "audit", "{line}"),
        Err(error) => tracing::error!(%error, "a line of the audit cannot be written"),
    }
}

impl<'a> Line<'a> {
    fn new(entry: &Entry<'a>, ts: Timestamp) -> Self {
        let caller = entry.caller;
        let groups = caller.into_iter().flat_map(|caller| &caller.groups).take(MAX_GROUPS);
        Self {
            ts,
            event: entry.event,
            user: caller.map(|caller| caller.user.as_str()),
            uid: caller.map(|caller| caller.uid.as_str()).filter(|uid| !uid.is_empty()),
            groups: groups.map(|group| cut(group)).collect(),
            via: caller.map(|caller| match caller.via {
                Via::Kubernetes => "kubernetes",
                Via::FrontProxy => "frontProxy",
                Via::Epinio => "epinio",
            }),
            about: entry.about,
            decision: entry.decision,
            reason: entry.reason,
            request_id: entry.request_id,
            source: entry.source,
        }
    }
}

fn short<S: serde::Serializer>(text: &Option<&str>, to: S) -> Result<S::Ok, S::Error> {
    text.map(cut).serialize(to)
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(caller: Option<&Caller>, about: About<'_>) -> String {
        let entry = Entry {
            event: Event::ExportCreate,
            caller,
            about,
            decision: Decision::Deny,
            reason: Some("forbidden"),
            request_id: "r-1",
            source: Some(IpAddr::from([10, 0, 0, 1])),
        };
        let ts = "2026-11-26T02:40:00Z".parse().unwrap();
        serde_json::to_string(&Line::new(&entry, ts)).unwrap()
    }

    #[test]
    fn a_line_says_who_tried_what_and_whether_it_was_let() {
        let alice = Caller {
            user: "alice".into(),
            uid: String::new(),
            groups: vec!["team-a".into()],
            extra: [("secret".to_owned(), vec!["canary".to_owned()])].into(),
            via: Via::FrontProxy,
        };
        let about = About { namespace: Some("shop"), app: Some("web"), ..About::default() };
        assert_eq!(
            line(Some(&alice), about),
            r#"{"ts":"2026-11-26T02:40:00Z","event":"export.create","user":"alice","groups":["team-a"],"via":"frontProxy","namespace":"shop","app":"web","decision":"deny","reason":"forbidden","requestId":"r-1","source":"10.0.0.1"}"#
        );
    }

    #[test]
    fn what_others_name_stays_one_short_line() {
        let name = format!("a\n\u{1b}[31m{}", "ä".repeat(500));
        let line = line(None, About { app: Some(&name), ..About::default() });
        assert!(line.contains(r#""app":"a\n\u001b[31mä"#), "{line}");
        assert!(!line.contains(char::is_control) && line.len() < 500, "{line}");
    }
}
