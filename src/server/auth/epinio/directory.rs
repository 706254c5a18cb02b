//! Who Epinio's users are: its Secrets and ConfigMaps, and dex, put together. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dex::{self, Dex};
use super::user::{ADMIN, Role, User, bound, cost};
use crate::app::Object;
use crate::cluster::SecretObject;

/// Every user. A name that two Secrets claim is nobody's.
#[derive(Debug, Default)]
pub(super) struct Directory {
    users: BTreeMap<String, Option<Arc<User>>>,
    roles: Vec<Role>,
    dex: Option<Dex>,
}

impl Directory {
    pub(super) fn new(users: &[SecretObject], roles: &[Object], dex: Option<Dex>) -> Self {
        let mut known = vec![Role::admin()];
        known.extend(roles.iter().filter_map(Role::read).filter(|role| role.id != ADMIN));
        let mut by_name = BTreeMap::new();
        for user in users.iter().filter_map(|secret| User::read(secret, &known)) {
            let user = Some(Arc::new(user));
            let name = user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
            by_name.entry(name).and_modify(|twice| *twice = None).or_insert(user);
        }
        Self { users: by_name, roles: known, dex }
    }

    /// How dex is set up, if it is.
    pub(super) fn dex(&self) -> Option<&Dex> {
        self.dex.as_ref()
    }

    /// The user that a caller of this name and these groups is now. Whom dex has logged in has the
    /// roles that its groups give, and those of the Secret of this name, if there is one.
    pub(super) fn known(&self, name: &str, groups: &[String]) -> Option<Arc<User>> {
        if !dex::has_logged_in(groups) {
            return self.find(name).flatten().cloned();
        }
        let given = self.dex.as_ref()?.roles(groups);
        let own = match self.users.get(name) {
            Some(None) => return None,
            Some(Some(own)) => Some(own),
            None => None,
        };
        let assigned = own.filter(|own| own.assigned);
        let mut roles = assigned.map(|own| own.roles.clone()).unwrap_or_default();
        for role in given.iter().filter_map(|text| bound(text, &self.roles)) {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        let namespaces = own.map(|own| own.namespaces.clone()).unwrap_or_default();
        let user = User {
            gitconfigs: own.map(|own| own.gitconfigs.clone()).unwrap_or_default(),
            ..User::new(name, roles, namespaces, &self.roles)
        };
        Some(Arc::new(user))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Action;
    use super::super::user::Lacking;
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
            annotations: [("epinio.io/roles".to_owned(), roles.to_owned())].into(),
            data: data.into(),
            malformed: Vec::new(),
        }
    }

    fn maps() -> [Object; 4] {
        [
            role("developer", "namespace_read\napp_read\napp_export\n", "false"),
            role("viewer", "app_read\n", "false"),
            role("user", "export_registries_read", "true"),
            role("admin", "app_read", "true"),
        ]
    }

    fn known(name: &str, roles: &str, namespaces: &str) -> Arc<User> {
        let directory = Directory::new(&[user(name, roles, namespaces)], &maps(), None);
        Arc::clone(directory.find(name).unwrap().unwrap())
    }

    #[test]
    fn whom_dex_has_logged_in_has_the_roles_of_groups_and_of_the_secret() {
        let mapping = "[{connectorId: git, groups: [{id: team, roles: ['viewer:shop', none]}]}]";
        let data = [("issuer", "https://auth"), ("rolesMapping", mapping)];
        let data = data.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec().into()));
        let dex = Dex::read(&SecretObject { data: data.into(), ..user("", "", "") }).unwrap();
        let users = [
            user("dev", "developer", "web"),
            user("guest", "", "web"),
            user("twice", "admin", ""),
            user("twice", "", ""),
        ];
        let at = |groups: &[&str]| -> Vec<String> {
            dex.groups("git", &groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>())
        };
        let directory = Directory::new(&users, &maps(), Some(dex.clone()));
        let roles = |name: &str, groups: &[&str]| {
            let user = directory.known(name, &at(groups))?;
            let roles = user.roles.iter().map(|role| format!("{}:{}", role.id, role.namespace));
            Some((roles.collect::<Vec<_>>().join(" "), user.namespaces.join(" ")))
        };
        let some = |roles: &str, namespaces: &str| Some((roles.to_owned(), namespaces.to_owned()));
        assert_eq!(roles("new", &["team"]), some("viewer:shop", "shop"));
        assert_eq!(roles("new", &["other"]), some("user:", ""));
        assert_eq!(roles("dev", &["team"]), some("developer: viewer:shop", "shop web"));
        assert_eq!(roles("dev", &[]), some("developer:", "web"));
        assert_eq!(roles("guest", &["team"]), some("viewer:shop", "shop web"));
        assert_eq!(roles("guest", &[]), some("user:", "web"));
        assert_eq!(roles("twice", &["team"]), None);
        assert_eq!(directory.known("new", &[]).map(|user| user.name.clone()), None);
        let without = Directory::new(&users, &maps(), None);
        assert!(without.known("dev", &at(&["team"])).is_none(), "dex is gone");
        assert!(without.known("dev", &[]).is_some());
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
        let directory = Directory::new(&users, &[], None);
        assert!(directory.find("dev").unwrap().is_none());
        assert!(directory.find("").is_none());
        assert!(!format!("{directory:?}").contains("$2a"));
    }
}
