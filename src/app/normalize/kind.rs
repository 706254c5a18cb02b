//! Rules of single kinds that are more than a table row.

use serde_json::{Map, Value};

use super::claims::Claims;
use super::{Context, extension, service};
use crate::app::kinds::{self, Kind};
use crate::app::path;
use crate::app::{Code, Finding, Object, ObjectId};

/// What every chart says of a claim: it outlives its release.
const CLAIM_ANNOTATIONS: [(&str, &str); 1] = [(RESOURCE_POLICY, "keep")];

/// What helm does with an object when its release goes.
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// Annotation by which Helm runs an object at a certain time, and not as part of the release.
pub(crate) const HOOK: &str = "helm.sh/hook";

/// What charts say of a Job: when it runs, in which order, and what becomes of the Job before, whose
/// name is taken otherwise.
pub(crate) const HOOK_ANNOTATIONS: [(&str, &str); 3] = [
    (HOOK, "post-install,post-upgrade"),
    ("helm.sh/hook-weight", "0"),
    ("helm.sh/hook-delete-policy", "before-hook-creation"),
];

const ARGO_APPLICATION: Kind = ("argoproj.io", "Application");

pub(super) fn normalise(
    object: &mut Object,
    claims: &Claims,
    context: Context<'_>,
    findings: &mut Vec<Finding>,
) {
    let is = |kind| kinds::is(object, kind);
    let rule: fn(&mut Map<String, Value>, &Claims) = match () {
        () if is(kinds::SERVICE) => service::normalise,
        () if is(kinds::CLAIM) => claim,
        () if is(kinds::STATEFUL_SET) => stateful_set,
        () if is(kinds::JOB) => job,
        () if is(kinds::SERVICE_ACCOUNT) => service_account,
        () if is(kinds::CLUSTER_ROLE) => cluster_role,
        () if is(kinds::CUSTOM_RESOURCE_DEFINITION) => extension::definition,
        () if is(ARGO_APPLICATION) => argo_application,
        () if is(kinds::NETWORK_POLICY) => network_policy,
        () if is(kinds::ROLE_BINDING) || is(kinds::CLUSTER_ROLE_BINDING) => {
            binding(object.fields_mut(), claims, context.namespace);
            return;
        }
        () => |_, _| {},
    };
    if is(kinds::SERVICE) {
        findings.extend(service::chosen_address(object, claims));
    }
    let asked = match () {
        () if is(kinds::CLAIM) => drop_volumes(object.fields_mut(), "spec.volumeName", claims),
        () if is(kinds::STATEFUL_SET) => {
            drop_volumes(object.fields_mut(), "spec.volumeClaimTemplates[].spec.volumeName", claims)
        }
        () => Vec::new(),
    };
    extension::drop_injected_authority(object);
    rule(object.fields_mut(), claims);
    if context.scaled {
        path::remove(object.fields_mut(), "spec.replicas");
    }
    volumes(object, asked, findings);
}

/// A claim, without what it was made from and the class that admission chose.
fn claim(fields: &mut Map<String, Value>, claims: &Claims) {
    path::remove_if(fields, "spec.storageClassName", |root, path, _| !claims.set(root, path));
    // What the volume was filled from is not there any more, or is not on another cluster.
    path::remove(fields, "spec.dataSource");
    path::remove(fields, "spec.dataSourceRef");
    of_charts(fields, &CLAIM_ANNOTATIONS);
}

/// Takes out annotations that every chart gives the kind: an object that came out of a chart has
/// them already. All or none.
fn of_charts(fields: &mut Map<String, Value>, given: &[(&str, &str)]) {
    let Some(Value::Object(metadata)) = fields.get_mut("metadata") else { return };
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return };
    if given.iter().all(|(key, value)| annotations.get(*key).is_some_and(|of| of == value)) {
        annotations.retain(|key, _| given.iter().all(|(of, _)| of != key));
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }
}

/// An operation of Argo CD is one run, not what the application is.
fn argo_application(fields: &mut Map<String, Value>, _: &Claims) {
    fields.shift_remove("operation");
}

