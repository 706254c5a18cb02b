//! The log on standard error, and with the feature `otlp` its spans for a collector.

use std::io::Stderr;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;
use tracing_subscriber::fmt::format::{DefaultFields, Format};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::{Global, LogFormat};
#[cfg(feature = "otlp")]
use super::traces::Traces;
use crate::error::Error;

/// What has to stay until the end of the process.
#[derive(Debug, Default)]
pub(crate) struct Log {
    #[cfg(feature = "otlp")]
    _traces: Option<Traces>,
}

/// Logs to standard error: nothing by default, our own steps at `-v`, every request at `-vv`.
/// `OUTHAUL_LOG` takes a filter in the syntax of `tracing_subscriber` instead.
pub(crate) fn init(verbose: u8) -> Log {
    let level = match verbose {
        0 => "off",
        1 => "outhaul=info",
        _ => "outhaul=debug",
    };
    to_stderr(level).init();
    Log::default()
}

/// As [`init`] for a server, whose log is what it has to say: requests and steps by default, more at
/// `-v`, errors alone with `-q`.
///
/// # Errors
/// When spans are to go to an address that cannot be used.
pub(crate) fn init_server(global: &Global, format: LogFormat) -> Result<Log, Error> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "outhaul=info,access=info,audit=info",
        _ => "outhaul=debug,access=debug,audit=info",
    };
    match format {
        LogFormat::Text => begin(to_stderr(level).finish()),
        LogFormat::Json => begin(to_stderr(level).json().with_target(true).finish()),
    }
}

#[cfg(feature = "otlp")]
fn begin<S>(log: S) -> Result<Log, Error>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    use tracing_subscriber::layer::SubscriberExt as _;
    let traces = Traces::from_env()?;
    log.with(traces.as_ref().map(Traces::layer)).init();
    Ok(Log { _traces: traces })
}

#[cfg(not(feature = "otlp"))]
fn begin<S>(log: S) -> Result<Log, Error>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    log.init();
    Ok(Log::default())
}

fn to_stderr(level: &str) -> SubscriberBuilder<DefaultFields, Format, EnvFilter, fn() -> Stderr> {
    let filter = EnvFilter::try_from_env("OUTHAUL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr as fn() -> Stderr)
        .with_target(false)
        .with_ansi(false) // the feature for colours is left out, and asking for them panics
}
