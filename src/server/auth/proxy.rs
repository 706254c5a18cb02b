//! Headers with which a front proxy says who the user is.
//!
//! Names and rules are those of a kube-apiserver's `--requestheader-…`.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum_server::tls::TlsInfo;

use super::{AuthError, Caller, Via};

const USER: &str = "x-remote-user";
const GROUP: &str = "x-remote-group";

/// What all headers of that kind begin with, those that we do not use too (`X-Remote-Extra-…`).
const PREFIX: &str = "x-remote-";

/// Every user that is known has this group, and nobody says so but who authenticates.
const AUTHENTICATED: &str = "system:authenticated";

/// The name of who is not known.
const ANONYMOUS: &str = "system:anonymous";

/// Whether the connection is one of a front proxy: its client showed a certificate. Handshakes with
/// one that the authority of front proxies has not issued fail, and without such an authority no
/// certificate is asked for, so that there is none here.
pub fn is_vouched_for(connection: Option<&TlsInfo>) -> bool {
    connection.is_some_and(|info| !info.peer_certificates.is_empty())
}

/// Takes every header of that kind out. `None` if nobody is named by somebody who may.
pub(super) fn take(headers: &mut HeaderMap, vouched: bool) -> Result<Option<Caller>, AuthError> {
    let users = texts(headers, USER);
    let groups = texts(headers, GROUP);
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(PREFIX)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    if !vouched {
        return Ok(None);
    }
    let users = users?;
    let user = match users.as_slice() {
        [] => return Ok(None),
        [user] => user,
        _ => return Err(AuthError::Malformed), // one of them came from the client
    };
    if user.is_empty() || user == ANONYMOUS {
        return Ok(None);
    }
    let mut groups = groups?;
    groups.retain(|group| !group.is_empty());
    if !groups.iter().any(|group| group == AUTHENTICATED) {
        groups.push(AUTHENTICATED.to_owned());
    }
    Ok(Some(Caller {
        user: user.clone(),
        uid: String::new(),
        groups,
        extra: BTreeMap::new(),
        via: Via::FrontProxy,
    }))
}

fn texts(headers: &HeaderMap, name: &str) -> Result<Vec<String>, AuthError> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned);
    let values = headers.get_all(name).iter().map(text).collect::<Result<_, _>>();
    values.map_err(|_| AuthError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        values.iter().map(pair).collect()
    }

    #[test]
    fn without_a_certificate_the_headers_are_removed_and_count_for_nothing() {
        let spoofed = [
            ("x-remote-user", "admin"),
            ("x-remote-group", "system:masters"),
            ("x-remote-extra-scopes", "all"),
            ("x-remote-uid", "1"),
            ("accept", "*/*"),
        ];
        for vouched in [false, true] {
            let mut headers = headers(&spoofed);
            assert_eq!(take(&mut headers, vouched).unwrap().is_some(), vouched);
            assert_eq!(headers.len(), 1);
            assert!(headers.contains_key("accept"));
        }
    }

    #[test]
    fn each_group_has_a_header_of_its_own() {
        let named = [("x-remote-user", "alice"), ("x-remote-group", "a"), ("x-remote-group", "b")];
        let caller = take(&mut headers(&named), true).unwrap().unwrap();
        assert_eq!((caller.user.as_str(), caller.via), ("alice", Via::FrontProxy));
        assert_eq!(caller.groups, ["a", "b", "system:authenticated"]);
    }

    #[test]
    fn two_users_are_none() {
        let two = [("x-remote-user", "alice"), ("x-remote-user", "admin")];
        assert_eq!(take(&mut headers(&two), true), Err(AuthError::Malformed));
        assert_eq!(take(&mut headers(&two), false), Ok(None));
    }

    #[test]
    fn who_is_not_named_or_anonymous_is_nobody() {
        for user in ["", "system:anonymous"] {
            let named = [("x-remote-user", user), ("x-remote-group", "system:masters")];
            assert_eq!(take(&mut headers(&named), true), Ok(None));
        }
        assert_eq!(take(&mut headers(&[("x-remote-group", "a")]), true), Ok(None));
    }

    #[test]
    fn a_connection_is_vouched_for_by_a_certificate_alone() {
        let mut info = TlsInfo::default();
        assert!(!is_vouched_for(None));
        assert!(!is_vouched_for(Some(&info)));
        info.peer_certificates.push(vec![0x30]);
        assert!(is_vouched_for(Some(&info)));
    }
}
