//! What is a credential, given that its name says so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Credential;
use super::names::{Meaning, meaning};

/// Shortest password that is reported: shorter ones are switches.
const SHORTEST_PASSWORD: usize = 3;

/// Shortest number that is a password: shorter ones count something.
const SHORTEST_NUMBER: usize = 4;

/// Shortest random value: 8 bytes in hexadecimal, 12 in base64.
const SHORTEST_KEY: usize = 16;

/// Least Shannon entropy of a random value, in bits a character: 16 hexadecimal digits at random
/// have 3.2 in the mean.
const LEAST_ENTROPY: f64 = 2.8;

/// Longest word of a language: what is longer without a break is random.
const LONGEST_WORD: usize = 16;

/// Values that say something else than a password.
const WORDS: [&str; 17] = [
    "disabled",
    "enabled",
    "false",
    "nil",
    "no",
    "none",
    "null",
    "off",
    "on",
    "optional",
    "prompt",
    "redacted",
    "required",
    "string",
    "true",
    "undefined",
    "yes",
];

/// Values that people leave where a machine's belongs.
const WEAK: [&str; 5] = ["changeit", "letmein", "password", "secret", "supersecret"];

/// Beginnings of values that stand for what is somewhere else, or is encrypted.
const REFERENCES: [&str; 14] = [
    "!",
    "$",
    "%(",
    "./",
    "../",
    "/",
    "ENC(",
    "ENC[",
    "arn:",
    "env.",
    "file:",
    "process.env",
    "vault:",
    "~/",
];

/// Pieces of values that something fills in.
const PLACEHOLDERS: [&str; 6] = ["${", "$(", "{{", "<%", "%{", "://"];

/// What the value is under a name of this meaning; `None` for no credential.
pub(super) fn judge(meaning: Meaning, value: &str) -> Option<Credential> {
    if is_elsewhere(value) {
        return None;
    }
    match meaning {
        Meaning::Password if is_password(value) => Some(Credential::Password),
        Meaning::Key if is_random(value) || is_weak(value) => Some(Credential::Key),
        Meaning::Login if is_login(value) => Some(Credential::Password),
        _ => None,
    }
}

/// Whether the value is filled in by something, or says where the credential is.
pub(super) fn is_elsewhere(value: &str) -> bool {
    let wrapped = |open, close| value.starts_with(open) && value.ends_with(close);
    value.is_empty()
        || REFERENCES.iter().any(|begin| value.starts_with(begin))
        || PLACEHOLDERS.iter().any(|piece| value.contains(piece))
        || [('<', '>'), ('%', '%'), ('@', '@'), ('[', ']'), ('{', '}'), ('_', '_')]
            .iter()
            .any(|(open, close)| wrapped(*open, *close))
        || is_call(value)
        || is_masked(value)
}

/// `name(…`, `name[…`: code that gets it from somewhere.
fn is_call(value: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let rest = value.trim_start_matches(name);
    let opens =
        |open: &str, close| rest == open || (rest.starts_with(open) && rest.contains(close));
    rest.len() < value.len()
        && value.starts_with(|c: char| c.is_ascii_alphabetic())
        && (opens("(", ')') || opens("[", ']'))
}

/// `****`, `xxxxxxxx`.
fn is_masked(value: &str) -> bool {
    let mut chars = value.chars();
    let first = chars.next();
    value.len() >= SHORTEST_PASSWORD && chars.all(|c| Some(c) == first)
}

fn is_password(value: &str) -> bool {
    let number = value.bytes().all(|b| b.is_ascii_digit());
    value.len() >= if number { SHORTEST_NUMBER } else { SHORTEST_PASSWORD }
        && !is_variable(value)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(value))
        // The label of a form.
        && value != "Password"
}

/// `DB_PASSWORD`: the name of the variable that has it.
fn is_variable(value: &str) -> bool {
    let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    value.contains('_') && value.bytes().all(upper) && meaning(value).is_some()
}

fn is_weak(value: &str) -> bool {
    let flat: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    let flat = flat.to_ascii_lowercase();
    WEAK.contains(&&*flat) || flat.contains("changeme")
}

