//! Setting a value changes what it says, and nothing else.

use super::oracle::{Objects, differences, packed, rendered, rendered_each};
use super::shop;
use crate::support::helm::Helm;

/// What is set, and what that changes.
const OVERRIDES: &[(&[&str], &[&str])] = &[
    (&["--set", "workloads.api.replicas=0"], &["Deployment api/spec/replicas: 2 → 0"]),
    (&["--set", "workloads.api.replicas=null"], &["Deployment api/spec/replicas: 2 → -"]),
    (
        &["--set", "workloads.api.containers.api.env.LOG_LEVEL=debug"],
        &[r#"Deployment api/spec/template/spec/containers/0/env/0/value: "info" → "debug""#],
    ),
    (
        &["--set", "workloads.api.containers.api.env.WORKERS=8"],
        &[r#"Deployment api/spec/template/spec/containers/0/env/3/value: "4" → "8""#],
    ),
    (
        &["--set-json", r#"workloads.api.containers.api.env={"my.dotted-name":"{{ x }} \"y\""}"#],
        &[
            r#"Deployment api/spec/template/spec/containers/0/env/4/value: "{{ not helm }}" → "{{ x }} \"y\"""#,
        ],
    ),
    (
        &[
            "--set",
            "workloads.deployment-web.containers.nginx.env.Z=1,workloads.deployment-web.containers.nginx.env.A=x",
        ],
        &[
            r#"Deployment web/spec/template/spec/containers/0/env: - → [{"name":"A","value":"x"},{"name":"Z","value":"1"}]"#,
        ],
    ),
    (
        &[
            "--set",
            "workloads.api.containers.migrate.env.PGHOST=null,workloads.api.containers.migrate.env.NEW=x",
        ],
        &[
            r#"Deployment api/spec/template/spec/initContainers/0/env/0/name: "PGHOST" → "NEW""#,
            r#"Deployment api/spec/template/spec/initContainers/0/env/0/value: "db" → "x""#,
        ],
    ),
    (
        &["--set", "workloads.api.containers.api.resources.limits.memory=1Gi"],
        &[
            r#"Deployment api/spec/template/spec/containers/0/resources/limits/memory: "256Mi" → "1Gi""#,
        ],
    ),
    (
        &["--set", "workloads.deployment-web.containers.nginx.resources.requests.cpu=1"],
        &[
            r#"Deployment web/spec/template/spec/containers/0/resources: - → {"requests":{"cpu":1}}"#,
        ],
    ),
    (
        &["--set-json", r#"workloads.db.nodeSelector={"disk":"ssd"}"#],
        &[r#"StatefulSet db/spec/template/spec/nodeSelector: - → {"disk":"ssd"}"#],
    ),
    (
        &["--set-json", "workloads.api.tolerations=[]"],
        &[
            r#"Deployment api/spec/template/spec/tolerations: [{"effect":"NoExecute","key":"spot","operator":"Exists","tolerationSeconds":3600}] → -"#,
        ],
    ),
    (
        &["--set-json", r#"workloads.cronjob-web.affinity={"nodeAffinity":{}}"#],
        &[r#"CronJob web/spec/jobTemplate/spec/template/spec/affinity: - → {"nodeAffinity":{}}"#],
    ),
    (&["--set", "workloads.deployment-web.containers.nginx.image=postgres"], &[IMAGE_SWITCHED]),
    (&["--set", "images.nginx.digest="], &[IMAGE_BY_TAG]),
    (&["--set", "cronJobs.web.suspend=true"], &["CronJob web/spec/suspend: - → true"]),
    (
        &["--set", "services.web.type=ClusterIP"],
        &[
            r#"Service web/spec/externalTrafficPolicy: "Local" → -"#,
            "Service web/spec/ports/0/nodePort: 30080 → -",
            r#"Service web/spec/type: "LoadBalancer" → "ClusterIP""#,
        ],
    ),
    (
        &["--set", "services.db.annotations.note=x"],
        &[r#"Service db/metadata/annotations: - → {"note":"x"}"#],
    ),
    (&["--set", "ingresses.shop.enabled=false"], &["Ingress shop: … → -"]),
    (
        &["--set", "ingresses.shop.className="],
        &[r#"Ingress shop/spec/ingressClassName: "nginx" → -"#],
    ),
    (
        &["--set", r"ingresses.shop.hosts.shop\.example\.com=shop.test"],
        &[
            r#"Ingress shop/spec/rules/0/host: "shop.example.com" → "shop.test""#,
            r#"Ingress shop/spec/tls/0/hosts/0: "shop.example.com" → "shop.test""#,
        ],
    ),
    (
        &["--set", "ingresses.shop.tls.shop-tls=other"],
        &[r#"Ingress shop/spec/tls/0/secretName: "shop-tls" → "other""#],
    ),
    (
        &["--set", "secrets.shop-tls.name=our-tls"],
        &[
            r#"Deployment api/spec/template/spec/volumes/1/projected/sources/0/secret/name: "shop-tls" → "our-tls""#,
            r#"Deployment web/spec/template/spec/volumes/1/secret/secretName: "shop-tls" → "our-tls""#,
            r#"Ingress shop/spec/tls/0/secretName: "shop-tls" → "our-tls""#,
        ],
    ),
    (
        &[
            "--set",
            "configs.shop-config.data.port=80",
            "--set-string",
            "configs.shop-config.data.port=80",
        ],
        &[r#"ConfigMap shop-config/data/port: "8080" → "80""#],
    ),
    (
        &["--set-string", "configs.shop-config.data.new=x"],
        &[r#"ConfigMap shop-config/data/new: - → "x""#],
    ),
    (
        &["--set", "storage.uploads.storageClassName=null", "--set", "storage.uploads.size=6Gi"],
        &[
            r#"PersistentVolumeClaim uploads/spec/resources/requests/storage: "5Gi" → "6Gi""#,
            r#"PersistentVolumeClaim uploads/spec/storageClassName: "standard" → -"#,
        ],
    ),
    (
        &["--set", "storage.data-db.storageClassName="],
        &[r#"StatefulSet db/spec/volumeClaimTemplates/0/spec/storageClassName: - → """#],
    ),
    (
        &["--set-json", "serviceAccounts.api.annotations=null"],
        &[
            r#"ServiceAccount api/metadata/annotations: {"eks.amazonaws.com/role-arn":"arn:aws:iam::123456789012:role/shop"} → -"#,
        ],
    ),
    (
        &["--set", "clusterScoped.create=false"],
        &["ClusterRole shop-nodes: … → -", "ClusterRoleBinding shop-nodes: … → -"],
    ),
];

const IMAGE_SWITCHED: &str = "Deployment web/spec/template/spec/containers/0/image: \
    \"registry.example.com/team/shop-shop-image@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\" → \
    \"registry.example.com/team/shop-shop-image@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\"";

const IMAGE_BY_TAG: &str = "Deployment web/spec/template/spec/containers/0/image: \
    \"registry.example.com/team/shop-shop-image@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\" → \
    \"registry.example.com/team/shop-shop-image:nginx-1.27-bbbbbbbbbbbb\"";

#[test]
fn each_value_changes_what_it_says_and_nothing_else() {
    let chart = shop::chart();
    for helm in Helm::both() {
        let args = OVERRIDES.iter().map(|(args, _)| *args);
        let args: Vec<&[&str]> = std::iter::once(&[][..]).chain(args).collect();
        let rendered = rendered_each(&helm, &chart, &args);
        for ((args, changes), after) in OVERRIDES.iter().zip(&rendered[1..]) {
            assert_eq!(differences(&rendered[0], after), *changes, "{args:?}");
        }
    }
}

#[test]
fn one_registry_for_all_images() {
    for helm in Helm::both() {
        let (chart, set) = (shop::chart(), "global.imageRegistry=mirror.test:5000/a/b/");
        let changes =
            differences(&rendered(&helm, &chart, &[]), &rendered(&helm, &chart, &["--set", set]));
        assert_eq!(changes.len(), 6, "{changes:#?}"); // containers and a custom resource
        for change in changes {
            assert!(change.contains("/image: "), "{change}");
            assert!(change.contains("\"mirror.test:5000/a/b/shop-shop-image@sha256:"), "{change}");
        }
    }
}

#[test]
fn pull_secrets_reach_every_pod_as_names_or_objects() {
    for helm in Helm::both() {
        let set = r#"imagePullSecrets=["one",{"name":"two"}]"#;
        let chart = shop::chart();
        let changes = differences(
            &rendered(&helm, &chart, &[]),
            &rendered(&helm, &chart, &["--set-json", set]),
        );
        assert_eq!(changes.len(), 4, "{changes:#?}");
        for change in changes {
            assert!(
                change.ends_with(r#"/spec/imagePullSecrets: - → [{"name":"one"},{"name":"two"}]"#),
                "{change}"
            );
        }
    }
}

#[test]
fn a_suffix_renames_cluster_scoped_objects_and_what_refers_to_them() {
    for helm in Helm::both() {
        let after = rendered(&helm, &shop::chart(), &["--set", "clusterScoped.nameSuffix=-two"]);
        assert!(after.contains_key("ClusterRole shop-nodes-two"));
        let binding = &after["ClusterRoleBinding shop-nodes-two"];
        assert_eq!(binding["roleRef"]["name"], "shop-nodes-two");
        assert_eq!(after["RoleBinding api"]["roleRef"]["name"], "api");
    }
}

#[test]
fn what_is_no_value_is_refused() {
    for helm in Helm::both() {
        let file = packed(&helm, &shop::chart());
        for set in [
            "replicas=3",
            "workloads.web.replicas=3",
            "workloads.api.replica=3",
            "workloads.api.replicas=-1",
            "workloads.api.containers.api.image=other",
            "workloads.api.containers.api.env.DB_PASSWORD=x", // the template has it from a Secret
            r#"workloads.api.containers.api.env.A\=B=x"#,
            "workloads.api.containers.api.env.WORKERS=10000000", // Go would print 1e+07
            "workloads.api.containers.api.resources.limits.memory=much",
            "images.api.digest=sha256:beef",
            "services.api.type=ExternalName",
            "ingresses.shop.hosts.other=x",
            "storage.uploads.size=big",
            "secrets.shop-db.data.other=x",
        ] {
            let output = helm.run(&["template", "shop", &file, "--set", set]);
            assert!(output.code != 0 && output.mentions("schema"), "{set}: {}", output.stderr);
        }
        for set in ["global.other=1", "enabled=false"] {
            helm.run(&["template", "shop", &file, "--set", set]).ok();
        }
    }
}

#[test]
fn variables_can_be_added_and_taken_out() {
    let env = |objects: &Objects| {
        let api = &objects["Deployment api"]["spec"]["template"]["spec"]["containers"][0];
        let names = api["env"].as_array().unwrap().iter();
        names.map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let chart = shop::chart();
    for helm in Helm::both() {
        let set = r#"workloads.api.containers.api.env={"WORKERS":null,"my.dotted-name":null,
            "Z":"{{ z }}: #","B":2,"NOT":null}"#;
        let all = rendered_each(&helm, &chart, &[&[], &["--set-json", set]]);
        let taken_out = ["WORKERS", "my.dotted-name"].map(str::to_owned);
        let mut expected = env(&all[0]);
        expected.retain(|name| !taken_out.contains(name));
        expected.extend(["B", "Z"].map(str::to_owned));
        assert_eq!(env(&all[1]), expected);
        let api = &all[1]["Deployment api"]["spec"]["template"]["spec"]["containers"][0];
        let added = api["env"].as_array().unwrap().last().unwrap();
        assert_eq!(*added, serde_json::json!({"name": "Z", "value": "{{ z }}: #"}));
    }
}
