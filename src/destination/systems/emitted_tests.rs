use serde_json::json;

use super::super::fixtures::{codes, documents, fixture, text};
use super::super::workload::tests::Made;
use super::super::{Login, Setting, System, Username, Variable, made, made_of};
use super::*;
use crate::app::Code;
use crate::destination::iofog::Placing;
use crate::destination::{avassa, eda, iofog};

fn place(is_artifactory: bool) -> eda::Place {
    let address = "r.example:5000/team".to_owned();
    eda::Place { address, plain_http: false, is_artifactory }
}

/// All that is said of the application to a system.
fn shown(emitted: &Emitted) -> String {
    let files =
        emitted.files.iter().map(|file| format!("== {}\n{}", file.path, text(&file.documents)));
    let findings = emitted.findings.iter().map(|finding| {
        let object = finding.object.as_ref().map(ToString::to_string).unwrap_or_default();
        let field = finding.field.clone().unwrap_or_default();
        format!("{} {object} {field}: {}\n", finding.code, finding.text)
    });
    let steps = emitted.steps.iter().map(|step| format!("- {step}\n"));
    files.chain(findings).chain(steps).collect()
}

#[test]
fn control_tower_gets_services_and_the_secrets_that_they_read() {
    let emitted = avassa::application(&made("whole").application(), None);
    insta::assert_snapshot!(shown(&emitted));
}

#[test]
fn java_agents_get_tags_and_edgelet_gets_digests() {
    let application = made("whole").application();
    let placing = Placing { agent: Some("edge1".to_owned()), ..Placing::default() };
    insta::assert_snapshot!("iofog", shown(&iofog::application(&application, &placing)));
    let placing = Placing { registry_id: Some(4), ..placing };
    insta::assert_snapshot!("edgelet", shown(&iofog::microservices(&application, &placing)));
}

#[test]
fn edabuilder_gets_a_manifest_with_its_components_in_order() {
    let store = eda::Store { trio: true, bundle: true, ..eda::Store::default() };
    insta::assert_snapshot!(shown(&eda::manifest(made("whole").exported(), &place(false), &store)));
}

#[test]
fn one_container_is_the_application_of_the_vendor_s_example() {
    let made = made("one").with(|image| {
        image.address = "gcr.io/my-org/my-private-image".to_owned();
        image.tag = Some("latest".to_owned());
    });
    let placing = Placing { registry_id: Some(3), ..Placing::default() };
    let emitted = iofog::application(&made.application(), &placing);
    let mut expected = documents("seeds/iofog-application.yaml").remove(0);
    expected["metadata"]["name"] = json!("shop");
    assert_eq!(emitted.files[0].documents[0].value, expected);
    assert_eq!(emitted.findings, []);
}

#[test]
fn public_images_of_docker_hub_are_remote_and_nothing_is_ever_local() {
    for (address, id, registry) in [
        ("docker.io/team/shop", None, json!("remote")),
        ("registry.hub.docker.com/team/shop", None, json!("remote")),
        ("gcr.io/team/shop", None, json!("<id of the registry gcr.io>")),
        ("gcr.io/team/shop", Some(1), json!("remote")),
        ("gcr.io/team/shop", Some(7), json!(7)),
    ] {
        let made = made("one").with(|image| image.address = address.to_owned());
        let placing = Placing { registry_id: id, ..Placing::default() };
        let emitted = iofog::application(&made.application(), &placing);
        let images = &emitted.files[0].documents[0].value["spec"]["microservices"][0]["images"];
        assert_eq!(images["registry"], registry, "{address}");
        let is_open = codes(&emitted.findings).contains(&"IOFOG_REGISTRY_ID_OPEN");
        assert_eq!(
            is_open,
            registry.as_str().is_some_and(|text| text.starts_with('<')),
            "{address}"
        );
    }
}

