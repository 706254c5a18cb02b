//! What an application asks of a cluster: field by field, and that an ordinary one asks little.

mod any;
mod pod_security;

use outhaul::app::{App, Code, Finding, Options, Origin, Selection, assemble};
use serde_json::{Value, json};

use super::{cluster, snapshot, yaml};

fn app(objects: &str) -> App {
    let all = Selection::All { name: "shop".to_owned() };
    let options = Options::default();
    assemble(&snapshot(Origin::Manifests, yaml(objects)), &all, &options).unwrap()
}

/// Code and field of what is said of the place, and not of how much of it goes along.
fn said(app: &App) -> Vec<String> {
    const BESIDES: [Code; 3] =
        [Code::SecretKeysUnknown, Code::VolumeDataNotExported, Code::PodSecurityBaseline];
    let findings = app.findings.iter().filter(|finding| !BESIDES.contains(&finding.code));
    findings.map(line).collect()
}

fn line(finding: &Finding) -> String {
    let field = finding.field.as_deref().map(|field| format!(" {field}"));
    format!("{}{}", finding.code, field.unwrap_or_default())
}

fn object(head: &str, rest: &Value) -> App {
    let (api_version, kind) = head.rsplit_once(' ').unwrap();
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
    object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    object["metadata"]["name"] = "x".into();
    app(&object.to_string())
}

fn deployment(template: &Value) -> App {
    let mut template = template.clone();
    template["metadata"]["labels"]["app"] = "x".into();
    if template.pointer("/spec/containers").is_none() {
        template["spec"]["containers"] = json!([{"name": "a", "image": "example.org/a:1"}]);
    }
    object("apps/v1 Deployment", &json!({"spec": {"template": template}}))
}

