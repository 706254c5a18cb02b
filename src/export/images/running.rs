//! `imageID` of a container status, in the forms that container runtimes write.

use crate::app::{ImageUse, Running};
use crate::registry::{Digest, Reference};

/// Hexadecimal digits of a SHA-256. Old releases of CRI-O report an image's configuration by them
/// alone.
const SHA256_DIGITS: usize = 64;

/// What nodes say of an image.
///
/// A kubelet reports *a* digest that its runtime knows for the content, not the one that the pod
/// was started with: of another repository, of an index where a manifest was asked for, or of the
/// image's configuration. So it identifies content, and says little of where that came from.
#[derive(Clone, Debug)]
pub(super) struct RunningId<'a> {
    /// As it was reported, and by how many.
    pub(super) said: &'a Running,
    /// Of an index, a manifest or a configuration; `None` in a form that nobody knows.
    pub(super) digest: Option<Digest>,
    /// Where the node has it from; `None` for a bare digest.
    pub(super) reference: Option<Reference>,
}

/// What nodes say of an image, in order.
pub(super) fn running(image: &ImageUse) -> Vec<RunningId<'_>> {
    image.running.iter().map(RunningId::new).collect()
}

/// What most nodes report of the repository that is written, as a reference with a digest.
pub(super) fn there(image: &ImageUse, written: &Reference) -> Option<(Reference, Digest)> {
    let there = running(image)
        .into_iter()
        .filter(|id| id.reference.as_ref().is_some_and(|reference| is_twin(reference, written)));
    let digest = there.max_by_key(|id| (id.said.pods, &id.said.newest))?.digest?;
    Some((Reference { digest: Some(digest.clone()), ..written.clone() }, digest))
}

impl<'a> RunningId<'a> {
    pub(super) fn new(said: &'a Running) -> Self {
        let text = said.image_id.as_str();
        if let Some(digest) = bare(text) {
            return Self { said, digest: Some(digest), reference: None };
        }
        let reference = text.parse::<Reference>().ok().filter(|of| of.digest.is_some());
        let digest = reference.as_ref().and_then(|reference| reference.digest.clone());
        Self { said, digest, reference }
    }

    /// Where the content may be read by its digest: under the repository that was written, which
    /// is where users expect it, then where the node has it from.
    pub(super) fn candidates(&self, written: &Reference) -> Vec<Reference> {
        let digest = self.digest.clone();
        let there = Reference { digest, ..written.clone() };
        let elsewhere = self.reference.iter().filter(|of| !is_twin(of, written)).cloned();
        let there = self.digest.is_some().then_some(there);
        there.into_iter().chain(elsewhere).collect()
    }

    /// Whether the node names another repository.
    pub(super) fn is_elsewhere(&self, written: &Reference) -> bool {
        self.reference.as_ref().is_some_and(|of| !is_twin(of, written))
    }
}

fn bare(text: &str) -> Option<Digest> {
    let digits = text.len() == SHA256_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
    if digits { format!("sha256:{text}").parse().ok() } else { text.parse().ok() }
}

/// Whether both are of one repository.
fn is_twin(a: &Reference, b: &Reference) -> bool {
    a.host == b.host && a.repository == b.repository
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "2222222222222222222222222222222222222222222222222222222222222222";

    #[test]
    fn every_form_is_read() {
        let digest = format!("sha256:{HEX}");
        for (text, candidates) in [
            (format!("docker.io/library/web@{digest}"), vec!["docker.io/library/web"]),
            (format!("web@{digest}"), vec!["docker.io/library/web"]),
            (format!("h:5000/web@{digest}"), vec!["docker.io/library/web", "h:5000/web"]),
            (format!("h:5000/web:1@{digest}"), vec!["docker.io/library/web", "h:5000/web:1"]),
            (digest.clone(), vec!["docker.io/library/web"]),
            (HEX.to_owned(), vec!["docker.io/library/web"]),
            ("web:1".to_owned(), vec![]),
            ("".to_owned(), vec![]),
        ] {
            let said = Running { image_id: text.clone(), pods: 1, newest: None };
            let id = RunningId::new(&said);
            let written: Reference = "index.docker.io/web".parse().unwrap();
            let found: Vec<String> =
                id.candidates(&written).iter().map(ToString::to_string).collect();
            let candidates: Vec<String> =
                candidates.iter().map(|of| format!("{of}@{digest}")).collect();
            assert_eq!(found, candidates, "{text}");
        }
    }
}
