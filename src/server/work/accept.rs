//! Whether an export may be carried out, and with whose rights: those of a service account of the
//! record's own namespace, as the API server says them. Whoever may make an `Export` there may make
//! pods with that account as well.

use std::collections::BTreeSet;

use super::Failure;
use crate::app::ObjectId;
use crate::cluster::Live;
use crate::cluster::record::{ChartFrom, Export, SecretsPolicy};
use crate::error::Exit;
use crate::server::auth::{Authorizer, Caller, Denied, Kind, Right, Via};

/// Reason of an export that may not be carried out.
pub const NOT_AUTHORIZED: &str = "NotAuthorized";

/// Reason of an export of objects that its account may not list.
pub const KIND_NOT_READABLE: &str = "KIND_NOT_READABLE";

/// With whose rights an export is carried out.
#[derive(Clone, Debug)]
pub struct Permit {
    caller: Caller,
    namespace: String,
    /// Whether the Secrets of the namespace may be read, and so helm's record of the release.
    pub secrets: bool,
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
) -> Result<Permit, Refusal> {
    let namespace = export.target().to_owned();
    if namespace != export.namespace() && export.namespace() != system_namespace {
        return Err(denied(format!(
            "an Export in namespace `{}` exports applications of that namespace only",
            export.namespace()
        )));
    }
    if export.spec.epinio {
        return Err(denied("only the server may say that version 0.0.0 moves".to_owned()));
    }
    let Some(account) = &export.spec.service_account_name else {
        return Err(denied("nobody says with whose rights it is carried out".to_owned()));
    };
    let caller = service_account(export.namespace(), account);
    for (right, what) in needed(export, &namespace) {
        match authorizer.allow(&caller, &right).await {
            Ok(()) => {}
            Err(Denied::Unavailable) => return Err(Refusal::Unavailable),
            Err(_) => return Err(denied(format!("{} may not {what}", caller.user))),
        }
    }
    let right = Right::ReadSecrets(namespace.clone());
    let secrets = match authorizer.allow(&caller, &right).await {
        Ok(()) => true,
        Err(Denied::Unavailable) => return Err(Refusal::Unavailable),
        Err(_) => false,
    };
    Ok(Permit { caller, namespace, secrets })
}

/// The rights without which nothing of the export can be done, in words as well.
fn needed(export: &Export, namespace: &str) -> Vec<(Right, String)> {
    let (spec, own) = (&export.spec, || namespace.to_owned());
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
        extra: std::collections::BTreeMap::new(),
        via: Via::Kubernetes,
    }
}

fn denied(message: String) -> Refusal {
    let hint = "name a service account of the Export's namespace in `spec.serviceAccountName`: one \
                that may read there what ClusterRole `view` gives, and `use` \
                destinations.outhaul.dev of that name";
    Refusal::Denied(Failure {
        reason: NOT_AUTHORIZED,
        message,
        hint: Some(hint.to_owned()),
        exit: Exit::Cluster,
    })
}

fn unreadable(message: &str) -> Failure {
    let hint = "grant the service account `list` on them, or leave them out with `spec.exclude`";
    Failure {
        reason: KIND_NOT_READABLE,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
        exit: Exit::Cluster,
    }
}
