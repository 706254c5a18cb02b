//! Tokens and keys that are known by their shape, whatever they are called.

use super::values::is_random;
use super::{Credential, Place, beginning};

/// What may follow the beginning of a token.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters and digits.
    Alnum,
    /// Capital letters and digits.
    Upper,
    /// And `_`, `-`.
    Url,
    /// As `Url`, and what else base64 has.
    Base64,
    /// As `Url`, and `/`, `.`.
    Path,
}

/// A token by its beginning, and how many characters follow, at least and at most.
struct Shape(&'static str, Alphabet, usize, usize, &'static str);

/// No more than a thousand characters are looked at.
const ANY: usize = 1000;

const PRIVATE_KEY: &str = "a private key in base64";
const DOCKER_CONFIG: &str = "credentials of registries in base64";

/// As the vendors document them, and as gitleaks and GitHub look for them.
const SHAPES: [Shape; 47] = [
    Shape("AGE-SECRET-KEY-1", Alphabet::Upper, 58, 58, "a key of age"),
    Shape("AIza", Alphabet::Url, 35, 35, "an API key of Google"),
    Shape("AKIA", Alphabet::Upper, 16, 16, "an access key of AWS"),
    Shape("ASIA", Alphabet::Upper, 16, 16, "an access key of AWS"),
    Shape("ATATT3", Alphabet::Base64, 100, ANY, "a token of Atlassian"),
    Shape("Basic ", Alphabet::Base64, 12, ANY, "a user name with a password in base64"),
    Shape("Bearer ", Alphabet::Path, 16, ANY, "a bearer token"),
    Shape("GOCSPX-", Alphabet::Url, 28, 28, "a client secret of Google"),
    Shape("LS0tLS1CRUdJTiBEU0EgUFJJVkFURSBLRVkt", Alphabet::Base64, 0, ANY, PRIVATE_KEY),
    Shape("LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0t", Alphabet::Base64, 0, ANY, PRIVATE_KEY),
    Shape("LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFU", Alphabet::Base64, 0, ANY, PRIVATE_KEY),
    Shape("LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUg", Alphabet::Base64, 0, ANY, PRIVATE_KEY),
    Shape("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0t", Alphabet::Base64, 0, ANY, PRIVATE_KEY),
    Shape("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt", Alphabet::Base64, 0, ANY, PRIVATE_KEY),
    Shape("SG.", Alphabet::Path, 60, 80, "an API key of SendGrid"),
    Shape("dapi", Alphabet::Alnum, 32, 34, "a token of Databricks"),
    Shape("dckr_pat_", Alphabet::Url, 27, 40, "a token of Docker Hub"),
    Shape("dop_v1_", Alphabet::Alnum, 64, 64, "a token of DigitalOcean"),
    Shape("eyJhdXRocyI6", Alphabet::Base64, 20, ANY, DOCKER_CONFIG),
    Shape("ewogICJhdXRocyI6", Alphabet::Base64, 20, ANY, DOCKER_CONFIG),
    Shape("ewoJImF1dGhzIjog", Alphabet::Base64, 20, ANY, DOCKER_CONFIG),
    Shape("ghp_", Alphabet::Alnum, 36, 255, "a token of GitHub"),
    Shape("gho_", Alphabet::Alnum, 36, 255, "a token of GitHub"),
    Shape("ghu_", Alphabet::Alnum, 36, 255, "a token of GitHub"),
    Shape("ghs_", Alphabet::Alnum, 36, 255, "a token of GitHub"),
    Shape("ghr_", Alphabet::Alnum, 36, 255, "a token of GitHub"),
    Shape("github_pat_", Alphabet::Url, 36, 255, "a token of GitHub"),
    Shape("glpat-", Alphabet::Path, 20, 300, "a token of GitLab"),
    Shape("gldt-", Alphabet::Url, 20, 64, "a token of GitLab"),
    Shape("glrt-", Alphabet::Path, 20, 300, "a token of GitLab"),
    Shape("glsa_", Alphabet::Url, 41, 41, "a token of Grafana"),
    Shape("hf_", Alphabet::Alnum, 34, 40, "a token of Hugging Face"),
    Shape("hooks.slack.com/services/T", Alphabet::Path, 30, 80, "a webhook of Slack"),
    Shape("hvs.", Alphabet::Url, 24, ANY, "a token of Vault"),
    Shape("lin_api_", Alphabet::Alnum, 40, 48, "an API key of Linear"),
    Shape("npm_", Alphabet::Alnum, 36, 36, "a token of npm"),
    Shape("pypi-", Alphabet::Url, 85, ANY, "a token of PyPI"),
    Shape("rk_live_", Alphabet::Alnum, 16, 255, "an API key of Stripe"),
    Shape("shpat_", Alphabet::Alnum, 32, 64, "a token of Shopify"),
    Shape("sk-ant-", Alphabet::Url, 32, 255, "an API key of Anthropic"),
    Shape("sk-proj-", Alphabet::Url, 32, 255, "an API key of OpenAI"),
    Shape("sk_live_", Alphabet::Alnum, 16, 255, "an API key of Stripe"),
    Shape("sk_test_", Alphabet::Alnum, 16, 255, "an API key of Stripe"),
    Shape("whsec_", Alphabet::Base64, 24, 255, "a webhook secret of Stripe"),
    Shape("xapp-", Alphabet::Url, 20, 255, "a token of Slack"),
    Shape("xox", Alphabet::Path, 20, 255, "a token of Slack"),
    Shape("ya29.", Alphabet::Url, 30, ANY, "an access token of Google"),
];