#[test]
fn what_may_be_private_at_docker_hub_is_not_remote() {
    let placing = Placing { has_login: true, ..Placing::default() };
    let at_hub = |kept| {
        made("one").with(|image| {
            image.address = "docker.io/team/shop".to_owned();
            image.kept = kept;
        })
    };
    let pushed = iofog::application(&at_hub(false).application(), &placing);
    assert!(codes(&pushed.findings).contains(&"IOFOG_REGISTRY_ID_OPEN"), "{pushed:?}");
    let kept = iofog::application(&at_hub(true).application(), &placing);
    assert_eq!(codes(&kept.findings), Vec::<&str>::new());
}

#[test]
fn java_agents_are_given_no_roots() {
    let application = made("one").application();
    let placing = Placing { own_roots: true, ..Placing::default() };
    let code = "IOFOG_CERTIFICATE_UNUSED";
    assert!(codes(&iofog::application(&application, &placing).findings).contains(&code));
    assert!(!codes(&iofog::microservices(&application, &placing).findings).contains(&code));
}

/// What is lost, as `KIND NAME FIELD`.
fn lost(emitted: &Emitted) -> Vec<String> {
    let lost = emitted.findings.iter().filter(|of| of.code == Code::ApplicationFieldLost);
    let shown = lost.map(|of| {
        let object = of.object.as_ref().unwrap();
        format!("{} {} {}", object.kind, object.name, of.field.as_deref().unwrap_or_default())
    });
    shown.collect()
}

