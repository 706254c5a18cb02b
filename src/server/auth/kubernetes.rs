//! Callers that Kubernetes knows: TokenReviews and SubjectAccessReviews.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::cache::{Answer, Cache, Clock};
use super::rights::{Needs, needs};
use super::{AuthError, Authenticator, Authorizer, Caller, Credentials, Denied, Kind, Right, Via};
use crate::cluster::reviews::{Attributes, Reviewed, Subject};
use crate::cluster::{Error, Live};

/// How long a token that was good counts as good: a revoked one works no longer than this.
const GOOD_TOKEN: Duration = Duration::from_secs(30);

/// How long a token that was refused is refused without asking: long enough for a client that
/// repeats itself, short enough for a service account that is made just now.
const BAD_TOKEN: Duration = Duration::from_secs(5);

/// How long a right counts as given.
const ALLOWED: Duration = Duration::from_secs(30);

/// How long a right counts as missing: who was just given it tries again.
const REFUSED: Duration = Duration::from_secs(10);

/// Most tokens that are known at once, some 1 kB each.
const MAX_TOKENS: usize = 10_000;

/// Most answers about rights that are known at once, some 200 B each.
const MAX_RIGHTS: usize = 50_000;

/// Reviews at once, each a connection to the API server; tokens and rights apart, so that many bad
/// tokens do not keep those with good ones waiting.
const AT_ONCE: usize = 32;

/// A review takes milliseconds. Who waits longer is told to come back.
const REVIEW_TIMEOUT: Duration = Duration::from_secs(10);

/// Knows whom Kubernetes knows, and asks it what they may.
#[derive(Debug)]
pub struct Kubernetes {
    live: Live,
    audiences: Arc<[String]>,
    tokens: Cache<Option<Caller>, Away>,
    rights: Cache<bool, Away>,
    asking_tokens: Arc<Semaphore>,
    asking_rights: Arc<Semaphore>,
}

/// The API server does not answer, or does not answer us.
#[derive(Clone, Copy, Debug)]
struct Away;

impl Kubernetes {
    /// Asks this cluster. A token has to be made for one of the `audiences`.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(live: Live, audiences: Vec<String>, clock: Clock) -> io::Result<Self> {
        Ok(Self {
            live,
            audiences: audiences.into(),
            tokens: Cache::new(MAX_TOKENS, Arc::clone(&clock))?,
            rights: Cache::new(MAX_RIGHTS, clock)?,
            asking_tokens: Arc::new(Semaphore::new(AT_ONCE)),
            asking_rights: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    async fn owner(&self, token: &SecretString) -> Result<Option<Caller>, Away> {
        let key = self.tokens.key(&token.expose_secret());
        let ask = || {
            let (live, audiences) = (self.live.clone(), Arc::clone(&self.audiences));
            let (turns, token) = (Arc::clone(&self.asking_tokens), token.clone());
            async move {
                let reviewed = asked(&turns, live.token_review(&token, &audiences)).await?;
                let caller = reviewed.and_then(|reviewed| caller(reviewed, &audiences));
                let life = match caller {
                    Some(_) => left(token.expose_secret(), Timestamp::now()).min(GOOD_TOKEN),
                    None => BAD_TOKEN,
                };
                Ok(Answer { value: caller, life })
            }
        };
        self.tokens.get(key, ask).await
    }

    async fn may(&self, subject: &Arc<Subject>, what: Attributes) -> Result<bool, Away> {
        let key = self.rights.key(&(subject, &what));
        let ask = || {
            let (live, subject) = (self.live.clone(), Arc::clone(subject));
            let turns = Arc::clone(&self.asking_rights);
            async move {
                let value = asked(&turns, live.access_review(&subject, &what)).await?;
                Ok(Answer { value, life: if value { ALLOWED } else { REFUSED } })
            }
        };
        self.rights.get(key, ask).await
    }

    async fn need(&self, subject: &Arc<Subject>, what: Attributes) -> Result<(), Denied> {
        match self.may(subject, what).await? {
            true => Ok(()),
            false => Err(Denied::Forbidden),
        }
    }

    /// Every kind is asked for, so that the refusal names all that are missing.
    async fn need_kinds(
        &self,
        subject: &Arc<Subject>,
        kinds: Vec<(Kind, Attributes)>,
    ) -> Result<(), Denied> {
        let asked = kinds.into_iter().map(|(kind, what)| async {
            self.may(subject, what).await.map(|allowed| (!allowed).then_some(kind))
        });
        let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let missing: Vec<Kind> = answers.into_iter().flatten().collect();
        if missing.is_empty() { Ok(()) } else { Err(Denied::Kinds(missing)) }
    }
}

#[async_trait]
impl Authenticator for Kubernetes {
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthError> {
        match credentials {
            Credentials::Bearer(token) => self.owner(token).await?.ok_or(AuthError::Token),
            Credentials::Proxy(caller) => Ok(caller.clone()),
            Credentials::Basic { .. } => Err(AuthError::Scheme),
        }
    }
}

#[async_trait]
impl Authorizer for Kubernetes {
    async fn allow(&self, caller: &Caller, right: &Right) -> Result<(), Denied> {
        let subject = Arc::new(caller.subject());
        let need = |what| self.need(&subject, what);
        match needs(right) {
            // The first that is refused ends the rest.
            Needs::All(all) => try_join_all(all.into_iter().map(need)).await.map(drop),
            Needs::Any(any) => one_of(&join_all(any.into_iter().map(need)).await),
            Needs::Kinds(kinds) => self.need_kinds(&subject, kinds).await,
        }
    }
}

/// One is enough; that there is none is known only when all have answered.
fn one_of(answers: &[Result<(), Denied>]) -> Result<(), Denied> {
    if answers.contains(&Ok(())) {
        return Ok(());
    }
    let away = answers.contains(&Err(Denied::Unavailable));
    Err(if away { Denied::Unavailable } else { Denied::Forbidden })
}

/// The owner of a token, if it was made for us: who does not look at audiences leaves them empty.
fn caller(reviewed: Reviewed, audiences: &[String]) -> Option<Caller> {
    let ours = reviewed.audiences.iter().any(|audience| audiences.contains(audience));
    let Subject { user, uid, groups, extra } = reviewed.subject;
    ours.then_some(Caller { user, uid, groups, extra, via: Via::Kubernetes })
}

/// How long a token is good yet, as it says itself; without end if it does not.
fn left(token: &str, now: Timestamp) -> Duration {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64, // RFC 7519 allows fractions
    }
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|claims| serde_json::from_slice::<Claims>(&claims).ok());
    let end = claims.and_then(|claims| Timestamp::from_second(claims.exp as i64).ok());
    end.map_or(Duration::MAX, |end| end.duration_since(now).try_into().unwrap_or_default())
}

