//! Keys of images in `values.yaml`: the last segment of the repository, with more of it only where
//! two images would have the same key, so that a user's values fit the next export, too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::reference::{Parts, parts};

/// Longest key: what Helm allows for a name, of which keys become a part.
const MAX_KEY: usize = 53;

/// Hex digits of a hash that makes a key unique.
const HASH: usize = 8;

/// Hex digits of a digest in a key.
const DIGEST: usize = 12;

/// A key for each reference. Which one it gets depends on the set of references, not their order.
pub(super) fn keys<'a>(references: impl Iterator<Item = &'a str>) -> Vec<String> {
    let references: Vec<(&str, Parts<'_>)> = references.map(|text| (text, parts(text))).collect();
    let of_repository = repository_keys(&references);
    let same = counts(references.iter().map(|(_, parts)| &parts.repository));
    let mut keys: Vec<String> = references
        .iter()
        .map(|(_, parts)| {
            let key = &of_repository[&parts.repository];
            let alone = same[&parts.repository] == 1;
            if alone { key.clone() } else { format!("{key}-{}", version(parts)) }
        })
        .map(|key| clean(&key))
        .collect();
    let same = counts(keys.iter());
    let ambiguous: Vec<bool> = keys.iter().map(|key| same[key] > 1).collect();
    for ((key, (text, _)), ambiguous) in keys.iter_mut().zip(&references).zip(ambiguous) {
        if ambiguous || key.len() > MAX_KEY {
            key.truncate(MAX_KEY - HASH - 1);
            *key = format!("{}-{}", key.trim_end_matches('-'), hash(text));
        }
    }
    keys
}

/// How often each is there.
fn counts<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

/// For each repository, as few of its last segments as tell it apart.
fn repository_keys<'a>(references: &[(&str, Parts<'a>)]) -> BTreeMap<Vec<&'a str>, String> {
    let mut depths: BTreeMap<&Vec<&str>, usize> =
        references.iter().map(|(_, parts)| (&parts.repository, 1)).collect();
    let key =
        |segments: &[&str], depth: usize| clean(&segments[segments.len() - depth..].join("-"));
    loop {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (segments, depth) in &depths {
            *seen.entry(key(segments, *depth)).or_default() += 1;
        }
        let mut grown = false;
        for (segments, depth) in &mut depths {
            if seen[&key(segments, *depth)] > 1 && *depth < segments.len() {
                *depth += 1;
                grown = true;
            }
        }
        if !grown {
            return depths.into_iter().map(|(of, depth)| (of.clone(), key(of, depth))).collect();
        }
    }
}

/// What tells references to one repository apart.
fn version(parts: &Parts<'_>) -> String {
    match (parts.tag, parts.digest) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(digest)) => {
            let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
            hex.chars().take(DIGEST).collect()
        }
        (None, None) => "latest".to_owned(),
    }
}

/// `[a-z0-9-]`, without `-` at the ends or twice.
fn clean(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            key.push(c);
        } else if !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
    }
    key.truncate(key.trim_end_matches('-').len());
    if key.is_empty() { "image".to_owned() } else { key }
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut hex = String::new();
    for byte in &digest[..HASH / 2] {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(references: &[&str]) -> Vec<String> {
        keys(references.iter().copied())
    }

    #[test]
    fn the_last_segment_is_enough_where_it_is_unique() {
        assert_eq!(of(&["nginx:1", "ghcr.io/acme/My_Web.app:2"]), ["nginx", "my-web-app"]);
    }

    #[test]
    fn earlier_segments_tell_repositories_apart() {
        assert_eq!(of(&["a.io/x/web", "a.io/y/web", "db"]), ["x-web", "y-web", "db"]);
        assert_eq!(of(&["a.io/x/web", "b.io/x/web"]), ["a-io-x-web", "b-io-x-web"]);
    }

    #[test]
    fn tags_tell_one_repository_apart() {
        let digest = format!("web@sha256:{}", "ab".repeat(32));
        assert_eq!(
            of(&["web:1", "web:2.0", "web", &digest]),
            ["web-1", "web-2-0", "web-latest", "web-abababababab"]
        );
    }

    #[test]
    fn spellings_of_one_image_stay_apart() {
        let keys = of(&["web:1", "docker.io/library/web:1"]);
        assert!(keys[0] != keys[1] && keys.iter().all(|key| key.starts_with("web-1-")), "{keys:?}");
    }

    proptest! {
        #[test]
        fn keys_are_unique_short_and_independent_of_order(
            mut references in prop::collection::btree_set("([a-c]\\.io/)?([a-b]/){0,2}[a-cA-C._]{1,70}(:[0-9a.]{1,3})?", 1..12)
                .prop_map(|set| set.into_iter().collect::<Vec<_>>()),
        ) {
            let forward = of(&references.iter().map(String::as_str).collect::<Vec<_>>());
            references.reverse();
            let mut backward = of(&references.iter().map(String::as_str).collect::<Vec<_>>());
            backward.reverse();
            prop_assert_eq!(&forward, &backward);
            let unique: std::collections::BTreeSet<_> = forward.iter().collect();
            prop_assert_eq!(unique.len(), forward.len());
            for key in &forward {
                prop_assert!(key.len() <= MAX_KEY);
                prop_assert!(key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            }
        }
    }
}
