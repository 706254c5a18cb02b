//! An application whose exports are made at any time, by the library.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use outhaul::app::Selection;
use outhaul::cluster::Manifests;
use outhaul::destination::direct::{self, Access};
use outhaul::export::prune::{self, Claim, GRACE, Outcome};
use outhaul::export::request::ScheduledRun;
use outhaul::export::run::{Deps, copier};
use outhaul::export::{self, Report, Request, Sources, Target};
use outhaul::registry::credentials::DockerConfig;
use outhaul::registry::progress::Quiet;
use outhaul::registry::{Host, Keychain, RepositoryName, Store};
use outhaul::schedule::retention::Rules;

use super::memory::{Content, Memory};

/// Where images come from and exports go to.
pub(crate) struct Place {
    pub(crate) target: Target,
    pub(crate) sources: Sources,
    /// `host/path` of the images.
    pub(crate) images: String,
}

pub(crate) const ORIGIN: &str = "manifests/shop/web";
pub(crate) const CHARTS: &str = "team/shop-web-chart";
pub(crate) const IMAGES: &str = "team/shop-web-image";

/// A registry by address, where images are below `src`.
pub(crate) fn at(address: &str) -> Place {
    let target = Target::registry(&destination(address)).unwrap();
    let sources = Sources::new(Keychain::new(), Vec::new());
    Place { target, sources, images: format!("{address}/src") }
}

/// The store in memory, with images from another.
pub(super) fn in_memory(store: Arc<Memory>, source: &Arc<Memory>) -> Place {
    let target = Target::registry(&destination("memory.example")).unwrap();
    let target = Target { store: store as Arc<dyn Store>, ..target };
    let mut sources = Sources::new(Keychain::new(), Vec::new());
    let host: Host = "source.example".parse().unwrap();
    sources.replace(host, Arc::clone(source) as Arc<dyn Store>);
    Place { target, sources, images: "source.example/src".to_owned() }
}

fn destination(address: &str) -> outhaul::destination::Destination {
    let access = Access {
        credentials: None,
        ca_file: None,
        plain_http: false,
        docker: DockerConfig::default(),
    };
    direct::destination(&format!("{address}/team"), &access).unwrap()
}

/// A Deployment with one image and a ConfigMap with one value.
pub(crate) fn objects(images: &str, tag: &str, setting: usize) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop, labels: {{app.kubernetes.io/name: web}}}}
spec:
  selector: {{matchLabels: {{app.kubernetes.io/name: web}}}}
  template:
    metadata: {{labels: {{app.kubernetes.io/name: web}}}}
    spec:
      containers:
        - name: web
          image: {images}/web:{tag}
          envFrom: [{{configMapRef: {{name: web}}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: web, namespace: shop, labels: {{app.kubernetes.io/name: web}}}}
data: {{SETTING: '{setting}'}}
"
    )
}

pub(crate) fn request(schedule: Option<&str>) -> Request {
    let selection = Selection::Name("web".to_owned());
    let scheduled = schedule.map(|name| ScheduledRun {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        due: Timestamp::UNIX_EPOCH,
        even_if_unchanged: false,
    });
    Request { scheduled, ..Request::named(selection, Some("shop".to_owned())) }
}

impl Place {
    pub(crate) async fn plan(&self, request: &Request, yaml: &str, now: Timestamp) -> export::Plan {
        let source = Manifests::from_reader(yaml.as_bytes(), "app.yaml", now).unwrap();
        let resolution = export::resolve(request, &source, &self.target, &self.sources).await;
        export::plan(request, &self.target, resolution.unwrap()).unwrap()
    }

    pub(crate) async fn carry_out(&self, plan: &export::Plan) -> Report {
        let copier = copier(&self.target, &[]);
        let deps = Deps {
            target: &self.target,
            sources: &self.sources,
            platforms: &[],
            copier: &copier,
            progress: &Quiet,
            attach_report: true,
            observer: None,
        };
        export::run(plan, deps).await.unwrap()
    }

    /// Exports the application as it is with this image and setting.
    pub(crate) async fn export(&self, tag: &str, setting: usize, now: Timestamp) -> Report {
        self.export_of(&request(Some("daily")), tag, setting, now).await
    }

    pub(crate) async fn export_of(
        &self,
        request: &Request,
        tag: &str,
        setting: usize,
        now: Timestamp,
    ) -> Report {
        let yaml = objects(&self.images, tag, setting);
        self.carry_out(&self.plan(request, &yaml, now).await).await
    }

    pub(crate) async fn prune_plan(&self, claims: &[Claim], now: Timestamp) -> prune::Plan {
        let charts: RepositoryName = CHARTS.parse().unwrap();
        prune::plan(&self.target, &charts, ORIGIN, claims, now).await.unwrap()
    }

    pub(crate) async fn prune(&self, claims: &[Claim], now: Timestamp) -> Outcome {
        let plan = self.prune_plan(claims, now).await;
        self.prune_by(&plan, GRACE, now).await.unwrap()
    }

    /// Carries the plan out with images that stay for `grace`.
    pub(crate) async fn prune_by(
        &self,
        plan: &prune::Plan,
        grace: SignedDuration,
        now: Timestamp,
    ) -> Result<Outcome, export::Error> {
        let charts: RepositoryName = CHARTS.parse().unwrap();
        let deleting = self.target.store.as_ref();
        let place = prune::Place { target: &self.target, deleting, charts: &charts, grace };
        prune::run(place, plan, now).await
    }
}

pub(crate) fn claim(rules: Rules) -> Claim {
    Claim {
        schedule: "manifests/shop/daily".to_owned(),
        rules: Some(rules),
        zone: TimeZone::UTC,
        dry_run: false,
    }
}

pub(crate) fn last(count: u32) -> Rules {
    Rules {
        last: count,
        hourly: 0,
        daily: 0,
        weekly: 0,
        monthly: 0,
        yearly: 0,
        max_age: None,
        min_successful: std::num::NonZeroU32::MIN,
        include_manual: false,
    }
}

/// Noon of the day with this number.
pub(crate) fn day(number: i64) -> Timestamp {
    let first: Timestamp = "2025-01-01T12:00:00Z".parse().unwrap();
    first + SignedDuration::from_hours(24 * number)
}

/// Versions in the chart repository.
pub(super) fn versions(content: &Content) -> BTreeSet<String> {
    let tags = content.tags_of(CHARTS).into_iter();
    tags.filter(|tag| tag.starts_with(|c: char| c.is_ascii_digit())).collect()
}

/// Asserts that every chart has all of its images, at any depth. The answer is how many there are.
pub(super) fn assert_whole(content: &Content, when: &str) -> usize {
    let charts = content.tags.iter().filter(|((repository, tag), _)| {
        repository.ends_with("-chart") && tag.starts_with(|c: char| c.is_ascii_digit())
    });
    let mut count = 0;
    for ((repository, tag), digest) in charts {
        assert_eq!(content.lacks(repository, digest), None, "{when}: {repository}:{tag}");
        let manifest = &content.manifests[&(repository.clone(), digest.clone())];
        let list = manifest.links().unwrap().annotations["images"].clone();
        for line in list.lines().filter(|line| line.contains("@sha256:")) {
            let digest = line.rsplit_once('@').unwrap().1.trim().trim_matches('"');
            let images = repository.replace("-chart", "-image");
            assert_eq!(content.lacks(&images, digest), None, "{when}: {repository}:{tag}");
            count += 1;
        }
    }
    count
}
