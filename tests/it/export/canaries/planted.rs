//! Secrets of every kind, in every place that a Secret has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::export::shop::Shop;

/// Secrets that the application uses, and a value of each.
pub(super) const USED: [(&str, &str); 8] = [
    ("by-data", "canary-of-data-7c1e"),
    ("by-string-data", "canary-of-string-data-90ab"),
    ("by-file", "canary-of-a-file-55d2"),
    ("certificate", "canary-of-a-tls-key-31b7"),
    ("login", "canary-of-basic-auth-c0de"),
    ("deploy-key", "canary-of-an-ssh-key-a9f2"),
    ("registries", "canary-of-a-docker-config-6e4d"),
    ("of-epinio", "canary-of-a-configuration-8b13"),
];

/// Values that belong to the cluster, its registries, or others: no policy takes them along.
pub(super) const NEVER: [&str; 6] = [
    "canary-of-a-pull-secret-b7f3",
    "canary-of-a-token-22e8",
    "canary-of-a-release-e410",
    "canary-of-a-bootstrap-token-d52c",
    "canary-of-others-f00d",
    "s3cret", // the destination's password
];

/// The application uses Secrets of each kind, in each way, a pull secret and a token; helm, kubeadm
/// and others have Secrets beside it. All of them are applied, so that they have `managedFields`.
fn plant(shop: &Shop<'_>) {
    let [data, string_data, file, key, login, ssh, registries, epinio] =
        USED.map(|(_, value)| value);
    let [pull, token, release, bootstrap, others, _] = NEVER;
    let auths = |host: &str, password: &str| {
        format!(r#"{{"auths": {{"{host}": {{"username": "u", "password": "{password}"}}}}}}"#)
    };
    let (docker, registries) = (auths("old.example", pull), auths("mirror.example", registries));
    let applied = format!(r#"{{"stringData": {{"key": "{string_data}"}}}}"#);
    let image = format!("{}/shop/web:1.4.2", shop.sources.address());
    let [data, token, release] = [data, token, release].map(|text| STANDARD.encode(text));
    let binary = STANDARD.encode([&[0xff, 0xfe], file.as_bytes()].concat());
    shop.namespace.apply(&format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: canary, labels: {{app.kubernetes.io/name: shop}}}}
spec:
  selector: {{matchLabels: {{app: canary}}}}
  template:
    metadata: {{labels: {{app: canary}}}}
    spec:
      imagePullSecrets: [{{name: pull}}]
      containers:
        - name: main
          image: {image}
          env:
            - {{name: A, valueFrom: {{secretKeyRef: {{name: by-data, key: key}}}}}}
            - {{name: B, valueFrom: {{secretKeyRef: {{name: login, key: password}}}}}}
          envFrom: [{{secretRef: {{name: by-string-data}}}}]
          volumeMounts: [{{name: epinio, mountPath: /configurations/of-epinio}}]
      volumes:
        - {{name: file, secret: {{secretName: by-file}}}}
        - {{name: token, secret: {{secretName: token}}}}
        - {{name: certificate, secret: {{secretName: certificate}}}}
        - {{name: registries, secret: {{secretName: registries}}}}
        - {{name: epinio, secret: {{secretName: of-epinio}}}}
        - {{name: keys, projected: {{sources: [{{secret: {{name: deploy-key}}}}]}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: by-data}}, data: {{key: {data}}}}}
---
apiVersion: v1
kind: Secret
metadata:
  name: by-string-data
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{applied}'
    note: it is {string_data}
stringData: {{key: {string_data}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: by-file}}, immutable: true, data: {{odd.name_1-: {binary}, empty: ''}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: certificate}}, type: kubernetes.io/tls,
  stringData: {{tls.crt: public, tls.key: {key}}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: login}}, type: kubernetes.io/basic-auth,
  stringData: {{username: carol, password: {login}}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: deploy-key}}, type: kubernetes.io/ssh-auth,
  stringData: {{ssh-privatekey: {ssh}}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: registries}}, type: kubernetes.io/dockerconfigjson,
  stringData: {{.dockerconfigjson: '{registries}'}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: of-epinio,
  labels: {{epinio.io/configuration: 'true', epinio.io/configuration-type: custom}}}},
  stringData: {{password: {epinio}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: token, annotations: {{kubernetes.io/service-account.name: robot}}}}
type: kubernetes.io/service-account-token
data: {{token: {token}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: pull}}, type: kubernetes.io/dockerconfigjson,
  stringData: {{.dockerconfigjson: '{docker}'}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: sh.helm.release.v1.other.v1, labels: {{owner: helm, name: other, app.kubernetes.io/name: shop}}}}
type: helm.sh/release.v1
data: {{release: {release}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: bootstrap-token-07401b, labels: {{app.kubernetes.io/name: shop}}}}
type: bootstrap.kubernetes.io/token
stringData: {{token-id: 07401b, token-secret: {bootstrap}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: others}}, stringData: {{key: {others}}}}}
"
    ));
}

/// Every canary.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    USED.into_iter().map(|(_, canary)| canary).chain(NEVER)
}

/// The shop, with all of them.
pub(super) fn planted() -> Shop<'static> {
    let shop = Shop::start();
    plant(&shop);
    shop
}
