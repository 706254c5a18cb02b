//! Images that a chart leaves where they are, and the pull secrets that they need.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::places::{Place, places};
use super::reference::parts;
use crate::app::graph::account;
use crate::app::view::{Index, View};
use crate::app::{ContainerRef, Object, ObjectId, Options, Requirement, kinds, path};

/// Where a service account names pull secrets.
const ACCOUNTS: &str = "imagePullSecrets[].name";

/// A pattern of `--keep-image`: `*` and `?` match any text, `/` included, and `[…]` one of these
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImagePattern(glob::Pattern);

impl FromStr for ImagePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a pattern is not empty".to_owned());
        }
        glob::Pattern::new(text).map(Self).map_err(|error| error.to_string())
    }
}

impl TryFrom<String> for ImagePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ImagePattern> for String {
    fn from(pattern: ImagePattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Options {
    /// Whether the image stays where it is: a pattern matches the reference as it is written, or
    /// in full (`docker.io/library/nginx:latest` for `nginx`).
    pub fn keeps(&self, image: &str) -> bool {
        let parts = parts(image);
        let name = parts.repository.join("/");
        let full = match (parts.tag, parts.digest) {
            (Some(tag), _) => format!("{name}:{tag}"),
            (None, Some(digest)) => format!("{name}@{digest}"),
            (None, None) => format!("{name}:latest"),
        };
        self.keep_images.iter().any(|ImagePattern(of)| of.matches(image) || of.matches(&full))
    }
}

/// Whose pull secrets stay: workloads with images that do, and their service accounts.
pub(in crate::app) struct Keep<'a> {
    objects: BTreeSet<Index>,
    accounts: BTreeSet<&'a str>,
}

impl<'a> Keep<'a> {
    pub(in crate::app) fn new(
        view: &View<'a>,
        members: &BTreeSet<Index>,
        options: &Options,
    ) -> Self {
        let mut keep = Self { objects: BTreeSet::new(), accounts: BTreeSet::new() };
        if options.keep_images.is_empty() {
            return keep;
        }
        for index in members.iter().copied() {
            let entry = &view.entries[index];
            let stays = |Place { image, at, .. }: Place| {
                let at = ContainerRef { object: entry.id.clone(), ..at };
                let source = view.installed.as_ref().and_then(|of| of.source(&image, &at));
                options.keeps(source.unwrap_or(&image))
            };
            if places(entry.object).into_iter().any(stays) {
                if kinds::pod_template(entry.object).is_some() {
                    keep.accounts.insert(account(entry));
                }
                keep.objects.insert(index);
            }
        }
        keep
    }

    /// Whether the object's pull secrets stay.
    pub(in crate::app) fn pull_secrets(&self, view: &View<'_>, index: Index) -> bool {
        let entry = &view.entries[index];
        self.objects.contains(&index)
            || (entry.is(kinds::SERVICE_ACCOUNT) && self.accounts.contains(entry.id.name.as_str()))
    }

    /// Pull secrets of accounts whose pods run images that stay, and that are not exported
    /// themselves, as `default` never is: nothing in the chart names them.
    pub(in crate::app) fn of_accounts(
        &self,
        view: &View<'_>,
        members: &BTreeSet<Index>,
    ) -> Vec<Requirement> {
        let named =
            self.accounts.iter().filter_map(|name| view.named(kinds::SERVICE_ACCOUNT, name));
        let left = named.filter(|index| !members.contains(index));
        left.flat_map(|index| {
            let account = view.entries[index].object;
            let reason = format!(
                "images that stay where they are were pulled with it by ServiceAccount {}, which \
                 is not exported: name it in `imagePullSecrets`",
                account.name()
            );
            required(account, ACCOUNTS, &reason)
        })
        .collect()
    }
}

/// The pull secrets that an object still names: they must be where the chart is installed.
pub(in crate::app) fn needed(object: &Object) -> Vec<Requirement> {
    let at = match kinds::pod_template(object) {
        Some(template) => kinds::below(template, "spec.imagePullSecrets[].name"),
        None if kinds::is(object, kinds::SERVICE_ACCOUNT) => ACCOUNTS.to_owned(),
        None => return Vec::new(),
    };
    let reason = format!("{} pulls images with it that stay where they are", object.id());
    required(object, &at, &reason)
}

fn required(object: &Object, at: &str, reason: &str) -> Vec<Requirement> {
    let (group, kind) = kinds::SECRET;
    let requirement = |name: &str| Requirement {
        object: ObjectId {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: None,
            name: name.to_owned(),
        },
        reason: reason.to_owned(),
    };
    let names = path::find(object.fields(), at);
    names.into_iter().filter_map(|(_, name)| name.as_str().map(requirement)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_is_written_and_what_it_means() {
        for (pattern, image, kept) in [
            ("nginx", "nginx", true),
            ("nginx:*", "nginx:1", true),
            ("docker.io/*", "nginx", true),
            ("docker.io/library/nginx:latest", "nginx", true),
            ("*.example.com/*", "r.example.com/a/b:1", true),
            ("r.example.com/a/*:1.?", "r.example.com/a/b/c:1.2", true),
            ("r.example.com/web", "r.example.com/web:1", false),
            ("nginx", "nginx:1", false),
            ("quay.io/*", "nginx", false),
        ] {
            let keep_images = vec![pattern.parse().unwrap()];
            let options = Options { keep_images, ..Options::default() };
            assert_eq!(options.keeps(image), kept, "{pattern} {image}");
        }
        assert!("".parse::<ImagePattern>().is_err() && "a[".parse::<ImagePattern>().is_err());
    }
}
