//! Which row a word means.

use super::{Registries, Row};
use crate::destination::iofog;

/// A word that does not mean exactly one row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// None has this id, name or address.
    #[error("there is no registry `{word}`: {}", if .known.is_empty() { "none is known".to_owned() } else { format!("known are {}", .known.join(", ")) })]
    None {
        /// What was asked for.
        word: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several have.
    #[error("`{word}` means {} registries: {}", .meant.len(), .meant.join(", "))]
    Several {
        /// What was asked for.
        word: String,
        /// Which.
        meant: Vec<String>,
    },
}

impl NotFound {
    /// What the user can do about it, in a sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::None { .. } => "`outhaul registry list` with the same flags shows them",
            Self::Several { .. } => "name it by what only one of them has: its id, or its name",
        }
    }
}

impl Registries {
    /// The row of this id (a number, `remote` or `local`), else of this name, else at this address.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, word: &str) -> Result<&Row, NotFound> {
        self.first(word, 3)
    }

    /// The row of this id, else of this name: as [`Self::find`], but for addresses, which change.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_named(&self, word: &str) -> Result<&Row, NotFound> {
        self.first(word, 2)
    }

    /// What the first of these many ways finds that finds something: by id, name, address.
    fn first(&self, word: &str, ways: usize) -> Result<&Row, NotFound> {
        let id = iofog::id_of(word);
        let by_id = |row: &&Row| id.is_some() && row.id == id;
        let by_name = |row: &&Row| row.name.as_deref() == Some(word);
        let by_address = |row: &&Row| {
            row.is_usable() && (row.address.host == word || row.address.written() == word)
        };
        let all = |is: &dyn Fn(&&Row) -> bool| self.rows.iter().filter(is).collect::<Vec<_>>();
        let all_ways: [&dyn Fn(&&Row) -> bool; 3] = [&by_id, &by_name, &by_address];
        let found = all_ways
            .into_iter()
            .take(ways)
            .map(all)
            .find(|found| !found.is_empty())
            .unwrap_or_default();
        let word = word.to_owned();
        match found[..] {
            [row] => Ok(row),
            [] => Err(NotFound::None { word, known: self.rows.iter().map(called).collect() }),
            _ => Err(NotFound::Several { word, meant: found.into_iter().map(called).collect() }),
        }
    }
}

/// What a row is called, with where it is.
fn called(row: &Row) -> String {
    let name = row.name.clone().or_else(|| row.id.map(|id| id.to_string()));
    match name {
        Some(name) => format!("{name} ({})", row.address.written()),
        None => row.address.written(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::systems::Address;

    #[test]
    fn a_row_is_found_by_id_then_name_then_address() {
        let row = |id, name: &str, url| Row {
            id,
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            address: Address::parse(url),
            ..Row::default()
        };
        let rows = vec![
            row(Some(1), "", "registry.hub.docker.com"),
            row(Some(3), "team", "https://a.example:5000"),
            row(None, "3", "b.example"),
            row(Some(4), "", "gcr.io"),
            row(Some(5), "", "gcr.io"),
        ];
        let registries = Registries { rows, default_address: None };
        let at = |word| registries.find(word).map(|row| row.address.written());
        assert_eq!(at("remote").unwrap(), "registry.hub.docker.com");
        for word in ["3", "team", "a.example:5000", "https://a.example:5000"] {
            assert_eq!(at(word).unwrap(), "https://a.example:5000", "{word}");
        }
        assert_eq!(registries.find_named("team").unwrap().id, Some(3));
        assert!(matches!(registries.find_named("b.example"), Err(NotFound::None { .. })));
        assert!(matches!(at("gcr.io"), Err(NotFound::Several { meant, .. }) if meant.len() == 2));
        assert!(matches!(at("local"), Err(NotFound::None { known, .. }) if known.len() == 5));
    }
}
