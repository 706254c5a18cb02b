//! Which digest is exported, by what nodes report: a real registry, pods with written statuses.

use serde_json::{Value, json};

use super::shop::codes;
use crate::support::block_on;
use crate::support::cluster::{Cluster, cluster};
use crate::support::images::{INDEX, Image, MANIFEST, Target, digest};
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A registry with one image under several names, and a namespace with pods.
struct Lab {
    registry: Registry,
    namespace: Namespace<'static>,
    /// What `demo/web:multi` points to.
    web: Image,
    /// Another image of the same repository.
    next: Image,
}

impl Lab {
    fn start() -> Self {
        let registry = Registry::plain().start();
        let (web, next) = (Image::new(1, 1, 500), Image::new(2, 1, 500));
        web.push(&registry.target(), "demo/web", "multi");
        next.push(&registry.target(), "demo/web", "next");
        web.push(&registry.target(), "other/app", "all");
        let lab = Self { registry, namespace: cluster().namespace("images"), web, next };
        lab.put("demo/web", "1", MANIFEST, &lab.web.manifests[0]);
        lab.put("other/app", "9", MANIFEST, &lab.web.manifests[0]);
        lab
    }

    /// `127.0.0.1:PORT/NAME`.
    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.registry.address())
    }

    fn target(&self) -> Target {
        self.registry.target()
    }

    /// Puts a manifest, and gives its digest.
    fn put(&self, repository: &str, tag: &str, media_type: &str, bytes: &[u8]) -> String {
        block_on(self.target().push_manifest(repository, tag, media_type, bytes));
        digest(bytes)
    }

    /// Puts an index of these manifests by platform.
    fn put_index(&self, repository: &str, tag: &str, children: &[(&str, &[u8])]) -> String {
        let child = |(platform, bytes): &(&str, &[u8])| {
            let (os, architecture) = platform.split_once('/').unwrap();
            json!({"mediaType": MANIFEST, "digest": digest(bytes), "size": bytes.len(),
                "platform": {"os": os, "architecture": architecture}})
        };
        let children: Vec<Value> = children.iter().map(child).collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children});
        self.put(repository, tag, INDEX, index.to_string().as_bytes())
    }

    /// Digest of the configuration of the first platform.
    fn config(&self) -> String {
        let manifest: Value = serde_json::from_slice(&self.web.manifests[0]).unwrap();
        manifest["config"]["digest"].as_str().unwrap().to_owned()
    }

    /// A StatefulSet with a pod for each of `ids`, whose node reports it.
    fn run(&self, app: &str, image: &str, ids: &[&str]) {
        self.namespace.apply(&format!(
            "
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {app}}}
spec:
  serviceName: {app}
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec: {{containers: [{{name: main, image: '{image}'}}]}}
"
        ));
        let set = self.namespace.get("apps/v1", "StatefulSet", app).unwrap();
        let uid = set["metadata"]["uid"].as_str().unwrap();
        for (number, id) in ids.iter().enumerate() {
            self.namespace.apply(&format!(
                "
apiVersion: v1
kind: Pod
metadata:
  name: {app}-{number}
  labels: {{app: {app}}}
  ownerReferences:
  - {{apiVersion: apps/v1, kind: StatefulSet, name: {app}, uid: {uid}, controller: true}}
spec: {{containers: [{{name: main, image: '{image}'}}]}}
"
            ));
            let status = json!({"phase": "Running", "containerStatuses": [{
                "name": "main", "image": image, "imageID": id, "ready": true, "restartCount": 0}]});
            self.namespace.patch_status("v1", "Pod", &format!("{app}-{number}"), &status);
        }
    }

    fn plan(&self, app: &str) -> Output {
        let outhaul = Outhaul::new().kubeconfig(self.namespace.cluster().kubeconfig("admin"));
        let args = ["app", "export", app, "-n", self.namespace.name(), "--to", "out"];
        outhaul.run(&[&args[..], &["--dry-run", "-o", "json"]].concat())
    }

    /// Runs pods and checks what an export of them would take, and with which findings.
    fn check(&self, app: &str, image: &str, ids: &[&str], expected: &str, found: &[&str]) -> Value {
        self.run(app, image, ids);
        let plan = self.plan(app).ok().json();
        assert_eq!(plan["images"][0]["digest"], expected, "{app}: {plan:#}");
        let of_images = |code: &&str| code.starts_with("IMAGE_");
        let codes: Vec<&str> = codes(&plan).into_iter().filter(of_images).collect();
        assert_eq!(codes, found, "{app}: {plan:#}");
        plan
    }
}

fn text(plan: &Value, code: &str) -> String {
    let findings = plan["findings"].as_array().unwrap();
    findings.iter().find(|of| of["code"] == code).unwrap()["text"].as_str().unwrap().to_owned()
}