/// Asks in turn, and says in the log what went wrong.
async fn asked<T>(
    turns: &Semaphore,
    question: impl Future<Output = Result<T, Error>>,
) -> Result<T, Away> {
    let answer = timeout(REVIEW_TIMEOUT, async {
        let _turn = turns.acquire().await;
        question.await
    });
    match answer.await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => tracing::warn!(%error, "a review failed"),
        Err(_) => tracing::warn!("a review took over {} s", REVIEW_TIMEOUT.as_secs()),
    }
    Err(Away)
}

impl From<Away> for AuthError {
    fn from(_: Away) -> Self {
        Self::Unavailable
    }
}

impl From<Away> for Denied {
    fn from(_: Away) -> Self {
        Self::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_how_long_it_is_good() {
        let now = Timestamp::from_second(1_000).unwrap();
        let token = |claims: &str| format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(left(&token(r#"{"exp": 1020}"#), now), Duration::from_secs(20));
        assert_eq!(left(&token(r#"{"exp": 1020.5}"#), now), Duration::from_secs(20));
        assert_eq!(left(&token(r#"{"exp": 990}"#), now), Duration::ZERO);
        for opaque in ["opaque", "a.b.c", &token("{}"), &token(r#"{"exp": "x"}"#)] {
            assert_eq!(left(opaque, now), Duration::MAX, "{opaque}");
        }
    }

    #[test]
    fn of_several_rights_one_is_enough_and_none_is_missing_before_all_are_known() {
        let (yes, no, away) = (Ok(()), Err(Denied::Forbidden), Err(Denied::Unavailable));
        assert_eq!(one_of(&[away.clone(), yes.clone()]), yes);
        assert_eq!(one_of(&[no.clone(), yes.clone()]), yes);
        assert_eq!(one_of(&[away.clone(), no.clone()]), away);
        assert_eq!(one_of(&[no.clone(), no.clone()]), no);
    }

    #[test]
    fn who_ignores_audiences_has_recognised_nobody() {
        let ours = ["outhaul.dev".to_owned()];
        let reviewed = |audiences: &[&str]| Reviewed {
            subject: Subject { user: "alice".into(), ..Subject::default() },
            audiences: audiences.iter().map(|audience| (*audience).to_owned()).collect(),
        };
        assert!(caller(reviewed(&["other", "outhaul.dev"]), &ours).is_some());
        assert!(caller(reviewed(&["https://kubernetes.default.svc"]), &ours).is_none());
        assert!(caller(reviewed(&[]), &ours).is_none());
    }
}
