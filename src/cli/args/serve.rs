//! Arguments of `outhaul serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Longest time that a stop may take: who waits longer for a pod to end has forgotten it.
const LONGEST_DRAIN: Duration = Duration::from_secs(3600);

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443", env = "OUTHAUL_LISTEN")]
    pub(crate) listen: SocketAddr,
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
    /// Serve others than this machine without TLS
    #[arg(long, env = "OUTHAUL_PLAIN_HTTP", conflicts_with_all = ["tls_cert", "tls_self_signed"])]
    pub(crate) plain_http: bool,
    /// Requests a second of one caller
    #[arg(long, value_name = "N", default_value_t = 20, env = "OUTHAUL_RATE",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// How long what runs may end at a stop, such as 20s
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = drain,
        env = "OUTHAUL_DRAIN")]
    pub(crate) drain: Duration,
    /// Form of the log on standard error
    #[arg(long, value_enum, default_value_t, env = "OUTHAUL_LOG_FORMAT")]
    pub(crate) log: LogFormat,
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

fn drain(text: &str) -> Result<Duration, String> {
    let time = text.parse::<jiff::SignedDuration>().map_err(|error| error.to_string())?;
    match Duration::try_from(time) {
        Ok(time) if time <= LONGEST_DRAIN => Ok(time),
        _ => Err(format!("it must be between 0s and {}h", LONGEST_DRAIN.as_secs() / 3600)),
    }
}
