//! Epinio's users and roles, as its Secrets and ConfigMaps say them. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::actions::{self, Action};
use crate::app::Object;
use crate::cluster::SecretObject;

/// Annotation of a user's Secret: `id[:namespace],…`.
const ROLES: &str = "epinio.io/roles";

/// The role that may everything. It is built in; a ConfigMap of this id is not looked at.
const ADMIN: &str = "admin";

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
    /// bcrypt hash of the password.
    pub(super) hash: SecretString,
}

/// Why a user may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// No role of the user allows it.
    Role,
    /// The namespace is not the user's.
    Namespace,
}

/// Every user. A name that two Secrets claim is nobody's.
#[derive(Debug, Default)]
pub(super) struct Directory {
    users: BTreeMap<String, Option<Arc<User>>>,
}

impl Directory {
    pub(super) fn new(users: &[SecretObject], roles: &[Object]) -> Self {
        let mut known = vec![Role::admin()];
        known.extend(roles.iter().filter_map(Role::read).filter(|role| role.id != ADMIN));
        let mut directory = Self::default();
        for user in users.iter().filter_map(|secret| User::read(secret, &known)) {
            let user = Some(Arc::new(user));
            let name = user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
            directory.users.entry(name).and_modify(|twice| *twice = None).or_insert(user);
        }
        directory
    }

    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The user of this name; `Some(None)` where it is claimed twice.
    pub(super) fn find(&self, name: &str) -> Option<Option<&Arc<User>>> {
        self.users.get(name).map(Option::as_ref)
    }

    /// The highest cost of their hashes.
    pub(super) fn cost(&self) -> Option<u32> {
        self.users.values().flatten().filter_map(|user| cost(&user.hash)).max()
    }
}

/// The cost that a hash says it has: `$2a$10$…`.
pub(super) fn cost(hash: &SecretString) -> Option<u32> {
    hash.expose_secret().split('$').nth(2)?.parse().ok()
}

impl Role {
    fn admin() -> Self {
        Self {
            id: ADMIN.to_owned(),
            name: "Admin Role".to_owned(),
            namespace: String::new(),
            default: false,
            actions: Vec::new(),
            grants: Vec::new(),
        }
    }

    fn read(map: &Object) -> Option<Self> {
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
    fn read(secret: &SecretObject, known: &[Role]) -> Option<Self> {
        let value = |key: &str| {
            let bytes = secret.data.get(key).map(|value| value.expose_secret());
            bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
        };
        let name = value("username").to_owned();
        let listed = secret.annotations.get(ROLES).map(String::as_str).unwrap_or_default();
        let mut roles: Vec<Role> =
            listed.split(',').filter_map(|text| bound(text, known)).collect();
        if roles.is_empty() {
            roles.extend(known.iter().find(|role| role.default).cloned());
        }
        let mut namespaces: Vec<String> = lines(value("namespaces")).map(str::to_owned).collect();
        let own = namespaces.len();
        for role in roles.iter().filter(|role| !role.namespace.is_empty()) {
            if !namespaces.contains(&role.namespace) {
                namespaces.push(role.namespace.clone());
            }
        }
        if namespaces.len() > own {
            namespaces.sort(); // as Epinio does when it adds some
        }
        (!name.is_empty()).then(|| Self {
            name,
            roles,
            namespaces,
            gitconfigs: lines(value("gitconfigs")).map(str::to_owned).collect(),
            hash: value("password").into(),
        })
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
fn bound(text: &str, known: &[Role]) -> Option<Role> {
    let (id, namespace) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
    let role = known.iter().find(|role| role.id == id)?;
    Some(Role { namespace: namespace.to_owned(), ..role.clone() })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(id: &str, actions: &str, default: &str) -> Object {
        Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": id},
            "data": {"id": id, "name": id, "actions": actions, "default": default},
        }))
        .unwrap()
    }

    fn user(name: &str, roles: &str, namespaces: &str) -> SecretObject {
        let data = [("username", name), ("password", "$2a$04$x"), ("namespaces", namespaces)];
        let data = data.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec().into()));
        SecretObject {
            name: format!("user-{name}"),
            labels: BTreeMap::new(),
            annotations: [(ROLES.to_owned(), roles.to_owned())].into(),
            data: data.into(),
            malformed: Vec::new(),
        }
    }

    fn known(name: &str, roles: &str, namespaces: &str) -> Arc<User> {
        let maps = [
            role("developer", "namespace_read\napp_read\napp_export\n", "false"),
            role("viewer", "app_read\n", "false"),
            role("user", "export_registries_read", "true"),
            role("admin", "app_read", "true"),
        ];
        let directory = Directory::new(&[user(name, roles, namespaces)], &maps);
        Arc::clone(directory.find(name).unwrap().unwrap())
    }

    #[test]
    fn a_role_allows_what_its_actions_depend_on_and_no_more() {
        let dev = known("dev", "developer", "shop");
        assert_eq!(dev.roles[0].actions, ["app_read", "app_export"]);
        assert_eq!(dev.may(Action::AppExport, Some("shop")), Ok(()));
        assert_eq!(dev.may(Action::ChartRead, None), Ok(()));
        assert_eq!(dev.may(Action::ExportRegistriesRead, None), Err(Lacking::Role));
        assert_eq!(dev.may(Action::AppRead, Some("other")), Err(Lacking::Namespace));
    }

    #[test]
    fn the_roles_of_a_namespace_decide_there() {
        let both = known("dev", "developer, viewer:shop", "web");
        assert_eq!(both.namespaces, ["shop", "web"]);
        assert_eq!(both.may(Action::AppExport, Some("shop")), Err(Lacking::Role));
        assert_eq!(both.may(Action::AppRead, Some("shop")), Ok(()));
        assert_eq!(both.may(Action::AppExport, Some("web")), Ok(()));
        let local = known("dev", "admin:shop", "");
        assert!(!local.is_admin());
        assert_eq!(local.may(Action::AppExport, Some("shop")), Ok(()));
        assert_eq!(local.may(Action::AppExport, Some("web")), Err(Lacking::Role));
        assert!(local.sees("shop") && !local.sees("web"));
    }

    #[test]
    fn admin_is_built_in_and_who_has_no_role_has_the_default() {
        let admin = known("root", "admin", "");
        assert!(admin.is_admin() && admin.sees("any"));
        assert_eq!(admin.may(Action::AppExport, Some("any")), Ok(()));
        let visitor = known("guest", "", "shop");
        assert_eq!(visitor.roles[0].id, "user", "the ConfigMap of admin is not looked at");
        assert!(visitor.sees("shop") && !visitor.sees("other"));
        assert_eq!(known("guest", "no-such-role", "").roles[0].id, "user");
    }

    #[test]
    fn a_name_in_two_secrets_is_nobodys() {
        let users = [user("dev", "admin", ""), user("dev", "", ""), user("", "admin", "")];
        let directory = Directory::new(&users, &[]);
        assert!(directory.find("dev").unwrap().is_none());
        assert!(directory.find("").is_none());
        assert!(!format!("{directory:?}").contains("$2a"));
    }
}
