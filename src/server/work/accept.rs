//! Whether an export may be carried out, and with whose rights, as the API server says them: those
//! of who asked, if a door of the server or the policy of admission says who that is; else those of a
//! service account of the record's own namespace. Whoever may make an `Export` there may make pods with
//! that account as well.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Failure, conditions};
use crate::app::ObjectId;
use crate::cluster::admission::Policy;
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::record::{ChartFrom, Door, Export, ExportSpec, RequestedBy, SecretsPolicy};
use crate::cluster::{self, Live};
use crate::error::Exit;
use crate::server::auth::{Authorizer, Caller, Denied, Kind, Marks, Right, Via, epinio};

/// Reason of an export that may not be carried out.
pub const NOT_AUTHORIZED: &str = "NotAuthorized";

/// Reason of an export of objects that who asks may not list.
pub const KIND_NOT_READABLE: &str = "KIND_NOT_READABLE";

/// Why an export is accepted: a door of the server has recognised who asks.
const DOOR: &str = "Door";

/// Why an export is accepted: the policy was in force when the record was made, and has let it.
const POLICY: &str = "Policy";

/// Why an export is accepted: it names a service account.
const SERVICE_ACCOUNT: &str = "ServiceAccount";

/// So much older than a record the policy has to be: API servers see it by a watch.
const SETTLED: SignedDuration = SignedDuration::from_secs(5);

/// With whose rights an export is carried out.
#[derive(Clone, Debug)]
pub struct Permit {
    /// Who asks; `None` where the policy has let somebody who is not named.
    pub caller: Option<Caller>,
    namespace: String,
    /// Whether the Secrets of the namespace may be read, and so helm's record of the release.
    pub secrets: bool,
    /// Who vouches for the caller, in a word.
    pub voucher: &'static str,
}

/// Why an export may not be carried out.
#[derive(Debug)]
pub enum Refusal {
    /// It may not.
    Denied(Failure),
    /// The API server does not say now.
    Unavailable,
}

/// Asks for what `export` needs.
///
/// # Errors
/// When it may not be carried out, or that cannot be found out now.
pub async fn permit(
    export: &Export,
    system_namespace: &str,
    authorizer: &dyn Authorizer,
    marks: &Marks,
    live: &Live,
) -> Result<Permit, Refusal> {
    if export.target() != export.namespace() && export.namespace() != system_namespace {
        return Err(denied(format!(
            "an Export in namespace `{}` exports applications of that namespace only",
            export.namespace()
        )));
    }
    rights(export, voucher(export, marks, live).await?, authorizer).await
}

/// Asks for what `export` needs where `voucher` says who asks.
async fn rights(
    export: &Export,
    voucher: &'static str,
    authorizer: &dyn Authorizer,
) -> Result<Permit, Refusal> {
    let namespace = export.target().to_owned();
    let Some(caller) = requester(export, voucher)? else {
        // The policy has asked for the right to read Secrets then; else nobody has.
        let secrets = has_plaintext(&export.spec);
        return Ok(Permit { caller: None, namespace, secrets, voucher });
    };
    for (right, what) in needed(&export.spec, &namespace) {
        match authorizer.allow(&caller, &right).await {
            Ok(()) => {}
            Err(Denied::Unavailable) => return Err(Refusal::Unavailable),
            Err(_) => {
                let message = format!("{} may not {what}", caller.user);
                let is_own = voucher == SERVICE_ACCOUNT;
                let hint = if is_own { NAME_AN_ACCOUNT } else { NOT_ANY_MORE };
                return Err(refused(message, hint));
            }
        }
    }
    let right = Right::ReadSecrets(namespace.clone());
    let secrets = match authorizer.allow(&caller, &right).await {
        Ok(()) => true,
        Err(Denied::Unavailable) => return Err(Refusal::Unavailable),
        Err(_) => false,
    };
    Ok(Permit { caller: Some(caller), namespace, secrets, voucher })
}

/// Who says that it may be carried out. It is found out once, and then stands in the record.
async fn voucher(export: &Export, marks: &Marks, live: &Live) -> Result<&'static str, Refusal> {
    if let Some(reason) = conditions::accepted(export) {
        let known = [DOOR, POLICY].into_iter().find(|known| *known == reason);
        return Ok(known.unwrap_or(SERVICE_ACCOUNT));
    }
    let is_marked = marks.verify(export).await.map_err(|error| {
        tracing::warn!("the mark of an Export is not verified: {error}");
        Refusal::Unavailable
    })?;
    if is_marked {
        return Ok(DOOR);
    }
    let is_let = was_in_force(export, live).await.map_err(|error| {
        tracing::warn!("whether the policy is in force is not known: {error}");
        Refusal::Unavailable
    })?;
    Ok(if is_let { POLICY } else { SERVICE_ACCOUNT })
}

