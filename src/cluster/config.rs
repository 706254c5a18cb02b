//! Where the configuration of a client comes from.

use std::path::PathBuf;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::Error;
use super::error::root_cause;

/// Which cluster, as whom.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// This kubeconfig; `None` is `$KUBECONFIG`, `~/.kube/config`, or the cluster around us.
    pub kubeconfig: Option<PathBuf>,
    /// This context of it; `None` is its current one.
    pub context: Option<String>,
}

/// Reads the configuration: the kubeconfig, or that of the cluster around us.
///
/// # Errors
/// When there is none, or one that cannot be used.
pub(super) async fn read(options: &ClientOptions) -> Result<Config, Error> {
    let read = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => default_kubeconfig(),
    };
    let chosen = KubeConfigOptions { context: options.context.clone(), ..Default::default() };
    let from_file = match read {
        Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &chosen).await,
        Err(error) => Err(error),
    };
    let error = match from_file {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    let named = options.kubeconfig.is_some() || options.context.is_some();
    if named || !is_absent(&error) {
        return Err(Error::BadConfig { config: describe(options), reason: reason(&error) });
    }
    Config::incluster().map_err(|_| Error::NoConfig(Some(error.into())))
}

/// The namespace of the context, or of the pod that we run in. No request is sent and nobody logs in.
///
/// # Errors
/// When there is no configuration, or one that cannot be used.
pub async fn default_namespace(options: &ClientOptions) -> Result<String, Error> {
    Ok(read(options).await?.default_namespace)
}

/// `$KUBECONFIG` or `~/.kube/config`. As kubectl does, and kube does not, files of the list that
/// do not exist are passed over.
fn default_kubeconfig() -> Result<Kubeconfig, KubeconfigError> {
    let Some(list) = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) else {
        return Kubeconfig::read();
    };
    std::env::split_paths(&list)
        .filter(|path| path.is_file())
        .try_fold(Kubeconfig::default(), |all, path| all.merge(Kubeconfig::read_from(path)?))
}

/// Why a kubeconfig cannot be used. The parser's own words would quote lines with tokens.
fn reason(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(parse) => match parse.location() {
            Some(at) => format!("it is not YAML of that form, line {}", at.line()),
            None => "it is not YAML of that form".to_owned(),
        },
        other => root_cause(other),
    }
}

/// Whether there is no kubeconfig at all, or an empty one.
fn is_absent(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath | KubeconfigError::CurrentContextNotSet => true,
        KubeconfigError::ReadConfig(error, _) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// What messages call the configuration.
pub(super) fn describe(options: &ClientOptions) -> String {
    let file = options
        .kubeconfig
        .as_ref()
        .map_or_else(|| "the kubeconfig".to_owned(), |p| format!("kubeconfig {}", p.display()));
    match &options.context {
        Some(context) => format!("context `{context}` of {file}"),
        None => file,
    }
}