/// Shortest part of a JWT that is looked for: `{"alg":"x"}` in base64.
const JWT_PART: usize = 12;

/// Longest words before `PRIVATE KEY`: `ENCRYPTED`, `OPENSSH`, `RSA`.
const LONGEST_LABEL: usize = 24;

/// Finds them.
pub(super) fn find(text: &str, add: &mut dyn FnMut(Credential, Place)) {
    for (at, _) in text.match_indices("PRIVATE KEY") {
        if is_pem(text, at) {
            add(Credential::PrivateKey, at);
        }
    }
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate() {
        let starts = !(before.is_ascii_alphanumeric() || matches!(before, b'_' | b'-' | b'+'));
        // A backslash and a letter are a line feed or tab, as far as anybody can tell.
        if starts
            && byte.is_ascii_alphabetic()
            && let Some(what) = token(&text[at..])
        {
            add(Credential::Token(what), at);
        }
        before = byte;
    }
}

/// `-----BEGIN … PRIVATE KEY-----`, PGP's `BLOCK` included.
fn is_pem(text: &str, at: usize) -> bool {
    let from = text.ceil_char_boundary(at.saturating_sub("-----BEGIN ".len() + LONGEST_LABEL));
    let label = text[from..at].rsplit_once("-----BEGIN ").map(|(_, label)| label);
    let upper = |label: &str| label.bytes().all(|b| b.is_ascii_uppercase() || b == b' ');
    let after = &text[at + "PRIVATE KEY".len()..];
    label.is_some_and(upper) && (after.starts_with("-----") || after.starts_with(" BLOCK-----"))
}

/// The token that the text begins with.
fn token(text: &str) -> Option<&'static str> {
    let first = text.as_bytes().first();
    let named = SHAPES.iter().filter(|shape| shape.0.as_bytes().first() == first);
    let mut named = named.filter(|shape| text.starts_with(shape.0));
    named.find(|shape| shape.fits(text)).map(|shape| shape.4).or_else(|| jwt(text))
}

impl Shape {
    fn fits(&self, text: &str) -> bool {
        let Self(begin, alphabet, least, most, _) = *self;
        let rest = beginning(&text[begin.len()..], ANY);
        let body = &rest[..rest.bytes().take_while(|byte| alphabet.has(*byte)).count()];
        let body = body.trim_end_matches('.');
        let spaced = begin.ends_with(' ');
        (least..=most).contains(&body.len())
            && !body.ends_with("EXAMPLE")
            && !is_one_letter(body)
            // After a word of prose something has to look like a token.
            && (!spaced || is_random(body) || (begin == "Basic " && is_basic(body)))
            && (begin != "xox" || body.as_bytes().get(1).is_some_and(|b| matches!(b, b'-' | b'.')))
    }
}

/// Base64 with padding, or with letters of both cases and digits.
fn is_basic(body: &str) -> bool {
    body.ends_with('=')
        || [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit]
            .iter()
            .all(|is: &fn(&u8) -> bool| body.bytes().any(|byte| is(&byte)))
}

/// `xxxxxxxx`, as documentation has it.
fn is_one_letter(body: &str) -> bool {
    let first = body.as_bytes().first();
    body.len() > 1 && body.bytes().all(|byte| Some(&byte) == first)
}

/// A JSON web token: header, payload, signature.
fn jwt(text: &str) -> Option<&'static str> {
    if !text.starts_with("eyJ") {
        return None;
    }
    let length =
        |text: &str| text.bytes().take(4 * ANY).take_while(|b| Alphabet::Url.has(*b)).count();
    let header = length(text);
    let payload = text[header..].strip_prefix('.').filter(|rest| rest.starts_with("eyJ"))?;
    let signature = payload[length(payload)..].strip_prefix('.')?;
    let long = header >= JWT_PART && length(payload) >= JWT_PART && length(signature) >= JWT_PART;
    long.then_some("a JSON web token")
}

impl Alphabet {
    const fn has(self, byte: u8) -> bool {
        let url = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Url => url,
            Self::Base64 => url || matches!(byte, b'+' | b'/' | b'='),
            Self::Path => url || matches!(byte, b'/' | b'.'),
        }
    }
}
