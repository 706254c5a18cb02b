//! The scripts that shells read: what clap makes of the commands, and in it where names are asked for.

use std::collections::BTreeSet;

use clap::Command;
use clap_complete::Shell;

use super::place;

/// With what clap's script for zsh ends: it would answer the first completion without any names.
const ZSH_END: &str = "\nif [ \"$funcstack[1]\" = \"_outhaul\" ]; then";

/// The script of a shell.
pub(in crate::cli) fn script(shell: Shell, mut command: Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "outhaul", &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => format!("{script}{}", include_str!("bash.sh")),
        Shell::Zsh => {
            let commands = script.split_once(ZSH_END).map_or(&*script, |(commands, _)| commands);
            format!("{commands}{}", include_str!("zsh.zsh"))
        }
        Shell::Fish => fish(&script, &command),
        _ => script.into_owned(),
    }
}

/// fish asks for the value of an option where that option is declared, and nowhere else.
fn fish(script: &str, command: &Command) -> String {
    let mut named = BTreeSet::new();
    options(command, &mut Vec::new(), &mut named);
    let is_named = |line: &str| named.iter().any(|long| line.contains(&format!(" -l {long} ")));
    let mut all = String::new();
    for line in script.lines() {
        match line.strip_suffix(" -r").filter(|_| is_named(line)) {
            Some(line) => all.extend([line, " -x -a '(__outhaul_names)'\n"]),
            None => all.extend([line, "\n"]),
        }
    }
    all + include_str!("fish.fish")
}

/// Adds the options of a command, and of those below it, whose values are names.
fn options<'c>(command: &'c Command, path: &mut Vec<&'c str>, named: &mut BTreeSet<&'c str>) {
    for arg in command.get_arguments() {
        if place::kind(path, arg.get_id().as_str()).is_some() {
            named.extend(arg.get_long());
        }
    }
    for below in command.get_subcommands() {
        path.push(below.get_name());
        options(below, path, named);
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zsh_asks_for_names_at_the_first_completion_too() {
        let script = script(Shell::Zsh, crate::cli::command());
        assert_eq!(script.matches("$funcstack[1]").count(), 1, "clap ends otherwise now");
        assert_eq!(script.matches("compdef ").count(), 2, "the first line, and ours");
    }

    #[test]
    fn fish_asks_for_names_of_every_option_that_has_one() {
        let script = script(Shell::Fish, crate::cli::command());
        let longs = ["registry", "chart-registry", "namespace", "app", "exclude-app"];
        for long in longs.into_iter().chain(["system-namespace"]) {
            let mut lines = script.lines().filter(|line| line.contains(&format!(" -l {long} ")));
            let all = lines.clone().count();
            assert!(all > 0, "no --{long}");
            assert!(lines.all(|line| line.ends_with(" -x -a '(__outhaul_names)'")), "--{long}");
        }
        assert!(script.contains(" -l output "), "and no other");
        assert!(script.lines().any(|line| line.contains(" -l values ") && line.ends_with(" -F")));
    }
}
