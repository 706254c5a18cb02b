//! `outhaul app diff REF:V1 V2`: two published versions, from the registry alone.

use std::path::Path;

use crate::cli::args::{AppDiffArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{chosen, in_layout, published, selector};
use crate::cli::tables;
use crate::error::Error;
use crate::export::between::{Place, between};
use crate::export::{self, ChartReference, Target};

/// A version as it is written: where the chart is, and what stands behind that: `:VERSION`,
/// `@DIGEST`, `@latest`, `@before=TIME` or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written<'t> {
    chart: &'t str,
    which: &'t str,
}

pub(super) async fn run(
    args: &AppDiffArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    refuse(args)?;
    let first = Written::of(&args.subject);
    let second = args.reference.as_deref().ok_or_else(|| one_is_missing(&args.subject))?;
    let (chart, which) = second_of(first, second)?;
    let located = locate(first.chart, args, global).await?;
    let other = match chart == first.chart {
        true => located.clone(),
        false => locate(chart, args, global).await?,
    };
    let before = version(&located, first.which, &args.time_zone).await?;
    let after = version(&other, &which, &args.time_zone).await?;
    let places = [(&located.0, &before), (&other.0, &after)];
    let [before, after] = places.map(|(target, chart)| Place { target, chart });
    let between = between(before, after).await?;
    printer.data(&between, tables::between)?;
    match between.count() {
        0 => Ok(()),
        differences => {
            let (before, after) = (between.before.chart, between.after.chart);
            Err(export::Error::VersionsDiffer { before, after, differences }.into())
        }
    }
}

/// Refuses what says how a running application is read: none is.
fn refuse(args: &AppDiffArgs) -> Result<(), Error> {
    let source = [
        (args.source.namespace.is_some(), "--namespace"),
        (args.source.from.is_some(), "--from"),
        (args.source.skip_unreadable, "--skip-unreadable"),
        (args.registry.is_some(), "--registry"),
    ];
    let (pick, content) = (args.pick.given(), args.content.given());
    let mut all = source.iter().chain(&pick).chain(&content);
    match all.find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, flag)) => Err(Error::Arguments {
            text: format!("`{flag}` does not go with two published versions"),
            hint: "they are read from the registry alone; with the name of an application in place \
                   of the first, what runs is compared",
        }),
    }
}

fn one_is_missing(first: &str) -> Error {
    Error::Arguments {
        text: format!("`{first}` is a published version, and the other one is not named"),
        hint: "name it behind: VERSION, `@latest`, `@before=TIME` or another reference",
    }
}

impl<'t> Written<'t> {
    fn of(text: &'t str) -> Self {
        let name = text.rfind('/').map_or(0, |slash| slash + 1);
        let end = text[name..].find([':', '@']).map_or(text.len(), |end| name + end);
        let (chart, which) = text.split_at(end);
        Self { chart, which }
    }
}

/// The chart of the second version, and which version of it. Without a name it is one of the
/// first's chart.
fn second_of<'t>(first: Written<'t>, text: &'t str) -> Result<(&'t str, String), Error> {
    if text.starts_with('@') {
        return Ok((first.chart, text.to_owned()));
    }
    if semver::Version::parse(text.split('@').next().unwrap_or_default()).is_ok() {
        return Ok((first.chart, format!(":{text}")));
    }
    let Written { chart, which } = Written::of(text);
    if !chart.contains('/') && which.is_empty() {
        return Err(Error::Arguments {
            text: format!("`{text}` is neither a version nor a published chart"),
            hint: "a version has three numbers, as in 2026.1122.195305; `outhaul app history` \
                   lists them",
        });
    }
    Ok((chart, which.to_owned()))
}

async fn locate(
    chart: &str,
    args: &AppDiffArgs,
    global: &Global,
) -> Result<(Target, ChartReference), Error> {
    if let Some(layout) = &args.to {
        return in_layout(layout, chart);
    }
    if Path::new(chart).is_dir() {
        return Err(Error::Arguments {
            text: format!("`{chart}` is a directory"),
            hint: "name the layout with `--to DIR`, and its charts as NAME:VERSION",
        });
    }
    let found = published(chart, &args.access, global).await?;
    Ok((Target::registry(&found.destination)?, found.chart))
}

/// The version that is meant; the newest if none is.
async fn version(
    (target, chart): &(Target, ChartReference),
    which: &str,
    zone: &str,
) -> Result<ChartReference, Error> {
    let (which, selector) = selector(which, zone)?;
    let named = ChartReference::in_layout(&format!("{}{which}", chart.repository))?;
    chosen(target, ChartReference { host: chart.host.clone(), ..named }, selector).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_cut_where_its_chart_ends() {
        let cases = [
            ("r.example:5000/team/web-chart:1.0.0", "r.example:5000/team/web-chart", ":1.0.0"),
            ("oci://r.example/web-chart@latest", "oci://r.example/web-chart", "@latest"),
            (
                "team/web-chart@before=2026-11-22T17:00",
                "team/web-chart",
                "@before=2026-11-22T17:00",
            ),
            ("web-chart:1.0.0@sha256:0", "web-chart", ":1.0.0@sha256:0"),
            ("r.example:5000/web-chart", "r.example:5000/web-chart", ""),
        ];
        for (text, chart, which) in cases {
            assert_eq!(Written::of(text), Written { chart, which });
        }
    }

    #[test]
    fn the_second_version_is_of_the_same_chart_unless_it_names_one() {
        let first = Written::of("r.example/web-chart:1.0.0");
        let second = |text: &'static str| second_of(first, text);
        let same = |which: &str| (first.chart, which.to_owned());
        assert_eq!(second("1.1.0+b").unwrap(), same(":1.1.0+b"));
        assert_eq!(second("@latest").unwrap(), same("@latest"));
        assert_eq!(second("r.example/copy:2.0.0").unwrap(), ("r.example/copy", ":2.0.0".into()));
        for text in ["1.1", "latest", "web"] {
            assert!(second(text).is_err(), "{text}");
        }
    }
}
