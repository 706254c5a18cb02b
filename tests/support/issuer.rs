//! An identity provider as dex is one: it serves its keys, and signs tokens with them or otherwise.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A running issuer. Dropping it ends it.
pub(crate) struct Issuer {
    url: String,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A key pair and its id.
pub(crate) struct Signer {
    id: String,
    algorithm: Algorithm,
    key: EncodingKey,
}

struct State {
    keys: Vec<Value>,
    asked: usize,
    away: Option<Away>,
}

/// How an issuer does not answer.
#[derive(Clone)]
pub(crate) enum Away {
    /// With this status.
    Status(u16),
    /// It sends elsewhere.
    Redirect(String),
}

impl Issuer {
    /// Starts one that shows the public halves of these.
    pub(crate) fn start(signers: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/dex", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { keys: Vec::new(), asked: 0, away: None }));
        let (stop, stopped) = oneshot::channel::<()>();
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let handler = move |uri: Uri| {
                    let answer = shared.lock().unwrap().answer(uri.path());
                    async move { answer }
                };
                tokio::spawn(async {
                    axum::serve(listener, Router::new().fallback(handler)).await
                });
                let _ = stopped.await; // its sender is dropped
            });
        });
        let issuer = Self { url, state, stop: Some(stop), thread: Some(thread) };
        issuer.show(signers);
        issuer
    }

    /// What its tokens say that they are of, and where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Shows the public halves of these, and of no others.
    pub(crate) fn show(&self, signers: &[&Signer]) {
        self.state().keys = signers.iter().map(|signer| signer.public()).collect();
    }

    /// Answers so, or again as it did.
    pub(crate) fn away(&self, how: Option<Away>) {
        self.state().away = how;
    }

    /// How often it was asked for keys.
    pub(crate) fn asked(&self) -> usize {
        self.state().asked
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl State {
    fn answer(&mut self, path: &str) -> Response {
        if path != "/dex/keys" {
            return StatusCode::NOT_FOUND.into_response();
        }
        self.asked += 1;
        match self.away.clone() {
            None => json!({"keys": self.keys}).to_string().into_response(),
            Some(Away::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
            Some(Away::Redirect(to)) => {
                (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
            }
        }
    }
}

impl Signer {
    /// A new key for RS256.
    pub(crate) fn rsa(id: &str) -> Self {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        // PKCS #1, which PKCS #8 has behind 26 bytes for a key of this size.
        let key = EncodingKey::from_rsa_der(&pair.serialized_der()[26..]);
        Self { id: id.to_owned(), algorithm: Algorithm::RS256, key }
    }

    /// A new key for ES256.
    pub(crate) fn ec(id: &str) -> Self {
        let pair = KeyPair::generate().unwrap();
        let key = EncodingKey::from_ec_der(pair.serialized_der());
        Self { id: id.to_owned(), algorithm: Algorithm::ES256, key }
    }

    /// A token of this signature.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }

    /// A token with a header that may lie, of this signature.
    pub(crate) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }

    /// The header of its tokens.
    pub(crate) fn header(&self) -> Header {
        Header { kid: Some(self.id.clone()), ..Header::new(self.algorithm) }
    }

    /// Its public half, as a JWK.
    pub(crate) fn public(&self) -> Value {
        let mut key =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap());
        let fields = key.as_mut().unwrap().as_object_mut().unwrap();
        fields.insert("kid".to_owned(), self.id.clone().into());
        fields.insert("use".to_owned(), "sig".into());
        key.unwrap()
    }
}
