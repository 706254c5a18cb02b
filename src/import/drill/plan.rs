//! What a drill will do, and what stands against it. Changes nothing.

use std::path::Path;

use super::isolate::{self, Fate, Place};
use super::{Note, Plan, Terms};
use crate::app::{Object, ObjectId};
use crate::cluster::Live;
use crate::cluster::target::ApiKinds;
use crate::export::PublishedChart;
use crate::import::helm::{Release, flag};
use crate::import::rendered::Rendered;
use crate::import::{Error, Helm};

/// A plan, and the objects of it. Not printed: values of Secrets may be among them.
pub struct Prepared {
    /// What will be done.
    pub plan: Plan,
    /// What is installed, isolated.
    pub(super) objects: Vec<Object>,
    /// Images of their containers.
    pub(super) images: Vec<String>,
    pub(super) kinds: ApiKinds,
}

/// Isolates everything that the chart in `archive` renders.
///
/// # Errors
/// When the chart does not render, or the cluster cannot be asked.
pub async fn plan(
    terms: &Terms,
    (address, chart): (&str, &PublishedChart),
    archive: &Path,
    helm: &Helm,
    live: &Live,
) -> Result<Prepared, Error> {
    let request = &terms.import;
    let mut values = request.values.clone();
    if let Some(name) = &request.pull_secret {
        values.extend(flag("--set", format!("imagePullSecrets[0]={name}")));
    }
    let (name, namespace) = (&*request.release, &*request.namespace);
    let release = Release { name, namespace, chart: archive, values: &values };
    let printed = helm.template(release).await?;
    let rendered = Rendered::with_values(Ok(printed), namespace).await;
    let rendered = rendered.map_err(Error::DrillRefused)?;
    let kinds = live.kinds().await?;
    let mut plan = Plan {
        chart: address.to_owned(),
        version: chart.chart.version.to_string(),
        digest: chart.digest.clone(),
        server: live.server().to_owned(),
        namespace: namespace.to_owned(),
        restored: Vec::new(),
        changed: Vec::new(),
        left_out: Vec::new(),
        secrets: Vec::new(),
        refused: Vec::new(),
    };
    let rendered = Rendered { objects: isolated(rendered.objects, terms, &kinds, &mut plan) };
    needed(&rendered, terms, &kinds, &mut plan);
    let images = rendered.images();
    Ok(Prepared { plan, objects: rendered.objects, images, kinds })
}

/// The objects that are restored; what becomes of the others is in the plan.
fn isolated(
    rendered: Vec<Object>,
    terms: &Terms,
    kinds: &ApiKinds,
    plan: &mut Plan,
) -> Vec<Object> {
    let mut objects = Vec::new();
    for object in rendered {
        let title = title(&object);
        let kind = kinds.exactly(object.api_version(), object.kind());
        let place = Place {
            namespace: &terms.import.namespace,
            namespaced: kind.map(|kind| kind.namespaced),
            leave_out: &terms.leave_out,
        };
        let note = |text: &str| Note { object: title.clone(), text: text.to_owned() };
        match isolate::isolate(object, place) {
            Fate::LeftOut(reason) => plan.left_out.push(note(reason)),
            Fate::Refused(reason) => plan.refused.push(note(reason)),
            Fate::Restored(object, changes) => {
                plan.changed.extend(changes.into_iter().map(note));
                plan.restored.push(title);
                objects.push(object);
            }
        }
    }
    objects
}

/// What the objects need and do not bring: Secrets may come from elsewhere.
fn needed(rendered: &Rendered, terms: &Terms, kinds: &ApiKinds, plan: &mut Plan) {
    let request = &terms.import;
    let brought = |name: &str| {
        let mut sealed = request.secrets.iter().flatten();
        request.pull_secret.as_deref() == Some(name) || sealed.any(|secret| secret.name == name)
    };
    for needed in rendered.needs().into_keys() {
        let kind = kinds.any(&needed.group, &needed.kind);
        let is_secret = needed.group.is_empty() && needed.kind == "Secret";
        if !kind.is_some_and(|kind| kind.namespaced) || is_secret && brought(&needed.name) {
            continue;
        }
        if is_secret && terms.secrets_from.is_some() {
            plan.secrets.push(needed.name);
        } else {
            let object = ObjectId { namespace: None, ..needed }.to_string();
            plan.refused.push(Note { object, text: "it is needed, and not restored".to_owned() });
        }
    }
}

/// Kind and name of an object, as people read it.
pub(super) fn title(object: &Object) -> String {
    ObjectId { namespace: None, ..object.id() }.to_string()
}
