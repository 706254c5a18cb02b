//! The secrets of an application in the strongbox: references to them, and documents to fill in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::app::SecretValues;
use crate::destination::systems::{Document, File, ModelledApplication, fill_secret, slug, unique};

/// What is referred to so far.
pub(super) struct Secrets<'a> {
    vault: &'a str,
    known: &'a BTreeMap<String, Vec<String>>,
    values: &'a SecretValues,
    /// The names in the vault, each another one.
    names: BTreeMap<&'a str, String>,
    used: BTreeMap<String, BTreeSet<String>>,
    /// The names of variables, by Secret and key.
    variables: BTreeMap<(String, String), String>,
}

impl<'a> Secrets<'a> {
    /// Those of one application, in a vault of this name.
    pub(super) fn new(vault: &'a str, application: &'a ModelledApplication) -> Self {
        let (known, values) = (&application.secrets, &application.values);
        let names = known.keys().map(String::as_str);
        let names = names.clone().zip(unique(names)).collect();
        Self { vault, known, values, names, used: BTreeMap::new(), variables: BTreeMap::new() }
    }

    /// The variable of a service that has a key of a Secret, and its name.
    pub(super) fn variable(&mut self, secret: &str, key: &str) -> (String, Value) {
        self.used.entry(secret.to_owned()).or_default().insert(key.to_owned());
        let name = self.variable_name(secret, key);
        let from = json!({"vault": self.vault, "secret": self.name(secret), "key": key});
        let value = json!({"name": name, "value-from-vault-secret": from});
        (name, value)
    }

    /// The same for the same key, and never for another one.
    fn variable_name(&mut self, secret: &str, key: &str) -> String {
        let of = (secret.to_owned(), key.to_owned());
        if let Some(name) = self.variables.get(&of) {
            return name.clone();
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let wanted: String = format!("{secret}_{key}").chars().map(plain).collect();
        let mut name = wanted.clone();
        let mut number = 2;
        while self.variables.values().any(|taken| *taken == name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.variables.insert(of, name.clone());
        name
    }

    /// What a Secret is called in the vault.
    fn name(&self, secret: &str) -> String {
        self.names.get(secret).cloned().unwrap_or_else(|| slug(secret))
    }

    /// The volume that has all keys of a Secret as files.
    pub(super) fn volume(&mut self, secret: &str) -> Value {
        let keys = self.known.get(secret).into_iter().flatten().cloned();
        self.used.entry(secret.to_owned()).or_default().extend(keys);
        json!({"vault": self.vault, "secret": self.name(secret)})
    }

    /// The documents that make what was referred to, with placeholders for what is not to be written. Sites have to have the vault,
    /// and containers to read it.
    pub(super) fn file(self) -> Option<File> {
        if self.used.is_empty() {
            return None;
        }
        let vault = json!({"name": self.vault, "distribute": {"to": "all"}});
        let vault = Document::new(vault)
            .comment("supctl create strongbox vaults")
            .comment("Narrow `distribute` to the sites that run the application.");
        let secrets = self.used.iter().map(|(secret, keys)| {
            let data: Map<String, Value> = keys
                .iter()
                .map(|key| (key.clone(), fill_secret(self.values, secret, key).into()))
                .collect();
            let value =
                json!({"name": self.name(secret), "allow-image-access": ["*"], "data": data});
            Document::new(value)
                .comment(format!("supctl create strongbox vaults {} secrets", self.vault))
                .comment(format!("Fill in the values of the Secret {secret}."))
        });
        let documents = std::iter::once(vault).chain(secrets).collect();
        Some(File { path: "secrets.yaml".to_owned(), documents })
    }
}