/// Whether the policy had to let the record be made: it works where the record is, and was there
/// before.
async fn was_in_force(export: &Export, live: &Live) -> Result<bool, cluster::Error> {
    is_in_force(live, Policy::Exports, export.namespace(), export.created()).await
}

/// Whether the policy works in the namespace, and was there before `created`.
async fn is_in_force(
    live: &Live,
    policy: Policy,
    namespace: &str,
    created: Option<Timestamp>,
) -> Result<bool, cluster::Error> {
    let since = live.policy_since(policy).await?;
    let age = since.zip(created).map(|(since, created)| created.duration_since(since));
    Ok(age.is_some_and(|age| age >= SETTLED) && live.policy_works(policy, namespace).await?)
}

/// In whose name the records of a schedule are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Requester {
    /// Who asks, where somebody vouches for that.
    pub(super) by: Option<RequestedBy>,
    /// The service account that is named.
    pub(super) account: Option<String>,
}

/// Finds out in whose name the records of `schedule` are made, and asks whether such a record may be
/// carried out now: `draft` is one of them, but for who asks; `None`: that depends on the record.
///
/// # Errors
/// When it may not, or that cannot be found out now.
pub(super) async fn permit_schedule(
    schedule: &ExportSchedule,
    draft: Option<Export>,
    authorizer: &dyn Authorizer,
    marks: &Marks,
    live: &Live,
) -> Result<Requester, Refusal> {
    let unknown = |error: &dyn std::fmt::Display| {
        tracing::warn!("who vouches for {} is not known: {error}", schedule.title());
        Refusal::Unavailable
    };
    let account = schedule.spec.service_account_name.clone();
    let (namespace, created) = (schedule.namespace(), schedule.created());
    let by = schedule.spec.requested_by.clone();
    let requester = match by {
        Some(by) if marks.verify(schedule).await.map_err(|error| unknown(&error))? => {
            Requester { by: Some(by), account: None }
        }
        Some(by)
            if is_in_force(live, Policy::Schedules, namespace, created)
                .await
                .map_err(|error| unknown(&error))? =>
        {
            Requester { by: Some(by), account: None }
        }
        _ if account.is_some() => Requester { by: None, account },
        _ => return Err(refused("nobody says with whose rights it runs".to_owned(), NAME_ONE)),
    };
    if let Some(mut draft) = draft {
        draft.spec.requested_by.clone_from(&requester.by);
        draft.spec.service_account_name.clone_from(&requester.account);
        rights(&draft, DOOR, authorizer).await?; // its records have a mark
    }
    Ok(requester)
}

/// With whose rights it is to be carried out, as far as the voucher proves it; `None`: the policy has
/// let somebody who is not named.
fn requester(export: &Export, voucher: &str) -> Result<Option<Caller>, Refusal> {
    let spec = &export.spec;
    if spec.epinio && voucher != DOOR {
        return Err(denied("only the server may say that version 0.0.0 moves".to_owned()));
    }
    if spec.scheduled.is_some() && voucher != DOOR {
        return Err(denied("only the server may say that it is a run of a schedule".to_owned()));
    }
    let by = spec.requested_by.as_ref().filter(|_| voucher != SERVICE_ACCOUNT);
    match (by, &spec.service_account_name) {
        (Some(by), _) => Ok(Some(user(by))),
        (None, Some(account)) => Ok(Some(service_account(export.namespace(), account))),
        (None, None) if voucher == POLICY => Ok(None),
        (None, None) => Err(denied("nobody says with whose rights it is carried out".to_owned())),
    }
}

/// Who was seen to ask. Our doors let in nobody but Epinio's users under their names; the API of
/// Kubernetes may have let in somebody who is only called so.
fn user(by: &RequestedBy) -> Caller {
    let (user, groups) = (by.user.clone(), by.groups.clone());
    let (uid, extra) = (String::new(), BTreeMap::new()); // no review of RBAC looks at them
    let is_ours = matches!(by.via, Some(Door::Native | Door::Epinio));
    let is_epinios = is_ours && user.starts_with(epinio::PREFIX);
    let via = if is_epinios { Via::Epinio } else { Via::Kubernetes };
    Caller { user, uid, groups, extra, via }
}

