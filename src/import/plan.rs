//! What an import will do, and what stands against it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::helm::Release;
use super::rendered::Rendered;
use super::sealed::{self, SealedSecret};
use super::{Error, Helm, checks, images};
use crate::chart::is_release_name;
use crate::chart::sealed::OpenedSecret;
use crate::cluster::Live;
use crate::export::identity::ORIGIN;
use crate::export::{PublishedChart, Sources};
use crate::registry::Digest;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name of the release.
    pub release: String,
    /// The OCI layout that the chart was read from, if it was: no node pulls images from there.
    pub layout: Option<PathBuf>,
    /// Namespace to install to.
    pub namespace: String,
    /// Whether to make the namespace, if it is not there.
    pub create_namespace: bool,
    /// Name of a pull secret to make.
    pub pull_secret: Option<String>,
    /// The Secrets of the chart's `secrets.age` to bring; `None` if it was not opened.
    pub secrets: Option<Vec<OpenedSecret>>,
    /// Whether the release may take over objects that are there.
    pub take_ownership: bool,
    /// The user's values, as flags for helm.
    pub values: Vec<OsString>,
    /// Further flags for helm's install.
    pub further: Vec<OsString>,
}

/// What an import will do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Address of the chart.
    pub chart: String,
    /// Its version.
    pub version: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Address of the API server.
    pub server: String,
    /// Namespace to install to.
    pub namespace: String,
    /// Whether the namespace is still to be made.
    pub new_namespace: bool,
    /// Name of the release.
    pub release: String,
    /// What will happen to it.
    pub action: Action,
    /// Version of helm.
    pub helm: String,
    /// Secrets of the chart's `secrets.age` that it brings.
    pub secrets: Vec<SealedSecret>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// What will happen to the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It is new.
    Install,
    /// It is there, and becomes this chart.
    Upgrade,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What kind of thing.
    pub what: What,
    /// How it stands.
    pub state: State,
    /// Which one: an object, a kind, an image.
    pub subject: String,
    /// What was seen, if it is not in order.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// Kinds of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// The chart renders with the values given.
    Rendering,
    /// The namespace is there, or will be.
    Namespace,
    /// A kind is served in the version that the chart uses.
    Api,
    /// The user may do what helm does.
    Right,
    /// An object that the chart needs and does not bring.
    Needed,
    /// The encrypted Secrets of the chart, or one of them.
    Sealed,
    /// An object of the chart is another's already.
    Conflict,
    /// The cluster would take an object.
    Object,
    /// An image can be pulled.
    Image,
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// In order.
    Ok,
    /// Not in order: the install, or what is installed, would fail.
    Missing,
    /// It could not be found out.
    Unknown,
}

impl Check {
    pub(super) fn ok(what: What, subject: impl Into<String>) -> Self {
        let (text, remedy) = Default::default();
        Self { what, state: State::Ok, subject: subject.into(), text, remedy }
    }

    pub(super) fn missing(
        what: What,
        subject: impl Into<String>,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (subject, text, remedy) = (subject.into(), text.into(), remedy.into());
        Self { what, state: State::Missing, subject, text, remedy }
    }

    pub(super) fn unknown(what: What, subject: impl Into<String>, text: impl Into<String>) -> Self {
        let (subject, text, remedy) = (subject.into(), text.into(), String::new());
        Self { what, state: State::Unknown, subject, text, remedy }
    }
}

impl Plan {
    /// What is not in order.
    pub fn missing(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.state == State::Missing)
    }

    /// Refuses a target that is not ready.
    ///
    /// # Errors
    /// [`Error::NotReady`], which says why.
    pub fn require_ready(&self) -> Result<(), Error> {
        let missing: Vec<String> =
            self.missing().map(|check| format!("{}: {}", check.subject, check.text)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::NotReady(missing)) }
    }
}

/// The name that a release of the chart has if nobody chooses another: the application's, or the
/// chart's where helm would not take that.
pub fn release_name(chart: &PublishedChart) -> String {
    let origin = chart.chart.annotations.get(ORIGIN);
    let app = origin.and_then(|origin| origin.rsplit('/').next());
    let taken = app.filter(|app| is_release_name(app));
    taken.unwrap_or(&chart.chart.name).to_owned()
}

/// Looks at everything that the import of a chart, whose archive is in `archive`, needs. Changes
/// nothing.
///
/// # Errors
/// When the cluster or helm cannot be asked at all.
pub async fn plan(
    request: &Request,
    (address, chart): (&str, &PublishedChart),
    archive: &Path,
    helm: &Helm,
    live: &Live,
    sources: &Sources,
) -> Result<Plan, Error> {
    let Request { release, namespace, values, .. } = request;
    let kinds = live.kinds().await?;
    let mut checks = vec![];
    let place = checks::namespace(request, live).await;
    let exists = helm.has(release, namespace).await?;
    let of = Release { name: release, namespace, chart: archive, values };
    match Rendered::new(helm.template(of).await, namespace).await {
        Ok(rendered) => {
            checks.push(Check::ok(What::Rendering, chart.chart.name.clone()));
            checks.extend(checks::all(request, &rendered, chart, &kinds, live, &place).await?);
            checks.extend(sealed::closed(request, chart, &checks));
            checks.extend(sealed::opened(request, &rendered, live, &place).await);
            checks.extend(images::all(request, &rendered, sources).await);
        }
        Err(said) => {
            let remedy =
                "Give what it asks for, or correct what is given, with `--set` or `--values`.";
            checks.push(Check::missing(What::Rendering, &chart.chart.name, said, remedy));
        }
    }
    checks.insert(0, place.check);
    Ok(Plan {
        chart: address.to_owned(),
        version: chart.chart.version.to_string(),
        digest: chart.digest.clone(),
        server: live.server().to_owned(),
        namespace: namespace.clone(),
        new_namespace: !place.exists && request.create_namespace,
        release: release.clone(),
        action: if exists { Action::Upgrade } else { Action::Install },
        helm: helm.version.to_string(),
        secrets: request.secrets.iter().flatten().map(SealedSecret::from).collect(),
        checks,
    })
}
