//! What other systems are told of an export, beside its images and chart. Pure.

use semver::Version;

use crate::app::{App, SecretValues};
use crate::destination::iofog::{self, Placing};
use crate::destination::systems::{self, Emitted, Exported, Registries, Shipped, System};
use crate::destination::{avassa, eda};
use crate::registry::Tag;
use crate::registry::quirks::Vendor;

use super::names::Names;
use super::{PlannedImage, Target};

/// For which system, and what it has to know besides.
#[derive(Clone, Debug)]
pub struct Emit {
    /// The system. [`System::Epinio`] installs charts, and is told nothing.
    pub system: System,
    /// The registries that Control Tower is configured with, if they are known (Avassa).
    pub registries: Option<Registries>,
    /// Agent and row (ioFog, edgelet).
    pub placing: Placing,
    /// What a Manifest says that no application knows (Nokia EDA).
    pub store: eda::Store,
    /// Whether values of Secrets that were read are written.
    pub with_secrets: bool,
}

/// The files for each system of `wanted`.
pub(super) fn emit(
    wanted: &[Emit],
    target: &Target,
    names: &Names,
    app: &App,
    version: &Version,
    images: &[PlannedImage],
    values: &SecretValues,
) -> Vec<Emitted> {
    let shipped: Vec<Shipped> = images.iter().map(|image| shipped(target, names, image)).collect();
    let unsaid = SecretValues::default();
    let registry = target.registry.as_deref();
    let place = eda::Place {
        address: target.written.clone().unwrap_or_default(),
        // A pull address may name another host, of which nothing is known.
        plain_http: registry.is_some_and(|registry| {
            let written = target.written.as_deref().unwrap_or_default();
            registry.is_plain_http() && registry.host().is_of(written)
        }),
        is_artifactory: target.vendor() == Some(Vendor::Artifactory),
    };
    let of = |wanted: &Emit| {
        let secrets = if wanted.with_secrets { values } else { &unsaid };
        of(wanted, Exported { app, version, images: &shipped, secrets }, &place)
    };
    wanted.iter().map(of).collect()
}

fn of(wanted: &Emit, exported: Exported<'_>, place: &eda::Place) -> Emitted {
    match wanted.system {
        System::Avassa => {
            let application = systems::application(exported);
            avassa::application(&application, wanted.registries.as_ref())
        }
        System::Iofog => iofog::application(&systems::application(exported), &wanted.placing),
        System::Edgelet => iofog::microservices(&systems::application(exported), &wanted.placing),
        System::Eda => eda::manifest(exported, place, &wanted.store),
        System::Epinio => Emitted::default(),
    }
}

/// An image as documents name it: at the destination, in its owner's spelling, or where it stays.
fn shipped(target: &Target, names: &Names, planned: &PlannedImage) -> Shipped {
    let image = &planned.image;
    let (address, tag) = match &target.written {
        Some(written) if !image.kept => {
            (format!("{written}/{}", names.images), planned.tags.last())
        }
        _ => (
            format!("{}/{}", image.source.host, image.source.repository),
            image.source.tag.as_ref(),
        ),
    };
    let (tag, digest) = (tag.map(Tag::to_string), image.digest.to_string());
    Shipped {
        key: image.key.clone(),
        address,
        tag,
        digest,
        kept: image.kept,
        uses: image.uses.clone(),
    }
}
