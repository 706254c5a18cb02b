//! What to do about a refusal of Avassa Control Tower's own registry, where tokens take the place of
//! passwords and the Strongbox keeps them.
//!
//! Facts: the vendor's pages "Registry and Images" and "Token Authentication", and the statuses of its
//! API reference, which has 503 for a sealed Strongbox.

use crate::registry::Error;
use crate::registry::quirks::Vendor;

/// The vendor's own command for a token that may push.
const TOKEN: &str = "supctl do strongbox token create-token --policies registry-push --ttl 4h";

/// The hint, if `error` is one that this registry gives a meaning of its own. `vendor` is whose
/// registry it is where its host's name does not tell.
pub(super) fn hint(error: &Error, vendor: Option<Vendor>) -> Option<String> {
    let host = match error {
        Error::Unauthorized { host, .. }
        | Error::Forbidden { host, .. }
        | Error::Status { host, status: 503, .. } => host,
        _ => return None,
    };
    let vendor = vendor.or_else(|| Vendor::of(&host.parse().ok()?));
    if vendor != Some(Vendor::ControlTower) {
        return None;
    }
    Some(match error {
        Error::Unauthorized { user: None, .. } => format!(
            "log in with `docker login -u any {host}`, or give `--username any --password-stdin`; the \
             password is a token, which `{TOKEN}` makes"
        ),
        Error::Unauthorized { .. } => format!(
            "the token is not valid, has expired or has no uses left (`token-num-uses`): make one with \
             `{TOKEN}` and do the same again, which sends nothing twice"
        ),
        Error::Forbidden { .. } => format!(
            "the token needs a policy with the capability Registry-Push, which `outhaul registry \
             policy` prints; a token may lose it when its policy is edited: make a new one with \
             `{TOKEN}`"
        ),
        _ => "Control Tower answers so while its Strongbox is sealed: unseal it and do the same \
              again; nothing is wrong with the token"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "registry.acme.avassa.net";

    fn unauthorized(user: Option<&str>) -> Error {
        Error::Unauthorized { host: HOST.to_owned(), user: user.map(str::to_owned) }
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let forbidden = Error::Forbidden {
            host: HOST.to_owned(),
            repository: "a/b".to_owned(),
            reason: String::new(),
        };
        let status = |status| Error::Status {
            host: HOST.to_owned(),
            status,
            method: "PUT".to_owned(),
            path: "/v2/".to_owned(),
            reason: String::new(),
        };
        for (error, words) in [
            (unauthorized(None), ["docker login -u any", TOKEN]),
            (unauthorized(Some("any")), ["expired", TOKEN]),
            (forbidden, ["Registry-Push", TOKEN]),
            (status(503), ["sealed", "unseal"]),
        ] {
            let hint = hint(&error, None).unwrap();
            assert!(words.iter().all(|word| hint.contains(word)), "{hint}");
        }
        assert_eq!(hint(&status(500), None), None);
    }

    #[test]
    fn another_registry_has_hints_of_its_own_unless_it_is_said_to_be_this_one() {
        let host = "registry.example.com".to_owned();
        let error = Error::Unauthorized { host, user: Some("any".to_owned()) };
        assert_eq!(hint(&error, None), None);
        assert_eq!(hint(&error, Some(Vendor::Artifactory)), None);
        assert!(hint(&error, Some(Vendor::ControlTower)).is_some());
    }
}