/// Claim templates are written without the fields of whole objects; the server adds them.
fn stateful_set(fields: &mut Map<String, Value>, claims: &Claims) {
    path::remove(fields, "spec.volumeClaimTemplates[].status");
    for (field, default) in [("apiVersion", "v1"), ("kind", "PersistentVolumeClaim")] {
        let at = format!("spec.volumeClaimTemplates[].{field}");
        path::remove_if(fields, &at, |root, path, value| {
            value == default && !claims.wrote(root, path)
        });
    }
}

/// A Job, without the selector and labels that its controller gave it.
fn job(fields: &mut Map<String, Value>, claims: &Claims) {
    of_charts(fields, &HOOK_ANNOTATIONS);
    let number = |at: &str| path::find(fields, at).first().map(|(_, value)| (*value).clone());
    let manual = number("spec.manualSelector") == Some(Value::Bool(true));
    if !manual && claims.live() {
        path::remove(fields, "spec.selector");
    }
    if claims.live() {
        backoff(fields, claims);
    }
    // Both are 1 only if neither was given; with `parallelism: 3` no `completions` means any.
    let one = Some(Value::from(1));
    let number = |at: &str| path::find(fields, at).first().map(|(_, value)| (*value).clone());
    let (completions, parallelism) = (number("spec.completions"), number("spec.parallelism"));
    if parallelism == one {
        let written =
            |root: &Map<String, Value>, path: &path::Path, _: &Value| !claims.wrote(root, path);
        if completions == one {
            path::remove_if(fields, "spec.completions", written);
        }
        path::remove_if(fields, "spec.parallelism", written);
    }
}

/// How often pods of a Job are tried again: where each index has a limit of its own, there is none
/// of all of them together but the largest number.
fn backoff(fields: &mut Map<String, Value>, claims: &Claims) {
    let per_index = !path::find(fields, "spec.backoffLimitPerIndex").is_empty();
    let default = if per_index { i64::from(i32::MAX) } else { 6 };
    path::remove_if(fields, "spec.backoffLimit", |root, path, value| {
        value.as_i64() == Some(default) && !claims.wrote(root, path)
    });
}

/// Tokens are made anew for every account.
fn service_account(fields: &mut Map<String, Value>, _: &Claims) {
    fields.shift_remove("secrets");
}

/// The rules of an aggregated role are a controller's.
fn cluster_role(fields: &mut Map<String, Value>, claims: &Claims) {
    if claims.live() && fields.contains_key("aggregationRule") {
        fields.shift_remove("rules");
    }
}

/// `policyTypes` follow from the rules.
fn network_policy(fields: &mut Map<String, Value>, claims: &Claims) {
    let egress = path::find(fields, "spec.egress[]").is_empty();
    let types: &[&str] = if egress { &["Ingress"] } else { &["Ingress", "Egress"] };
    path::remove_if(fields, "spec.policyTypes", |root, path, value| {
        let same = value.as_array().is_some_and(|of| of.iter().eq(types.iter()));
        same && !claims.wrote(root, path)
    });
}

/// Subjects of the application's namespace lose it: the chart writes the release's.
fn binding(fields: &mut Map<String, Value>, claims: &Claims, namespace: &str) {
    path::remove_if(fields, "subjects[].namespace", |_, _, value| value == namespace);
    path::remove_if(fields, "subjects[].apiGroup", |root, path, value| {
        // Users and groups can only be of this group; of accounts the group is empty.
        value == kinds::RBAC && !claims.wrote(root, path)
    });
}