/// What kubelet 1.35 with containerd was seen to report.
#[test]
fn a_kubelet_names_another_repository_and_an_index_that_was_never_asked_for() {
    let lab = Lab::start();
    let (index, manifest) = (lab.web.digest(), digest(&lab.web.manifests[0]));
    let id = lab.at(&format!("demo/web@{index}"));
    let elsewhere = &["IMAGE_REPORTED_ELSEWHERE"][..];
    for (app, image, expected, found) in [
        ("tag", "demo/web:1".to_owned(), &manifest, &[][..]),
        ("multi", "demo/web:multi".to_owned(), &index, &[]),
        ("pinned", format!("demo/web@{manifest}"), &manifest, &[]),
        ("both", format!("demo/web:1@{manifest}"), &manifest, &[]),
        ("other", "other/app:9".to_owned(), &manifest, elsewhere),
        ("all", "other/app:all".to_owned(), &index, elsewhere),
    ] {
        lab.check(app, &lab.at(&image), &[&id], expected, found);
    }
}

#[test]
fn every_form_of_an_image_id_is_the_content_that_it_names() {
    let lab = Lab::start();
    let (index, manifest, config) = (lab.web.digest(), digest(&lab.web.manifests[0]), lab.config());
    let hex = config.strip_prefix("sha256:").unwrap();
    let image = lab.at("demo/web:multi");
    for (app, id) in [
        ("pullable", format!("docker-pullable://{}", lab.at(&format!("demo/web@{index}")))),
        ("docker", format!("docker://{config}")),
        ("config", config.clone()),
        ("hex", hex.to_owned()),
        ("in-repository", lab.at(&format!("demo/web@{config}"))),
        ("child", lab.at(&format!("demo/web@{manifest}"))),
        ("tagged", lab.at(&format!("demo/web:multi@{index}"))),
    ] {
        lab.check(app, &image, &[&id], &index, &[]);
    }
}

#[test]
fn contents_are_compared_by_platform() {
    let lab = Lab::start();
    let [amd64, arm64] = [0, 1].map(|at| lab.web.manifests[at].as_slice());
    let both = [("linux/amd64", amd64), ("linux/arm64", arm64)];
    let id = lab.at(&format!("demo/web@{}", lab.web.digest()));
    // With an attestation, as a build of the same sources again has it.
    let attested = [&both[..], &[("unknown/unknown", lab.next.manifests[0].as_slice())]].concat();
    let same = lab.put_index("demo/web", "attested", &attested);
    lab.check("attested", &lab.at("demo/web:attested"), &[&id], &same, &[]);
    // One platform moved on; which of them runs cannot be told.
    let mixed = [("linux/amd64", amd64), ("linux/arm64", lab.next.manifests[1].as_slice())];
    lab.put_index("demo/web", "partly", &mixed);
    let running = lab.web.digest();
    lab.check("partly", &lab.at("demo/web:partly"), &[&id], &running, &["IMAGE_DRIFT"]);
    // The same image as Docker pushes it.
    let mut docker: Value = serde_json::from_slice(amd64).unwrap();
    docker["mediaType"] = json!(DOCKER_MANIFEST);
    docker["config"]["mediaType"] = json!("application/vnd.docker.container.image.v1+json");
    docker["layers"][0]["mediaType"] = json!("application/vnd.docker.image.rootfs.diff.tar.gzip");
    for blob in lab.web.blobs.values() {
        block_on(lab.target().push_blob("demo/docker", blob));
    }
    let docker = lab.put("demo/docker", "1", DOCKER_MANIFEST, docker.to_string().as_bytes());
    let found = &["IMAGE_REPORTED_ELSEWHERE"][..];
    lab.check("docker-2", &lab.at("demo/docker:1"), &[&id], &docker, found);
}

#[test]
fn what_runs_is_exported_where_the_tag_has_moved() {
    let lab = Lab::start();
    let (index, manifest) = (lab.web.digest(), digest(&lab.web.manifests[0]));
    let image = lab.at("demo/web:next");
    let plan = lab.check(
        "index",
        &image,
        &[&lab.at(&format!("demo/web@{index}"))],
        &index,
        &["IMAGE_DRIFT"],
    );
    assert!(text(&plan, "IMAGE_DRIFT").contains(&lab.next.digest()), "{plan:#}");
    assert_eq!(plan["findings"][0]["object"]["kind"], "StatefulSet", "{plan:#}");
    // The digest is in the repository that the pods name, so that is where it is read.
    let id = format!("mirror.invalid/demo/web@{index}");
    lab.check("mirror", &image, &[&id], &index, &["IMAGE_DRIFT"]);
    let id = lab.at(&format!("demo/web@{manifest}"));
    let plan = lab.check("child", &image, &[&id], &manifest, &["IMAGE_DRIFT"]);
    assert!(text(&plan, "IMAGE_DRIFT").ends_with("for the node's platform only"), "{plan:#}");
    lab.target().delete_manifest("demo/web", "next");
    let id = lab.at(&format!("demo/web@{index}"));
    let plan = lab.check("gone", &image, &[&id], &index, &["IMAGE_DRIFT"]);
    assert!(text(&plan, "IMAGE_DRIFT").contains("points to nothing now"), "{plan:#}");
}

