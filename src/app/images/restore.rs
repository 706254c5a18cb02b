//! Images of an export that was installed: it reads them at a place of its own, and where it is
//! exported once more they are called what they were called first.

use std::collections::HashMap;

use serde_json::Value;

use crate::app::view::Index;
use crate::app::{ImageUse, Object, ObjectId};

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
