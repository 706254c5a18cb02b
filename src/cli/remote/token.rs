//! The token by which the server knows who asks.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use reqwest::header::HeaderValue;

use crate::cli::args::{Global, ServerArgs};
use crate::cli::connect;
use crate::cluster::Live;
use crate::error::{Error, Exit};

/// The token, if no file is named. Not a flag: others see a program's flags.
const TOKEN: &str = "OUTHAUL_TOKEN";

/// What tokens for our server are made for, unless `serve --token-audience` says otherwise.
const AUDIENCE: &str = "outhaul.dev";

/// Longest token that is read; one of a service account has about 1 KiB.
const MAX_TOKEN: u64 = 64 << 10;

/// How long a token that we made is used. It is good for an hour, and an export may take longer.
const RENEWED: Duration = Duration::from_secs(30 * 60);

/// How to get a token.
pub(super) const HINT: &str = "`kubectl create token NAME --audience outhaul.dev` makes one of a service account; give it in \
                    OUTHAUL_TOKEN, or its file with `--token-file`";

/// Where the token is from.
pub(super) enum Token {
    /// The environment.
    Given(SecretString),
    /// A file, which whoever mounts it renews.
    File(PathBuf),
    /// The API server, which makes one for the service account that the kubeconfig speaks for.
    Account(Box<Account>),
}

/// A service account whose token we may make.
pub(super) struct Account {
    live: Live,
    namespace: String,
    name: String,
    made: Mutex<Option<(SecretString, Instant)>>,
}

impl Token {
    /// The one that the arguments name, or the environment, or the kubeconfig.
    ///
    /// # Errors
    /// When there is none, and none can be made.
    pub(super) async fn find(args: &ServerArgs, global: &Global) -> Result<Self, Error> {
        if let Some(path) = &args.token_file {
            return Ok(Self::File(path.clone()));
        }
        match std::env::var(TOKEN) {
            Ok(token) if !token.trim().is_empty() => Ok(Self::Given(token.into())),
            _ => Ok(Self::Account(Box::new(Account::of_kubeconfig(global).await?))),
        }
    }

    /// The header that it goes into.
    ///
    /// # Errors
    /// When it cannot be read, made, or sent. Never holds it.
    pub(super) async fn header(&self) -> Result<HeaderValue, Error> {
        let token = match self {
            Self::Given(token) => token.clone(),
            Self::File(path) => read(path)?,
            Self::Account(account) => account.token().await?,
        };
        let text = format!("Bearer {}", token.expose_secret().trim());
        let mut header = HeaderValue::try_from(text)
            .map_err(|_| missing("the token for the server has characters that none has"))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl Account {
    /// The service account whose kubeconfig it is. Anybody else has no tokens of another audience.
    async fn of_kubeconfig(global: &Global) -> Result<Self, Error> {
        let none =
            |reason: String| missing(&format!("there is no token for the server, and {reason}"));
        let live = Live::connect(&connect::client_options(global)).await;
        let live = live.map_err(|error| none(format!("none can be made: {error}")))?;
        let own = live.who_am_i().await;
        let own = own.map_err(|error| none(format!("none can be made: {error}")))?;
        let account = own.user.strip_prefix("system:serviceaccount:");
        let Some((namespace, name)) = account.and_then(|account| account.split_once(':')) else {
            return Err(none(format!("`{}` of the kubeconfig is no service account", own.user)));
        };
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Ok(Self { live, namespace, name, made: Mutex::default() })
    }

    async fn token(&self) -> Result<SecretString, Error> {
        let mut made = self.made.lock().await;
        if let Some((token, _)) = made.as_ref().filter(|(_, at)| at.elapsed() < RENEWED) {
            return Ok(token.clone());
        }
        let Self { live, namespace, name, .. } = self;
        let token = live.request_token(namespace, name, AUDIENCE).await.map_err(|error| {
            missing(&format!("no token for the server can be made for {namespace}/{name}: {error}"))
        })?;
        *made = Some((token.clone(), Instant::now()));
        Ok(token)
    }
}

fn read(path: &Path) -> Result<SecretString, Error> {
    let mut text = String::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MAX_TOKEN).read_to_string(&mut text));
    read.map_err(|source| Error::File { path: path.to_owned(), source })?;
    if text.trim().is_empty() {
        return Err(missing(&format!("{} holds no token", path.display())));
    }
    Ok(text.into())
}

fn missing(text: &str) -> Error {
    Error::Server { text: text.to_owned(), hint: Some(HINT.to_owned()), exit: Exit::Usage }
}
