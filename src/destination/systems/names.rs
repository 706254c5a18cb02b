//! Names that the systems take.

/// Longest name of a Kubernetes object.
const LONGEST: usize = 253;

/// Whether it is a name of a Kubernetes object (RFC 1123 subdomain), as EDA's `Registry` has it.
pub(crate) fn is_subdomain(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        label.bytes().next().is_some_and(word)
            && label.bytes().next_back().is_some_and(word)
            && label.bytes().all(|b| word(b) || b == b'-')
    };
    text.len() <= LONGEST && text.split('.').all(label)
}

/// A name of lower-case letters, digits and `-` for any text: `registry-example-com-6000`. Vaults
/// and secrets of Avassa, and objects of Kubernetes, take it.
pub(crate) fn slug(text: &str) -> String {
    /// Room for an ending such as `-credentials`.
    const MOST: usize = 53;
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let joined = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let cut: String = joined.chars().take(MOST).collect();
    let cut = cut.trim_end_matches('-');
    if cut.is_empty() { "registry".to_owned() } else { cut.to_owned() }
}

/// Slugs of names in their order, each another one.
pub(crate) fn unique<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for name in names {
        let wanted = slug(name);
        let mut numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let is_free = |name: &String| !taken.contains(name);
        let free = Some(wanted.clone()).filter(is_free).or_else(|| numbered.find(is_free));
        taken.extend(free);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(is_subdomain("eda-apps-registry") && is_subdomain("a.b"));
        for bad in ["", "Hub_5", "-a", "a-", "a..b", ".a"] {
            assert!(!is_subdomain(bad), "{bad}");
        }
        assert_eq!(slug("https://Registry.example.com:6000"), "https-registry-example-com-6000");
        assert_eq!(slug("::"), "registry");
        assert!(is_subdomain(&slug(&"a.".repeat(200))));
        assert_eq!(
            unique(["web", "Web", "db", "web"].into_iter()),
            ["web", "web-2", "db", "web-3"]
        );
    }
}
