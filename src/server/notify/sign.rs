//! The signature of what is sent: `t=<unix seconds>,v1=<hex HMAC-SHA256(key, t "." body)>`, so that a
//! receiver knows who sends and can refuse what is old.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

/// Name of its header.
pub(super) const HEADER: &str = "outhaul-signature";

/// The signature of `body` at a time.
pub(super) fn sign(key: &SecretSlice<u8>, unix_seconds: i64, body: &[u8]) -> String {
    // A key of any length is one to HMAC (RFC 2104, section 2).
    let Ok(mut code) = Hmac::<Sha256>::new_from_slice(key.expose_secret()) else {
        return String::new();
    };
    code.update(unix_seconds.to_string().as_bytes());
    code.update(b".");
    code.update(body);
    let code = code.finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={unix_seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `printf '1000.{}' | openssl dgst -sha256 -hmac key`.
    #[test]
    fn a_signature_is_what_others_make_of_the_same() {
        let key = |text: &str| SecretSlice::from(text.as_bytes().to_vec());
        let expected = "c32de42341dece79a1511c9e7f74a2734112edcfcf48943c976faf07047065db";
        assert_eq!(sign(&key("key"), 1000, b"{}"), format!("t=1000,v1={expected}"));
        for (other, at, body) in [("kex", 1000, "{}"), ("key", 1001, "{}"), ("key", 1000, "{ }")] {
            assert!(!sign(&key(other), at, body.as_bytes()).ends_with(expected));
        }
    }
}
