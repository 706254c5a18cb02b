//! How every door asks for an export: what the caller may, whether the same is under way already,
//! and if not, a record of it. The record is all; what becomes of it is `work`'s.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::audit::{self, About, Decision, Entry, Event};
use super::auth::{Caller, Denied, Right, Verb};
use super::state::State;
use super::work::accept::needed;
use crate::cluster::record::{self, Door, Export, ExportSpec, Phase, REQUEST, RequestedBy};
use crate::destination::select;
use crate::export::record::{digest, request};
use crate::registry::Digest;
use crate::{cluster, error, export};

/// What is asked for.
pub(super) struct Submission {
    /// Namespace of the record.
    pub(super) namespace: String,
    /// What is exported, where to, and how. Who asks is filled in here.
    pub(super) spec: ExportSpec,
    /// What makes the same request, sent again by the same caller, give the same record.
    pub(super) key: Option<String>,
    /// By which door it came.
    pub(super) door: Door,
    /// Identity of the request.
    pub(super) request_id: String,
    /// Address of who sent it.
    pub(super) source: Option<IpAddr>,
}

/// The record that does what was asked for.
pub(super) struct Submitted {
    /// It.
    pub(super) export: Arc<Export>,
    /// Whether somebody has asked for the same before and it is under way.
    pub(super) joined: bool,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The caller lacks a right. Says nothing of what exists.
    #[error("you may not {0}")]
    Forbidden(String),
    /// What the caller may cannot be found out now.
    #[error("{}", Denied::Unavailable)]
    Unavailable,
    /// The key has made a record of something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// There is no room for it.
    #[error("{0} exports wait already")]
    QueueFull(usize),
    /// The cluster does not know the resource.
    #[error("the cluster has no resource Export")]
    NotServed,
    /// The API server finds it against the schema of the resource.
    #[error("{0}")]
    Invalid(String),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] error::Error),
}

/// Requests for the same meet at one of these, so that one makes the record and the others join it.
#[derive(Default)]
pub(super) struct Turns([Mutex<()>; 16]);

/// Our own watch sees in milliseconds what we made. Without it, an identical request in the next
/// instant only makes one record more.
const SEEN: Duration = Duration::from_secs(2);

/// Asks for an export with the rights of `caller`, and writes the line of the audit. The caller may
/// go away meanwhile; a record that is made stays.
///
/// # Errors
/// When the caller may not, when what is asked for is not possible as far as destination and words
/// tell, or when the record cannot be made.
pub(super) async fn submit(
    state: &State,
    caller: &Caller,
    submission: Submission,
) -> Result<Submitted, Error> {
    let done = asked(state, caller, &submission).await;
    let (decision, export, reason) = match &done {
        Ok(done) => (Decision::Allow, Some(done.export.name()), done.joined.then_some("joined")),
        Err(Error::Forbidden(_)) => (Decision::Deny, None, Some("forbidden")),
        Err(_) => return done,
    };
    let ExportSpec { app, destination, .. } = &submission.spec;
    audit::write(&Entry {
        event: Event::ExportCreate,
        caller: Some(caller),
        about: About {
            namespace: Some(target(&submission)),
            app: Some(app),
            destination: Some(destination),
            export,
            ..About::default()
        },
        decision,
        reason,
        request_id: &submission.request_id,
        source: submission.source,
    });
    done
}

async fn asked(
    state: &State,
    caller: &Caller,
    submission: &Submission,
) -> Result<Submitted, Error> {
    let Submission { namespace, spec, .. } = submission;
    may(state, caller, spec, target(submission)).await?;
    request(spec, namespace).map_err(error::Error::from)?;
    if state.exports.health() == record::Health::NotServed {
        return Err(Error::NotServed);
    }
    is_open(state, &spec.destination, target(submission)).await?;

    let asked = digest(spec, namespace);
    let draft = draft(caller, submission, &asked);
    let _turn = state.turns.of(&asked).await;
    if submission.key.is_some()
        && let Some(before) = made(state, &draft).await?
    {
        let known = visible(state, caller, &before).await? && is_same(&before, &asked);
        return if known { Ok(Submitted::new(before)) } else { Err(Error::KeyReused) };
    }
    if let Some(running) = running(state, caller, namespace, &asked).await? {
        return Ok(Submitted { export: running, joined: true });
    }
    has_room(state)?;
    let draft = state.marks.put(draft, Timestamp::now()).await?;
    let export = create(state, &draft, &asked).await?;
    Ok(Submitted::new(export))
}

