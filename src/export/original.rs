//! `--chart-from release`: whether the chart of a Helm release can be what is exported.

use semver::Version;

use crate::app::helm::{Lookup, Record};
use crate::app::{App, Code, Finding, FoundBy, ObjectId, Options, Snapshot};
use crate::chart::original::{self, Original, Wanted};
use crate::chart::{Image, Templates};

use super::images::ResolvedImage;
use super::names::Names;
use super::plan::image_tags;
use super::request::{ChartFrom, ChosenNames};
use super::{Error, Request, Target, compose};

/// A version as exports get them: as long, and no one's.
const PROBE: Version = Version::new(9999, 1231, 235_959);

/// The chart of the release, if it is asked for and can be used: the names are then its own. If it
/// cannot, a finding says why.
///
/// # Errors
/// When the names do not fit each other.
pub(super) fn original(
    request: &Request,
    snapshot: &Snapshot,
    target: &Target,
    images: &[ResolvedImage],
    app: &mut App,
    names: &mut Names,
) -> Result<Option<Original>, Error> {
    if request.chart_from == ChartFrom::Live {
        return Ok(None);
    }
    let images = images.iter().map(|image| {
        let tags = image_tags(names, images, image)?;
        Ok(compose::image(target, names, image, tags.last()))
    });
    let images = images.collect::<Result<Vec<Image>, Error>>()?;
    match rebuilt(request, snapshot, &images, app, names.version.as_ref()) {
        Ok((name, rebuilt)) => {
            let chosen = ChosenNames { chart_name: Some(name), ..request.names.clone() };
            *names = Names::new(&app.namespace, &app.name, &chosen)?;
            // They are in the chart.
            app.findings.retain(|finding| finding.code != Code::HelmHookSkipped);
            let drift = rebuilt.drift(app, &snapshot.objects);
            app.findings.extend(drift.into_iter().map(|(object, field)| drifted(object, field)));
            Ok(Some(rebuilt))
        }
        Err(reason) => {
            app.findings.push(unusable(&reason));
            Ok(None)
        }
    }
}

fn rebuilt(
    request: &Request,
    snapshot: &Snapshot,
    images: &[Image],
    app: &App,
    version: Option<&Version>,
) -> Result<(String, Original), String> {
    let Lookup::Found(release) = snapshot.release_of(&app.name) else {
        return Err("no record of Helm's was read".to_owned());
    };
    let record = release.record.as_ref().ok_or("the snapshot has no record of Helm's")?;
    if app.found_by != FoundBy::HelmRelease {
        return Err("the application is not chosen as a Helm release".to_owned());
    }
    if release.exported.is_some() {
        return Err("it is an export, and what runs gives the same chart again".to_owned());
    }
    if let Some(option) = foreign_option(request, record) {
        return Err(format!("`{option}` changes charts that are made of what runs"));
    }
    let version = version.cloned().unwrap_or(PROBE);
    let wanted = Wanted { app, images, secrets: request.secrets, version: &version };
    let rebuilt = original::rebuild(record, wanted).map_err(|unusable| unusable.to_string())?;
    Ok((original::name(record).to_owned(), rebuilt))
}

/// An option that the original chart cannot follow.
fn foreign_option(request: &Request, record: &Record) -> Option<&'static str> {
    let Options { exclude, include_crds, rewrite_namespace, .. } = &request.options;
    let renamed = request.names.chart_name.as_ref().is_some_and(|it| it != original::name(record));
    let options = [
        (!exclude.is_empty(), "--exclude"),
        (*include_crds, "--include-crds"),
        (*rewrite_namespace, "--rewrite-namespace"),
        (request.templates != Templates::default(), "--templates"),
        (renamed, "--chart-name"),
    ];
    options.into_iter().find_map(|(is_used, option)| is_used.then_some(option))
}

fn drifted(object: ObjectId, field: String) -> Finding {
    let text = "it is not as the Helm release has it, and the release's chart does not change that";
    Finding::new(Code::ReleaseDrift, text).on(object).field(field).remedy(
        "Bring the change into the release with `helm upgrade`, or export with `--chart-from live`.",
    )
}

fn unusable(reason: &str) -> Finding {
    let text = format!("the chart of the release cannot be exported: {reason}");
    Finding::new(Code::ReleaseChartUnusable, text).remedy(
        "Look at the chart, which was made of what runs; `--chart-from live` asks for that alone.",
    )
}
