//! The keys by which dex signs its tokens: fetched when a token needs them, kept for a while, and
//! fetched again for a token of a key that is not among them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::{Client, StatusCode, redirect};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::Away;
use crate::server::auth::Clock;

/// How long keys are good without asking. A key that dex withdraws works no longer than this.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// So long nobody makes us ask again by a token of a key that there is not.
const AGAIN: Duration = Duration::from_secs(30);

/// So long dex is left alone when it did not answer, as everybody who waits would ask in turn.
const PAUSE: Duration = Duration::from_secs(2);

/// Dex answers in milliseconds. Who logs in waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A key has some 500 B, and dex keeps a few of them when it changes its own.
const MAX_BODY: usize = 64 << 10;

/// Keys of dex.
pub(super) struct Keys {
    clock: Clock,
    known: RwLock<Option<Ring>>,
    /// Held while one asks for all that wait.
    asking: Mutex<Asked>,
}

/// A key, for tokens of one algorithm.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// What was fetched, from where and when.
struct Ring {
    from: Url,
    at: Instant,
    keys: HashMap<String, Arc<Key>>,
}

#[derive(Default)]
struct Asked {
    /// When a key was looked for last that was not among those that are known.
    again: Option<Instant>,
    /// When dex last did not answer.
    failed: Option<Instant>,
}

impl Keys {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, known: RwLock::default(), asking: Mutex::default() }
    }

    /// The key of this id; `None`: dex has none.
    ///
    /// # Errors
    /// When dex does not answer, or nothing that can be read.
    pub(super) async fn find(&self, from: &Url, id: &str) -> Result<Option<Arc<Key>>, Away> {
        if let Some(Some(key)) = self.known(from, id) {
            return Ok(Some(key));
        }
        let mut asked = self.asking.lock().await;
        let now = (self.clock)();
        let within = |at: Option<Instant>, time| at.is_some_and(|at| now < at + time);
        match self.known(from, id) {
            Some(Some(key)) => return Ok(Some(key)), // of whoever has just asked
            Some(None) if within(asked.again, AGAIN) => return Ok(None),
            Some(None) => asked.again = Some(now),
            None if within(asked.failed, PAUSE) => return Err(Away),
            None => {}
        }
        match fetch(from).await {
            Ok(keys) => {
                asked.failed = None;
                let ring = Ring { from: from.clone(), at: (self.clock)(), keys };
                let found = ring.keys.get(id).cloned();
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(ring);
                Ok(found)
            }
            Err(reason) => {
                asked.failed = Some((self.clock)());
                let host = from.host_str().unwrap_or_default();
                tracing::warn!(host, reason, "the keys of dex cannot be read");
                Err(Away)
            }
        }
    }

    /// The key; `Some(None)` where it is not among keys that are fresh, `None` without such.
    fn known(&self, from: &Url, id: &str) -> Option<Option<Arc<Key>>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let ring = known.as_ref().filter(|ring| ring.from == *from)?;
        ((self.clock)() < ring.at + FRESH).then(|| ring.keys.get(id).cloned())
    }
}