#[test]
fn ports_are_those_of_the_container_that_has_them() {
    let made = made_of(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: example.com/web:1}
        - name: side
          image: example.com/side:1
          ports: [{name: metrics, containerPort: 9090, hostPort: 9100}, {containerPort: 53, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports:
    - {port: 80, targetPort: 8080}
    - {port: 9091, targetPort: metrics}
    - {port: 53, protocol: UDP}
",
    );
    let emitted = iofog::microservices(&made.application(), &Placing::default());
    let ports =
        |at: usize| emitted.files[0].documents[at].value["spec"]["container"]["ports"].clone();
    assert_eq!(ports(0), json!([{"internal": 8080, "external": 80}]));
    let expected = json!([
        {"internal": 9090, "external": 9100},
        {"internal": 9090, "external": 9091},
        {"internal": 53, "external": 53, "protocol": "udp"},
    ]);
    assert_eq!(ports(1), expected);
}

#[test]
fn a_claim_is_one_volume_for_all_who_have_it_and_at_avassa_each_has_its_own() {
    let workload = |name: &str| {
        format!(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    spec:
      volumes:
        - {{name: mine, persistentVolumeClaim: {{claimName: data}}}}
        - {{name: quick, emptyDir: {{medium: Memory, sizeLimit: 1Mi}}}}
      containers:
        - name: {name}
          image: example.com/{name}:1
          volumeMounts: [{{name: mine, mountPath: /data}}]
"
        )
    };
    let application = made_of(&[workload("a"), workload("b")].join("---\n")).application();
    let emitted = iofog::application(&application, &Placing::default());
    let microservices = &emitted.files[0].documents[0].value["spec"]["microservices"];
    for at in [0, 1] {
        let volume = &microservices[at]["container"]["volumes"][0];
        assert_eq!(volume["hostDestination"], "shop.data");
    }
    let medium = "spec.template.spec.volumes.1.emptyDir.medium";
    let medium = ["a", "b"].map(|name| format!("Deployment {name} {medium}"));
    assert_eq!(lost(&emitted), medium);
    let shared = ["a", "b"].map(|name| format!("Deployment {name} volumes.mine"));
    let avassa = lost(&avassa::application(&application, None));
    assert!(shared.iter().all(|of| avassa.contains(of)), "{avassa:?}");
}

#[test]
fn texts_that_the_controller_takes_for_templates_are_said() {
    let mut application = made("one").application();
    let container = &mut application.workloads[0].containers[0];
    let text = |text: &str| Setting::Text(text.to_owned());
    container.env = [("A", text("x {{ y }}")), ("B", text("{ x }"))]
        .map(|(name, setting)| Variable { name: name.to_owned(), setting })
        .to_vec();
    container.arguments = vec!["{% raw %}".to_owned()];
    let emitted = iofog::application(&application, &Placing::default());
    let at = "Deployment example spec.template.spec.containers.0";
    assert_eq!(lost(&emitted), [format!("{at}.env.A"), format!("{at}.args")]);
    assert_eq!(lost(&iofog::microservices(&application, &Placing::default())), [""; 0]);
}

#[test]
fn an_image_without_a_tag_is_missed_in_the_bundle_by_name() {
    let store = eda::Store { bundle: true, ..eda::Store::default() };
    let of = |made: Made| eda::manifest(made.exported(), &place(false), &store).findings;
    let found = of(made("one").with(|image| image.tag = None));
    let lost = found.iter().find(|of| of.code == Code::ApplicationFieldLost).unwrap();
    assert!(lost.text.contains("r.example:5000/team/shop@sha256:"), "{lost:?}");
    assert!(!codes(&of(made("one"))).contains(&"APPLICATION_FIELD_LOST"));
}

#[test]
fn names_that_are_cut_and_settings_of_one_name_stay_apart() {
    let (long, other) = (format!("{}-a", "x".repeat(55)), format!("{}-b", "x".repeat(55)));
    let workload = |kind: &str| {
        format!(
            "
apiVersion: apps/v1
kind: {kind}
metadata: {{name: web}}
spec:
  replicas: 2
  template:
    spec:
      volumes: [{{name: {long}, emptyDir: {{}}}}, {{name: {other}, emptyDir: {{}}}}]
      containers:
        - name: {long}
          image: example.com/web:1
          volumeMounts: [{{name: {other}, mountPath: /b}}, {{name: {long}, mountPath: /a}}]
        - {{name: {other}, image: example.com/web:1}}
"
        )
    };
    let made = made_of(&[workload("Deployment"), workload("StatefulSet")].join("---\n"));
    let emitted = avassa::application(&made.application(), None);
    let service = &emitted.files[0].documents[0].value["services"][0];
    assert_ne!(service["containers"][0]["name"], service["containers"][1]["name"]);
    let mounts = &service["containers"][0]["mounts"];
    assert_eq!(mounts[0]["volume-name"], service["volumes"][1]["name"]);
    assert_eq!(mounts[1]["volume-name"], service["volumes"][0]["name"]);
    assert_ne!(mounts[0]["volume-name"], mounts[1]["volume-name"]);
    let manifest = eda::manifest(made.exported(), &place(false), &eda::Store::default());
    let settings: Vec<_> = manifest
        .files
        .iter()
        .flat_map(|file| &file.documents)
        .flat_map(|document| &document.behind)
        .map(|(_, words)| words.as_str())
        .collect();
    assert_eq!(settings, ["app-set: ${webReplicas}", "app-set: ${web2Replicas}"]);
}

#[test]
fn an_image_that_no_configured_registry_has_is_said() {
    let known = fixture(System::Avassa, "seeds/avassa.yaml").registries;
    let unresolved = |address: &str| {
        let made = made("one").with(|image| image.address = address.to_owned());
        let emitted = avassa::application(&made.application(), Some(&known));
        codes(&emitted.findings).contains(&"AVASSA_IMAGE_UNRESOLVED")
    };
    assert!(!unresolved("registry.example.com:6000/team/shop"));
    assert!(unresolved("registry.example.com/team/shop"));
}

#[test]
fn artifactory_is_warned_of_with_the_vendor_s_words_where_there_is_an_image() {
    let (mine, store) = (made("one"), eda::Store::default());
    let found = |made: &Made, is_artifactory| {
        let emitted = eda::manifest(made.exported(), &place(is_artifactory), &store);
        emitted.findings.into_iter().find(|finding| finding.code == Code::EdaArtifactory)
    };
    let finding = found(&mine, true).unwrap();
    assert!(
        finding
            .text
            .contains("Artifactory currently doesn't support OCI compliant images with embedded")
    );
    assert!(finding.remedy.contains("Harbor") && finding.text.contains("untested"));
    assert_eq!(found(&mine, false), None);
    assert_eq!(found(&made("one").with(|image| image.kept = true), true), None);
}

#[test]
fn keys_that_look_alike_stay_apart() {
    let mut application = made("whole").application();
    application.secrets.insert("my-keys".to_owned(), Vec::new());
    application.secrets.insert("my.keys".to_owned(), Vec::new());
    let alike = [("A", "my.keys", "one"), ("B", "my-keys", "one"), ("C", "my.keys", "one")];
    application.workloads[0].containers[0].env = alike
        .map(|(name, secret, key)| Variable {
            name: name.to_owned(),
            setting: Setting::Secret { name: secret.to_owned(), key: key.to_owned() },
        })
        .to_vec();
    let emitted = avassa::application(&application, None);
    let service = &emitted.files[0].documents[0].value["services"][0];
    let env = &service["containers"][0]["env"];
    assert_eq!(env["A"], env["C"]);
    assert_ne!(env["A"], env["B"]);
    let secrets: Vec<_> = service["variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["value-from-vault-secret"]["secret"].clone())
        .collect();
    assert_eq!(secrets, ["my-keys-2", "my-keys"]);
}

#[test]
fn values_of_secrets_are_written_where_they_are_to_be_and_are_text() {
    let saying = |value: &[u8]| made("whole").saying("keys", "one", value);
    let all = |made: Made| {
        let application = made.application();
        let placing = Placing::default();
        let store = eda::Store { trio: true, bundle: true, ..eda::Store::default() };
        [
            avassa::application(&application, None),
            iofog::application(&application, &placing),
            iofog::microservices(&application, &placing),
            eda::manifest(made.exported(), &place(false), &store),
        ]
        .map(|emitted| shown(&emitted))
    };
    for text in all(saying(b"v4lue of one")) {
        assert!(text.contains("v4lue of one") && !text.contains("<one of keys>"), "{text}");
        assert!(text.contains("<two of keys>"), "what is not read: {text}");
    }
    for text in all(saying(&[0xff])) {
        assert!(text.contains("<one of keys>"), "{text}");
    }
}

#[test]
fn the_login_of_the_registry_is_for_its_own_host_alone() {
    let login =
        Login { username: Username::Hidden("ann".into()), password: Some("p4ssword".into()) };
    let store =
        eda::Store { trio: true, bundle: true, login: Some(login), ..eda::Store::default() };
    let made = made("whole").with(|image| {
        if image.key == "web" {
            image.address = "other.example/web".to_owned();
        }
    });
    let emitted = eda::manifest(made.exported(), &place(false), &store);
    let of = |path: &str| emitted.files.iter().find(|file| file.path == path).unwrap();
    let store = text(&of("store.yaml").documents);
    assert_eq!(store.matches("p4ssword").count(), 1, "not for the catalog: {store}");
    let bundle = text(&of("bundle.yaml").documents);
    assert_eq!(bundle.matches("cDRzc3dvcmQ=").count(), 1, "{bundle}");
    assert!(bundle.contains("<password in base64>"), "{bundle}");
}

#[test]
fn a_registry_that_eda_has_is_not_declared_again() {
    let kinds = |has_registry| {
        let store = eda::Store { trio: true, has_registry, ..eda::Store::default() };
        let emitted = eda::manifest(made("whole").exported(), &place(false), &store);
        let file = emitted.files.into_iter().find(|file| file.path == "store.yaml").unwrap();
        let kinds =
            file.documents.into_iter().map(|of| of.value["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(kinds(false), ["Secret", "Registry", "Secret", "Catalog"]);
    assert_eq!(kinds(true), ["Secret", "Catalog"]);
}
