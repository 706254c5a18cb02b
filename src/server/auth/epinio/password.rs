//! Passwords of Epinio's users, against the bcrypt hashes in their Secrets.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::PATIENCE;
use super::user::{User, cost};
use crate::server::auth::AuthError;
use crate::server::auth::cache::{Answer, Cache, Clock};

/// How long a password that was right is right. A change of it counts at once when it is seen, as the
/// hash is part of what is remembered.
const GOOD: Duration = Duration::from_secs(5 * 60);

/// Most passwords that are known to be right.
const MAX_GOOD: usize = 10_000;

/// Hashes at once: each takes a core for some 50 ms, and exports want some, too.
const AT_ONCE: usize = 2;

/// Go's own default, and so that of Epinio.
const USUAL_COST: u32 = 10;

/// A hash of a higher cost takes many seconds: nobody could log in, and others neither.
const HIGHEST_COST: u32 = 15;

/// Verifies passwords, and remembers which were right.
#[derive(Debug)]
pub(super) struct Passwords {
    good: Cache<(), AuthError>,
    hashing: Arc<Semaphore>,
}

impl Passwords {
    /// None is known to be right.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(super) fn new(clock: Clock) -> io::Result<Self> {
        let good = Cache::new(MAX_GOOD, clock)?;
        Ok(Self { good, hashing: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Takes as long as a wrong password does that is hashed at this cost.
    ///
    /// # Errors
    /// When nobody looks at it in time.
    pub(super) async fn spend(
        &self,
        cost: Option<u32>,
        password: &SecretString,
    ) -> Result<(), AuthError> {
        let cost = cost.unwrap_or(USUAL_COST).min(HIGHEST_COST);
        let password = password.clone();
        let hashed =
            move || bcrypt::hash_with_salt(password.expose_secret(), cost, [0; 16]).is_ok();
        self.hash(hashed).await.map(drop)
    }

    /// Whether it is the user's.
    ///
    /// # Errors
    /// When it is not, or nobody looks at it in time.
    pub(super) async fn check(
        &self,
        user: &User,
        password: &SecretString,
    ) -> Result<(), AuthError> {
        if cost(&user.hash).is_some_and(|cost| cost > HIGHEST_COST) {
            tracing::warn!(user = user.name, "the cost of the password's hash is too high");
            return Err(AuthError::WrongPassword);
        }
        let key = self.good.key(&(&user.name, password.expose_secret(), user.hash.expose_secret()));
        let (password, hash) = (password.clone(), user.hash.clone());
        let right = self.hash(move || {
            bcrypt::verify(password.expose_secret(), hash.expose_secret()).unwrap_or(false)
        });
        let ask = || async {
            let right = right.await?;
            if right { Ok(Answer { value: (), life: GOOD }) } else { Err(AuthError::WrongPassword) }
        };
        self.good.get(key, ask).await
    }

    /// Does what takes a core for a while, in its turn. The turn ends with the work, also when nobody
    /// waits for it any more.
    fn hash<W>(&self, work: W) -> impl Future<Output = Result<bool, AuthError>> + Send + use<W>
    where
        W: FnOnce() -> bool + Send + 'static,
    {
        let turns = Arc::clone(&self.hashing);
        async move {
            let turn = timeout(PATIENCE, turns.acquire_owned()).await;
            let Ok(Ok(turn)) = turn else { return Err(AuthError::Unavailable) };
            let done = tokio::task::spawn_blocking(move || (work(), turn)).await;
            done.map(|(answer, _)| answer).map_err(|_| AuthError::Unavailable)
        }
    }
}
