//! Arguments of `outhaul serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::server::{EPINIO_VERSION, Origin};

/// Longest time that a stop may take: who waits longer for a pod to end has forgotten it.
const LONGEST_DRAIN: Duration = Duration::from_secs(3600);

/// Most exports at once, in Jobs, too: each has a thread of the server's, of which the runtime has 512.
const MOST_WORKERS: usize = 256;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443", env = "OUTHAUL_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// Address on which metrics are told to whoever asks, without TLS; without it, only on
    /// `--listen`, to those who may
    #[arg(long, value_name = "ADDRESS", env = "OUTHAUL_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Applications of which the last success is a metric, the newest; 0 for none
    #[arg(long, value_name = "N", default_value_t = 500, env = "OUTHAUL_METRICS_APPS")]
    pub(crate) metrics_apps: usize,
    /// Certificate, then those of its authorities, PEM; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "OUTHAUL_TLS_CERT")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "OUTHAUL_TLS_KEY")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Make a certificate at the start
    #[arg(long, conflicts_with = "tls_cert", env = "OUTHAUL_TLS_SELF_SIGNED")]
    pub(crate) tls_self_signed: bool,
    /// Host name or address that the certificate made at the start is for (repeatable)
    #[arg(
        long,
        value_name = "NAME",
        requires = "tls_self_signed",
        env = "OUTHAUL_TLS_NAME",
        value_delimiter = ','
    )]
    pub(crate) tls_name: Vec<String>,
    /// Authority of front proxies, PEM; read again when it changes. Clients that show a certificate of
    /// it say by `X-Remote-User` and `X-Remote-Group` who the user is: give it to nobody else
    #[arg(long, value_name = "FILE", env = "OUTHAUL_FRONT_PROXY_CA")]
    pub(crate) front_proxy_ca: Option<PathBuf>,
    /// Serve others than this machine without TLS
    #[arg(long, env = "OUTHAUL_PLAIN_HTTP", conflicts_with_all = ["tls_cert", "tls_self_signed"])]
    pub(crate) plain_http: bool,
    /// Audience that tokens must have been made for (repeatable)
    #[arg(
        long,
        value_name = "NAME",
        default_value = "outhaul.dev",
        value_delimiter = ',',
        env = "OUTHAUL_TOKEN_AUDIENCE"
    )]
    pub(crate) token_audience: Vec<String>,
    /// Namespaces of applications that it serves (repeatable); without it, all
    #[arg(long, value_name = "NAMESPACE", value_delimiter = ',', value_parser = namespace,
        num_args = 1, env = "OUTHAUL_NAMESPACES")]
    pub(crate) namespaces: Vec<String>,
    /// Requests a second of one caller
    #[arg(long, value_name = "N", default_value_t = 20, env = "OUTHAUL_RATE",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// How long what runs may end at a stop, such as 20s
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = drain,
        env = "OUTHAUL_DRAIN")]
    pub(crate) drain: Duration,
    /// Where exports run: in the server, or each in a Kubernetes Job of its own
    #[arg(long, value_enum, default_value_t, env = "OUTHAUL_EXECUTOR")]
    pub(crate) executor: ExecutorArg,
    /// With `--executor job`: ConfigMap of the system namespace with the Jobs' template
    #[arg(long, value_name = "NAME", default_value = "outhaul-job", env = "OUTHAUL_JOB_TEMPLATE")]
    pub(crate) job_template: String,
    /// Exports that run at once
    #[arg(long, value_name = "N", default_value_t = 2, env = "OUTHAUL_WORKERS", value_parser = workers)]
    pub(crate) workers: usize,
    /// Of them to one destination
    #[arg(long, value_name = "N", default_value_t = 2, env = "OUTHAUL_PER_DESTINATION",
        value_parser = some)]
    pub(crate) per_destination: usize,
    /// Exports that wait in turn; further ones wait behind them as they come
    #[arg(long, value_name = "N", default_value_t = 1000, env = "OUTHAUL_QUEUE",
        value_parser = some)]
    pub(crate) queue: usize,
    /// How long records of finished exports stay, such as 168h
    #[arg(long, value_name = "DURATION", default_value = "168h", value_parser = keep,
        env = "OUTHAUL_KEEP")]
    pub(crate) keep: Duration,
    /// Whether Epinio's users may log in: with `auto`, if there are any
    #[arg(long, value_enum, default_value_t, env = "OUTHAUL_EPINIO_USERS")]
    pub(crate) epinio_users: EpinioUsers,
    /// Version of Epinio that its clients are told
    #[arg(long, value_name = "VERSION", default_value = EPINIO_VERSION, value_parser = version,
        env = "OUTHAUL_EPINIO_VERSION")]
    pub(crate) epinio_version: String,
    /// Whether Epinio's clients are told the values of an application's environment
    #[arg(long, value_enum, default_value_t, env = "OUTHAUL_EPINIO_ENVIRONMENT")]
    pub(crate) epinio_environment: Environment,
    /// Origin of pages that may call Epinio's API from a browser (CORS), such as
    /// https://epinio.example.com
    #[arg(long, value_name = "URL", env = "OUTHAUL_EPINIO_ALLOW_ORIGIN")]
    pub(crate) epinio_allow_origin: Option<Origin>,
    /// Epinio's own server, such as http://epinio-server.epinio.svc: it gets what of Epinio's API is not
    /// served here, as it comes
    #[arg(long, value_name = "URL", env = "OUTHAUL_EPINIO_UPSTREAM")]
    pub(crate) epinio_upstream: Option<Origin>,
    /// Authorities of the certificate of Epinio's own server, PEM, besides the system's
    #[arg(
        long,
        value_name = "FILE",
        requires = "epinio_upstream",
        env = "OUTHAUL_EPINIO_UPSTREAM_CA"
    )]
    pub(crate) epinio_upstream_ca: Option<PathBuf>,
    /// How long an export may take, besides its wait for a rollout, such as 6h
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = longest,
        env = "OUTHAUL_LONGEST")]
    pub(crate) longest: Duration,
    /// Host, with or without a port, of which images are read although it is an address of the
    /// server's own surroundings: this machine, its link or the API server (repeatable)
    #[arg(long, value_name = "HOST", value_delimiter = ',', env = "OUTHAUL_LOCAL_SOURCE")]
    pub(crate) local_source: Vec<String>,
    /// Form of the log on standard error
    #[arg(long, value_enum, default_value_t, env = "OUTHAUL_LOG_FORMAT")]
    pub(crate) log: LogFormat,
}

