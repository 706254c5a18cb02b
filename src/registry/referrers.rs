//! Signatures, attestations and other manifests that refer to one: by the referrers API, by its
//! fallback tag, and by the tags that cosign made before there was an API.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::manifest::is_index;
use super::{Descriptor, Digest, Tag};

/// What a list of referrers is: an image index.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    media_type: Option<String>,
    manifests: Vec<Map<String, Value>>,
}

/// Endings of cosign's tags: signature, attestation, software bill of materials.
const COSIGN_ENDINGS: [&str; 3] = [".sig", ".att", ".sbom"];

/// The tag under which the referrers of `subject` are listed where the API is missing
/// (distribution-spec, "Referrers Tag Schema").
pub fn fallback_tag(subject: &Digest) -> Tag {
    Tag::of_digest(subject, "")
}

/// The tags under which cosign keeps what belongs to `subject` where it does not use referrers:
/// `sha256-<hex>.sig`, `.att` and `.sbom` (cosign, `specs/SIGNATURE_SPEC.md`).
pub fn cosign_tags(subject: &Digest) -> [Tag; 3] {
    COSIGN_ENDINGS.map(|ending| Tag::of_digest(subject, ending))
}

/// The entries of a list; `None` when it is none at all.
///
/// # Errors
/// What is wrong with an entry: leaving it out would lose a signature in silence.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Vec<Descriptor>>, String> {
    let Ok(list) = serde_json::from_slice::<List>(bytes) else { return Ok(None) };
    if !list.media_type.as_deref().is_none_or(is_index) {
        return Ok(None);
    }
    let entries = list.manifests.into_iter().map(|mut entry| {
        entry.retain(|_, value| !value.is_null()); // some servers write out what is absent
        serde_json::from_value(Value::Object(entry)).map_err(|error| error.to_string())
    });
    entries.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_a_digest_are_as_the_specifications_say() {
        let digest = Digest::of(b"");
        assert_eq!(fallback_tag(&digest).as_str(), format!("sha256-{}", digest.hex()));
        let [signature, ..] = cosign_tags(&digest);
        assert_eq!(signature.as_str(), format!("sha256-{}.sig", digest.hex()));
        let long: Digest = format!("sha512:{}", "a".repeat(128)).parse().unwrap();
        assert_eq!(fallback_tag(&long).as_str(), format!("sha512-{}", "a".repeat(64)));
    }

    #[test]
    fn only_an_index_is_a_list_of_referrers() {
        let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        assert_eq!(parse(index), Ok(Some(vec![])));
        assert_eq!(parse(br#"{"manifests":[]}"#), Ok(Some(vec![])));
        for other in [
            &b"<html>"[..],
            b"{}",
            b"",
            br#"{"mediaType":"x","manifests":[]}"#,
            br#"{"manifests":null}"#,
        ] {
            assert_eq!(parse(other), Ok(None));
        }
    }

    #[test]
    fn an_entry_is_read_or_missed_but_never_left_out() {
        let list = |entry: &str| parse(format!(r#"{{"manifests":[{entry}]}}"#).as_bytes());
        let digest = Digest::of(b"");
        let entry =
            format!(r#"{{"mediaType":"a/b","digest":"{digest}","size":1,"annotations":null}}"#);
        assert_eq!(list(&entry), Ok(Some(vec![Descriptor::new("a/b", digest, 1)])));
        assert!(list(r#"{"mediaType":"a/b","digest":"md5:0","size":1}"#).is_err());
    }
}
