//! Whether a namespace takes the pods of an application. Pod Security, limits and quotas are asked
//! when pods are made, long after their owners were taken without a word.

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::checks::MAX_AT_ONCE;
use super::plan::{Check, Request, What};
use crate::app::Object;
use crate::cluster::target::{ApiKind, ApiKinds};
use crate::cluster::{self, Live};

/// Kinds that make pods, and where their template is.
const MAKERS: [(&str, &str, &str); 7] = [
    ("", "ReplicationController", "/spec/template"),
    ("apps", "DaemonSet", "/spec/template"),
    ("apps", "Deployment", "/spec/template"),
    ("apps", "ReplicaSet", "/spec/template"),
    ("apps", "StatefulSet", "/spec/template"),
    ("batch", "CronJob", "/spec/jobTemplate/spec/template"),
    ("batch", "Job", "/spec/template"),
];

/// Fields of a pod that name its account, which may come with the chart.
const ACCOUNT: [&str; 2] = ["serviceAccount", "serviceAccountName"];

/// One check for each object whose pods could be tried.
pub(super) async fn all(
    request: &Request,
    served: &[(&Object, &ApiKind)],
    kinds: &ApiKinds,
    live: &Live,
) -> Vec<Check> {
    let Some(pods) = kinds.exactly("v1", "Pod") else { return Vec::new() };
    let namespace = request.namespace.as_str();
    let each = served.iter().filter_map(|(object, _)| Some((*object, pod(object)?)));
    let each = each.map(|(object, pod)| async move {
        let answer = live.try_create(pods, namespace, &pod).await;
        refused(format!("pods of {} {}", object.kind(), object.name()), answer)
    });
    let tried: Vec<_> = stream::iter(each).buffered(MAX_AT_ONCE).collect().await;
    tried.into_iter().flatten().collect()
}

/// A pod of the object, under the account that every namespace has.
fn pod(object: &Object) -> Option<Object> {
    let (.., at) = MAKERS
        .iter()
        .find(|(group, kind, _)| (*group, *kind) == (object.group(), object.kind()))?;
    let template = object.at(at)?;
    let mut spec = template.get("spec")?.as_object()?.clone();
    ACCOUNT.iter().for_each(|field| drop(spec.remove(*field)));
    let claims = object.at("/spec/volumeClaimTemplates").and_then(Value::as_array);
    let claims = claims.into_iter().flatten().filter_map(|claim| claim.pointer("/metadata/name"));
    let volumes = spec.entry("volumes").or_insert_with(|| json!([])).as_array_mut()?;
    volumes.extend(
        claims.map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}})),
    );
    let mut metadata = template.get("metadata").cloned().unwrap_or_else(|| json!({}));
    metadata.as_object_mut()?.insert("name".to_owned(), object.name().into());
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    Object::new(pod).ok()
}

/// A check, if the answer is about what the namespace takes: others are about the trial itself.
fn refused(title: String, answer: Result<(), cluster::Error>) -> Option<Check> {
    let aside = ["cannot create resource", "error looking up service account"];
    match answer {
        Ok(()) => Some(Check::ok(What::Object, title)),
        Err(cluster::Error::Forbidden { reason, .. })
            if !aside.iter().any(|words| reason.contains(words)) =>
        {
            let remedy = "Change the chart's values accordingly, or what the namespace allows.";
            Some(Check::missing(What::Object, title, reason, remedy))
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_has_the_volumes_of_claim_templates_and_no_account_of_its_own() {
        let object = |kind: &str| {
            let spec = json!({"serviceAccountName": "db", "containers": [{"name": "db"}]});
            let template = json!({"metadata": {"labels": {"app": "db"}}, "spec": spec});
            Object::new(json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "db"},
                "spec": {"template": template,
                    "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}))
            .unwrap()
        };
        let pod = Value::from(pod(&object("StatefulSet")).unwrap());
        assert_eq!(pod["metadata"], json!({"labels": {"app": "db"}, "name": "db"}));
        let volume = json!({"name": "data", "persistentVolumeClaim": {"claimName": "data"}});
        let spec = json!({"containers": [{"name": "db"}], "volumes": [volume]});
        assert_eq!(pod["spec"], spec);
        assert!(super::pod(&object("ControllerRevision")).is_none());
    }
}