/// A JWK Set (RFC 7517). Redirects are not followed: dex makes none, and they might lead anywhere.
async fn fetch(from: &Url) -> Result<HashMap<String, Arc<Key>>, String> {
    let words = |error: reqwest::Error| error.without_url().to_string();
    let client = Client::builder().redirect(redirect::Policy::none()).timeout(TIMEOUT);
    let request = client.build().map_err(words)?.get(from.clone());
    let mut answer = request.send().await.map_err(words)?;
    if answer.status() != StatusCode::OK {
        return Err(format!("it answers {}", answer.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(words)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(format!("its answer has more than {} KiB", MAX_BODY >> 10));
        }
        body.extend_from_slice(&chunk);
    }
    ring(&body).ok_or_else(|| "its answer is no set of keys".to_owned())
}

/// Keys that sign by an algorithm of ours. Others, and such as cannot be read, are passed over.
fn ring(body: &[u8]) -> Option<HashMap<String, Arc<Key>>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(body).ok()?;
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    Some(keys.filter_map(|key| Some((key.common.key_id.clone()?, Key::of(&key)?))).collect())
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Arc<Self>> {
        let (algorithm, own) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            _ => return None,
        };
        let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let fits = jwk.common.key_algorithm.is_none_or(|said| said == own);
        let key = DecodingKey::from_jwk(jwk).ok().filter(|_| signs && fits)?;
        Some(Arc::new(Self { algorithm, key }))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use axum::Router;
    use axum::routing::get;
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    /// A P-256 key by its public half.
    fn key(id: &str) -> Value {
        let pair = rcgen::KeyPair::generate().unwrap();
        let point = &rcgen::PublicKeyData::der_bytes(&pair)[1..];
        let part = |bytes: &[u8]| {
            base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
        };
        let (x, y) = (part(&point[..32]), part(&point[32..]));
        json!({"kty": "EC", "crv": "P-256", "kid": id, "alg": "ES256", "use": "sig", "x": x, "y": y})
    }

    /// Dex with what it answers, and how often it was asked; and keys with a clock that is set by hand.
    struct Bench {
        from: Url,
        answer: Arc<std::sync::Mutex<(u16, String)>>,
        asked: Arc<AtomicUsize>,
        seconds: Arc<AtomicU64>,
        keys: Keys,
    }

    impl Bench {
        async fn start(set: &Value) -> Self {
            let answer = Arc::new(std::sync::Mutex::new((200, set.to_string())));
            let (asked, seconds) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
            let (told, counted) = (Arc::clone(&answer), Arc::clone(&asked));
            let handler = move || {
                counted.fetch_add(1, Ordering::SeqCst);
                let (status, body) = told.lock().unwrap().clone();
                async move { (StatusCode::from_u16(status).unwrap(), body) }
            };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let from = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
            let app = Router::new().route("/keys", get(handler));
            tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
            let (start, read) = (Instant::now(), Arc::clone(&seconds));
            let clock = move || start + Duration::from_secs(read.load(Ordering::SeqCst));
            Self { from, answer, asked, seconds, keys: Keys::new(Arc::new(clock)) }
        }

        fn answer(&self, status: u16, body: &str) {
            *self.answer.lock().unwrap() = (status, body.to_owned());
        }

        fn at(&self, second: u64) {
            self.seconds.store(second, Ordering::SeqCst);
        }

        /// Whether the key is found; `None`: dex is away.
        async fn finds(&self, id: &str) -> Option<bool> {
            self.keys.find(&self.from, id).await.ok().map(|key| key.is_some())
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn an_unknown_key_is_asked_for_once_in_a_while_and_costs_the_others_nothing() {
        let bench = Bench::start(&json!({"keys": [key("a")]})).await;
        let many = futures_util::future::join_all((0..20).map(|_| bench.finds("a"))).await;
        assert_eq!((many, bench.asked()), (vec![Some(true); 20], 1));
        bench.answer(200, &json!({"keys": [key("b")]}).to_string());
        assert_eq!((bench.finds("b").await, bench.asked()), (Some(true), 2), "at once");
        bench.answer(500, "");
        for second in [0, 29] {
            bench.at(second);
            assert_eq!((bench.finds("c").await, bench.asked()), (Some(false), 2));
        }
        bench.at(30);
        assert_eq!((bench.finds("c").await, bench.asked()), (None, 3));
        assert_eq!((bench.finds("b").await, bench.finds("c").await), (Some(true), Some(false)));
        assert_eq!(bench.asked(), 3);
        bench.at(10 * 60);
        assert_eq!((bench.finds("b").await, bench.asked()), (None, 4), "no longer than 10 min");
        assert_eq!((bench.finds("b").await, bench.asked()), (None, 4), "left alone");
        bench.answer(200, &json!({"keys": [key("b")]}).to_string());
        bench.at(10 * 60 + 2);
        assert_eq!((bench.finds("b").await, bench.asked()), (Some(true), 5));
    }

    #[tokio::test]
    async fn what_is_no_set_of_keys_is_as_good_as_no_answer() {
        for (status, body) in [
            (200, String::new()),
            (200, "{}".to_owned()),
            (200, " ".repeat(MAX_BODY + 1)),
            (404, json!({"keys": [key("a")]}).to_string()),
            (302, json!({"keys": [key("a")]}).to_string()),
        ] {
            let bench = Bench::start(&json!({})).await;
            bench.answer(status, &body);
            assert_eq!(bench.finds("a").await, None, "{status} {}", body.len());
        }
    }

    #[test]
    fn keys_that_are_for_something_else_are_passed_over() {
        let with = |field: &str, value: Value| {
            let mut key = key("other");
            key[field] = value;
            key
        };
        let set = json!({"keys": [
            with("use", json!("enc")), with("alg", json!("ES384")), with("crv", json!("P-384")),
            with("kid", Value::Null), with("kty", json!("new")),
            {"kty": "oct", "kid": "other", "k": "c2VjcmV0"}, {}, 7, key("a"),
        ]});
        let keys = ring(set.to_string().as_bytes()).unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["a"]);
    }
}
