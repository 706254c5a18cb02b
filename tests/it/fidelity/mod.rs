//! The oracle: does a chart give back what ran?
//!
//! Every application below `tests/fixtures/apps` is applied to a real cluster, exported by the
//! built binary and rendered by helm 3 and 4. What they print is sent to another cluster as a dry
//! run into an empty namespace, as each helm would send it, and the server's answer is compared
//! with the live object field by field. The oracle knows nothing of how an export normalises: what
//! may differ is in [`allowed`], each with its reason. Then each helm installs the chart there, and
//! an export of that has to be unchanged ([`again`]).
//!
//! `make fidelity` prints the table. `FIDELITY_APP` takes one application, `FIDELITY_APPLY` applies
//! all of them in one way.

mod again;
mod allowed;
mod compare;
mod export;
mod fixture;
mod helmify;
mod rendered;
mod server;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use fixture::Fixture;
use outhaul::chart::ChartArchive;
use serde_json::{Value, json};
use server::Server;

use crate::support::cluster::Cluster;
use crate::support::helm::Helm;
use crate::support::registry::Registry;

/// Applications worked on at the same time.
const WORKERS: usize = 2;

/// Where nothing is, so that dry runs find nothing.
const EMPTY: &str = "empty";

#[test]
fn every_application_comes_back() {
    let oracle = oracle();
    let fixtures = &oracle.fixtures;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(fixture) = fixtures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = oracle.judge(fixture);
                    results.lock().unwrap().insert(fixture.name.clone(), verdict);
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let table: String = results.iter().map(|(name, verdict)| verdict.line(name)).collect();
    println!("{table}{}", total(&results.values().collect::<Vec<_>>()));
    assert!(results.values().all(|verdict| verdict.differences.is_empty()), "\n{table}");
    let made = results.iter().filter_map(|(name, it)| Some((name.as_str(), it.made.as_ref()?)));
    let made = made.collect();
    lint(&made);
    rendered::alike(&made);
}

/// The sums of all lines.
fn total(verdicts: &[&Verdict]) -> String {
    let sum = |part: fn(&Verdict) -> usize| verdicts.iter().map(|it| part(it)).sum::<usize>();
    let (identical, of) = (sum(|it| it.identical), sum(|it| it.of));
    let helmify: Option<usize> = verdicts.iter().map(|it| it.helmify).sum();
    let helmify = helmify.map(|count| format!(", helmify {count}/{of}")).unwrap_or_default();
    format!("identical {identical}/{of} in all{helmify}\n")
}

/// What helm says of the one object that is written in an API version on its way out, as it ran.
const DEPRECATED: &str = "v1 Endpoints is deprecated";

/// Neither helm has anything to say of a chart, warnings and the schema of its values included. One
/// process each lints all of them.
fn lint(all: &BTreeMap<&str, &Made>) {
    for helm in Helm::both() {
        let mut args = vec!["lint".to_owned(), "--strict".to_owned(), "--quiet".to_owned()];
        for (name, made) in all {
            let file = format!("{name}.tgz");
            std::fs::write(helm.folder().join(&file), &made.chart.tgz).unwrap();
            args.push(file);
        }
        let said = helm.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let mut lines = said.stdout.lines().filter(|line| line.starts_with('['));
        let only_deprecated = lines.all(|line| line.contains(DEPRECATED));
        assert!(only_deprecated, "{}", said.stdout);
        assert!(said.code == 0 || said.stdout.contains(DEPRECATED), "{}", said.stderr);
    }
}

/// What became of one application.
#[derive(Default)]
struct Verdict {
    identical: usize,
    of: usize,
    differences: Vec<String>,
    /// What came of the export, if it succeeded.
    made: Option<Made>,
    /// How many come back from helmify's chart, where helmify is.
    helmify: Option<usize>,
}

/// A chart, and the YAML documents that each helm renders.
struct Made {
    chart: ChartArchive,
    rendered: Vec<Vec<String>>,
}

impl Verdict {
    fn line(&self, name: &str) -> String {
        let differences: String = self.differences.iter().map(|one| format!("  {one}\n")).collect();
        let helmify = self.helmify.map(|of| format!("  helmify identical {of}/{}\n", self.of));
        let line = format!("identical {}/{} {name}\n{differences}", self.identical, self.of);
        line + &helmify.unwrap_or_default()
    }
}

/// The one that the tests share.
fn oracle() -> &'static Oracle {
    static SHARED: OnceLock<Oracle> = OnceLock::new();
    SHARED.get_or_init(Oracle::start)
}

/// Where applications run, where they are sent to, and where their images come from.
struct Oracle {
    source: Server,
    target: Server,
    images: Registry,
    fixtures: Vec<Fixture>,
}

impl Oracle {
    fn start() -> Self {
        let fixtures = fixture::all();
        let (source, target) = std::thread::scope(|scope| {
            let source = scope.spawn(|| Cluster::with_service_accounts().add_controllers());
            let target = scope.spawn(Cluster::with_service_accounts);
            (source.join().unwrap(), target.join().unwrap())
        });
        let (source, target) = (Server::new(source), Server::new(target));
        let around: Vec<&Value> = fixtures.iter().flat_map(|fixture| &fixture.around).collect();
        source.prepare(&around);
        target.prepare(&around);
        // What one cluster takes by default is not what the other one does.
        source.prepare(&[&default_class("fast-ssd")]);
        target.prepare(&[&default_class("standard"), &fixture::namespace(EMPTY)]);
        // All at once, so that nobody waits for the account that a controller puts into each.
        let places = fixtures.iter().map(|fixture| fixture::namespace(&fixture.name));
        source.prepare(&places.collect::<Vec<_>>().iter().collect::<Vec<_>>());
        target.prepare_in(EMPTY, &[&default_account()]); // it has no controller to make it
        Self { source, target, images: Registry::plain().start(), fixtures }
    }

    /// Applies an application, exports it, and compares what both helms would make of the chart.
    fn judge(&self, fixture: &Fixture) -> Verdict {
        let source = &self.source;
        let images = fixture.push_images(&self.images);
        let of = fixture.expected().count();
        let failed = |differences| Verdict { of, differences, ..Verdict::default() };
        let refused = source.deploy(fixture, &self.images.address());
        if !refused.is_empty() {
            return failed(refused);
        }
        let export = match export::run(fixture, &source.cluster, &self.images, &[]) {
            Ok(export) => export,
            Err(message) => return failed(vec![message]),
        };
        let mut differences = fixture.unexplained(&export.report);
        let (mut spoilt, mut rendered) = (BTreeSet::new(), Vec::new());
        for (helm, way) in [(Helm::v3(), server::Way::Create), (Helm::v4(), server::Way::Apply)] {
            let documents = export::render(&helm, &export.chart);
            let sent = self.target.dry_run(&documents, EMPTY, way);
            rendered.push(documents);
            let found = compare::all(fixture, source, &images, &sent);
            for (object, difference) in found {
                spoilt.insert(object.clone());
                let line = format!("{object} {difference}");
                if !differences.contains(&line) {
                    differences.push(line);
                }
            }
        }
        if fixture.expect.not_again.is_none() {
            differences.extend(self.again(fixture, &export));
        }
        let identical = fixture.expected().filter(|it| !spoilt.contains(it)).count();
        let helmify = self.helmify(fixture);
        let made = Some(Made { chart: export.chart, rendered });
        Verdict { identical, of, differences, made, helmify }
    }
}

/// The storage class that claims without one get.
fn default_class(name: &str) -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name,
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "example.com/disk"})
}

/// The account of pods that name none.
fn default_account() -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})
}
