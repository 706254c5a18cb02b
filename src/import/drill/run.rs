//! Carries a drill out in its namespace.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::plan::{Prepared, title};
use super::ready::{Ready, ready, why};
use super::{CameUp, Egress, Report, Terms, probe, wrapped};
use crate::app::Object;
use crate::cluster::Live;
use crate::cluster::target::ApiKind;
use crate::import::{Error, Helm, Pull, Request};

/// Between two looks at what comes up.
const PAUSE: Duration = Duration::from_secs(1);

/// Restores into the scratch namespace, and waits until everything is ready, cannot be, or time is
/// up. Files are written into `folder`, which the caller removes.
///
/// # Errors
/// [`Error::NotIsolated`] before anything of the application is started; when a Secret is not there,
/// or what an import fails with.
pub async fn run(
    terms: &Terms,
    prepared: &Prepared,
    folder: &Path,
    (helm, live): (&Helm, &Live),
    pull: &Pull,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Report, Error> {
    let namespace = &*terms.import.namespace;
    let egress = shut(terms, prepared, live, pull, say).await?;
    for name in &prepared.plan.secrets {
        let from = terms.secrets_from.as_deref().unwrap_or_default();
        if !live.copy_secret(from, namespace, name).await? {
            let missing = format!("Secret {name} is not in namespace {from} either");
            return Err(Error::DrillRefused(missing));
        }
    }
    let version = &prepared.plan.version;
    let chart = wrapped::chart(folder, version, &prepared.objects)
        .map_err(|source| Error::Scratch { folder: folder.to_owned(), source })?;
    let timeout = format!("{}s", terms.timeout.as_secs());
    let request = Request {
        // They are in the objects.
        values: Vec::new(),
        further: vec!["--timeout".into(), timeout.into()],
        ..terms.import.clone()
    };
    crate::import::run(&request, &chart, helm, live, pull, say).await?;
    watched(terms, prepared, live, egress).await
}

/// Puts the policy there, and shows that it holds, unless it need not.
async fn shut(
    terms: &Terms,
    prepared: &Prepared,
    live: &Live,
    pull: &Pull,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Egress, Error> {
    let namespace = &*terms.import.namespace;
    let kinds = &prepared.kinds;
    let pods = kinds.any("", "Pod");
    let policies = kinds.any("networking.k8s.io", "NetworkPolicy");
    let (Some(pods), Some(policies)) = (pods, policies) else {
        return Err(Error::NotIsolated("the cluster serves no NetworkPolicies".to_owned()));
    };
    if terms.allow_egress {
        live.make(policies, namespace, &probe::policy()).await?;
        say("nobody looks whether pods can leave the namespace: --allow-egress");
        return Ok(Egress::NotProbed);
    }
    crate::import::run::pull_secret(&terms.import, live, pull).await?;
    let images = terms.probe_image.as_ref().map_or(&*prepared.images, std::slice::from_ref);
    let images = (images, terms.import.pull_secret.as_deref());
    say("looking whether the cluster keeps pods in the namespace");
    probe::enforced(live, namespace, (pods, policies), images).await?;
    Ok(Egress::Denied)
}

/// Leaves of the namespace what is the application's: the pods that probed go.
///
/// # Errors
/// When the cluster refuses.
pub async fn tidy(terms: &Terms, prepared: &Prepared, live: &Live) -> Result<(), Error> {
    match prepared.kinds.any("", "Pod") {
        Some(pods) => probe::clear(live, &terms.import.namespace, pods).await,
        None => Ok(()),
    }
}

/// An object that is waited for.
struct Waiting<'a> {
    object: &'a Object,
    kind: &'a ApiKind,
    up: CameUp,
    is_hopeless: bool,
}

async fn watched(
    terms: &Terms,
    prepared: &Prepared,
    live: &Live,
    egress: Egress,
) -> Result<Report, Error> {
    let started = Instant::now();
    let mut waiting: Vec<_> =
        prepared.objects.iter().filter_map(|object| waiting(object, prepared)).collect();
    loop {
        for of in waiting.iter_mut().filter(|of| of.up.seconds.is_none()) {
            let there = live.read(of.kind, &terms.import.namespace, of.object.name()).await?;
            let state = there.as_ref().and_then(ready);
            of.is_hopeless = state == Some(Ready::Never);
            if state == Some(Ready::Yes) {
                of.up.seconds = Some(started.elapsed().as_secs());
            }
        }
        let is_over = waiting.iter().all(|of| of.up.seconds.is_some() || of.is_hopeless);
        if is_over || started.elapsed() >= terms.timeout {
            break;
        }
        sleep(PAUSE).await;
    }
    let seconds = started.elapsed().as_secs();
    let ready = waiting.iter().all(|of| of.up.seconds.is_some());
    if !ready {
        explain(terms, prepared, live, &mut waiting).await;
    }
    let objects = waiting.into_iter().map(|of| of.up).collect();
    Ok(Report { ready, egress, objects, seconds })
}

/// Of a kind that says in its status whether it runs, and no hook: helm has waited for those, and may
/// have removed them.
fn waiting<'a>(object: &'a Object, prepared: &'a Prepared) -> Option<Waiting<'a>> {
    ready(object).filter(|_| object.annotation("helm.sh/hook").is_none())?;
    let kind = prepared.kinds.exactly(object.api_version(), object.kind())?;
    let up = CameUp { object: title(object), seconds: None, why: None };
    Some(Waiting { object, kind, up, is_hopeless: false })
}

/// Adds what the cluster says of what did not come up, as far as it can be had.
async fn explain(terms: &Terms, prepared: &Prepared, live: &Live, waiting: &mut [Waiting<'_>]) {
    let namespace = &*terms.import.namespace;
    let pods = match prepared.kinds.any("", "Pod") {
        Some(kind) => live.all(kind, namespace).await.unwrap_or_default(),
        None => Vec::new(),
    };
    for of in waiting.iter_mut().filter(|of| of.up.seconds.is_none()) {
        let there = live.read(of.kind, namespace, of.object.name()).await.ok().flatten();
        of.up.why = there.and_then(|object| why(&object, &pods));
    }
}