/// Whether `caller` may have such an export of an application in `target`. All rights first: nothing is
/// looked up for who lacks one.
///
/// # Errors
/// When the caller may not, or that cannot be found out now.
pub(super) async fn may(
    state: &State,
    caller: &Caller,
    spec: &ExportSpec,
    target: &str,
) -> Result<(), Error> {
    for (right, what) in needed(spec, target) {
        match state.authorizer.allow(caller, &right).await {
            Ok(()) => {}
            Err(Denied::Unavailable) => return Err(Error::Unavailable),
            Err(_) => return Err(Error::Forbidden(what)),
        }
    }
    Ok(())
}

/// Whether the destination is there, can be used, and is for this namespace.
///
/// # Errors
/// When it is not.
pub(super) async fn is_open(
    state: &State,
    destination: &str,
    target: &str,
) -> Result<(), error::Error> {
    let wanted = state.system_namespace.as_deref();
    let namespace = select::system_namespace(&state.live, wanted).await?;
    let known = select::list(&state.live, &namespace).await?;
    let destination = select::named(&known, destination)?;
    Ok(select::allow(&destination, target)?)
}

/// The record of an identical request that is under way and that the caller may see. What nobody
/// vouches for yet could be anybody's, and end as soon as it is looked at.
async fn running(
    state: &State,
    caller: &Caller,
    namespace: &str,
    asked: &Digest,
) -> Result<Option<Arc<Export>>, Error> {
    for export in state.exports.running_with(&label(asked)) {
        let same = export.namespace() == namespace && is_same(&export, asked);
        if same
            && !export.is_cancelled()
            && (export.phase().is_some() || state.marks.verify(export.as_ref()).await?)
            && visible(state, caller, &export).await?
        {
            return Ok(Some(export));
        }
    }
    Ok(None)
}

/// Whether the caller may see the record: it is the caller's own, or the API would show it.
async fn visible(state: &State, caller: &Caller, export: &Export) -> Result<bool, Error> {
    if export.spec.requested_by.as_ref().is_some_and(|by| by.user == caller.user) {
        return Ok(true);
    }
    let namespace = Some(export.namespace().to_owned());
    match state.authorizer.allow(caller, &Right::Exports { verb: Verb::Get, namespace }).await {
        Ok(()) => Ok(true),
        Err(Denied::Unavailable) => Err(Error::Unavailable),
        Err(_) => Ok(false),
    }
}

/// Waiting is bounded for those who can come back; what others put into the cluster waits as it is.
fn has_room(state: &State) -> Result<(), Error> {
    let waits = |export: &&Arc<Export>| matches!(export.phase(), None | Some(Phase::Pending));
    let waiting = state.exports.list().iter().filter(waits).count();
    if waiting < state.queue { Ok(()) } else { Err(Error::QueueFull(waiting)) }
}

async fn create(state: &State, draft: &Export, asked: &Digest) -> Result<Arc<Export>, Error> {
    use cluster::Error as E;
    let made = match state.live.create_export(draft).await {
        Ok(made) => Arc::new(made),
        // Whether it was made is not known, or another replica was faster.
        Err(error @ (E::Unreachable { .. } | E::Timeout { .. } | E::Exists { .. })) => {
            let made = made(state, draft).await.ok().flatten();
            made.filter(|made| is_same(made, asked)).ok_or(error::Error::from(error))?
        }
        Err(error) => return Err(refused(draft, error)),
    };
    let mut changes = std::pin::pin!(state.exports.changes(made.namespace(), made.name()));
    let seen = async { while changes.next().await.is_some_and(|state| state.is_none()) {} };
    let _ = timeout(SEEN, seen).await;
    Ok(made)
}

