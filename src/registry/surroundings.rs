//! The addresses around a server, which mean something else to it than to whoever wrote them: itself,
//! its link, where clouds keep the credentials of machines, and the API server.
//!
//! A name is looked up once for each connection, and what was found is checked and is what is connected
//! to: a name that changes its address between a check and its use gains nothing. Where a proxy of the
//! environment makes the connection, it looks the name up from where it stands.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Host;

/// How pods call the API server; with the cluster's domain behind it, too.
const API_SERVER: [&str; 2] = ["kubernetes.default", "kubernetes.default.svc"];

/// Finds the addresses of names.
#[async_trait]
pub trait Names: std::fmt::Debug + Send + Sync {
    /// The addresses of a host name, at least one.
    ///
    /// # Errors
    /// When there is none, or nobody says.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// As the system finds them: hosts file, DNS.
#[derive(Debug)]
struct System;

/// The addresses that are not connected to.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The API server's host, without its port.
    server: Option<String>,
    names: Arc<dyn Names>,
}

/// A name has no other addresses than such.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it is an address of the server's own surroundings")]
struct Closed;

#[async_trait]
impl Names for System {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

impl Surroundings {
    /// Those of this machine, with the API server at a URL.
    pub fn new(server: &str) -> Self {
        let server: Option<Host> = server.parse().ok();
        let server = server.map(|host| host.name().trim_matches(['[', ']']).to_owned());
        Self { server, names: Arc::new(System) }
    }

    /// The same by other names than the system's.
    #[must_use]
    pub fn with_names(self, names: Arc<dyn Names>) -> Self {
        Self { names, ..self }
    }

    /// Whether the host is written as such an address, or is the API server's name. Nothing is looked
    /// up.
    pub fn hold(&self, host: &Host) -> bool {
        let name = host.name().trim_matches(['[', ']']);
        let is_server = self.server.as_deref() == Some(name)
            || API_SERVER.iter().any(|of| name == *of || name.starts_with(&format!("{of}.")));
        is_server || host.is_local()
    }

    /// Whether a client with this resolver failed because a name has no other addresses than such.
    pub fn are_why(error: &(dyn StdError + 'static)) -> bool {
        std::iter::successors(Some(error), |cause| (**cause).source())
            .any(|cause| cause.is::<Closed>())
    }

    /// The addresses of a name to which one may connect.
    async fn outside(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn StdError + Send + Sync>> {
        let found = self.names.addresses(name).await?;
        let server = self.server().await;
        let open = |address: &IpAddr| !is_local(*address) && !server.contains(&canonical(*address));
        let outside: Vec<IpAddr> = found.iter().copied().filter(open).collect();
        if outside.is_empty() && !found.is_empty() { Err(Closed.into()) } else { Ok(outside) }
    }

    /// The API server's addresses. Where its name is not found now, nobody reaches it by one.
    async fn server(&self) -> Vec<IpAddr> {
        let Some(server) = &self.server else { return Vec::new() };
        let found = match server.parse() {
            Ok(address) => vec![address],
            Err(_) => self.names.addresses(server).await.unwrap_or_default(),
        };
        found.into_iter().map(canonical).collect()
    }
}

impl Resolve for Surroundings {
    fn resolve(&self, name: Name) -> Resolving {
        let around = self.clone();
        Box::pin(async move {
            let outside = around.outside(name.as_str()).await?;
            let addresses = outside.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Whether the address means whoever asks, and nobody else: this machine, or its own link.
pub(super) fn is_local(address: IpAddr) -> bool {
    let address = canonical(address);
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    // Linux takes all of 0.0.0.0/8 for this machine but for routes that say otherwise.
    let is_this = matches!(address, IpAddr::V4(address) if address.octets()[0] == 0);
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || is_link_local
        || is_this
}

/// IPv4 in the clothes of IPv6 is IPv4.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug)]
    struct Table(BTreeMap<&'static str, &'static [&'static str]>);

    #[async_trait]
    impl Names for Table {
        async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
            let found = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
            Ok(found.iter().map(|address| address.parse().unwrap()).collect())
        }
    }

    fn around(server: &str, table: &[(&'static str, &'static [&'static str])]) -> Surroundings {
        let table = Table(table.iter().copied().collect());
        Surroundings::new(server).with_names(Arc::new(table))
    }

    async fn found(around: &Surroundings, name: &str) -> Result<Vec<String>, String> {
        let resolved = around.resolve(name.parse().unwrap()).await;
        resolved
            .map(|all| all.map(|at| at.to_string()).collect())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_is_where_it_was_found_and_not_around_us() {
        let around = around(
            "https://10.96.0.1:443",
            &[
                ("public.example", &["192.0.2.7", "2001:db8::7"]),
                ("inside.example", &["10.0.0.7"]),
                ("both.example", &["127.0.0.1", "192.0.2.7", "::1"]),
                ("loopback.example", &["127.0.0.1", "::1"]),
                ("dressed.example", &["::ffff:127.0.0.1"]),
                ("metadata.example", &["169.254.169.254", "fe80::1"]),
                ("zero.example", &["0.0.0.0", "0.1.2.3", "::"]),
                ("server.example", &["10.96.0.1", "::ffff:10.96.0.1"]),
            ],
        );
        for (name, addresses) in [
            ("public.example", &["192.0.2.7:0", "[2001:db8::7]:0"][..]),
            ("inside.example", &["10.0.0.7:0"]),
            ("both.example", &["192.0.2.7:0"]),
        ] {
            assert_eq!(found(&around, name).await.unwrap(), addresses, "{name}");
        }
        for name in ["loopback", "dressed", "metadata", "zero", "server"] {
            let refused = found(&around, &format!("{name}.example")).await;
            assert_eq!(refused, Err(Closed.to_string()), "{name}");
        }
        let unknown = found(&around, "unknown.example").await;
        assert!(unknown.is_err_and(|error| error != Closed.to_string()));
    }

    #[tokio::test]
    async fn an_api_server_that_has_a_name_is_looked_up_as_well() {
        let around = around(
            "https://api.example:6443",
            &[
                ("api.example", &["192.0.2.1"]),
                ("alias.example", &["192.0.2.1"]),
                ("other.example", &["192.0.2.2"]),
            ],
        );
        assert!(around.hold(&"api.example:5000".parse().unwrap()));
        assert!(found(&around, "alias.example").await.is_err());
        assert_eq!(found(&around, "other.example").await.unwrap(), ["192.0.2.2:0"]);
    }
}
