//! A client that shares no code with ours reads what was exported.

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig};
use oci_client::manifest::{OCI_IMAGE_INDEX_MEDIA_TYPE, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};

use super::shop::{Shop, version};
use crate::support::block_on;

#[test]
fn oci_client_pulls_the_chart_and_the_images() {
    let shop = Shop::start();
    let report = shop.export(&[]).ok();
    let auth = RegistryAuth::Basic("carol".into(), "s3cret".into());
    let root = Certificate {
        encoding: CertificateEncoding::Pem,
        data: shop.destination.ca_pem().as_bytes().to_vec(),
    };
    let config = ClientConfig { extra_root_certificates: vec![root], ..ClientConfig::default() };
    let client = Client::try_from(config).unwrap();
    let host = shop.destination.address();
    block_on(async {
        let chart = format!("{host}/{}:{}", shop.chart_repository(), version(&report));
        let chart: Reference = chart.parse().unwrap();
        let types = vec!["application/vnd.cncf.helm.chart.content.v1.tar+gzip"];
        let pulled = client.pull(&chart, &auth, types).await.unwrap();
        assert_eq!(pulled.layers.len(), 1);
        let config: serde_json::Value = serde_json::from_slice(&pulled.config.data).unwrap();
        assert_eq!(config["version"], version(&report));
        for (_, digest) in &shop.images {
            let image = format!("{host}/{}@{digest}", shop.image_repository()).parse().unwrap();
            let (manifest, found) = client.pull_manifest(&image, &auth).await.unwrap();
            assert_eq!(&found, digest);
            let OciManifest::ImageIndex(index) = manifest else { panic!("no index") };
            assert_eq!(index.media_type.as_deref(), Some(OCI_IMAGE_INDEX_MEDIA_TYPE));
            for child in index.manifests {
                let child = format!("{host}/{}@{}", shop.image_repository(), child.digest);
                let image = client
                    .pull(
                        &child.parse().unwrap(),
                        &auth,
                        vec!["application/vnd.oci.image.layer.v1.tar+gzip"],
                    )
                    .await
                    .unwrap();
                assert_eq!(image.layers.len(), 2);
            }
        }
    });
}
