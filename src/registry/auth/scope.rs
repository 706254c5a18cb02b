//! What a token allows: `repository:<name>:<actions>` and its kin, as a set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::RepositoryName;

/// Resources and the actions allowed on each (distribution, "Token scope documentation").
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::registry) struct Scopes(BTreeMap<String, BTreeSet<String>>);

impl Scopes {
    /// To read a repository.
    pub(in crate::registry) fn pull(repository: &RepositoryName) -> Self {
        Self::default().and(repository, &["pull"])
    }

    /// To write to a repository; registries want `pull` along with it.
    pub(in crate::registry) fn push(repository: &RepositoryName) -> Self {
        Self::default().and(repository, &["pull", "push"])
    }

    /// To delete in a repository.
    pub(in crate::registry) fn delete(repository: &RepositoryName) -> Self {
        Self::default().and(repository, &["delete", "pull"])
    }

    /// With these actions on one more repository.
    #[must_use]
    pub(in crate::registry) fn and(
        mut self,
        repository: &RepositoryName,
        actions: &[&str],
    ) -> Self {
        let resource = self.0.entry(format!("repository:{repository}")).or_default();
        resource.extend(actions.iter().map(|action| (*action).to_owned()));
        self
    }

    /// Reads the scopes of a challenge, separated by spaces. What has no three parts is kept as it
    /// is: the token service knows what it means.
    pub(in crate::registry) fn parse(text: &str) -> Self {
        let mut scopes = Self::default();
        for scope in text.split_ascii_whitespace() {
            let (resource, actions) = match scope.rsplit_once(':') {
                Some((resource, actions)) if resource.contains(':') => (resource, actions),
                _ => (scope, ""),
            };
            let actions = actions.split(',').filter(|action| !action.is_empty());
            let known = scopes.0.entry(resource.to_owned()).or_default();
            known.extend(actions.map(str::to_owned));
        }
        scopes
    }

    /// Adds everything in `other`.
    pub(in crate::registry) fn extend(&mut self, other: Self) {
        for (resource, actions) in other.0 {
            self.0.entry(resource).or_default().extend(actions);
        }
    }

    /// Each scope as a token service takes it.
    pub(in crate::registry) fn each(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(resource, actions)| {
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            if actions.is_empty() {
                resource.clone()
            } else {
                format!("{resource}:{}", actions.join(","))
            }
        })
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hinted_and_challenged_scopes_become_one_set() {
        let mut scopes = Scopes::pull(&"a/b".parse().unwrap());
        scopes.extend(Scopes::parse("repository:a/b:push,pull registry:catalog:* odd"));
        assert_eq!(scopes.to_string(), "odd registry:catalog:* repository:a/b:pull,push");
        let mount = Scopes::push(&"dst".parse().unwrap()).and(&"src".parse().unwrap(), &["pull"]);
        assert_eq!(mount.to_string(), "repository:dst:pull,push repository:src:pull");
    }

    #[test]
    fn a_port_in_the_resource_is_no_action() {
        let text = "repository:host:5000/a:pull";
        assert_eq!(Scopes::parse(text).to_string(), text);
    }

    proptest! {
        #[test]
        fn printed_scopes_read_back(text in "([a-z]{1,5}:[a-z/]{1,8}:(pull|push|pull,push) ){0,4}") {
            let scopes = Scopes::parse(&text);
            prop_assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
        }
    }
}
