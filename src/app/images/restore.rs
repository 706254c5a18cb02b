//! Images of an export that was installed: it reads them at a place of its own, and where it is
//! exported once more they are called what they were called first.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::Use;
use crate::app::helm::Exported;
use crate::app::view::Index;
use crate::app::{ImageUse, Object, ObjectId};

/// The images under their first names; where each is read, if that is elsewhere, goes into its
/// [`Use`].
pub(super) fn renamed(
    found: BTreeMap<String, Use>,
    exported: Option<&Exported>,
) -> BTreeMap<String, Use> {
    let Some(exported) = exported else { return found };
    let mut renamed: BTreeMap<String, Use> = BTreeMap::new();
    for (reference, of) in found {
        match exported.source(&reference) {
            Some(source) => {
                let known = renamed.entry(source.to_owned()).or_default();
                known.places.extend(of.places);
                known.running.extend(of.running);
                known.at.get_or_insert(reference);
            }
            None => {
                renamed.insert(reference, of);
            }
        }
    }
    renamed
}

/// Writes the first names of images into the objects that use them.
pub(in crate::app) fn restore(objects: &mut [(Index, Object)], images: &[ImageUse]) {
    let numbers = objects.iter().enumerate().map(|(number, (_, object))| (object.id(), number));
    let numbers: HashMap<ObjectId, usize> = numbers.collect();
    for image in images.iter().filter(|image| image.at.is_some()) {
        for place in &image.uses {
            let Some(number) = numbers.get(&place.object) else { continue };
            let object = &mut objects[*number].1;
            match object.at_mut(&place.pointer) {
                Some(Value::Object(container)) => {
                    container.insert("image".to_owned(), image.image.clone().into());
                }
                Some(text @ Value::String(_)) => *text = image.image.clone().into(),
                _ => {}
            }
        }
    }
}
