//! Platforms that images lack: those asked for, else those of the nodes.

use crate::app::{App, Code, ContainerRef, Finding};
use crate::registry::Platform;

use super::ResolvedImage;

/// What nodes of other systems run, an index of theirs says.
const LINUX: &str = "linux/";

/// Below the spec of a pod: the architecture that its nodes must have.
const PINNED: &str = "nodeSelector/kubernetes.io~1arch";

/// Findings about images that do not run everywhere where they are wanted: on the platforms of
/// `--platform`, else on every Linux node of the cluster. Of an image that is no index no more is
/// known than that it is of one platform.
pub fn lacking(
    app: &App,
    images: &[ResolvedImage],
    asked: &[Platform],
    nodes: &[String],
) -> Vec<Finding> {
    let nodes = nodes.iter().filter(|of| of.starts_with(LINUX)).filter_map(|of| of.parse().ok());
    let of_nodes: Vec<Platform> = nodes.collect();
    let each = images.iter().filter_map(|image| {
        let wanted = if asked.is_empty() || image.kept { &*of_nodes } else { asked };
        let lacks = lacks(image, wanted)?;
        let on_purpose = asked.is_empty() && image.uses.iter().all(|of| is_pinned(app, of));
        (!on_purpose).then(|| finding(image, &lacks))
    });
    each.collect()
}

fn lacks(image: &ResolvedImage, wanted: &[Platform]) -> Option<String> {
    if image.children.is_empty() {
        let wanted: Vec<String> = wanted.iter().map(Platform::to_string).collect();
        let wants = format!("is of one platform alone, and {} are wanted", wanted.join(", "));
        return (wanted.len() > 1).then_some(wants);
    }
    let has = |platform: &&Platform| {
        let theirs = image.platforms.iter().filter_map(|of| of.parse::<Platform>().ok());
        let same =
            |of: &Platform| (&of.os, &of.architecture) == (&platform.os, &platform.architecture);
        theirs.into_iter().any(|of| same(&of))
    };
    let lacks: Vec<String> = wanted.iter().filter(|of| !has(of)).map(Platform::to_string).collect();
    let known = !image.platforms.is_empty() && !lacks.is_empty();
    known.then(|| format!("is not there for {}", lacks.join(", ")))
}

/// Whether the container's pods say which architecture their nodes must have.
fn is_pinned(app: &App, at: &ContainerRef) -> bool {
    let object = app.objects.iter().find(|object| object.id() == at.object);
    // `<pod spec>/containers/0`
    let spec = at.pointer.rsplitn(3, '/').nth(2);
    object.zip(spec).is_some_and(|(object, spec)| object.at(&format!("{spec}/{PINNED}")).is_some())
}

fn finding(image: &ResolvedImage, lacks: &str) -> Finding {
    let text = format!("`{}` {lacks}", image.written);
    let finding = Finding::new(Code::PlatformMissing, text).remedy(
        "Build it for the others, too, or pin its pods by a node selector `kubernetes.io/arch`.",
    );
    match image.uses.first() {
        Some(first) => finding.on(first.object.clone()),
        None => finding,
    }
}