/// One field below the pod's spec, what is said of it, and where; nothing where nothing is to say.
#[test]
fn every_field_of_a_pod_that_binds_it_to_a_place() {
    let required = |rules: Value| {
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            {"nodeSelectorTerms": [{"matchExpressions": [rules]}]}}}})
    };
    let container = |fields: Value| {
        let mut container = json!({"name": "a", "image": "example.org/a:1"});
        container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"containers": [container]})
    };
    let zone = "topology.kubernetes.io/zone";
    let at_affinity = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.\
                       nodeSelectorTerms[0].matchExpressions[0]";
    for (spec, expected) in [
        (
            json!({"hostNetwork": true}),
            vec!["HOST_ACCESS hostNetwork", "POD_SECURITY_PRIVILEGED hostNetwork"],
        ),
        (json!({"hostNetwork": false}), vec![]),
        (
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/var/lib"}}]}),
            vec![
                "HOST_PATH volumes[0].hostPath.path",
                "POD_SECURITY_PRIVILEGED volumes[0].hostPath",
            ],
        ),
        (
            container(json!({"ports": [{"containerPort": 80, "hostPort": 80}]})),
            vec![
                "HOST_ACCESS containers[0].ports[0].hostPort",
                "POD_SECURITY_PRIVILEGED containers[0].ports[0].hostPort",
            ],
        ),
        (container(json!({"ports": [{"containerPort": 80}]})), vec![]),
        (
            json!({"volumes": [{"name": "v", "nfs": {"server": "nfs.local", "path": "/"}}]}),
            vec!["VOLUME_EXTERNAL volumes[0].nfs"],
        ),
        (
            json!({"volumes": [{"name": "v", "csi": {"driver": "efs.csi.aws.com"}}]}),
            vec!["CLUSTER_SCOPED_REQUIRED"],
        ),
        (
            json!({"nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}}),
            vec![],
        ),
        (
            json!({"nodeSelector": {"kubernetes.io/os": "windows"}}),
            vec![r#"NODE_LABEL_REQUIRED nodeSelector["kubernetes.io/os"]"#],
        ),
        (
            json!({"nodeSelector": {"cloud.google.com/gke-nodepool": "big"}}),
            vec![r#"NODE_LABEL_REQUIRED nodeSelector["cloud.google.com/gke-nodepool"]"#],
        ),
        (json!({"nodeName": "worker-1"}), vec!["NODE_LABEL_REQUIRED nodeName"]),
        (
            required(json!({"key": zone, "operator": "In", "values": ["eu-1a"]})),
            vec![&*format!("NODE_LABEL_REQUIRED {at_affinity}")],
        ),
        (required(json!({"key": "spot", "operator": "DoesNotExist"})), vec![]),
        (
            required(
                json!({"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]}),
            ),
            vec![],
        ),
        (
            json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution":
            [{"weight": 1, "preference": {"matchExpressions": [{"key": zone, "operator": "Exists"}]}}]}}}),
            vec![],
        ),
        (
            json!({"topologySpreadConstraints": [{"topologyKey": zone, "whenUnsatisfiable": "ScheduleAnyway"}]}),
            vec![],
        ),
        (
            json!({"topologySpreadConstraints": [{"topologyKey": zone, "whenUnsatisfiable": "DoNotSchedule"}]}),
            vec!["NODE_LABEL_REQUIRED topologySpreadConstraints[0].topologyKey"],
        ),
        (
            json!({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]}),
            vec![],
        ),
        (json!({"tolerations": [{"operator": "Exists"}]}), vec![]),
        (
            json!({"tolerations": [{"key": "dedicated", "operator": "Exists"}]}),
            vec!["NODE_TAINT_TOLERATED tolerations[0].key"],
        ),
        (
            container(
                json!({"resources": {"limits": {"nvidia.com/gpu": 1, "cpu": 1}, "requests": {"nvidia.com/gpu": 1}}}),
            ),
            vec![r#"NODE_RESOURCE_REQUIRED containers[0].resources.limits["nvidia.com/gpu"]"#],
        ),
        (json!({"runtimeClassName": "gvisor"}), vec!["CLUSTER_SCOPED_REQUIRED"]),
        (json!({"priorityClassName": "system-node-critical"}), vec![]),
        (json!({"schedulerName": "volcano"}), vec!["ADDON_REQUIRED schedulerName"]),
        (
            json!({"hostAliases": [{"ip": "10.1.2.3", "hostnames": ["db"]}]}),
            vec!["ADDRESS_FIXED hostAliases[0].ip"],
        ),
        (
            json!({"initContainers": [{"name": "b", "image": "b", "restartPolicy": "Always"}]}),
            vec!["KUBERNETES_VERSION_REQUIRED initContainers[0].restartPolicy"],
        ),
        (
            container(json!({"env": [{"name": "Q", "value": "amqp://queue.infra.svc"}]})),
            vec!["OTHER_NAMESPACE containers[0].env[0].value"],
        ),
    ] {
        let mut expected: Vec<String> =
            expected.iter().map(|line| line.replacen(' ', " spec.template.spec.", 1)).collect();
        expected.sort();
        let app = deployment(&json!({"spec": spec}));
        let mut found = said(&app);
        found.sort();
        assert_eq!(found, expected, "{spec}: {:#?}", app.findings);
    }
}

#[test]
fn annotations_say_which_cloud_and_which_addons() {
    let annotated = |head: &str, annotations: Value, rest: Value| {
        let mut rest = rest;
        rest["metadata"] = json!({"annotations": annotations});
        said(&object(head, &rest))
    };
    let field = |key: &str| format!("metadata.annotations[{key:?}]");
    let service = json!({"spec": {"type": "LoadBalancer", "selector": {"a": "b"}}});
    let nlb = "service.beta.kubernetes.io/aws-load-balancer-type";
    let internal = "service.beta.kubernetes.io/aws-load-balancer-internal";
    assert_eq!(
        annotated("v1 Service", json!({nlb: "nlb", internal: "true"}), service),
        [format!("CLOUD_ANNOTATION {}", field(nlb)), "LOAD_BALANCER_REQUIRED spec.type".to_owned()]
    );
    let role = "eks.amazonaws.com/role-arn";
    assert_eq!(
        annotated("v1 ServiceAccount", json!({role: "arn:aws:iam::1:role/x"}), json!({})),
        [format!("CLOUD_IDENTITY {}", field(role))]
    );
    let class = json!({"spec": {"ingressClassName": "nginx"}});
    let issuer = json!({"cert-manager.io/cluster-issuer": "letsencrypt"});
    let app = object(
        "networking.k8s.io/v1 Ingress",
        &json!({"metadata": {"annotations": issuer}, "spec": class["spec"]}),
    );
    let needed: Vec<String> = app.requirements.iter().map(|of| of.object.to_string()).collect();
    assert_eq!(needed, ["ClusterIssuer letsencrypt", "IngressClass nginx"]);
    let dns = "external-dns.alpha.kubernetes.io/hostname";
    assert_eq!(
        annotated("networking.k8s.io/v1 Ingress", json!({dns: "shop.example"}), json!({})),
        [format!("ADDON_REQUIRED {}", field(dns)), "DEFAULT_CLASS_REQUIRED".to_owned()]
    );
    let injected = |value: &str| {
        said(&deployment(
            &json!({"metadata": {"annotations": {"linkerd.io/inject": value}}, "spec": {}}),
        ))
    };
    assert_eq!(injected("disabled"), Vec::<String>::new());
    let at = r#"spec.template.metadata.annotations["linkerd.io/inject"]"#;
    assert_eq!(injected("enabled"), [format!("ADDON_REQUIRED {at}")]);
}

#[test]
fn addresses_ports_and_namespaces_of_services_and_policies() {
    for (head, spec, expected) in [
        (
            "v1 Service",
            json!({"type": "ClusterIP", "selector": {"a": "b"}, "externalIPs": ["1.2.3.4"]}),
            vec!["ADDRESS_FIXED spec.externalIPs[0]"],
        ),
        (
            "v1 Service",
            json!({"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80, "nodePort": 30080}, {"port": 81}]}),
            vec!["ADDRESS_FIXED spec.ports[0].nodePort"],
        ),
        (
            "v1 Service",
            json!({"type": "LoadBalancer", "selector": {"a": "b"}, "loadBalancerClass": "internal",
            "loadBalancerSourceRanges": ["10.0.0.0/8", "0.0.0.0/0"]}),
            vec![
                "ADDON_REQUIRED spec.loadBalancerClass",
                "ADDRESS_FIXED spec.loadBalancerSourceRanges[0]",
                "LOAD_BALANCER_REQUIRED spec.type",
            ],
        ),
        (
            "v1 Service",
            json!({"type": "ExternalName", "externalName": "db.data.svc.cluster.local"}),
            vec!["OTHER_NAMESPACE spec.externalName"],
        ),
        ("v1 Service", json!({"type": "ExternalName", "externalName": "db.example.com"}), vec![]),
        (
            "networking.k8s.io/v1 NetworkPolicy",
            json!({"podSelector": {}, "egress": [
            {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]},
            {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]},
            {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}]},
            {"to": [{"ipBlock": {"cidr": "10.20.0.0/16"}}]}]}),
            vec![
                "ADDRESS_FIXED spec.egress[3].to[0].ipBlock.cidr",
                r#"OTHER_NAMESPACE spec.egress[1].to[0].namespaceSelector.matchLabels["kubernetes.io/metadata.name"]"#,
            ],
        ),
        (
            "v1 PersistentVolumeClaim",
            json!({"accessModes": ["ReadWriteMany"], "storageClassName": ""}),
            vec!["SHARED_VOLUME_REQUIRED spec.accessModes"],
        ),
        (
            "v1 PersistentVolumeClaim",
            json!({"accessModes": ["ReadWriteOnce"], "selector": {"matchLabels": {"a": "b"}}}),
            vec!["DEFAULT_CLASS_REQUIRED", "VOLUME_EXTERNAL spec.selector"],
        ),
    ] {
        let app = object(head, &json!({"spec": spec}));
        assert_eq!(said(&app), expected, "{head} {spec}: {:#?}", app.findings);
    }
}

