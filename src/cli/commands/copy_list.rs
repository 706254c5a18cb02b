//! `outhaul copy --from-file LIST --to-host HOST`: images to a mirror, under their own names.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::copy::{copy_one, reference, summary};
use crate::cli::args::{AccessArgs, CopyArgs};
use crate::cli::connect;
use crate::cli::output::Printer;
use crate::cluster;
use crate::destination::eda::{listed, mirrored, references};
use crate::error::Error;
use crate::registry::{Copied, Host, Located, Reference, Registry};

/// An image, and where it goes.
struct Pair {
    source: Reference,
    destination: Reference,
}

/// An image as a list names it.
struct Named {
    image: String,
    /// The file, and the line of a plain list.
    place: String,
}

/// What became of one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    source: String,
    destination: String,
    #[serde(flatten)]
    copied: Option<Copied>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Registries that were spoken to, each once.
#[derive(Default)]
struct Stores(HashMap<Host, Arc<Registry>>);

pub(super) async fn run(
    list: &Path,
    host: &str,
    args: &CopyArgs,
    printer: &Printer,
) -> Result<(), Error> {
    let pairs = pairs(list, host)?;
    let reading = AccessArgs { username: None, password_stdin: false, ..args.access.clone() };
    let (mut sources, mut destinations) = (Stores::default(), Stores::default());
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for Pair { source, destination } in pairs {
        let from = sources.at(&source, &reading)?;
        let to = destinations.at(&destination, &args.access)?;
        printer.say(format!("{source} to {}", destination.host));
        let done = copy_one((&source, &from), (&destination, &to), args, printer).await;
        let (copied, error) = match done {
            Ok(copied) => (Some(copied), None),
            Err(error) => {
                printer.error(&error);
                failures.push((source.to_string(), error));
                (None, failures.last().map(|(_, error)| error.to_string()))
            }
        };
        let (source, destination) = (source.to_string(), destination.to_string());
        rows.push(Row { source, destination, copied, error });
    }
    printer.data(&rows, |rows| table(rows))?;
    ended(failures, rows.len())
}

/// The images of the list, with their names at the mirror.
fn pairs(list: &Path, host: &str) -> Result<Vec<Pair>, Error> {
    let refuse = |text: String, hint: &'static str| Err(Error::Arguments { text, hint });
    check_mirror(host)?;
    let mut pairs: Vec<Pair> = Vec::new();
    for Named { image, place } in images(list)? {
        let parsed = mirrored(&image, host).map(|there| (reference(&image), reference(&there)));
        let Some((Ok(source), Ok(destination))) = parsed else {
            let text = format!("{place}: `{image}` is no image of a registry");
            return refuse(
                text,
                "write it as HOST[:PORT]/REPOSITORY[:TAG][@DIGEST], without a scheme",
            );
        };
        if let Some(other) = pairs.iter().find(|pair| pair.destination == destination) {
            let text = format!("`{}` and `{source}` have one place at the mirror", other.source);
            return refuse(text, "mirror them to two hosts");
        }
        pairs.push(Pair { source, destination });
    }
    if pairs.is_empty() {
        let text = format!("{} names no image", list.display());
        return refuse(text, "give one reference a line, or manifests of Nokia EDA");
    }
    Ok(pairs)
}

/// Refuses what is no host: only a host takes the place of a host.
pub(in crate::cli) fn check_mirror(host: &str) -> Result<(), Error> {
    const IMAGE: &str = "registry.example.com/a:1";
    if mirrored(IMAGE, host).is_some() {
        return Ok(());
    }
    // Before an `@` may be a password.
    let shown = if host.contains('@') { "what is given".to_owned() } else { format!("`{host}`") };
    Err(Error::Arguments {
        text: format!("{shown} is no mirror"),
        hint: "a mirror is HOST[:PORT], without scheme and path: repositories and tags are the same there",
    })
}

fn images(list: &Path) -> Result<Vec<Named>, Error> {
    let mut all: Vec<Named> = Vec::new();
    for text in cluster::texts(list)? {
        let found: Vec<Named> = match listed(&text.text) {
            Some(found) => {
                let named = |(line, image)| Named { image, place: format!("{}:{line}", text.name) };
                found.into_iter().map(named).collect()
            }
            None => {
                let found = references(&cluster::parsed(&text.name, &text.text)?);
                let named = |image| Named { image, place: text.name.clone() };
                found.into_iter().map(named).collect()
            }
        };
        for named in found {
            if all.iter().all(|known| known.image != named.image) {
                all.push(named);
            }
        }
    }
    Ok(all)
}

impl Stores {
    fn at(&mut self, of: &Reference, args: &AccessArgs) -> Result<Located, Error> {
        let store = match self.0.get(&of.host) {
            Some(store) => Arc::clone(store),
            None => connect::registry(of.host.as_str(), args)?,
        };
        self.0.insert(of.host.clone(), Arc::clone(&store));
        Ok(Located { store, repository: of.repository.clone() })
    }
}

fn table(rows: &[Row]) -> String {
    let row = |row: &Row| match (&row.copied, &row.error) {
        (Some(copied), _) => summary(copied, &row.destination) + "\n",
        (None, error) => {
            format!("{}\n  not copied: {}\n", row.source, error.as_deref().unwrap_or_default())
        }
    };
    rows.iter().map(row).collect()
}

fn ended(failures: Vec<(String, Error)>, of: usize) -> Result<(), Error> {
    let (failed, mut errors): (Vec<String>, Vec<Error>) = failures.into_iter().unzip();
    if errors.is_empty() {
        return Ok(());
    }
    Err(Error::PartlyCopied { failed, of, first: Box::new(errors.swap_remove(0)) })
}
