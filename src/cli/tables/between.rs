//! What people see of two versions that were compared.

use super::{changed, size};
use crate::export::between::{Between, ChangedImage, Sealed, Side, Weight};

/// Two versions, side by side.
pub(crate) fn between(between: &Between) -> String {
    let Between { before, after, added, removed, values, images, encrypted_secrets, .. } = between;
    let mut text = format!("--- {}\n+++ {}\n", side(before), side(after));
    for (mark, objects) in [('+', added), ('-', removed)] {
        objects.iter().for_each(|object| text.push_str(&format!("{mark} {object}\n")));
    }
    for object in &between.changed {
        text.push_str(&format!("~ {}\n", object.object));
        object.fields.iter().for_each(|field| text.push_str(&changed(field)));
    }
    if !values.is_empty() {
        text.push_str("~ values\n");
        values.iter().for_each(|field| text.push_str(&changed(field)));
    }
    images.iter().for_each(|image| text.push_str(&self::image(image)));
    if let Some(said) = encrypted_secrets.and_then(sealed) {
        text.push_str(&format!("~ encrypted Secrets: {said}\n"));
    }
    if before.origin != after.origin {
        text.push_str(&format!("of two applications: {}, {}\n", before.origin, after.origin));
    }
    if between.count() == 0 { format!("{text}no difference\n") } else { text }
}

fn side(side: &Side) -> String {
    let taken = side.taken_at.map(|at| format!(" of {at}")).unwrap_or_default();
    format!("{}{taken} ({})", side.chart, side.digest.short())
}

fn image(image: &ChangedImage) -> String {
    let ChangedImage { key, before, after, layers } = image;
    let mut text = match (before, after) {
        (None, Some(after)) => format!("+ image {key}: {after}\n"),
        (Some(before), None) => format!("- image {key}: {before}\n"),
        (before, after) => {
            let [before, after] = [before, after].map(|of| of.as_deref().unwrap_or_default());
            format!("~ image {key}: {before} -> {after}\n")
        }
    };
    text.push_str(&match layers {
        Some(layers) => format!(
            "    layers: {} shared, {} added, {} removed\n",
            weight(layers.shared),
            weight(layers.added),
            weight(layers.removed)
        ),
        None => "    layers: not known, as an image is not where its chart is\n".to_owned(),
    });
    text
}

fn weight(Weight { layers, bytes }: Weight) -> String {
    if layers == 0 { "0".to_owned() } else { format!("{layers} ({})", size(bytes)) }
}

fn sealed(sealed: Sealed) -> Option<&'static str> {
    Some(match sealed {
        Sealed::Unchanged => return None,
        Sealed::Changed => "changed",
        Sealed::Added => "only in the second version",
        Sealed::Removed => "only in the first version",
        Sealed::Unknown => "encrypted anew; whether they changed is not written down",
    })
}
