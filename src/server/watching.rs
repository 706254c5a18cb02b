//! The states of one export from now on, for whoever waits for its end. Any replica can tell them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::timeout;

use super::state::State;
use crate::cluster::record::Export;

/// What there is to tell of an export.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Update {
    /// How it is now.
    State(Arc<Export>),
    /// How it ended. Nothing comes after it.
    End(Arc<Export>),
    /// It was removed. Nothing comes after it.
    Gone,
}

/// The watch sees in milliseconds what another replica has just made.
const SEEN: Duration = Duration::from_secs(2);

/// The states of an export, the present one first, until it has ended or is gone. Who reads slowly
/// misses states, but never the end. Dropping the stream changes nothing of the export. Ends without
/// an end when the server does.
///
/// `after` is the sequence of the state that was seen last: only later ones come, and the end.
pub(super) fn watch(
    state: &State,
    namespace: &str,
    name: &str,
    after: Option<u64>,
) -> impl Stream<Item = Update> + Send + use<> {
    updates(state.exports.changes(namespace, name), after)
}

fn updates(
    changes: impl Stream<Item = Option<Arc<Export>>> + Send,
    after: Option<u64>,
) -> impl Stream<Item = Update> + Send {
    let start = Some((Box::pin(changes), None));
    stream::unfold(start, move |going| async move {
        let (mut changes, mut uid) = going?;
        loop {
            let mut now = changes.next().await?;
            if now.is_none() && uid.is_none() {
                now = timeout(SEEN, changes.next()).await.ok().flatten().flatten();
            }
            let Some(export) = now else { return Some((Update::Gone, None)) };
            if *uid.get_or_insert_with(|| export.uid().to_owned()) != export.uid() {
                return Some((Update::Gone, None)); // the one of its name is another
            }
            if export.is_terminal() {
                return Some((Update::End(export), None));
            }
            if after.is_none_or(|after| export.sequence() > after) {
                return Some((Update::State(export), Some((changes, uid))));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::{ExportSpec, ExportStatus, Phase, Progress};

    fn export(uid: &str, sequence: u64, phase: Phase) -> Option<Arc<Export>> {
        let mut export = Export::draft("shop", "web-1", ExportSpec::new("web", "team"));
        export.metadata.uid = Some(uid.to_owned());
        let progress = Progress { sequence, ..Progress::default() };
        let (phase, progress) = (Some(phase), Some(progress));
        export.status = Some(ExportStatus { phase, progress, ..ExportStatus::default() });
        Some(Arc::new(export))
    }

    async fn told(changes: Vec<Option<Arc<Export>>>, after: Option<u64>) -> Vec<String> {
        let changes = stream::iter(changes).chain(stream::pending());
        let updates = updates(changes, after).map(|update| match update {
            Update::State(export) => export.sequence().to_string(),
            Update::End(export) => format!("end {}", export.sequence()),
            Update::Gone => "gone".to_owned(),
        });
        updates.collect().await
    }

    #[tokio::test]
    async fn states_come_until_the_end() {
        let running = |sequence| export("u", sequence, Phase::Running);
        let done = export("u", 3, Phase::Succeeded);
        let all = || vec![running(1), running(2), done.clone(), running(4)];
        assert_eq!(told(all(), None).await, ["1", "2", "end 3"]);
        assert_eq!(told(all(), Some(1)).await, ["2", "end 3"]);
        assert_eq!(told(vec![done.clone()], Some(3)).await, ["end 3"]);
        assert_eq!(told(vec![running(1), None], None).await, ["1", "gone"]);
        let later = export("v", 1, Phase::Running);
        assert_eq!(told(vec![running(1), later], None).await, ["1", "gone"]);
    }

    #[tokio::test]
    async fn what_was_just_made_is_waited_for_and_what_is_not_there_is_gone() {
        let made = export("u", 1, Phase::Succeeded);
        assert_eq!(told(vec![None, made], None).await, ["end 1"]);
        assert_eq!(told(vec![None], None).await, ["gone"]);
    }
}
