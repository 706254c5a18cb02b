//! An exported application as a directory for edabuilder: a `Manifest` with the application's objects as
//! components, in the order that works for others, and its images as external references. What is not
//! written is the App image itself: edabuilder makes it, and its format is not published.

mod bundle;
mod objects;
mod store;

use serde_json::{Value, json};

use super::NAMESPACE;
use crate::app::{Code, Finding};
use crate::destination::systems::{
    Document, Emitted, Exported, File, Image, Login, Shipped, placeholder, slug, unique,
};
use store::Trio;

/// API version of `Manifest`.
const API_VERSION: &str = "core.eda.nokia.com/v1";

/// What follows the application's name in a group that nobody chose.
const GROUP_ENDING: &str = "outhaul.dev";

/// What a vendor's page says of Artifactory ("Limitations").
const ARTIFACTORY: &str = "Artifactory currently doesn't support OCI compliant images with embedded \
                           container images.";

/// What a Manifest says that no application knows.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Group of the application, such as `shop.example.com`; `None`: made of its name.
    pub group: Option<String>,
    /// Versions of EDA's core that it is for.
    pub core_versions: Vec<String>,
    /// Also write the documents with which a store finds and installs the application.
    pub trio: bool,
    /// Also write a bundle for edaadm, which carries the images to a site without a network.
    pub bundle: bool,
    /// User name and password of the registry that documents are to have.
    pub login: Option<Login>,
    /// There is a `Registry` for the address already, and no other one is written.
    pub has_registry: bool,
}

/// Where the application is published.
#[derive(Clone, Debug)]
pub struct Place {
    /// `[http://]host[:port][/path]` of the registry, the host as its owner spells it.
    pub address: String,
    /// Whether it is reached without TLS.
    pub plain_http: bool,
    /// Whether it is Artifactory.
    pub is_artifactory: bool,
}

/// The Manifest's own names.
struct Names {
    app: String,
    group: String,
    version: String,
    /// The App image, which edabuilder makes.
    image: String,
}

/// The directory of an application.
pub fn manifest(exported: Exported<'_>, place: &Place, store: &Store) -> Emitted {
    let app = slug(&exported.app.name);
    let version = format!("v{}", exported.version);
    let group = store.group.clone().unwrap_or_else(|| format!("{app}.{GROUP_ENDING}"));
    // `+` is no letter of a tag.
    let image = format!("{}/{app}:{}", place.address, version.replace('+', "_"));
    let names = Names { app, group, version, image };
    let mut findings = Vec::new();
    let components = objects::components(exported, &mut findings);
    let document = Document::new(described(&names, exported, store, &components));
    let mut files = vec![File::one("manifest.yaml", document)];
    files.extend(components);
    files.extend(objects::secrets(exported));
    if store.trio {
        files.extend(Trio { names: &names, place, store }.files());
    }
    if store.bundle {
        let login = store.login.as_ref();
        files.push(bundle::bundle(&names, exported.images, login, &mut findings));
    }
    findings.push(app_image(&names));
    findings.extend(artifactory(exported.images, place));
    Emitted { steps: steps(&names, store, &files), files, findings }
}

fn described(names: &Names, exported: Exported<'_>, store: &Store, components: &[File]) -> Value {
    let core: Vec<Value> = match store.core_versions.as_slice() {
        [] => vec![placeholder("version of EDA's core, such as v5.0").into()],
        given => given.iter().map(|version| version.as_str().into()).collect(),
    };
    let components: Vec<Value> =
        components.iter().map(|file| json!({"cr": {"path": file.path}})).collect();
    json!({
        "apiVersion": API_VERSION,
        "kind": "Manifest",
        "metadata": {"name": names.app, "namespace": NAMESPACE},
        "spec": {
            "group": names.group,
            "version": names.version,
            "title": exported.app.name,
            "description": format!("{} of the namespace {}", exported.app.name, exported.app.namespace),
            "supportedCoreVersions": core,
            "image": names.image,
            "components": components,
            "dependencies": dependencies(exported.images),
        },
    })
}

/// External references to the images, by tag as the vendor's own applications have them: nothing is
/// embedded.
fn dependencies(images: &[Shipped]) -> Vec<Value> {
    let names = unique(images.iter().map(|image| &*image.key));
    let each = images.iter().zip(names);
    each.map(|(image, name)| json!({"container": {"name": name, "image": image.tagged()}}))
        .collect()
}

fn app_image(names: &Names) -> Finding {
    let text = format!("{} is made by edabuilder, whose format is not published", names.image);
    let remedy =
        "Run `edabuilder build-push --app manifest=DIR/manifest.yaml` in the directory above.";
    Finding::new(Code::EdaAppImage, text).remedy(remedy)
}

fn artifactory(images: &[Shipped], place: &Place) -> Option<Finding> {
    let brings_its_own = images.iter().any(|image| !image.kept);
    (place.is_artifactory && brings_its_own).then(|| {
        let text = format!(
            "the vendor says: \"{ARTIFACTORY}\" Images are external references here, and are not \
             embedded; that is untested there"
        );
        let remedy =
            "An alternative is a registry of your own, such as Harbor (https://goharbor.io/).";
        Finding::new(Code::EdaArtifactory, text).remedy(remedy)
    })
}

fn steps(names: &Names, store: &Store, files: &[File]) -> Vec<String> {
    let has = |path: &str| files.iter().any(|file| file.path == path);
    let host = Image::parse(&names.image).first().map_or("REGISTRY", |(host, _)| host);
    let mut steps = Vec::new();
    if store.core_versions.is_empty() {
        steps.push("fill in `supportedCoreVersions` in manifest.yaml".to_owned());
    }
    steps.extend([
        format!("edabuilder login registry -u USER -p PASSWORD {host}"),
        "edabuilder build-push --app manifest=DIR/manifest.yaml".to_owned(),
        "edabuilder publish GIT-URL --app manifest=DIR/manifest.yaml".to_owned(),
    ]);
    for (path, step) in [
        (objects::SECRETS, "fill in secrets.yaml, and give it to `kubectl apply -f`"),
        (store::STORE, "fill in store.yaml, and give it to `kubectl apply -f`"),
        (store::INSTALL, "kubectl create -f install.yaml"),
        (bundle::BUNDLE, "put bundle.yaml into bundles/user-bundles/ of edaadm"),
    ] {
        if has(path) {
            steps.push(step.to_owned());
        }
    }
    steps
}