/// Whether a machine made the value: long, without spaces, of many characters, and no words.
pub(super) fn is_random(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() >= SHORTEST_KEY
        && bytes.iter().all(u8::is_ascii_graphic)
        && bytes.iter().any(u8::is_ascii_alphabetic)
        && entropy(bytes) >= LEAST_ENTROPY
        && !is_words(value)
}

/// Shannon entropy in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total = bytes.len() as f64;
    let of = |count: u32| {
        let share = f64::from(count) / total;
        -share * share.log2()
    };
    counts.into_iter().filter(|count| *count > 0).map(of).sum()
}

/// Whether it is words and small numbers, as names of objects are: `shop-credentials-v2`,
/// `existingSecretName`.
fn is_words(value: &str) -> bool {
    value.split(|c: char| !c.is_ascii_alphanumeric()).all(|part| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - letters.len() <= 4 && is_camel(letters)
    })
}

/// Whether the letters are words, each with a capital at most in front.
fn is_camel(letters: &str) -> bool {
    let fits = |word: &str| (2..=LONGEST_WORD).contains(&word.len());
    let plain = letters.bytes().all(|b| b.is_ascii_lowercase())
        || letters.bytes().all(|b| b.is_ascii_uppercase());
    if letters.len() < 2 || plain {
        return letters.bytes().all(|b| b.is_ascii_alphabetic()) && letters.len() <= LONGEST_WORD;
    }
    let mut start = 0;
    for (at, _) in letters.char_indices().skip(1).filter(|(_, c)| c.is_ascii_uppercase()) {
        if !fits(&letters[start..at]) {
            return false;
        }
        start = at;
    }
    fits(&letters[start..]) && letters.bytes().all(|b| b.is_ascii_alphabetic())
}

/// `user:password` in base64.
fn is_login(value: &str) -> bool {
    let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.is_some_and(|text| {
        let parts = text.split_once(':');
        parts.is_some_and(|(user, password)| !user.is_empty() && !password.is_empty())
            && !text.chars().any(char::is_control)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_word_may_be_a_password() {
        for value in ["hunter2", "changeme", "123456", "p@ss w0rd", "admin", "Secret1!", "a/b"] {
            assert_eq!(judge(Meaning::Password, value), Some(Credential::Password), "{value}");
        }
        for value in [
            "",
            "no",
            "true",
            "None",
            "8",
            "120",
            "$(DB)",
            "${DB}",
            "$DB",
            "{{ .Values.x }}",
            "<password>",
            "/run/secrets/db",
            "./secret",
            "********",
            "xxxx",
            "ENC[AES256_GCM,data:x]",
            "vault:secret/data/db#password",
            "os.environ[\"X\"]",
            "getpass()",
            "https://example.com/login",
            "%PASSWORD%",
            "__PASSWORD__",
            "Password",
            "redacted",
            "SONATYPE_PASSWORD",
            "yes",
        ] {
            assert_eq!(judge(Meaning::Password, value), None, "{value}");
        }
    }

    #[test]
    fn a_key_looks_random_or_was_never_changed() {
        for value in [
            "9f86d081884c7d659a2feaa0c55ad015",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz",
            "b3BlbnNzaC1rZXktdjEAAAAA",
            "123e4567-e89b-12d3-a456-426614174000",
            "changeme",
            "please-change-me",
            "secret",
        ] {
            assert_eq!(judge(Meaning::Key, value), Some(Credential::Key), "{value}");
        }
        for value in [
            "shop-credentials",
            "my-app-session-secret-v2",
            "existingSecretReference",
            "infra/wildcard-certificate",
            "true",
            "3600",
            "1234567890123456",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "a sentence that explains something 1",
            "/var/run/secrets/token",
            "short1",
        ] {
            assert_eq!(judge(Meaning::Key, value), None, "{value}");
        }
    }

    #[test]
    fn a_login_is_user_and_password() {
        assert_eq!(judge(Meaning::Login, "Y2Fyb2w6czNjcmV0"), Some(Credential::Password));
        for value in ["basic", "Y2Fyb2w=", "none", "bearer:"] {
            assert_eq!(judge(Meaning::Login, value), None, "{value}");
        }
    }
}
