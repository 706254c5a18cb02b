//! `outhaul export-registries`: where exports may go.

use serde::Serialize;

use crate::cli::args::{ExportRegistriesArgs, Global};
use crate::cli::output::Printer;
use crate::cli::{connect, tables};
use crate::destination::{Check, Destination, check};
use crate::error::Error;

/// One line of the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(flatten)]
    destination: Destination,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Check>,
}

pub(crate) async fn run(
    args: &ExportRegistriesArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (namespace, destinations) = connect::destinations(global).await?;
    if destinations.is_empty() {
        printer.say(format!(
            "no destinations in namespace `{namespace}`: make a Secret with the label \
             `outhaul.dev/destination: \"true\"` and a `.dockerconfigjson`"
        ));
    }
    let mut entries = Vec::with_capacity(destinations.len());
    for destination in destinations {
        let check = if args.check { Some(check(&destination).await) } else { None };
        entries.push(Entry { destination, check });
    }
    printer.data(&entries, |entries| list(entries, args.check))
}

fn list(entries: &[Entry], checked: bool) -> String {
    let mut header = vec!["NAME", "URL"];
    if checked {
        header.extend(["REACHABLE", "LOGIN", "PUSH", "DELETE", "REFERRERS", "TOOK"]);
    }
    header.push("STATE");
    let rows = entries.iter().map(|entry| {
        let destination = &entry.destination;
        let address = Some(destination.address()).filter(|address| !address.is_empty());
        let address = address.unwrap_or_else(|| "-".to_owned());
        let mut row = vec![destination.name.clone(), address];
        if let Some(check) = &entry.check {
            let mark = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
            row.push(mark(check.reachable));
            row.push(mark(check.authenticated));
            row.push(mark(check.can_push));
            row.push(check.can_delete.map_or_else(|| "?".to_owned(), mark));
            row.push(mark(check.referrers));
            row.push(format!("{} ms", check.took_ms));
        }
        row.push(state(entry));
        row
    });
    tables::table(&header, rows)
}

fn state(entry: &Entry) -> String {
    let problems = entry.destination.problems.iter().map(|problem| problem.text.as_str());
    let found = entry.check.as_ref().and_then(|check| check.problem.as_deref());
    let all: Vec<&str> = problems.chain(found).collect();
    if all.is_empty() { "ok".to_owned() } else { all.join("; ") }
}
