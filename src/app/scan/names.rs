//! Names that tell what their values are.

/// What the value of a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A password: people choose them, so any value may be one.
    Password,
    /// A secret, token or key: machines make them, so a value that is one looks random.
    Key,
    /// `user:password` in base64, as in the configuration of Docker and npm.
    Login,
}

/// Ends of names, without case and separators.
const PASSWORDS: [&str; 6] =
    ["masterauth", "passphrase", "passwd", "password", "requirepass", "passwort"];

/// Last words of names, where longer words may end alike (`bypass`).
const SHORT_PASSWORDS: [&str; 3] = ["pass", "pw", "pwd"];

/// As [`PASSWORDS`].
const KEYS: [&str; 22] = [
    "accesskey",
    "accountkey",
    "apikey",
    "authkey",
    "clientkeydata",
    "cookiesecret",
    "credential",
    "credentials",
    "creds",
    "encryptionkey",
    "hmackey",
    "keybase",
    "licensekey",
    "masterkey",
    "privatekey",
    "secret",
    "secretkey",
    "sessionkey",
    "sharedkey",
    "signingkey",
    "token",
    "webhookkey",
];

/// Whole names, as [`PASSWORDS`].
const LOGINS: [&str; 1] = ["auth"];

/// Ends that say how the value is written, not what it is.
const FORMS: [&str; 5] = ["base64", "b64", "plaintext", "plain", "value"];

/// Words that make a value the digest of a credential, which is no secret: `checksum/secret`.
const DIGESTS: [&str; 5] = ["checksum", "digest", "fingerprint", "hash", "sha256"];

/// What the name says of its value.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let flat: String =
        name.chars().filter(|c| !is_separator(*c)).map(|c| c.to_ascii_lowercase()).collect();
    let flat = FORMS.iter().find_map(|form| flat.strip_suffix(form)).unwrap_or(&flat);
    let flat = flat.trim_end_matches(|c: char| c.is_ascii_digit());
    if DIGESTS.iter().any(|word| flat.contains(word)) {
        return None;
    }
    let ends = |with: &[&str]| with.iter().any(|end| flat.ends_with(end));
    match () {
        () if ends(&PASSWORDS) || SHORT_PASSWORDS.contains(&&*last_word(name)) => {
            Some(Meaning::Password)
        }
        () if ends(&KEYS) => Some(Meaning::Key),
        () if LOGINS.contains(&flat) => Some(Meaning::Login),
        () => None,
    }
}

/// The last word of `DB_PASS`, `db-pass`, `db.pass`, `dbPass`, in lower case.
fn last_word(name: &str) -> String {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || is_separator(c));
    let word = name.rsplit(is_separator).next().unwrap_or_default();
    let is_camel = word.contains(|c: char| c.is_ascii_lowercase());
    let start = word.rfind(|c: char| c.is_ascii_uppercase()).filter(|_| is_camel).unwrap_or(0);
    word[start..].to_ascii_lowercase()
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '-' | '.' | '/' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_by_their_end() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "spring.datasource.password",
            "adminPassword",
            "PGPASSWORD",
            "DB_PASS",
            "dbPass",
            "MYSQL_PWD",
            "PASSWORD_1",
            "DB_PASSWORD_B64",
            "key-passphrase",
            "requirepass",
        ] {
            assert_eq!(meaning(name), Some(Meaning::Password), "{name}");
        }
        for name in [
            "JWT_SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "apiKey",
            "SECRET_KEY_BASE",
            "github-token",
            "client_secret",
            "GOOGLE_CREDENTIALS",
            "_authToken",
            "client-key-data",
        ] {
            assert_eq!(meaning(name), Some(Meaning::Key), "{name}");
        }
        assert_eq!(
            (meaning("auth"), meaning("_auth")),
            (Some(Meaning::Login), Some(Meaning::Login))
        );
        for name in [
            "PASSWORD_FILE",
            "PASSWORD_LENGTH",
            "secretName",
            "TOKEN_URL",
            "TOKEN_TTL",
            "passwordSecretRef",
            "BYPASS",
            "compass",
            "checksum/secret",
            "password-hash",
            "OAUTH",
            "KEY",
            "publicKey",
            "",
            "___",
        ] {
            assert_eq!(meaning(name), None, "{name}");
        }
    }
}
