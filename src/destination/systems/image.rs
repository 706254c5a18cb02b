//! A reference to an image, taken apart without anybody's defaults: the systems have their own.

/// `[first/]rest[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image<'t> {
    /// All of it but tag and digest.
    pub name: &'t str,
    /// The tag, if one is written.
    pub tag: Option<&'t str>,
    /// The digest, if one is written.
    pub digest: Option<&'t str>,
}

impl<'t> Image<'t> {
    /// Takes the text apart.
    pub fn parse(text: &'t str) -> Self {
        let (text, digest) = match text.trim().split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text.trim(), None),
        };
        let last = text.rfind('/').map_or(0, |at| at + 1);
        match text[last..].find(':').map(|at| last + at) {
            Some(at) => Self { name: &text[..at], tag: Some(&text[at + 1..]), digest },
            None => Self { name: text, tag: None, digest },
        }
    }

    /// What is before the first `/`, and what follows.
    pub fn first(&self) -> Option<(&'t str, &'t str)> {
        self.name.split_once('/')
    }

    /// The host and the rest, where the first segment is a host: it has a dot or a port, or is
    /// `localhost`.
    pub fn host(&self) -> Option<(&'t str, &'t str)> {
        self.first().filter(|(first, _)| first.contains(['.', ':']) || *first == "localhost")
    }

    /// The digest, else the tag, else `latest`.
    pub fn version(&self) -> &'t str {
        self.digest.or(self.tag).unwrap_or("latest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart() {
        let image = Image::parse("r.example:5000/a/b:1.0@sha256:00");
        assert_eq!(image.host(), Some(("r.example:5000", "a/b")));
        assert_eq!(
            (image.tag, image.digest, image.version()),
            (Some("1.0"), Some("sha256:00"), "sha256:00")
        );
        let image = Image::parse("redis");
        assert_eq!((image.first(), image.host(), image.version()), (None, None, "latest"));
        assert_eq!(Image::parse("a/b:2").host(), None);
        assert_eq!(Image::parse("localhost/b").host(), Some(("localhost", "b")));
        assert_eq!(Image::parse("r.example:5000/a").tag, None);
    }
}