#[test]
fn versions_of_custom_resources_are_those_that_the_definition_serves() {
    let definition = |deprecated: bool| {
        format!(
            "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: databases.db.example}}
spec:
  group: db.example
  names: {{plural: databases, kind: Database}}
  versions:
  - {{name: v1alpha1, served: false, storage: false}}
  - {{name: v1beta1, served: true, storage: false, deprecated: {deprecated}}}
  - {{name: v1, served: true, storage: true}}
---
"
        )
    };
    let of = |version: &str, deprecated: bool| {
        let database =
            format!("apiVersion: db.example/{version}\nkind: Database\nmetadata: {{name: main}}\n");
        app(&(definition(deprecated) + &database))
    };
    let app = of("v1beta1", false);
    assert_eq!(said(&app), ["CLUSTER_SCOPED_REQUIRED"]);
    let text = "CustomResourceDefinition databases.db.example is needed by Database main in version \
                v1beta1 (stored as v1)";
    assert_eq!(app.findings[0].text, text);
    assert_eq!(
        said(&of("v1beta1", true)),
        ["API_DEPRECATED apiVersion", "CLUSTER_SCOPED_REQUIRED"]
    );
    assert_eq!(said(&of("v1alpha1", false)), ["API_REMOVED apiVersion", "CLUSTER_SCOPED_REQUIRED"]);
}