#[test]
fn what_runs_is_read_where_the_node_has_it_if_the_reference_cannot_be() {
    let lab = Lab::start();
    let index = lab.web.digest();
    let id = lab.at(&format!("demo/web@{index}"));
    let plan = lab.check("dead", "127.0.0.1:1/web:1", &[&id], &index, &["IMAGE_DRIFT"]);
    assert!(text(&plan, "IMAGE_DRIFT").contains("cannot be read (cannot reach"), "{plan:#}");
}

#[test]
fn nodes_that_run_different_contents_are_all_named_and_the_majority_wins() {
    let lab = Lab::start();
    let image = lab.at("demo/web:multi");
    let [amd64, arm64] =
        [0, 1].map(|at| lab.at(&format!("demo/web@{}", digest(&lab.web.manifests[at]))));
    // Two platforms of one index are one content.
    lab.check("platforms", &image, &[&amd64, &arm64], &lab.web.digest(), &[]);
    let next = lab.at(&format!("demo/web@{}", lab.next.digest()));
    let ids = [&*amd64, &*next, &*arm64];
    let plan = lab.check("tagged", &image, &ids, &lab.web.digest(), &["IMAGE_MIXED"]);
    let mixed = text(&plan, "IMAGE_MIXED");
    assert!(ids.iter().all(|id| mixed.contains(id)), "{mixed}");
    assert!(mixed.contains("(containers: 2)") && mixed.contains("(containers: 1)"), "{mixed}");
    let found = &["IMAGE_DRIFT", "IMAGE_MIXED"][..];
    lab.check("drifted", &image, &[&next, &amd64, &next], &lab.next.digest(), found);
}

#[test]
fn an_image_that_cannot_be_exported_is_named_with_who_uses_it() {
    let lab = Lab::start();
    let fails = |app: &str, image: &str, ids: &[&str], expected: &str| {
        lab.run(app, image, ids);
        let output = lab.plan(app).exits(10);
        let expected = format!("error: image `{image}` of StatefulSet {app}{expected}");
        assert!(output.stderr.starts_with(&expected), "`{expected}` in {}", output.stderr);
        assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
    };
    fails("missing", &lab.at("demo/web:none"), &[], " does not exist in its registry");
    fails("invalid", "Web:1", &[], ": `library/Web` is not a valid repository name");
    let bare = lab.config();
    fails("nodes", &lab.at("demo/web:next"), &[&bare], &format!(" runs as `{bare}`, which exists"));
}

/// What nodes of two architectures need, or what `--platform` asks for, and an image has not.
#[test]
fn an_image_that_is_not_there_for_every_platform_is_said() {
    let lab = Lab::start();
    let (single, whole) = (lab.at("demo/web:1"), lab.at("demo/web:multi"));
    let mixed = Cluster::start();
    let node = |architecture: &str| {
        format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: {architecture}, labels:
            {{kubernetes.io/os: linux, kubernetes.io/arch: {architecture}}}}}}}\n---\n"
        )
    };
    let deployment = |name: &str, image: &str, more: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{selector:
            {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}},
            spec: {{containers: [{{name: main, image: '{image}'}}]{more}}}}}}}}}\n---\n"
        )
    };
    let pinned = ", nodeSelector: {kubernetes.io/arch: amd64}";
    let objects = deployment("single", &single, "")
        + &deployment("whole", &whole, "")
        + &deployment("pinned", &lab.at("other/app:9"), pinned);
    mixed.apply(&(node("amd64") + &node("arm64")));
    let namespace = mixed.named_namespace("shop");
    namespace.apply(&objects);
    let outhaul = Outhaul::new().kubeconfig(mixed.kubeconfig("admin"));
    outhaul.write("shop.yaml", &objects);
    let plan = |args: &[&str]| {
        let export = ["app", "export", "shop", "--all", "-n", "shop", "--to", "out", "--dry-run"];
        let plan = outhaul.run(&[&export[..], &["-o", "json"], args].concat()).ok().json();
        let findings = plan["findings"].as_array().unwrap().clone().into_iter();
        let lacking = findings.filter(|finding| finding["code"] == "PLATFORM_MISSING");
        lacking.map(|of| of["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let alone = "is of one platform alone, and linux/amd64, linux/arm64 are wanted";
    assert_eq!(plan(&[]), [format!("`{single}` {alone}")]);
    let files = ["--from", "shop.yaml"];
    assert_eq!(plan(&files), [""; 0], "files know of no nodes");
    let asked = ["--platform", "linux/amd64", "--platform", "linux/s390x"];
    let found = plan(&[&files[..], &asked].concat());
    assert!(
        found.contains(&format!(
            "`{whole}` is of one platform alone, and linux/amd64, linux/s390x are wanted"
        )),
        "{found:?}"
    );
}
