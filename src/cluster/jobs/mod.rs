//! Jobs of Kubernetes (`batch/v1`) and their pods: made, looked at and removed, one at a time. Nothing
//! here knows what they are for.

mod state;

use hyper::http::Method;
use serde_json::{Value, json};

use super::client::{JSON, MAX_DOCUMENT};
use super::discover::segment;
use super::document::parse;
use super::{Error, Live};

pub use state::{Job, JobEnd, JobPod, Terminated};

/// Label by which the Job controller marks the pods of a Job (Kubernetes 1.27).
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// Pods of a Job that are looked at: without retries it has one, and a second while that one goes.
const MAX_PODS: usize = 8;

impl Live {
    /// Makes a Job. `false`: there is one of its name.
    ///
    /// # Errors
    /// What the cluster says against it, or that it does not answer.
    pub async fn create_job(&self, namespace: &str, job: &Value) -> Result<bool, Error> {
        match self.api.send::<Value>(Method::POST, &folder(namespace), JSON, job).await {
            Ok(_) => Ok(true),
            Err(Error::Api { status: 409, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The Job of this name, with its label `label`; `None` where there is none.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn job(
        &self,
        namespace: &str,
        name: &str,
        label: &str,
    ) -> Result<Option<Job>, Error> {
        let path = path(namespace, name);
        match self.api.get::<Value>(&path, JSON, MAX_DOCUMENT).await {
            Ok((job, _)) => Ok(Some(Job::read(&job, label))),
            Err(Error::Api { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a Job and its pods; it goes when they have gone. One that is not there is no error.
    ///
    /// # Errors
    /// When it may not be removed, or the cluster does not answer.
    pub async fn delete_job(&self, namespace: &str, name: &str) -> Result<(), Error> {
        let body = json!({"propagationPolicy": "Foreground"});
        let path = path(namespace, name);
        match self.api.send::<Value>(Method::DELETE, &path, JSON, &body).await {
            Ok(_) | Err(Error::Api { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Pods of a Job, and of each what is said of its container `container`.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn job_pods(
        &self,
        namespace: &str,
        job: &str,
        container: &str,
    ) -> Result<Vec<JobPod>, Error> {
        let path = format!(
            "/api/v1/namespaces/{}/pods?limit={MAX_PODS}&labelSelector={}",
            segment(namespace),
            segment(&format!("{JOB_NAME}={job}")),
        );
        let (list, _) = self.api.get::<Value>(&path, JSON, MAX_DOCUMENT).await?;
        let pods = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(pods.iter().map(|pod| JobPod::read(pod, container)).collect())
    }

    /// The one YAML document under `key` of a ConfigMap; `None` where there is no such ConfigMap or
    /// key.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is none or several; else that it may not be read, or the cluster
    /// does not answer.
    pub async fn document(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<Option<Value>, Error> {
        let path =
            format!("/api/v1/namespaces/{}/configmaps/{}", segment(namespace), segment(name));
        let map = match self.api.get::<Value>(&path, JSON, MAX_DOCUMENT).await {
            Ok((map, _)) => map,
            Err(Error::Api { status: 404, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(text) = map["data"][key].as_str() else { return Ok(None) };
        let file = format!("ConfigMap {namespace}/{name}, key {key}");
        let mut documents = parse(&file, text)?.into_iter();
        match (documents.next(), documents.next()) {
            (Some(document), None) => Ok(Some(document.value)),
            _ => Err(Error::Malformed {
                file,
                line: 0,
                column: 0,
                reason: "it must be one YAML document".to_owned(),
            }),
        }
    }
}

fn folder(namespace: &str) -> String {
    format!("/apis/batch/v1/namespaces/{}/jobs", segment(namespace))
}

fn path(namespace: &str, name: &str) -> String {
    format!("{}/{}", folder(namespace), segment(name))
}
