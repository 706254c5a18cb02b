//! Part `image`: what runs, as one file that docker and podman load.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::super::envelope::Refusal;
use super::docker::{self, Archive};
use super::download::{body, chunks, room};
use super::{App, file};
use crate::app::{ImageUse, Object, Running};
use crate::error::Error;
use crate::export::images::{Single, single};
use crate::export::learn::Images;
use crate::registry::{Located, Platform, blob};
use crate::server::work::place;

const TAR: &str = "application/x-tar";

/// Label of pods: which of their containers is the application.
const CONTAINER: &str = "epinio.io/app-container";

/// What is taken of an index when it cannot be known what the pod's node is.
const USUAL: (&str, &str) = ("linux", "amd64");

/// The image as a stream, with its length.
///
/// # Errors
/// As [`locate`], and when there are too many downloads.
pub(super) async fn answer(app: &App) -> Result<Response, Refusal> {
    let room = room(&app.asked)?;
    let (archive, from) = locate(app).await?;
    let length = archive.length;
    Ok(file(TAR, length, body(chunks(archive, from), room)))
}

/// Finds the image, and what its archive will be. The server reads it with no more than the caller
/// could have had: without credentials, but for the application's own image in Epinio's registry, and
/// at no address of the server's own surroundings.
///
/// # Errors
/// When it cannot be read, may not be, or is none that docker loads.
pub(super) async fn locate(app: &App) -> Result<(Archive, Located), Refusal> {
    let state = &app.asked.state;
    let Some((pod, image)) = running(&app.parts.pods) else {
        return Err(not_loadable("its pods say of no container which image it runs"));
    };
    let platform = match pod.text("/spec/nodeName") {
        Some(node) => state.live.node_platform(node).await?.and_then(|it| it.parse().ok()),
        None => None,
    };
    let (os, architecture) = (USUAL.0.to_owned(), USUAL.1.to_owned());
    let platform = platform.unwrap_or(Platform { os, architecture, variant: None });
    let sources = place::sources(&state.live, &app.system, false, &state.local_sources);
    let images = Images {
        namespace: &app.namespace,
        epinio_app: Some(&app.name),
        images: std::slice::from_ref(&image),
        pull_secrets: &[],
    };
    let found = single(images, &image, &sources, &platform).await.map_err(Error::from)?;
    let archive = archive(&found).await?;
    Ok((archive, found.from))
}

async fn archive(found: &Single) -> Result<Archive, Refusal> {
    let Single { from, manifest } = found;
    let links = manifest.links().map_err(Error::from)?;
    let Some(config) = links.config.filter(|config| config.is_image_config()) else {
        return Err(not_loadable("it is no container image"));
    };
    if links.layers.iter().any(|layer| layer.is_foreign()) {
        return Err(not_loadable("registries do not hold all of its layers"));
    }
    // Read before the answer begins: of what cannot be read at all, that says so.
    let bytes = blob::read(from.store.as_ref(), &from.repository, &config).await;
    let bytes = bytes.map_err(Error::from)?;
    let archive = docker::archive((&config.digest, bytes), &links.layers);
    archive.ok_or_else(|| not_loadable("its manifest states sizes that cannot be"))
}

fn not_loadable(reason: &str) -> Refusal {
    let title = format!("the application's image cannot be downloaded: {reason}");
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, title)
}

/// The image of the application's container in its newest pod, with what nodes say of it in all pods
/// that ask for the same, and that pod.
fn running(pods: &[Object]) -> Option<(&Object, ImageUse)> {
    let stays = |pod: &&Object| pod.at("/metadata/deletionTimestamp").is_none();
    // Times of one form and zone are in the order of their texts.
    let made = |pod: &&Object| pod.text("/metadata/creationTimestamp").map(str::to_owned);
    let newest = pods.iter().filter(stays).max_by_key(made);
    let pod = newest.or_else(|| pods.iter().max_by_key(made))?;
    let (image, _) = container(pod)?;
    let mut said: Vec<Running> = Vec::new();
    for pod in pods {
        let Some((_, id)) = container(pod).filter(|(of, _)| *of == image) else { continue };
        let id = id.split_once("://").map_or(id, |(_, id)| id);
        match said.iter_mut().find(|known| known.image_id == id) {
            _ if id.is_empty() => {}
            Some(known) => {
                known.pods += 1;
                known.newest = known.newest.take().max(made(&pod));
            }
            None => said.push(Running { image_id: id.to_owned(), pods: 1, newest: made(&pod) }),
        }
    }
    let image = ImageUse {
        key: "image".to_owned(),
        image: image.to_owned(),
        at: None,
        uses: Vec::new(),
        running: said,
        kept: false,
    };
    Some((pod, image))
}

/// The image that the application's container of a pod asks for, and what the node says of it.
fn container(pod: &Object) -> Option<(&str, &str)> {
    let list = |field: &str| pod.at(field).and_then(Value::as_array).into_iter().flatten();
    let named = pod.label(CONTAINER).unwrap_or_default();
    // Charts of others may not have the label, and as a rule one container.
    let found = list("/spec/containers").find(|of| of["name"] == named);
    let found = found.or_else(|| list("/spec/containers").next())?;
    let mut statuses = list("/status/containerStatuses");
    let status = statuses.find(|status| status["name"] == found["name"]);
    let id = status.and_then(|status| status["imageID"].as_str());
    Some((found["image"].as_str()?, id.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(created: &str, label: &str, images: &[(&str, &str, &str)]) -> Object {
        let containers: Vec<Value> =
            images.iter().map(|(name, image, _)| json!({"name": name, "image": image})).collect();
        let statuses: Vec<Value> =
            images.iter().map(|(name, _, id)| json!({"name": name, "imageID": id})).collect();
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": created, "creationTimestamp": created, "labels": {CONTAINER: label}},
            "spec": {"containers": containers}, "status": {"containerStatuses": statuses}});
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn the_applications_container_of_the_newest_pod_says_what_runs() {
        let proxy = ("proxy", "mesh:1", "mesh@sha256:00");
        let pods = [
            pod("2026-01-02", "web", &[proxy, ("web", "a:2", "docker://a@sha256:22")]),
            pod("2026-01-01", "web", &[("web", "a:1", "a@sha256:11")]),
            pod("2026-01-03", "web", &[proxy, ("web", "a:2", "")]),
            pod("2026-01-01", "web", &[("web", "a:2", "a@sha256:22")]),
        ];
        let (newest, image) = running(&pods).unwrap();
        assert_eq!((newest.name(), image.image.as_str()), ("2026-01-03", "a:2"));
        let newest = Some("2026-01-02".to_owned());
        let said = vec![Running { image_id: "a@sha256:22".to_owned(), pods: 2, newest }];
        assert_eq!(image.running, said);
        let unlabelled = [pod("2026-01-01", "", &[("x", "b:1", ""), proxy])];
        assert_eq!(running(&unlabelled).unwrap().1.image, "b:1");
        assert!(running(&[pod("2026-01-01", "", &[])]).is_none());
    }
}
