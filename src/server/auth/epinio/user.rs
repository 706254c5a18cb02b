//! A user of Epinio and the roles that it has, as Secrets and ConfigMaps say them. Pure.

use secrecy::{ExposeSecret as _, SecretString};

use super::actions::{self, Action};
use crate::app::Object;
use crate::cluster::SecretObject;

/// Annotation of a user's Secret: `id[:namespace],…`.
const ROLES: &str = "epinio.io/roles";

/// The role that may everything. It is built in; a ConfigMap of this id is not looked at.
pub(super) const ADMIN: &str = "admin";

/// The role of who just looks around, which shows no other namespace's resources although it is
/// bound to none.
const VISITOR: &str = "user";

/// A role, as a user has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// What annotations call it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it holds; empty: everywhere.
    pub namespace: String,
    /// Whether users without a role have it.
    pub default: bool,
    /// Actions that its ConfigMap names, without those that Epinio does not know.
    pub actions: Vec<&'static str>,
    grants: Vec<Action>,
}

/// A user.
#[derive(Debug)]
pub struct User {
    /// Name to log in with.
    pub name: String,
    /// Roles, those without a namespace and those within one.
    pub roles: Vec<Role>,
    /// Namespaces that are the user's.
    pub namespaces: Vec<String>,
    /// How the user reads Git repositories, by name.
    pub gitconfigs: Vec<String>,
    /// bcrypt hash of the password; empty where there is none.
    pub(super) hash: SecretString,
    /// Whether the roles are the user's own and not the default.
    pub(super) assigned: bool,
}

/// Why a user may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// No role of the user allows it.
    Role,
    /// The namespace is not the user's.
    Namespace,
}

/// The cost that a hash says it has: `$2a$10$…`.
pub(super) fn cost(hash: &SecretString) -> Option<u32> {
    hash.expose_secret().split('$').nth(2)?.parse().ok()
}

impl Role {
    pub(super) fn admin() -> Self {
        Self {
            id: ADMIN.to_owned(),
            name: "Admin Role".to_owned(),
            namespace: String::new(),
            default: false,
            actions: Vec::new(),
            grants: Vec::new(),
        }
    }

    pub(super) fn read(map: &Object) -> Option<Self> {
        let text = |key: &str| map.text(&format!("/data/{key}")).unwrap_or_default();
        let id = text("id");
        let named: Vec<_> = lines(text("actions")).filter_map(actions::named).collect();
        let mut grants = vec![Action::Default];
        grants.extend(named.iter().flat_map(|(_, grants)| *grants));
        (!id.is_empty()).then(|| Self {
            id: id.to_owned(),
            name: text("name").to_owned(),
            namespace: String::new(),
            // What Go's `strconv.ParseBool` takes for true.
            default: ["1", "t", "T", "true", "TRUE", "True"].contains(&text("default")),
            actions: named.iter().map(|(name, _)| *name).collect(),
            grants,
        })
    }

    fn allows(&self, action: Action) -> bool {
        self.id == ADMIN || self.grants.contains(&action)
    }
}

impl User {
    pub(super) fn read(secret: &SecretObject, known: &[Role]) -> Option<Self> {
        let value = |key: &str| {
            let bytes = secret.data.get(key).map(|value| value.expose_secret());
            bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
        };
        let name = value("username");
        let listed = secret.annotations.get(ROLES).map(String::as_str).unwrap_or_default();
        let roles = listed.split(',').filter_map(|text| bound(text, known)).collect();
        let namespaces = lines(value("namespaces")).map(str::to_owned).collect();
        (!name.is_empty()).then(|| Self {
            gitconfigs: lines(value("gitconfigs")).map(str::to_owned).collect(),
            hash: value("password").into(),
            ..Self::new(name, roles, namespaces, known)
        })
    }

    /// A user of these roles, or of the default, who has these namespaces and those of the roles.
    pub(super) fn new(
        name: &str,
        mut roles: Vec<Role>,
        mut namespaces: Vec<String>,
        known: &[Role],
    ) -> Self {
        let assigned = !roles.is_empty();
        if !assigned {
            roles.extend(known.iter().find(|role| role.default).cloned());
        }
        let own = namespaces.len();
        for role in roles.iter().filter(|role| !role.namespace.is_empty()) {
            if !namespaces.contains(&role.namespace) {
                namespaces.push(role.namespace.clone());
            }
        }
        if namespaces.len() > own {
            namespaces.sort(); // as Epinio does when it adds some
        }
        let (gitconfigs, hash) = (Vec::new(), SecretString::default());
        Self { name: name.to_owned(), roles, namespaces, gitconfigs, hash, assigned }
    }

    /// Whether the user may everything.
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role.id == ADMIN && role.namespace.is_empty())
    }

    /// Whether lists show the user what is in this namespace. Roles that hold everywhere show all,
    /// but for that of visitors.
    pub fn sees(&self, namespace: &str) -> bool {
        let everywhere = |role: &Role| role.namespace.is_empty() && role.id != VISITOR;
        self.roles.iter().any(everywhere) || self.namespaces.iter().any(|own| own == namespace)
    }

    /// Whether the user may do this, in a namespace or where there is none. The roles of a namespace
    /// decide there, if the user has any.
    ///
    /// # Errors
    /// What is lacking.
    pub fn may(&self, action: Action, namespace: Option<&str>) -> Result<(), Lacking> {
        let has_own = |name: &&str| self.roles.iter().any(|role| role.namespace == *name);
        let place = namespace.filter(has_own).unwrap_or_default();
        let allows = |role: &Role| role.namespace == place && role.allows(action);
        if !self.roles.iter().any(allows) {
            return Err(Lacking::Role);
        }
        let own = |name: &str| self.namespaces.iter().any(|own| own == name);
        if self.is_admin() || namespace.is_none_or(own) { Ok(()) } else { Err(Lacking::Namespace) }
    }
}

/// A role as an annotation names it: `id` or `id:namespace`.
pub(super) fn bound(text: &str, known: &[Role]) -> Option<Role> {
    let (id, namespace) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
    let role = known.iter().find(|role| role.id == id)?;
    Some(Role { namespace: namespace.to_owned(), ..role.clone() })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}