/// The record of the draft's name, if there is one.
async fn made(state: &State, draft: &Export) -> Result<Option<Arc<Export>>, error::Error> {
    Ok(state.live.export(draft.namespace(), draft.name()).await?.map(Arc::new))
}

/// What the API server has against a record.
fn refused(draft: &Export, error: cluster::Error) -> Error {
    let namespace = draft.namespace().to_owned();
    match error {
        cluster::Error::Api { status: 422, reason, .. } => Error::Invalid(reason),
        cluster::Error::Api { status: 404, reason, server, .. } => {
            if !reason.starts_with("namespaces ") {
                return Error::NotServed;
            }
            let missing = cluster::Error::NamespaceMissing { namespace, place: server };
            error::Error::from(missing).into()
        }
        cluster::Error::Forbidden { reason, .. } if reason.contains("being terminated") => {
            error::Error::from(export::Error::Terminating(namespace)).into()
        }
        error => error::Error::from(error).into(),
    }
}

fn draft(caller: &Caller, submission: &Submission, asked: &Digest) -> Export {
    let by = RequestedBy::new(&caller.user, &caller.groups, submission.door);
    let by = RequestedBy { request_id: Some(submission.request_id.clone()), ..by };
    let spec = ExportSpec { requested_by: Some(by), ..submission.spec.clone() };
    let name = name(caller, submission, Timestamp::now());
    Export::draft(&submission.namespace, &name, spec).with_label(REQUEST, &label(asked))
}

/// With a key, the same for the same caller and key; else one that nobody has.
fn name(caller: &Caller, submission: &Submission, now: Timestamp) -> String {
    let app = &submission.spec.app;
    let Some(key) = &submission.key else { return Export::fresh_name(app, now) };
    let mut hash = Sha256::new();
    for part in [&caller.user, &caller.uid, &submission.namespace, key] {
        hash.update(part);
        hash.update([0]);
    }
    let hash: String = hash.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hash}", Export::name_of_app(app))
}

/// Namespace of the application.
fn target(submission: &Submission) -> &str {
    submission.spec.namespace.as_deref().unwrap_or(&submission.namespace)
}

fn label(asked: &Digest) -> String {
    asked.hex().chars().take(16).collect()
}

/// Whether the record asks for this. Anybody can write its label.
fn is_same(export: &Export, asked: &Digest) -> bool {
    digest(&export.spec, export.namespace()) == *asked
}

impl Submitted {
    fn new(export: Arc<Export>) -> Self {
        Self { export, joined: false }
    }
}

impl Turns {
    async fn of(&self, asked: &Digest) -> MutexGuard<'_, ()> {
        let Self([first, ..]) = self;
        let number = asked.hex().chars().next().and_then(|digit| digit.to_digit(16));
        let place = number.and_then(|number| self.0.get(number as usize));
        place.unwrap_or(first).lock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::Via;

    fn caller(user: &str) -> Caller {
        Caller {
            user: user.into(),
            uid: String::new(),
            groups: vec!["team".into()],
            extra: std::collections::BTreeMap::new(),
            via: Via::Kubernetes,
        }
    }

    fn submission(app: &str, key: Option<&str>) -> Submission {
        Submission {
            namespace: "shop".into(),
            spec: ExportSpec::new(app, "team"),
            key: key.map(str::to_owned),
            door: Door::Native,
            request_id: "r-1".into(),
            source: None,
        }
    }

    #[test]
    fn a_key_gives_its_caller_one_name_and_others_another() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let of = |user, key| name(&caller(user), &submission("Web_Shop", Some(key)), now);
        assert_eq!(of("alice", "k"), of("alice", "k"));
        assert!(of("alice", "k").starts_with("web-shop-"), "{}", of("alice", "k"));
        assert_ne!(of("alice", "k"), of("alice", "l"));
        assert_ne!(of("alice", "k"), of("bob", "k"));
    }

    #[test]
    fn who_asks_is_no_part_of_what_is_asked_for() {
        let asked = digest(&submission("web", None).spec, "shop");
        let draft = draft(&caller("alice"), &submission("web", None), &asked);
        assert!(draft.spec.requested_by.is_some() && is_same(&draft, &asked));
    }
}
