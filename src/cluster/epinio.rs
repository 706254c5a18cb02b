//! What Epinio keeps in a cluster: namespaces, roles, applications and what belongs to them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::discover::{Resource, segment};
use super::list::{self, Budget, Query};
use super::{Error, Live, SecretObject, releases};
use crate::app::Object;
use crate::app::helm::{self, Lookup};

/// Kinds that charts of applications run pods by.
const WORKLOADS: [(&str, &str); 3] =
    [("deployments", "Deployment"), ("statefulsets", "StatefulSet"), ("daemonsets", "DaemonSet")];

/// What belongs to the applications of a namespace, or to one of them.
#[derive(Debug, Default)]
pub struct EpinioParts {
    /// Pods that run.
    pub pods: Vec<Object>,
    /// Ingresses that lead to them.
    pub ingresses: Vec<Object>,
    /// Jobs that stage, in Epinio's own namespace.
    pub jobs: Vec<Object>,
    /// Environment, scale, and what is bound; none where they may not be read.
    pub secrets: Vec<SecretObject>,
}

impl Live {
    /// Namespaces of Epinio, by name.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn epinio_namespaces(&self) -> Result<Vec<Object>, Error> {
        let labels = "app.kubernetes.io/component=epinio-namespace";
        self.by_name(&core("namespaces", "Namespace"), None, labels).await
    }

    /// A namespace of Epinio; `None` where there is none of this name, or it is none of Epinio's.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn epinio_namespace(&self, name: &str) -> Result<Option<Object>, Error> {
        let found = self.namespace(name).await?;
        let label = |object: &Object| {
            object.label("app.kubernetes.io/component") == Some("epinio-namespace")
        };
        Ok(found.filter(label))
    }

    /// Roles of Epinio, whose own namespace is `namespace`.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn epinio_roles(&self, namespace: &str) -> Result<Vec<Object>, Error> {
        let labels = "epinio.io/role=true";
        self.by_name(&core("configmaps", "ConfigMap"), Some(namespace), labels).await
    }

    /// Applications of a namespace, by name; none where the cluster does not know the kind.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn epinio_apps(&self, namespace: &str) -> Result<Vec<Object>, Error> {
        match self.by_name(&apps(), Some(namespace), "").await {
            Err(Error::Api { status: 404, .. }) => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// One application; `None` where there is none.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn epinio_app(&self, namespace: &str, name: &str) -> Result<Option<Object>, Error> {
        self.object(&format!("{}/{}", apps().path(Some(namespace)), segment(name))).await
    }

    /// Configurations of a namespace, by name, without what is in them; none where Secrets may not be
    /// listed.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn epinio_configurations(&self, namespace: &str) -> Result<Vec<Object>, Error> {
        let query = Query { namespace: Some(namespace), labels: "epinio.io/configuration=true" };
        let secrets = core("secrets", "Secret");
        let mut found = match list::partial(&self.api, &secrets, query, &Budget::new()).await {
            Err(Error::Forbidden { .. }) => Vec::new(),
            found => found?,
        };
        found.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(found)
    }

    /// Secrets of a namespace whose keys are the configurations bound to an application, by name; none
    /// where Secrets may not be listed.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn epinio_bindings(&self, namespace: &str) -> Result<Vec<SecretObject>, Error> {
        let labels = "epinio.io/area=configuration,app.kubernetes.io/component=application,\
                      app.kubernetes.io/managed-by=epinio";
        self.epinio_secrets(namespace, labels).await
    }

    /// Charts that applications are deployed with, by name, of Epinio whose own namespace is
    /// `namespace`; none where the cluster does not know the kind.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn epinio_charts(&self, namespace: &str) -> Result<Vec<Object>, Error> {
        match self.by_name(&charts(), Some(namespace), "").await {
            Err(Error::Api { status: 404, .. }) => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// One of these charts; `None` where there is none.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn epinio_chart(&self, namespace: &str, name: &str) -> Result<Option<Object>, Error> {
        self.object(&format!("{}/{}", charts().path(Some(namespace)), segment(name))).await
    }

    /// What belongs to the applications of `namespace`, or to one of them; `system` is Epinio's own
    /// namespace.
    ///
    /// # Errors
    /// When any but Secrets may not be listed, or the cluster does not answer.
    pub async fn epinio_parts(
        &self,
        namespace: &str,
        system: &str,
        app: Option<&str>,
    ) -> Result<EpinioParts, Error> {
        let of = app.map(|app| format!(",app.kubernetes.io/name={app}")).unwrap_or_default();
        let part = format!("app.kubernetes.io/part-of={namespace}{of}");
        let running = format!("app.kubernetes.io/component=application,{part}");
        let staging = format!("app.kubernetes.io/component=staging,{part}");
        let own = format!("epinio.io/area,{part}");
        let pods = core("pods", "Pod");
        let ingresses = kind("networking.k8s.io", "v1", "ingresses", "Ingress");
        let jobs = kind("batch", "v1", "jobs", "Job");
        let place = Some(namespace);
        let (pods, ingresses, jobs, secrets) = tokio::try_join!(
            self.by_name(&pods, place, &running),
            self.by_name(&ingresses, place, &running),
            self.by_name(&jobs, Some(system), &staging),
            self.epinio_secrets(namespace, &own),
        )?;
        Ok(EpinioParts { pods, ingresses, jobs, secrets })
    }

    /// The releases of Helm that the workloads of an application belong to, each once. The application's
    /// own chart may label nothing but pods, so that their templates count as well.
    ///
    /// # Errors
    /// When workloads may not be listed, or the cluster does not answer.
    pub async fn epinio_releases(
        &self,
        namespace: &str,
        app: &str,
    ) -> Result<BTreeSet<String>, Error> {
        let [deployments, sets, daemons] =
            WORKLOADS.map(|(plural, name)| kind("apps", "v1", plural, name));
        let place = Some(namespace);
        let (deployments, sets, daemons) = tokio::try_join!(
            self.by_name(&deployments, place, ""),
            self.by_name(&sets, place, ""),
            self.by_name(&daemons, place, ""),
        )?;
        let workloads = deployments.iter().chain(&sets).chain(&daemons);
        let is_of_app = |labels: Option<&Value>| {
            let has =
                |key: &str, value: &str| labels.and_then(|of| of.get(key)?.as_str()) == Some(value);
            has("app.kubernetes.io/component", "application")
                && has("app.kubernetes.io/name", app)
                && has("app.kubernetes.io/part-of", namespace)
        };
        let own = workloads.filter(|workload| {
            is_of_app(workload.at("/metadata/labels"))
                || is_of_app(workload.at("/spec/template/metadata/labels"))
        });
        Ok(own.filter_map(|of| of.annotation(helm::RELEASE_NAME)).map(str::to_owned).collect())
    }

    /// What helm noted down of a release: a Secret as a rule.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn release(&self, namespace: &str, name: &str) -> Result<Lookup, Error> {
        releases::read(self, namespace, name).await
    }

    async fn epinio_secrets(
        &self,
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<SecretObject>, Error> {
        match self.by_name(&core("secrets", "Secret"), Some(namespace), labels).await {
            Ok(secrets) => Ok(secrets.iter().map(SecretObject::new).collect()),
            Err(Error::Forbidden { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Objects of a kind with these labels, by name.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub(super) async fn by_name(
        &self,
        kind: &Resource,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<Vec<Object>, Error> {
        let query = Query { namespace, labels };
        let mut found = list::objects(&self.api, kind, query, &Budget::new()).await?;
        found.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(found)
    }
}

fn apps() -> Resource {
    kind("application.epinio.io", "v1", "apps", "App")
}

fn charts() -> Resource {
    kind("application.epinio.io", "v1", "appcharts", "AppChart")
}

fn core(plural: &str, name: &str) -> Resource {
    kind("", "v1", plural, name)
}

pub(super) fn kind(group: &str, version: &str, plural: &str, kind: &str) -> Resource {
    let [group, version, plural, kind] = [group, version, plural, kind].map(str::to_owned);
    Resource { group, plural, version, kind }
}
