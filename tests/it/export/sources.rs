//! Images at addresses that only a cluster knows, and images that need the application's own
//! credentials.

use serde_json::{Value, json};

use super::shop::{codes, status};
use crate::support::cluster::cluster;
use crate::support::images::Image;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

/// An address of Epinio's registry that nothing here listens on.
const NODE_PORT: &str = "127.0.0.1:1";

/// A pod whose image is somewhere, and a registry that has it.
struct Lab {
    registry: Registry,
    namespace: Namespace<'static>,
    system: Namespace<'static>,
    digest: String,
}

impl Lab {
    /// `image` without its tag, which is `1`.
    fn start(registry: Registry, image: &str) -> Self {
        let digest = Image::new(1, 1, 500).push(&registry.target(), "apps/web", "1");
        let namespace = cluster().namespace("sources");
        namespace.apply(&format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  imagePullSecrets: [{{name: none}}, {{name: creds}}]
  containers: [{{name: web, image: '{image}:1'}}]
"
        ));
        Self { registry, namespace, system: cluster().namespace("system"), digest }
    }

    fn export(&self, args: &[&str]) -> Output {
        let outhaul = Outhaul::new()
            .kubeconfig(cluster().kubeconfig("admin"))
            .env("OUTHAUL_SYSTEM_NAMESPACE", self.system.name());
        let export = ["app", "export", "web", "-n", self.namespace.name(), "--to", "out"];
        outhaul.run(&[&export[..], args, &["-o", "json", "-vv"]].concat())
    }

    /// Checks that the image was read, and that the plan names what the pod names.
    fn is_mapped(&self, report: &Value, image: &str) {
        assert_eq!(report["images"][0]["digest"], self.digest, "{report:#}");
        assert_eq!(report["images"][0]["source"], format!("{image}:1@{}", self.digest));
        assert!(codes(report).contains(&"IMAGE_MAPPED"), "{report:#}");
        let text = report["findings"].to_string();
        let read = format!("was read at {}/apps/web", self.registry.address());
        assert!(text.contains(&read), "{text}");
    }
}

#[test]
fn an_address_of_the_cluster_is_read_where_the_user_says() {
    for image in ["127.0.0.1:1/web", "registry.apps.svc.cluster.local:5000/web"] {
        let lab = Lab::start(Registry::plain().start(), image);
        let host = image.split('/').next().unwrap();
        let mapping = format!("{host}={}/apps", lab.registry.address());
        let output = lab.export(&["--map-registry", &mapping]).ok();
        assert_eq!(status(&output), "exported");
        lab.is_mapped(&output.json(), image);
    }
    let lab = Lab::start(Registry::plain().start(), "127.0.0.1:1/web");
    let output = lab.export(&[]).exits(9);
    let error = "error: image `127.0.0.1:1/web:1` of Pod web cannot be read: cannot reach";
    assert!(output.stderr.contains(error), "{}", output.stderr);
    assert!(output.stderr.contains("`--map-registry 127.0.0.1:1=ADDRESS`"), "{}", output.stderr);
    lab.export(&["--map-registry", "no-mapping"]).exits(2);
}

/// Epinio's own registry has an entry for clients and one for nodes. Nothing here answers by a
/// Service's name, but that it is asked shows what was read.
#[test]
fn epinios_own_secret_says_where_its_registry_is_read() {
    let lab = Lab::start(Registry::plain().start(), "localhost:1/apps/web");
    let service = "registry.epinio.svc.cluster.local:5000";
    let login = json!({"username": "bob", "password": "canary-pass"});
    let auths = json!({"auths": {"localhost:1": login, service: login}});
    lab.system.apply(&format!(
        "
apiVersion: v1
kind: Secret
metadata: {{name: registry-creds}}
stringData: {{.dockerconfigjson: '{auths}'}}
"
    ));
    let output = lab.export(&[]).exits(9);
    assert!(output.stderr.contains(&format!("cannot reach {service}")), "{}", output.stderr);
    assert!(!output.mentions("canary-pass"));
}

#[test]
fn pull_secrets_are_used_when_the_user_lets_them_be() {
    let registry = Registry::plain().tls().basic_auth("bob", "canary-pass").start();
    let image = format!("{}/apps/web", registry.address());
    let lab = Lab::start(registry, &image);
    let config = lab.registry.docker_config();
    lab.namespace.apply(&format!(
        "
apiVersion: v1
kind: Secret
metadata: {{name: creds}}
type: kubernetes.io/dockerconfigjson
stringData: {{.dockerconfigjson: '{config}'}}
"
    ));
    let ca = lab.registry.ca_file().to_str().unwrap().to_owned();
    lab.export(&["--ca-file", &ca]).exits(7);
    let output = lab.export(&["--ca-file", &ca, "--use-pull-secrets"]).ok();
    assert_eq!(output.json()["images"][0]["digest"], lab.digest);
    assert!(!output.mentions("canary-pass"), "{}", output.stderr);
}

/// Images of a chart that clusters pull by another address than it was pushed to.
#[test]
fn a_pull_address_of_a_destination_is_read_at_the_destination() {
    let lab = Lab::start(Registry::plain().start(), &format!("{NODE_PORT}/mirror/web"));
    let auths = json!({"auths": {lab.registry.address(): {}}});
    lab.system.apply(&format!(
        "
apiVersion: v1
kind: Secret
metadata:
  name: team
  labels: {{outhaul.dev/destination: 'true'}}
  annotations:
    outhaul.dev/registry-namespace: apps
    outhaul.dev/pull-address: {NODE_PORT}/mirror
stringData: {{.dockerconfigjson: '{auths}'}}
"
    ));
    let outhaul = Outhaul::new()
        .kubeconfig(cluster().kubeconfig("admin"))
        .env("OUTHAUL_SYSTEM_NAMESPACE", lab.system.name());
    let args = ["app", "export", "web", "-n", lab.namespace.name(), "-r", "team", "-o", "json"];
    let report = outhaul.run(&args).ok().json();
    lab.is_mapped(&report, &format!("{NODE_PORT}/mirror/web"));
}