/// Where exports run
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExecutorArg {
    /// In the server
    #[default]
    InProcess,
    /// Each in a Job
    Job,
}

/// How a log is written
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Whether Epinio's users may log in
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EpinioUsers {
    /// If there are any
    #[default]
    Auto,
    /// Yes
    On,
    /// No
    Off,
}

/// Whether values are told
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Environment {
    /// To those who may see the application
    #[default]
    Show,
    /// To nobody
    Hide,
}

/// A DNS label (RFC 1123), as namespaces are named.
fn namespace(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(plain) && text.bytes().last().is_some_and(plain);
    let is_label = text.len() <= 63 && text.bytes().all(|byte| plain(byte) || byte == b'-');
    if ends && is_label {
        Ok(text.to_owned())
    } else {
        Err("it is no name of a namespace".to_owned())
    }
}

/// `vX.Y.Z`, as Epinio's UI takes it apart.
fn version(text: &str) -> Result<String, String> {
    let number = text.strip_prefix('v').and_then(|number| number.parse::<semver::Version>().ok());
    number.map(|_| text.to_owned()).ok_or_else(|| "it must be like v1.14.0".to_owned())
}

fn drain(text: &str) -> Result<Duration, String> {
    let time = text.parse::<jiff::SignedDuration>().map_err(|error| error.to_string())?;
    match Duration::try_from(time) {
        Ok(time) if time <= LONGEST_DRAIN => Ok(time),
        _ => Err(format!("it must be between 0s and {}h", LONGEST_DRAIN.as_secs() / 3600)),
    }
}

fn longest(text: &str) -> Result<Duration, String> {
    let time = keep(text)?;
    if time.is_zero() { Err("it must be longer".to_owned()) } else { Ok(time) }
}

fn keep(text: &str) -> Result<Duration, String> {
    let time = text.parse::<jiff::SignedDuration>().map_err(|error| error.to_string())?;
    Duration::try_from(time).map_err(|_| "it must not be negative".to_owned())
}

fn workers(text: &str) -> Result<usize, String> {
    match some(text)? {
        number if number <= MOST_WORKERS => Ok(number),
        _ => Err(format!("it must be at most {MOST_WORKERS}")),
    }
}

fn some(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}
