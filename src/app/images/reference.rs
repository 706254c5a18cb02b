//! The parts of an image reference, as far as keys need them. What a registry makes of it is
//! decided elsewhere.

/// Host that references without one mean.
const HUB: &str = "docker.io";

/// The parts of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app) struct Parts<'a> {
    /// Host and segments of the repository.
    pub(in crate::app) repository: Vec<&'a str>,
    pub(in crate::app) tag: Option<&'a str>,
    /// `sha256:…`.
    pub(in crate::app) digest: Option<&'a str>,
}

/// Takes a reference apart. Any text has parts, as the API server takes any text.
pub(in crate::app) fn parts(reference: &str) -> Parts<'_> {
    let (name, digest) =
        reference.split_once('@').map_or((reference, None), |(name, digest)| (name, Some(digest)));
    // A colon before a slash is a port.
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (name, None),
    };
    let mut repository: Vec<&str> = name.split('/').collect();
    // An upper-case first part is a host, too: no repository has one.
    let is_host = |first: &str| {
        first.contains(['.', ':'])
            || first == "localhost"
            || first.bytes().any(|b| b.is_ascii_uppercase())
    };
    if repository.len() == 1 || !is_host(repository[0]) {
        if repository.len() == 1 {
            repository.insert(0, "library");
        }
        repository.insert(0, HUB);
    }
    Parts { repository, tag, digest }
}

/// Whether the reference means `latest`, for which nodes pull each time.
pub(in crate::app) fn is_latest(reference: &str) -> bool {
    let Parts { tag, digest, .. } = parts(reference);
    tag.map_or(digest.is_none(), |tag| tag == "latest")
}

/// What admission made of the image of a template: `asked` by the pod is the same repository and
/// tag with a digest. Gives `repository@digest`.
pub(super) fn pinned(asked: &str, template: &str) -> Option<String> {
    let (asked, template) = (parts(asked), parts(template));
    let same = asked.repository == template.repository
        && template.digest.is_none()
        && asked.tag.is_none_or(|tag| tag == template.tag.unwrap_or("latest"));
    let digest = asked.digest.filter(|_| same)?;
    Some(format!("{}@{digest}", asked.repository.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_fall_into_parts() {
        for (text, repository, tag, digest) in [
            ("nginx", "docker.io/library/nginx", None, None),
            ("team/web:1.2", "docker.io/team/web", Some("1.2"), None),
            ("localhost/web", "localhost/web", None, None),
            ("127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", None, None),
            ("ghcr.io/a/b:1@sha256:ab", "ghcr.io/a/b", Some("1"), Some("sha256:ab")),
            ("web@sha256:ab", "docker.io/library/web", None, Some("sha256:ab")),
            ("[::1]:5000/web:1", "[::1]:5000/web", Some("1"), None),
            ("Registry/web", "Registry/web", None, None),
        ] {
            let found = parts(text);
            assert_eq!(
                (found.repository.join("/").as_str(), found.tag, found.digest),
                (repository, tag, digest),
                "{text}"
            );
        }
    }

    #[test]
    fn admission_pins_what_the_template_asks_for() {
        for (asked, template, id) in [
            ("web:1@sha256:ab", "web:1", Some("docker.io/library/web@sha256:ab")),
            ("docker.io/library/web@sha256:ab", "web:1", Some("docker.io/library/web@sha256:ab")),
            ("h:5/web:latest@sha256:ab", "h:5/web", Some("h:5/web@sha256:ab")),
            ("web:2@sha256:ab", "web:1", None),
            ("other@sha256:ab", "web:1", None),
            ("web@sha256:ab", "web@sha256:cd", None),
            ("web:1", "web:2", None),
        ] {
            assert_eq!(pinned(asked, template).as_deref(), id, "{asked} for {template}");
        }
    }

    #[test]
    fn latest_is_what_has_neither_tag_nor_digest() {
        let latest = ["nginx", "nginx:latest", "nginx:latest@sha256:ab", "h:5000/nginx"];
        assert!(latest.into_iter().all(is_latest));
        assert!(!["nginx:1", "nginx@sha256:ab", "h:5000/nginx:1"].into_iter().any(is_latest));
    }
}
