//! Puts a chart together.

use std::collections::BTreeMap;

use super::manifest::{self, Manifests};
use super::meta::Meta;
use super::text::Texts;
use super::{Chart, Error, Input, lock, schema, sealed, yaml};
use crate::app::SecretsPolicy;

/// Longest name: Helm puts it before others in names of at most 63 characters.
pub(super) const LONGEST_NAME: usize = 53;

/// Makes the chart, however large it becomes: [`Chart::size`] says whether helm takes it.
///
/// # Errors
/// When the name is none that helm takes.
pub fn build(input: &Input<'_>) -> Result<Chart, Error> {
    check_name(&input.name)?;
    let meta = Meta::new(input);
    let manifests = manifest::manifests(input);
    let files = files(input, &meta, manifests)?;
    Ok(Chart {
        name: input.name.clone(),
        version: input.version.clone(),
        files,
        config: meta.to_config(),
        annotations: meta.to_annotations(&input.created),
    })
}

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let valid = name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if valid { Ok(()) } else { Err(Error::Name(name.to_owned())) }
}

fn files(
    input: &Input<'_>,
    meta: &Meta,
    manifests: Manifests,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let texts = Texts::new(input, meta, &manifests);
    let introduction = texts.introduction();
    let mut files = BTreeMap::from([
        ("Chart.yaml".to_owned(), meta.to_yaml()),
        ("values.yaml".to_owned(), yaml::document(&manifests.values.to_yaml(&introduction))),
        ("values.schema.json".to_owned(), schema::schema(&input.name, &manifests.values)),
        ("images.lock".to_owned(), lock::lock(&input.images)),
        ("README.md".to_owned(), texts.readme()?),
        ("templates/NOTES.txt".to_owned(), texts.notes()?),
        ("templates/_helpers.tpl".to_owned(), texts.helpers(&manifests)),
    ]);
    if input.secrets == SecretsPolicy::Reference && !input.app.secrets.is_empty() {
        let example = manifest::example(input.app);
        files.insert("secrets.example.yaml".to_owned(), example);
    }
    if let Some(sealed) = input.sealed {
        files.insert(sealed::FILE.to_owned(), sealed.to_owned());
    }
    for definition in &input.app.definitions {
        let text = yaml::document(&yaml::Node::from(&definition.clone().into()));
        files.insert(format!("crds/{}.yaml", definition.name()), text);
    }
    files.extend(manifests.files);
    Ok(files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_helm_takes() {
        for name in ["shop", "shop-2", &"a".repeat(53)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in
            ["", "Shop", "2shop", "-shop", "shop-", "sh_op", "sh.op", "a/b", &"a".repeat(54)]
        {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
