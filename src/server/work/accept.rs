//! Whether an export may be carried out, and with whose rights, as the API server says them: those
//! of who asked, if a door of the server says who that is; else those of a service account of the
//! record's own namespace. Whoever may make an `Export` there may make pods with that account as well.

use std::collections::{BTreeMap, BTreeSet};

use super::{Failure, conditions};
use crate::app::ObjectId;
use crate::cluster::Live;
use crate::cluster::record::{ChartFrom, Export, ExportSpec, SecretsPolicy};
use crate::error::Exit;
use crate::server::auth::{Authorizer, Caller, Denied, Kind, Marks, Right, Via};

/// Reason of an export that may not be carried out.
pub const NOT_AUTHORIZED: &str = "NotAuthorized";

/// Reason of an export of objects that its account may not list.
pub const KIND_NOT_READABLE: &str = "KIND_NOT_READABLE";

/// Why an export is accepted: a door of the server has recognised who asks.
const DOOR: &str = "Door";

/// Why an export is accepted: it names a service account.
const SERVICE_ACCOUNT: &str = "ServiceAccount";

/// With whose rights an export is carried out.
#[derive(Clone, Debug)]
pub struct Permit {
    caller: Caller,
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
) -> Result<Permit, Refusal> {
    let namespace = export.target().to_owned();
    if namespace != export.namespace() && export.namespace() != system_namespace {
        return Err(denied(format!(
            "an Export in namespace `{}` exports applications of that namespace only",
            export.namespace()
        )));
    }
    let (caller, voucher) = requester(export, marks).await?;
    for (right, what) in needed(&export.spec, &namespace) {
        match authorizer.allow(&caller, &right).await {
            Ok(()) => {}
            Err(Denied::Unavailable) => return Err(Refusal::Unavailable),
            Err(_) => {
                let message = format!("{} may not {what}", caller.user);
                let hint = if voucher == DOOR { NOT_ANY_MORE } else { NAME_AN_ACCOUNT };
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
    Ok(Permit { caller, namespace, secrets, voucher })
}

/// With whose rights it is to be carried out, and who says so.
async fn requester(export: &Export, marks: &Marks) -> Result<(Caller, &'static str), Refusal> {
    let is_marked = match conditions::accepted(export) {
        Some(reason) => reason == DOOR,
        None => marks.verify(export).await.map_err(|error| {
            tracing::warn!("the mark of an Export is not verified: {error}");
            Refusal::Unavailable
        })?,
    };
    if let Some(by) = export.spec.requested_by.as_ref().filter(|_| is_marked) {
        let (user, groups) = (by.user.clone(), by.groups.clone());
        let (uid, extra) = (String::new(), BTreeMap::new()); // no review of RBAC looks at them
        return Ok((Caller { user, uid, groups, extra, via: Via::Kubernetes }, DOOR));
    }
    if export.spec.epinio {
        return Err(denied("only the server may say that version 0.0.0 moves".to_owned()));
    }
    match &export.spec.service_account_name {
        Some(account) => Ok((service_account(export.namespace(), account), SERVICE_ACCOUNT)),
        None => Err(denied("nobody says with whose rights it is carried out".to_owned())),
    }
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
    let plaintext = matches!(spec.secrets, SecretsPolicy::Encrypt | SecretsPolicy::Include)
        || spec.use_pull_secrets
        || spec.chart_from == ChartFrom::Release;
    if plaintext {
        let words = format!("`get` and `list` the Secrets of namespace `{namespace}`");
        needed.push((Right::ReadSecrets(own()), words));
    } else if spec.secrets == SecretsPolicy::Require {
        let words = format!("`list` the Secrets of namespace `{namespace}`");
        needed.push((Right::ListSecrets(own()), words));
    }
    needed
}

impl Permit {
    /// Asks for the kinds of what is exported: the server may read more than the account.
    ///
    /// # Errors
    /// When the account may not list all of them, or that cannot be found out now.
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
        let kinds = kinds.into_iter().collect();
        let right = Right::ReadKinds { namespace: self.namespace.clone(), kinds };
        let user = &self.caller.user;
        let allowed = authorizer.allow(&self.caller, &right).await;
        allowed.map_err(|error| unreadable(&format!("{user}: {error}")))
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
    destinations.outhaul.dev of that name";

const NOT_ANY_MORE: &str = "who asked had the right then; ask for it again, then export again";

fn denied(message: String) -> Refusal {
    refused(message, NAME_AN_ACCOUNT)
}

fn refused(message: String, hint: &str) -> Refusal {
    let hint = Some(hint.to_owned());
    Refusal::Denied(Failure { reason: NOT_AUTHORIZED, message, hint, exit: Exit::Cluster })
}

fn unreadable(message: &str) -> Failure {
    let hint =
        "grant the user or service account `list` on them, or leave them out with `spec.exclude`";
    Failure {
        reason: KIND_NOT_READABLE,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
        exit: Exit::Cluster,
    }
}
