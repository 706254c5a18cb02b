//! How dex, which logs Epinio's users in by other identity providers, is set up: its Secret, and which
//! roles it gives to whom. Pure.

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use url::{Host, Url};

use crate::cluster::SecretObject;

/// Secret in Epinio's own namespace; without it there is no dex.
pub(super) const SECRET: &str = "dex-config";

/// What groups of dex begin with where a caller, a record and the audit name them.
const GROUP: &str = "dex:";

/// Dex as Epinio is to use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dex {
    /// What tokens have to say who made them, to the letter.
    pub(super) issuer: String,
    /// Where the keys are that sign them.
    pub(super) keys: Url,
    connectors: Vec<Connector>,
}

/// An identity provider behind dex, and the roles of its groups.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connector {
    connector_id: String,
    groups: Option<Vec<Group>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Group {
    id: String,
    roles: Option<Vec<String>>,
}

/// Why the Secret is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("it has no `issuer`")]
    NoIssuer,
    #[error("`endpoint` is no URL of `http` or `https`")]
    NoEndpoint,
    #[error(
        "`endpoint` is plain HTTP to outside of the cluster, where keys can be forged on the way"
    )]
    PlainHttp,
    #[error("`rolesMapping` is no list of connectors with their groups")]
    Roles,
}

impl Dex {
    /// Reads the Secret.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(secret: &SecretObject) -> Result<Self, Fault> {
        let value = |key: &str| {
            let bytes = secret.data.get(key).map(|value| value.expose_secret());
            bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
        };
        let issuer = value("issuer");
        if issuer.is_empty() {
            return Err(Fault::NoIssuer);
        }
        let endpoint = if value("endpoint").is_empty() { issuer } else { value("endpoint") };
        let keys = format!("{}/keys", endpoint.trim_end_matches('/'));
        let keys = Url::parse(&keys).map_err(|_| Fault::NoEndpoint)?;
        match keys.scheme() {
            "https" => {}
            "http" if is_near(&keys) => {}
            "http" => return Err(Fault::PlainHttp),
            _ => return Err(Fault::NoEndpoint),
        }
        let mapping = value("rolesMapping");
        let connectors = if mapping.trim().is_empty() {
            Vec::new()
        } else {
            let read: Option<_> = serde_saphyr::from_str(mapping).map_err(|_| Fault::Roles)?;
            read.unwrap_or_default()
        };
        Ok(Self { issuer: issuer.to_owned(), keys, connectors })
    }

    /// How a caller of these groups at `connector` is known: by the connector, and by those of the
    /// groups that give roles.
    pub(super) fn groups(&self, connector: &str, groups: &[String]) -> Vec<String> {
        let own = self.connectors.iter().filter(|own| own.connector_id == connector);
        let giving = own.flat_map(Connector::groups).filter(|group| groups.contains(&group.id));
        let mut names = vec![name(connector, None)];
        for group in giving {
            let name = name(connector, Some(&group.id));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The roles, `id` or `id:namespace`, that groups give which [`Self::groups`] has named.
    pub(super) fn roles(&self, names: &[String]) -> Vec<&str> {
        let mut roles = Vec::new();
        for connector in &self.connectors {
            for group in connector.groups() {
                if names.contains(&name(&connector.connector_id, Some(&group.id))) {
                    roles.extend(group.roles.iter().flatten().map(String::as_str));
                }
            }
        }
        roles
    }
}

impl Connector {
    fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().flatten()
    }
}

/// Whether a caller of these groups is one whom dex has logged in.
pub(super) fn has_logged_in(groups: &[String]) -> bool {
    groups.iter().any(|group| group.starts_with(GROUP))
}

/// `dex:CONNECTOR[:GROUP]`. A connector whose id has a colon is no other with another group.
fn name(connector: &str, group: Option<&str>) -> String {
    let connector = connector.replace('%', "%25").replace(':', "%3A");
    match group {
        Some(group) => format!("{GROUP}{connector}:{group}"),
        None => format!("{GROUP}{connector}"),
    }
}

/// Whether an address is one of this machine, or of a Service of the cluster.
fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".svc") || name.contains(".svc.")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const MAPPING: &str = "
- connectorId: github
  groups:
  - {id: 'org:admins', roles: [admin]}
  - {id: org:team, role: ignored, roles: ['developer:shop', viewer]}
  - {id: none}
- connectorId: 'git:hub'
  groups: [{id: x, roles: [admin]}]
- connectorId: bare
";

    fn secret(data: &[(&str, &str)]) -> SecretObject {
        let data =
            data.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec().into()));
        SecretObject {
            name: SECRET.to_owned(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            data: data.collect(),
            malformed: Vec::new(),
        }
    }

    fn dex(mapping: &str) -> Result<Dex, Fault> {
        Dex::read(&secret(&[("issuer", "https://auth.example.com"), ("rolesMapping", mapping)]))
    }

    #[test]
    fn groups_give_the_roles_of_their_own_connector() {
        let dex = dex(MAPPING).unwrap();
        let roles = |connector: &str, groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            let names = dex.groups(connector, &groups);
            assert!(has_logged_in(&names), "{names:?}");
            dex.roles(&names).join(" ")
        };
        assert_eq!(roles("github", &["org:team", "other"]), "developer:shop viewer");
        assert_eq!(roles("github", &["org:admins", "org:team"]), "admin developer:shop viewer");
        assert_eq!(roles("git:hub", &["x"]), "admin");
        for (connector, group) in
            [("git", "hub:x"), ("git", "x"), ("other", "org:admins"), ("", ""), ("bare", "x")]
        {
            assert_eq!(roles(connector, &[group]), "", "{connector} {group}");
        }
        assert!(!has_logged_in(&["system:masters".to_owned()]));
        assert_eq!(dex.groups("github", &["org:team".into(), "x".into()]), {
            ["dex:github", "dex:github:org:team"]
        });
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for mapping in ["", "\n", "[]", "null"] {
            assert_eq!(dex(mapping).unwrap().connectors, []);
        }
        assert_eq!(dex("{a: b}"), Err(Fault::Roles));
        assert_eq!(Dex::read(&secret(&[])), Err(Fault::NoIssuer));
        let at = |endpoint: &str| {
            let issuer = ("issuer", "https://auth.example.com");
            Dex::read(&secret(&[issuer, ("endpoint", endpoint)])).map(|dex| dex.keys.to_string())
        };
        let inside = "http://dex.epinio.svc.cluster.local:5556";
        assert_eq!(at(inside).unwrap(), format!("{inside}/keys"));
        assert_eq!(at("").unwrap(), "https://auth.example.com/keys");
        assert_eq!(at("http://127.0.0.1:1/dex/").unwrap(), "http://127.0.0.1:1/dex/keys");
        assert_eq!(at("http://auth.example.com"), Err(Fault::PlainHttp));
        assert_eq!(at("http://svc.example.com"), Err(Fault::PlainHttp));
        for bad in ["ftp://a", "dex", "file:///etc"] {
            assert_eq!(at(bad), Err(Fault::NoEndpoint), "{bad}");
        }
    }
}