/// The rights without which nothing of the export can be done, in words as well.
pub fn needed(spec: &ExportSpec, namespace: &str) -> Vec<(Right, String)> {
    let own = || namespace.to_owned();
    let name = spec.destination.clone();
    let mut needed = vec![
        (Right::ReadNamespace(own()), format!("read the applications of namespace `{namespace}`")),
        (
            Right::UseDestination { name: name.clone(), namespace: own() },
            format!("`use` the destination `{name}` in namespace `{namespace}`"),
        ),
    ];
    if has_plaintext(spec) {
        let words = format!("`get` and `list` the Secrets of namespace `{namespace}`");
        needed.push((Right::ReadSecrets(own()), words));
    } else if spec.secrets == SecretsPolicy::Require {
        let words = format!("`list` the Secrets of namespace `{namespace}`");
        needed.push((Right::ListSecrets(own()), words));
    }
    needed
}

/// Whether values of Secrets are read.
fn has_plaintext(spec: &ExportSpec) -> bool {
    matches!(spec.secrets, SecretsPolicy::Encrypt | SecretsPolicy::Include)
        || spec.options.use_pull_secrets
        || spec.options.chart_from == ChartFrom::Release
}

impl Permit {
    /// Asks for the kinds of what is exported: the server may read more than who asks.
    ///
    /// # Errors
    /// When who asks may not list all of them, or that cannot be found out now.
    pub async fn kinds(
        &self,
        live: &Live,
        objects: &[ObjectId],
        authorizer: &dyn Authorizer,
    ) -> Result<(), Failure> {
        let served = live.kinds().await.map_err(crate::error::Error::from)?;
        let mut kinds = BTreeSet::new();
        for object in objects {
            let Some(kind) = served.any(&object.group, &object.kind) else {
                return Err(unreadable(&format!("`{}` is not served any more", object.kind)));
            };
            let (group, plural) = (object.group.clone(), kind.plural().to_owned());
            kinds.insert(Kind { group, plural, namespaced: kind.namespaced });
        }
        let Some(caller) = &self.caller else {
            kinds.retain(|kind| !kind.is_common()); // of these the policy has asked
            let rest: Vec<Kind> = kinds.into_iter().collect();
            return match rest.as_slice() {
                [] => Ok(()),
                _ => Err(unreadable(&format!("nobody is named who has {}", Denied::Kinds(rest)))),
            };
        };
        let kinds = kinds.into_iter().collect();
        let right = Right::ReadKinds { namespace: self.namespace.clone(), kinds };
        let allowed = authorizer.allow(caller, &right).await;
        allowed.map_err(|error| unreadable(&format!("{}: {error}", caller.user)))
    }
}

/// A service account as the API server knows it.
fn service_account(namespace: &str, name: &str) -> Caller {
    Caller {
        user: format!("system:serviceaccount:{namespace}:{name}"),
        uid: String::new(),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ],
        extra: BTreeMap::new(),
        via: Via::Kubernetes,
    }
}

const NAME_AN_ACCOUNT: &str = "name a service account of the Export's namespace in \
    `spec.serviceAccountName`: one that may read there what ClusterRole `view` gives, and `use` \
    destinations.outhaul.dev of that name; or make the Export where the policy of `deploy/policy` is \
    in force";

const NAME_ONE: &str = "name a service account of the schedule's namespace in \
    `spec.serviceAccountName`: one that may read there what ClusterRole `view` gives, and `use` \
    destinations.outhaul.dev of that name; where the policy of `deploy/policy` is in force, \
    `spec.requestedBy` may be yourself";

const NOT_ANY_MORE: &str = "who asked had the right then; ask for it again, then export again";

fn denied(message: String) -> Refusal {
    refused(message, NAME_AN_ACCOUNT)
}

fn refused(message: String, hint: &str) -> Refusal {
    let hint = Some(hint.to_owned());
    Refusal::Denied(Failure { reason: NOT_AUTHORIZED, message, hint, exit: Exit::Cluster })
}

fn unreadable(message: &str) -> Failure {
    let hint = "grant the user of `spec.requestedBy`, or the service account, `list` on them, or \
                leave them out with `spec.exclude`";
    Failure {
        reason: KIND_NOT_READABLE,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
        exit: Exit::Cluster,
    }
}
