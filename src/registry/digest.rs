//! Content digests: parsed once, compared as values, computed while bytes stream past.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

/// A content digest, `sha256:<64 hex>` or `sha512:<128 hex>` (image-spec, descriptor, "Digests").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Text that is not a digest this client can verify.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a sha256 or sha512 digest")]
pub struct InvalidDigest(String);

/// Computes a digest of the same algorithm as an expected one, piece by piece.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// SHA-256, the algorithm of practically every registry.
    Sha256(Sha256),
    /// SHA-512, optional in the specification.
    Sha512(Sha512),
}

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(bytes))))
    }

    /// The text after the colon: lower-case hexadecimal.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The algorithm before the colon.
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// The first twelve hexadecimal digits: enough to tell images apart in a tag or a table.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }

    /// The whole digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A hasher of this digest's algorithm.
    pub fn hasher(&self) -> Hasher {
        match self.algorithm() {
            "sha512" => Hasher::Sha512(Sha512::new()),
            _ => Hasher::Sha256(Sha256::new()),
        }
    }
}

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(state) => Digest(format!("sha256:{}", hex(&state.finalize()))),
            Self::Sha512(state) => Digest(format!("sha512:{}", hex(&state.finalize()))),
        }
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = match text.split_once(':') {
            Some(("sha256", _)) => 64,
            Some(("sha512", _)) => 128,
            _ => return Err(InvalidDigest(text.to_owned())),
        };
        let digits = &text[7..];
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == length && digits.bytes().all(lower_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidDigest(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_digest_is_the_well_known_one() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap().hasher().finish().to_string(), empty);
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for text in
            ["", "sha256:", "sha256:ABC", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha512:00"]
        {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