#[test]
fn a_gateway_of_ones_own_is_not_required() {
    let route = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec: {parentRefs: [{name: own}, {name: shared, namespace: infra}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: own}
spec: {gatewayClassName: envoy}
";
    let needed: Vec<String> = app(route)
        .requirements
        .iter()
        .filter(|of| of.object.kind.starts_with("Gateway"))
        .map(|of| of.object.to_string())
        .collect();
    assert_eq!(needed, ["Gateway infra/shared", "GatewayClass envoy"]);
}

#[test]
fn webhooks_that_call_the_application_are_required() {
    let webhook = |name: &str, namespace: &str| {
        format!(
            "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {name}}}
webhooks: [{{name: a.example.org, clientConfig: {{service: {{name: guard, namespace: {namespace}}}}}}}]
---"
        )
    };
    let service = "
apiVersion: v1
kind: Service
metadata: {name: guard}
spec: {selector: {a: b}}
";
    let app = app(&(webhook("ours", "shop") + &webhook("theirs", "other") + service));
    // The other one is not the application's, and does not get lost without a word.
    assert_eq!(said(&app), ["CLUSTER_SCOPED_REQUIRED", "NOT_EXPORTED"]);
    assert_eq!(app.requirements[0].object.to_string(), "ValidatingWebhookConfiguration ours");
}

#[test]
fn what_the_namespace_asks_for_all_its_pods_is_said() {
    let objects = yaml(
        "
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: shop}
",
    );
    let all = Selection::All { name: "shop".to_owned() };
    let app = assemble(&snapshot(cluster(), objects), &all, &Options::default()).unwrap();
    assert!(said(&app).contains(&"ADDON_REQUIRED metadata.labels.istio-injection".to_owned()));
}

/// An ordinary web application with a database: nothing of it needs a warning that was not one
/// before, but that its volumes stay behind and that its class must be there.
#[test]
fn the_example_gives_no_noise() {
    let files = ["api.yaml", "config.yaml", "db.yaml", "web.yaml"].map(|file| {
        let path = format!("{}/examples/shop/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    });
    let app = app(&files.join("\n---\n"));
    let codes: Vec<&str> = app.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "CLUSTER_SCOPED_REQUIRED",
            "DEFAULT_CLASS_REQUIRED",
            "POD_SECURITY_BASELINE",
            "VOLUME_DATA_NOT_EXPORTED",
            "VOLUME_DATA_NOT_EXPORTED",
        ]
    );
}
