//! A registry that another system describes, as a destination.
//!
//! We push to the address that the system knows the registry by, and charts refer to it: a mirror is a
//! rule of the store that pulls. What the system itself would not use, such as the credentials of a
//! public row, is not used.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret as _, SecretString};

use super::model::Described;
use super::secret::is_pem;
use super::systems::{Login, Row, Rule, Scope, System, Username};
use super::{Destination, Problem, avassa, iofog};
use crate::app::Code;
use crate::registry::{Credential, Endpoint, Host, Keychain, RepositoryName, Tls};

/// The destination that a row is: named as the system names it (EDA: by the Registry's name, Avassa: by
/// the address, ioFog: by the id). Whatever stands in the way is among its problems.
pub fn adopt(system: System, row: &Row) -> Destination {
    let mut problems = Vec::new();
    let host = host(row, &mut problems);
    let tls =
        Tls { extra_roots: roots(system, row, &mut problems), skip_verify: row.skip_tls_verify };
    let endpoint = Endpoint {
        // Control Tower speaks TLS only.
        plain_http: row.address.plain_http() && system != System::Avassa,
        tls,
        ..Endpoint::new(host.clone())
    };
    let logins = logins(row, &mut problems);
    problems.extend(odd(row));
    Destination {
        name: row.object().name,
        written_host: if row.is_cache() { String::new() } else { row.address.host.clone() },
        path: None,
        pull_address: None,
        allowed_namespaces: Vec::new(),
        age_recipients: Vec::new(),
        description: row.title.clone(),
        ca_secret: None,
        delete_secret: None,
        deleting: None,
        described: Described {
            system: Some(system),
            alias: alias(system, row).map(str::to_owned),
            mirror: row.mirror.clone(),
            reported: row.reported.clone(),
        },
        problems,
        endpoint,
        keychain: keychain(&host, &logins),
        host,
    }
}

/// Says of every destination whose name an earlier one has that it cannot be chosen by it.
pub fn shadow(destinations: &mut [Destination]) {
    let mut names = BTreeSet::new();
    for destination in destinations {
        if !names.insert(destination.name.clone()) {
            let text = "another destination has the same name, and is the one that it means";
            destination.problems.push(Problem { fatal: false, text: text.to_owned() });
        }
    }
}

/// Why nothing is pushed to row 2 of ioFog.
const CACHE: &str = "it is the cache of ioFog's nodes, whose images are not pulled from any \
                     registry: nothing can be pushed there";

fn host(row: &Row, problems: &mut Vec<Problem>) -> Host {
    let text = match row.address.host.parse() {
        _ if row.is_cache() => CACHE,
        Ok(host) => return host,
        Err(_) => "it has no address that can be used",
    };
    problems.push(Problem { fatal: true, text: text.to_owned() });
    Host::unknown()
}

fn roots(system: System, row: &Row, problems: &mut Vec<Problem>) -> Vec<u8> {
    let Some(pem) = &row.ca else { return Vec::new() };
    if is_pem(pem.as_bytes()) {
        // Others may be added behind them.
        return format!("{}\n", pem.trim_end()).into_bytes();
    }
    // No agent of ioFog reads the certificate, so that nobody there sees that it is none.
    if system != System::Iofog {
        problems.push(Problem { fatal: true, text: "its certificates are not PEM".to_owned() });
    }
    Vec::new()
}

fn alias(system: System, row: &Row) -> Option<&'static str> {
    let aliases = [iofog::REMOTE, iofog::LOCAL].into_iter();
    let has_them = matches!(system, System::Iofog | System::Edgelet);
    aliases.filter(|_| has_them).find(|(id, _)| row.id == Some(*id)).map(|(_, alias)| alias)
}

/// The credentials that the system uses, by repository; `None` for all. What one of them lacks prevents
/// use: another one, or none, would not be what the system means.
fn logins(row: &Row, problems: &mut Vec<Problem>) -> Vec<(Option<RepositoryName>, Credential)> {
    let mut logins = Vec::new();
    for rule in row.used() {
        let prefix = match &rule.scope {
            Scope::All => None,
            Scope::Below(prefix) => match prefix.parse() {
                Ok(prefix) => Some(prefix),
                Err(_) => {
                    let text = format!("no repository is below `{prefix}` of its credentials");
                    problems.push(Problem { fatal: false, text });
                    continue;
                }
            },
        };
        match credential(rule) {
            Ok(credential) => logins.push((prefix, credential)),
            Err(text) => problems.push(Problem { fatal: true, text }),
        }
    }
    logins
}

fn credential(rule: &Rule) -> Result<Credential, String> {
    let whose = rule.secret.as_ref().map_or_else(|| "it".to_owned(), |name| format!("`{name}`"));
    let Some(Login { username, password }) = &rule.login else {
        return Err(match rule.secret {
            Some(_) => format!("its credentials {whose} are not there"),
            None => "it is private, and neither user name nor password is known".to_owned(),
        });
    };
    let basic = |name: &str, password: &SecretString| {
        Ok(Credential::Basic { username: name.to_owned(), password: password.clone() })
    };
    match (username, password) {
        (Username::Shown(name), Some(password)) => basic(name, password),
        (Username::Hidden(name), Some(password)) => basic(name.expose_secret(), password),
        (Username::Token, Some(token)) => basic(avassa::TOKEN_USER, token),
        (Username::Unknown, Some(_)) => Err(format!("{whose} has no user name")),
        (Username::Token, None) => Err(format!("{whose} has no token")),
        (_, None) => Err(format!("{whose} has no password")),
    }
}

fn keychain(host: &Host, logins: &[(Option<RepositoryName>, Credential)]) -> Keychain {
    logins.iter().fold(Keychain::new(), |keychain, (prefix, credential)| match prefix {
        Some(prefix) => keychain.with_prefix(host, prefix, credential.clone()),
        None => keychain.with(host.as_str(), credential.clone()),
    })
}

/// What the reader found odd, but for what is said above as a fault.
fn odd(row: &Row) -> impl Iterator<Item = Problem> {
    const SAID: [Code; 2] = [Code::RegistrySecretMissing, Code::IofogKeyMissing];
    row.findings.iter().filter(|found| !SAID.contains(&found.code)).map(|found| {
        let field = found.field.iter().map(|field| format!("`{field}`: "));
        Problem { fatal: false, text: field.chain([found.text.clone()]).collect() }
    })
}

#[cfg(test)]
#[path = "adopt_tests.rs"]
mod tests;
