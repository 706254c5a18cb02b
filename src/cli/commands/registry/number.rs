//! Numbers of our own Secrets, as rows of ioFog have them: a Secret keeps its own.
//!
//! Nobody hands them out, so each who makes a Secret looks once more when it is there, and moves on
//! where another has the same number. Of two that have both looked so and are done, the one that wrote
//! later has seen the other: they never end with one number. Who writes annotations by hand may.

use serde_json::json;

use crate::cluster::Live;
use crate::cluster::objects::Placed;
use crate::destination::epinio::{self, REGISTRY_ID};
use crate::destination::iofog::{LAST_ID, LOCAL};
use crate::destination::systems::Registries;
use crate::error::Error;

/// How often a number is moved on. Each round gives another one to all who meet but who are late.
const TRIES: usize = 10;

/// The number for a new Secret: the one that is asked for, if nobody has it, else one more than the
/// greatest, so that a number is not given again while a later one is there.
pub(super) fn free(known: &Registries, wanted: Option<u32>) -> Result<u32, Error> {
    match wanted {
        None => after(known, 0),
        Some(id) => match known.rows.iter().find(|row| row.id == Some(id)) {
            None => Ok(id),
            Some(row) => Err(taken(id, row.name.as_deref().unwrap_or_default())),
        },
    }
}

/// Looks whether another has the same number, and moves on until none has. A number that was asked for
/// is not moved.
pub(super) async fn settle(
    live: &Live,
    secret: &Placed,
    mut id: u32,
    is_wanted: bool,
) -> Result<u32, Error> {
    for _ in 0..TRIES {
        let known = epinio::rows(live, &secret.namespace).await?.registries;
        let others = known.rows.iter().filter(|row| row.id == Some(id));
        let others =
            others.filter_map(|row| row.name.as_deref()).filter(|name| *name != secret.name);
        let others: Vec<&str> = others.collect();
        let Some(other) = others.first() else { return Ok(id) };
        if is_wanted {
            return Err(taken(id, other));
        }
        let before = others.iter().filter(|name| **name < secret.name.as_str()).count();
        id = after(&known, before)?;
        let fields = json!({"metadata": {"annotations": {REGISTRY_ID: id.to_string()}}});
        live.merge_object(secret, &fields).await?;
    }
    Err(Error::RegistryTaken {
        what: format!(
            "others make registries at the same time, and took number after number; {} is \
                       taken back",
            secret.title()
        ),
    })
}

fn after(known: &Registries, further: usize) -> Result<u32, Error> {
    // Rows 1 and 2 are ioFog's, and annotations are written by hand as well.
    let ids = known.rows.iter().filter_map(|row| row.id).filter(|id| *id <= LAST_ID);
    let greatest = ids.fold(LOCAL.0, u32::max);
    let next =
        u32::try_from(further).ok().and_then(|more| greatest.checked_add(more)?.checked_add(1));
    next.filter(|id| *id <= LAST_ID).ok_or_else(|| Error::RegistryTaken {
        what: format!("{LAST_ID} is taken, and no id is greater"),
    })
}

fn taken(id: u32, name: &str) -> Error {
    Error::RegistryTaken {
        what: format!("Secret `{name}` is registry {id} already; nothing was made"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::systems::Row;

    #[test]
    fn the_next_number_is_after_the_greatest_that_a_row_may_have() {
        let next = |ids: &[u32]| {
            let row = |id: &u32| Row { id: Some(*id), ..Row::default() };
            after(&Registries { rows: ids.iter().map(row).collect(), default_address: None }, 0)
        };
        assert_eq!(next(&[]).unwrap(), 3);
        assert_eq!(next(&[0, 1, LAST_ID + 1, u32::MAX]).unwrap(), 3);
        assert_eq!(next(&[7, 4, u32::MAX]).unwrap(), 8);
        assert!(next(&[LAST_ID]).is_err());
    }
}
