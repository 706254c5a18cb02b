//! helmify beside us: the same live objects, judged in the same way, but for labels, which it
//! replaces everywhere. It runs where `HELMIFY` names it, as under `make fidelity`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use super::compare;
use super::export::documents;
use super::fixture::{Fixture, Id};
use super::server::Way;
use super::{EMPTY, Oracle};
use crate::support::helm::Helm;
use crate::support::output;

/// Steps of paths that lead to labels and to what selects by them.
const LABELS: [&str; 3] = ["labels", "matchLabels", "selector"];

impl Oracle {
    /// How many objects of an application come back from helmify's chart; `None` without helmify.
    pub(super) fn helmify(&self, fixture: &Fixture) -> Option<usize> {
        let program = std::env::var_os("HELMIFY").map(PathBuf::from)?;
        let live =
            fixture.objects.iter().filter_map(|object| self.source.live(object, &fixture.name));
        let input: String = live.map(|object| format!("---\n{object}\n")).collect();
        let helm = Helm::v4();
        let mut command = Command::new(program);
        command.args(["-original-name", "chart"]).current_dir(helm.folder());
        if output::run(command, input.as_bytes()).code != 0 {
            return Some(0);
        }
        let rendered = helm.run(&["template", "back", "chart", "--namespace", EMPTY]);
        if rendered.code != 0 {
            return Some(0);
        }
        let expected: BTreeSet<Id> = fixture.expected().collect();
        let sent = self.target.dry_run(&documents(&rendered.stdout), EMPTY, Way::Apply);
        let spoilt: BTreeSet<Id> = compare::all(fixture, &self.source, &Default::default(), &sent)
            .into_iter()
            .filter(|(_, difference)| !is_of_labels(difference))
            .map(|(id, _)| id)
            .collect();
        Some(expected.iter().filter(|id| !spoilt.contains(id)).count())
    }
}

/// Whether all that differs is a label, or what selects by one.
fn is_of_labels(difference: &str) -> bool {
    let path = difference.split(": ").next().unwrap_or_default();
    path.split('.').any(|step| LABELS.contains(&step))
}