/// What becomes of the volumes: data is not exported, nor is the choice of one.
fn volumes(object: &Object, asked: Vec<(path::Path, String)>, findings: &mut Vec<Finding>) {
    let say = |text: String| Finding::new(Code::VolumeDataNotExported, text);
    let copy = "Copy the data with a tool for volumes, or start empty.";
    let id = ObjectId { namespace: None, ..object.id() };
    if kinds::is(object, kinds::CLAIM) {
        findings
            .push(say(format!("the data in the volume of {id} stays where it is")).remedy(copy));
    }
    if kinds::is(object, kinds::STATEFUL_SET) {
        for (path, template) in path::find(object.fields(), "spec.volumeClaimTemplates[]") {
            let name = template.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("?");
            let text = format!("the data in the volumes `{name}` of {id} stays where it is");
            findings.push(say(text).field(path.to_string()).remedy(copy));
        }
    }
    for (path, volume) in asked {
        let text = format!(
            "{id} asks for PersistentVolume {volume} of this cluster: the chart does not, as \
             another cluster has no such volume"
        );
        let remedy = "To bind a certain volume, name the claim in the volume's `spec.claimRef` \
                      before installing.";
        findings.push(say(text).field(path.to_string()).remedy(remedy));
    }
}

/// Takes the volumes out of claims, and returns those that a person asked for. A volume means
/// nothing on another cluster, and on the same one it is taken.
fn drop_volumes(
    fields: &mut Map<String, Value>,
    at: &str,
    claims: &Claims,
) -> Vec<(path::Path, String)> {
    let named = path::find(fields, at).into_iter();
    let asked = named.filter_map(|(path, volume)| {
        let volume = volume.as_str().filter(|name| !name.is_empty())?.to_owned();
        claims.set(fields, &path).then_some((path, volume))
    });
    let asked = asked.collect();
    path::remove(fields, at);
    asked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec_of_job(spec: &Value) -> Value {
        let mut object = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "x", "uid": "1"}, "spec": spec}))
        .unwrap();
        let claims = Claims::read(&object, None);
        normalise(&mut object, &claims, Context::of("shop"), &mut Vec::new());
        object.at("/spec").cloned().unwrap()
    }

    #[test]
    fn what_every_chart_says_of_a_kind_is_not_a_persons_word() {
        let hook: Value = HOOK_ANNOTATIONS.into_iter().collect();
        for (given, annotations, left) in [
            (&CLAIM_ANNOTATIONS[..], json!({RESOURCE_POLICY: "keep"}), None),
            (
                &CLAIM_ANNOTATIONS,
                json!({RESOURCE_POLICY: "keep", "mine": "x"}),
                Some(json!({"mine": "x"})),
            ),
            (
                &CLAIM_ANNOTATIONS,
                json!({RESOURCE_POLICY: "delete"}),
                Some(json!({RESOURCE_POLICY: "delete"})),
            ),
            (&HOOK_ANNOTATIONS, hook, None),
            (
                &HOOK_ANNOTATIONS,
                json!({HOOK: "post-install,post-upgrade"}),
                Some(json!({HOOK: "post-install,post-upgrade"})),
            ),
        ] {
            let mut fields = json!({"metadata": {"annotations": annotations}});
            let fields = fields.as_object_mut().unwrap();
            of_charts(fields, given);
            assert_eq!(fields["metadata"].get("annotations"), left.as_ref());
        }
    }

    /// Jobs are exported as hooks; the rules are those of the table.
    #[test]
    fn jobs() {
        for (server, left) in [
            (json!({"completions": 1, "parallelism": 1, "selector": {}}), json!({})),
            (
                json!({"completions": 1, "parallelism": 3}),
                json!({"completions": 1, "parallelism": 3}),
            ),
            (json!({"completions": 5, "parallelism": 1}), json!({"completions": 5})),
            (
                json!({"manualSelector": true, "selector": {}}),
                json!({"manualSelector": true, "selector": {}}),
            ),
            (json!({"backoffLimit": 6}), json!({})),
            (
                json!({"backoffLimitPerIndex": 1, "backoffLimit": 6}),
                json!({"backoffLimitPerIndex": 1, "backoffLimit": 6}),
            ),
            (
                json!({"backoffLimitPerIndex": 1, "backoffLimit": 2147483647}),
                json!({"backoffLimitPerIndex": 1}),
            ),
        ] {
            assert_eq!(spec_of_job(&server), left, "{server}");
        }
    }
}
