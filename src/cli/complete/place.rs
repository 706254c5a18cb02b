//! What can stand at the cursor, by the definition of the commands. Pure.

use std::collections::BTreeMap;

use clap::{Arg, Command};

/// What is named there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An application.
    App,
    /// A namespace.
    Namespace,
    /// A destination.
    Destination,
    /// An export.
    Export,
    /// A schedule.
    Schedule,
}

/// The place of the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What is named there.
    pub(super) kind: Kind,
    /// What is typed of it.
    pub(super) current: String,
    /// Values of flags that are typed before it, by the names of the arguments.
    pub(super) values: BTreeMap<String, String>,
}

/// What can stand at the last of `words`, of which the first is the program; `None` where it is nothing
/// that has to be looked up.
pub(super) fn find(mut command: Command, words: &[String]) -> Option<Place> {
    command.build(); // so that subcommands know of global flags
    let (current, before) = words.get(1..)?.split_last()?;
    let (mut at, mut path) = (&command, Vec::new());
    let (mut values, mut pending, mut positionals) = (BTreeMap::new(), None::<&Arg>, 0);
    for word in before {
        if let Some(arg) = pending.take() {
            values.insert(arg.get_id().to_string(), word.clone());
        } else if let Some((arg, value)) = flag(at, word) {
            match value {
                Some(value) => {
                    values.insert(arg.get_id().to_string(), value.to_owned());
                }
                None if takes_a_word(arg) => pending = Some(arg),
                None => {}
            }
        } else if let Some(next) = at.find_subcommand(word).filter(|_| positionals == 0) {
            at = next;
            path.push(next.get_name());
        } else if !word.starts_with('-') {
            positionals += 1;
        }
    }
    let arg = match pending {
        Some(arg) => arg,
        None if current.starts_with('-') => return None,
        None => at.get_positionals().nth(positionals)?,
    };
    let kind = kind(&path, arg.get_id().as_str())?;
    Some(Place { kind, current: current.clone(), values })
}

/// What the argument `arg` of the command at `path` names.
pub(super) fn kind(path: &[&str], arg: &str) -> Option<Kind> {
    Some(match (path.first().copied().unwrap_or_default(), arg) {
        (_, "namespace" | "system_namespace" | "eda_namespace") => Kind::Namespace,
        (_, "registry" | "chart_registry") => Kind::Destination,
        ("app", "name" | "exclude_app") | ("export" | "schedule", "app") => Kind::App,
        ("export", "name") => Kind::Export,
        ("schedule", "name") => Kind::Schedule,
        _ => return None,
    })
}

/// The flag that a word is, and the value that it holds itself.
fn flag<'c, 'w>(command: &'c Command, word: &'w str) -> Option<(&'c Arg, Option<&'w str>)> {
    let mut args = command.get_arguments();
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, v)| (name, Some(v)));
        return Some((args.find(|arg| arg.get_long() == Some(name))?, value));
    }
    let mut letters = word.strip_prefix('-')?.chars();
    let letter = letters.next()?;
    let arg = args.find(|arg| arg.get_short() == Some(letter))?;
    let value = Some(letters.as_str()).filter(|rest| !rest.is_empty() && takes_a_word(arg));
    Some((arg, value.map(|value| value.strip_prefix('=').unwrap_or(value))))
}

/// Whether the word after the flag is its value.
fn takes_a_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::complete::words::split;

    fn at(line: &str) -> Option<(Kind, String)> {
        let place = find(crate::cli::command(), &split(line))?;
        Some((place.kind, place.current))
    }

    #[test]
    fn the_definition_of_the_commands_says_what_stands_where() {
        for (line, kind, current) in [
            ("outhaul app show ", Kind::App, ""),
            ("outhaul app export sh", Kind::App, "sh"),
            ("outhaul apps export -n shop --wait-rollout -q sh", Kind::App, "sh"),
            ("outhaul app export --exclude-app a", Kind::App, "a"),
            ("outhaul app list -n sh", Kind::Namespace, "sh"),
            ("outhaul --system-namespace ", Kind::Namespace, ""),
            ("outhaul app list --namespace ", Kind::Namespace, ""),
            ("outhaul app export shop -n shop -r te", Kind::Destination, "te"),
            ("outhaul export show ", Kind::Export, ""),
            ("outhaul exports cancel -n shop web-", Kind::Export, "web-"),
            ("outhaul export list --app ", Kind::App, ""),
            ("outhaul schedule show ni", Kind::Schedule, "ni"),
            ("outhaul schedule preview ", Kind::Schedule, ""),
            ("outhaul schedule create nightly --app sh", Kind::App, "sh"),
        ] {
            assert_eq!(at(line), Some((kind, current.to_owned())), "{line}");
        }
        for line in [
            "",
            "outhaul",
            "outhaul ",
            "outhaul app ",
            "outhaul app show --",
            "outhaul app show shop ",
            "outhaul copy ",
            "outhaul schedule create ",
            "outhaul app export --secrets ",
        ] {
            assert_eq!(at(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_typed_before_says_where_to_look() {
        let line = "outhaul --context=there app export -nshop --server https://h:1 -r t";
        let place = find(crate::cli::command(), &split(line)).unwrap();
        let wanted = [("context", "there"), ("namespace", "shop"), ("server", "https://h:1")];
        let wanted = wanted.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(place.values, BTreeMap::from(wanted));
    }
}
