//! What a server is told, and what of it does not go together.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use super::auth::Served;
use super::auth::epinio::Mode;
use super::work::Settings;
use crate::cluster::ClientOptions;
use crate::error::Error;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens. Port 0 takes a free one, which the log tells.
    pub listen: SocketAddr,
    /// Its certificate; `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// Authority (PEM) of the front proxies, whose clients say who the user is; read again when it
    /// changes. It goes with `tls` only.
    pub front_proxy_ca: Option<PathBuf>,
    /// Where metrics are told to whoever asks; `None`: only where it listens, to those who may.
    pub metrics_listen: Option<SocketAddr>,
    /// Of so many applications the last success is a metric.
    pub metrics_apps: usize,
    /// Plain HTTP for others than this machine.
    pub plain_http: bool,
    /// Requests a second of one caller, at least 1.
    pub rate: u32,
    /// How long what runs may end at a stop.
    pub drain: Duration,
    /// Audiences of which a token must have one, at least one.
    pub token_audiences: Vec<String>,
    /// The namespaces of applications that it serves.
    pub namespaces: Served,
    /// The cluster that it serves.
    pub cluster: ClientOptions,
    /// How exports are carried out.
    pub exports: Settings,
    /// Epinio's API.
    pub epinio: Epinio,
}

/// How Epinio's API is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epinio {
    /// Whether its users are known.
    pub users: Mode,
    /// Which version of Epinio it says that it is, such as `v1.14.0`.
    pub version: String,
    /// Whether users are told the values of an application's environment.
    pub shows_environment: bool,
    /// Whose pages may call it from a browser (CORS).
    pub allow_origin: Option<Origin>,
    /// Epinio's own server, which gets what is not served here.
    pub upstream: Option<Upstream>,
}

/// Epinio's own server beside this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Where it is.
    pub url: Origin,
    /// Authorities of its certificate, PEM, besides the system's.
    pub ca: Option<PathBuf>,
}

/// Scheme, host and port of a URL (RFC 6454), such as `https://epinio.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Url);

impl Origin {
    /// Whether it is reached by TLS.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for Origin {
    /// Without a slash at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl FromStr for Origin {
    type Err = String;

    /// # Errors
    /// When it is anything but a scheme, a host and a port. The text is not repeated: there may be a
    /// password in it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form =
            "it must be like https://epinio.example.com or http://epinio-server.epinio.svc:80";
        let url = Url::parse(text).map_err(|error| format!("{error}; {form}"))?;
        let is_alone = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        match url.scheme() {
            "http" | "https" if is_alone && is_anonymous => Ok(Self(url)),
            "http" | "https" if !is_anonymous => Err(format!("it holds credentials; {form}")),
            "http" | "https" => Err(format!("there is more than an address in it; {form}")),
            scheme => Err(format!("`{scheme}` is neither http nor https; {form}")),
        }
    }
}

/// The version of Epinio whose API this is.
pub const EPINIO_VERSION: &str = "v1.14.0";

/// Most namespaces that are served one by one: each has 15 watches, and each of these a connection.
const MAX_NAMESPACES: usize = 50;

impl Default for Epinio {
    fn default() -> Self {
        Self {
            users: Mode::default(),
            version: EPINIO_VERSION.to_owned(),
            shows_environment: true,
            allow_origin: None,
            upstream: None,
        }
    }
}

/// Where the server's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// PEM files, which are read again when they change.
    Files {
        /// The certificate, then those of its authorities.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// A certificate of our own, made at the start.
    SelfSigned {
        /// Host names and addresses that it is for, besides the listening address.
        names: Vec<String>,
    },
}

impl Config {
    /// Refuses to send what callers must not share in clear through a network, unless told to; and to
    /// watch each of very many namespaces.
    pub(super) fn check(&self) -> Result<(), Error> {
        let namespaces = self.namespaces.names().len();
        if namespaces > MAX_NAMESPACES {
            return Err(Error::Arguments {
                text: format!("{namespaces} namespaces are too many, at most {MAX_NAMESPACES}"),
                hint: "without `--namespaces` all are served, by one watch of each kind",
            });
        }
        if self.front_proxy_ca.is_some() && self.tls.is_none() {
            return Err(Error::Arguments {
                text: "`--front-proxy-ca` goes with TLS only, which carries the certificates"
                    .into(),
                hint: "give `--tls-cert` and `--tls-key`, or `--tls-self-signed`",
            });
        }
        if self.tls.is_some() || self.plain_http || self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(Error::Arguments {
            text: format!("no certificate is given, and {} is for others", self.listen),
            hint: "give `--tls-cert` and `--tls-key`, or `--tls-self-signed`; `--listen \
                   127.0.0.1:8443` needs none, and `--plain-http` goes without",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        let of = |text: &str| text.parse::<Origin>().map(|origin| origin.to_string());
        for (text, origin) in [
            ("https://Epinio.example.com", "https://epinio.example.com"),
            ("https://epinio.example.com:443/", "https://epinio.example.com"),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("http://[::1]:80/", "http://[::1]"),
        ] {
            assert_eq!(of(text).unwrap(), origin);
        }
        for text in [
            "",
            "epinio.example.com",
            "epinio.example.com:443",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a/?b",
            "https://a/#b",
            "https://canary@a",
            "https://a:canary@b",
            "*",
        ] {
            let refused = of(text).unwrap_err();
            assert!(
                refused.contains("it must be like") && !refused.contains("canary"),
                "{refused}"
            );
        }
    }

    #[test]
    fn what_would_be_a_mistake_is_refused() {
        let config = |listen: &str, plain_http, tls| Config {
            listen: listen.parse().unwrap(),
            tls,
            front_proxy_ca: None,
            metrics_listen: None,
            metrics_apps: 0,
            plain_http,
            rate: 20,
            drain: Duration::ZERO,
            token_audiences: Vec::new(),
            namespaces: Served::default(),
            cluster: ClientOptions::default(),
            exports: Settings::default(),
            epinio: Epinio::default(),
        };
        let own = || Some(Tls::SelfSigned { names: Vec::new() });
        assert!(config("127.0.0.1:0", false, None).check().is_ok());
        assert!(config("[::1]:0", false, None).check().is_ok());
        assert!(config("0.0.0.0:0", true, None).check().is_ok());
        assert!(config("0.0.0.0:0", false, own()).check().is_ok());
        assert!(config("0.0.0.0:0", false, None).check().is_err());
        assert!(config("10.0.0.1:0", false, None).check().is_err());
        let behind = |tls| Config {
            front_proxy_ca: Some("ca.crt".into()),
            ..config("127.0.0.1:0", true, tls)
        };
        assert!(behind(own()).check().is_ok());
        assert!(behind(None).check().is_err());
        let of = |count: usize| Config {
            namespaces: Served::new((0..count).map(|number| format!("n{number}")).collect()),
            ..config("127.0.0.1:0", false, None)
        };
        assert!(of(MAX_NAMESPACES).check().is_ok() && of(MAX_NAMESPACES + 1).check().is_err());
    }
}
