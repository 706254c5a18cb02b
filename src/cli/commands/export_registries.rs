//! `outhaul export-registries`: where exports may go.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::args::{ExportRegistriesArgs, Global};
use crate::cli::destinations::{self, Known};
use crate::cli::output::Printer;
use crate::cli::remote::Server;
use crate::cli::tables;
use crate::destination::systems::{Reported, System};
use crate::destination::{Check, Problem, check};
use crate::error::Error;

/// One line of the list.
#[derive(Serialize)]
struct Entry {
    /// The destination, as it is written.
    #[serde(flatten)]
    destination: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Check>,
}

/// What of a destination is in the table.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    /// Absent where we may not see what it is.
    #[serde(default)]
    written_host: Option<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default)]
    system: Option<System>,
    #[serde(default)]
    mirror: Option<String>,
    #[serde(default)]
    reported: Option<Reported>,
    #[serde(default)]
    problems: Vec<Problem>,
}

impl Row {
    /// Its name, and what its system calls it besides.
    fn names(&self) -> String {
        let alias = self.alias.iter().map(|alias| format!(" ({alias})"));
        std::iter::once(self.name.clone()).chain(alias).collect()
    }

    /// What its system itself last said of it.
    fn reported(&self) -> String {
        match &self.reported {
            None => "-".to_owned(),
            Some(Reported { reachable: true, .. }) => "reachable".to_owned(),
            Some(Reported { error: Some(error), .. }) => error.clone(),
            Some(Reported { error: None, .. }) => "not reachable".to_owned(),
        }
    }
}

pub(crate) async fn run(
    args: &ExportRegistriesArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    args.remote.at.refuse(&[(global.destinations.is_some(), "--destinations")])?;
    let entries = match Server::of(&args.remote, global, printer).await? {
        Some(server) => at_server(&server, args, printer).await?,
        None => here(args.check, global, printer).await?,
    };
    printer.data(&entries, |entries| list(entries, args.check))
}

async fn here(checked: bool, global: &Global, printer: &Printer) -> Result<Vec<Entry>, Error> {
    let Known { namespace, all, notes, unread } = destinations::known(global).await?;
    notes.iter().for_each(|note| printer.say(note));
    destinations::tell_unread(unread.as_ref(), printer);
    if all.is_empty() {
        printer.say(format!(
            "no destinations in namespace `{namespace}`: make a Secret with the label \
             `outhaul.dev/destination: \"true\"` and a `.dockerconfigjson`"
        ));
    }
    let mut entries = Vec::with_capacity(all.len());
    for destination in all {
        let check = if checked { Some(check(&destination).await) } else { None };
        let destination = serde_json::to_value(&destination);
        let destination =
            destination.map_err(|error| Error::Output { reason: error.to_string() })?;
        entries.push(Entry { destination, check });
    }
    Ok(entries)
}

async fn at_server(
    server: &Server,
    args: &ExportRegistriesArgs,
    printer: &Printer,
) -> Result<Vec<Entry>, Error> {
    let destinations = server.destinations(args.namespace.as_deref()).await?;
    if destinations.is_empty() {
        printer.say(format!("no destinations at {}", server.address()));
    }
    let mut entries = Vec::with_capacity(destinations.len());
    for destination in destinations {
        let row = row(&destination);
        let check = match row {
            Some(row) if args.check && row.written_host.is_some() => {
                server.check(&row.name).await?
            }
            _ => None,
        };
        entries.push(Entry { destination, check });
    }
    Ok(entries)
}

fn row(destination: &Value) -> Option<Row> {
    Row::deserialize(destination).ok()
}

fn list(entries: &[Entry], checked: bool) -> String {
    let rows = entries.iter().filter_map(|entry| Some((entry, row(&entry.destination)?)));
    let rows: Vec<(&Entry, Row)> = rows.collect();
    // Who has labelled Secrets alone is not shown what they have not.
    let foreign = rows.iter().any(|(_, row)| row.system.is_some());
    let mut header = vec!["NAME", "URL"];
    if foreign {
        header.extend(["SYSTEM", "MIRROR", "REPORTED"]);
    }
    if checked {
        header.extend(["REACHABLE", "LOGIN", "PUSH", "DELETE", "REFERRERS", "TOOK"]);
    }
    header.push("STATE");
    let cells = rows.iter().map(|(entry, destination)| {
        let mut row = vec![destination.names(), address(destination)];
        if foreign {
            let system = destination.system.map_or("-", System::as_str);
            row.push(system.to_owned());
            row.push(destination.mirror.clone().unwrap_or_else(|| "-".to_owned()));
            row.push(destination.reported());
        }
        if let Some(check) = &entry.check {
            row.extend(checks(check));
        } else if checked {
            row.extend(["-"; 6].map(str::to_owned));
        }
        row.push(state(destination, entry.check.as_ref()));
        row
    });
    tables::table(&header, cells)
}

fn address(destination: &Row) -> String {
    match (&destination.host, &destination.path) {
        (Some(host), Some(path)) => format!("{host}/{path}"),
        (Some(host), None) => host.clone(),
        (None, _) => "-".to_owned(),
    }
}

fn checks(check: &Check) -> [String; 6] {
    let mark = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    [
        mark(check.reachable),
        mark(check.authenticated),
        mark(check.can_push),
        check.can_delete.map_or_else(|| "?".to_owned(), mark),
        mark(check.referrers),
        format!("{} ms", check.took_ms),
    ]
}

fn state(destination: &Row, check: Option<&Check>) -> String {
    if destination.written_host.is_none() {
        return "not yours to see: it takes the right to `use` it".to_owned();
    }
    let problems = destination.problems.iter().map(|problem| problem.text.as_str());
    let found = check.and_then(|check| check.problem.as_deref());
    let all: Vec<&str> = problems.chain(found).collect();
    if all.is_empty() { "ok".to_owned() } else { all.join("; ") }
}
