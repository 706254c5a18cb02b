//! The Job of an attempt: what all of them have in common, from a ConfigMap, and what is of one.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{CONTAINER, EXPORT, job_of, waits};
use crate::cluster::record::Export;
use crate::cluster::{Error, Live};
use crate::error::Exit;
use crate::server::work::{Desk, Failure};

/// Key of the Job in the ConfigMap.
const KEY: &str = "job.yaml";

/// Reason of an export that no Job can be made for.
const JOB_TEMPLATE_INVALID: &str = "JobTemplateInvalid";

/// Annotation of a Job: the record, for people.
const RECORD: &str = "outhaul.dev/export";

/// How long a Job that has ended stays if the template does not say: long enough to read its log.
const TTL_SECONDS: u64 = 3600;

/// Reads the template, anew for each Job: people change it.
///
/// # Errors
/// When there is none, or it is no YAML.
pub(super) async fn read(live: &Live, namespace: &str, name: &str) -> Result<Value, Failure> {
    match live.document(namespace, name, KEY).await {
        Ok(Some(template)) => Ok(template),
        Ok(None) => Err(bad(namespace, name, &format!("there is none, or it has no key `{KEY}`"))),
        Err(error @ Error::Malformed { .. }) => Err(bad(namespace, name, &error.to_string())),
        Err(error) => Err(Failure::of(&error.into())),
    }
}

/// Why no Job can be made.
pub(super) fn bad(namespace: &str, name: &str, reason: &str) -> Failure {
    Failure {
        reason: JOB_TEMPLATE_INVALID,
        message: format!("ConfigMap {namespace}/{name} is no template of Jobs: {reason}"),
        hint: Some(format!(
            "it has under `{KEY}` a Job of batch/v1 with a container `{CONTAINER}`, as \
             charts/outhaul makes it with `server.executor: job`; then make another Export"
        )),
        exit: Exit::Failed,
    }
}

/// The Job of the attempt that `export` is at.
///
/// # Errors
/// What of the template is not what it has to be.
pub(super) fn fill(
    mut job: Value,
    export: &Export,
    desk: &Desk,
    longest: Duration,
) -> Result<Value, String> {
    if (&job["apiVersion"], &job["kind"]) != (&json!("batch/v1"), &json!("Job")) {
        return Err("it is no Job of batch/v1".to_owned());
    }
    let metadata = object(&mut job, "metadata")?;
    metadata.insert("name".to_owned(), job_of(export).into());
    metadata.insert("namespace".to_owned(), desk.means.system_namespace.clone().into());
    let record = format!("{}/{}", export.namespace(), export.name());
    object(&mut job["metadata"], "labels")?.insert(EXPORT.to_owned(), export.uid().into());
    object(&mut job["metadata"], "annotations")?.insert(RECORD.to_owned(), record.into());
    let spec = object(&mut job, "spec")?;
    // An attempt is begun again by us, as another one, or not at all.
    spec.insert("backoffLimit".to_owned(), 0.into());
    spec.insert("completions".to_owned(), 1.into());
    spec.insert("parallelism".to_owned(), 1.into());
    spec.entry("ttlSecondsAfterFinished").or_insert_with(|| TTL_SECONDS.into());
    let own = spec.get("activeDeadlineSeconds").and_then(Value::as_u64);
    let deadline = own.map_or(longest, |own| Duration::from_secs(own) + waits(export));
    spec.insert("activeDeadlineSeconds".to_owned(), deadline.as_secs().into());
    let pod = object(object_value(&mut job, "spec")?, "template")?;
    let pod = pod.entry("spec").or_insert_with(|| json!({}));
    let pod = pod.as_object_mut().ok_or("`spec.template.spec` is no mapping")?;
    pod.insert("restartPolicy".to_owned(), "Never".into());
    let containers = pod.get_mut("containers").and_then(Value::as_array_mut);
    let container = containers.into_iter().flatten().find(|it| it["name"] == CONTAINER);
    let container = container.ok_or_else(|| format!("it has no container `{CONTAINER}`"))?;
    if container["image"].as_str().is_none_or(str::is_empty) {
        return Err(format!("its container `{CONTAINER}` has no image"));
    }
    let further = container["args"].as_array().cloned().unwrap_or_default();
    let own = arguments(export, desk).into_iter().map(Value::from);
    container["args"] = own.chain(further).collect();
    Ok(job)
}

/// What the container is told, before what the template tells it.
fn arguments(export: &Export, desk: &Desk) -> Vec<String> {
    let attempt = export.status.as_ref().map_or(0, |status| status.attempts);
    let own = [
        "run-export".to_owned(),
        format!("--namespace={}", export.namespace()),
        format!("--name={}", export.name()),
        format!("--uid={}", export.uid()),
        format!("--attempt={attempt}"),
        format!("--system-namespace={}", desk.means.system_namespace),
    ];
    let local = desk.means.local_sources.iter().map(|host| format!("--local-source={host}"));
    own.into_iter().chain(local).collect()
}

fn object<'v>(value: &'v mut Value, key: &str) -> Result<&'v mut Map<String, Value>, String> {
    object_value(value, key)?.as_object_mut().ok_or_else(|| format!("`{key}` is no mapping"))
}

/// The value under a key, an empty mapping if there is none.
fn object_value<'v>(value: &'v mut Value, key: &str) -> Result<&'v mut Value, String> {
    let all = value.as_object_mut().ok_or_else(|| format!("what has `{key}` is no mapping"))?;
    let found = all.entry(key).or_insert(Value::Null);
    if found.is_null() {
        *found = json!({});
    }
    Ok(found)
}
