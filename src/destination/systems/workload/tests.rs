use serde_json::{Value, json};

use super::*;
use crate::app::Object;
use crate::cluster;
use crate::destination::systems::fixtures::file;

/// An application of the objects of a file, each container's image pushed to `r.example:5000/team`.
pub(crate) struct Made {
    app: App,
    version: semver::Version,
    images: Vec<Shipped>,
    secrets: SecretValues,
}

/// As `tests/fixtures/systems/made/application-….yaml` has it.
pub(crate) fn made(name: &str) -> Made {
    let name = format!("made/application-{name}.yaml");
    made_of(&file(&name))
}

/// The same of the objects of a text.
pub(crate) fn made_of(text: &str) -> Made {
    let documents = cluster::parsed("made", text).unwrap();
    let objects: Vec<Object> = documents.into_iter().map(|of| Object::new(of).unwrap()).collect();
    let images = objects.iter().flat_map(images).collect();
    let secrets = json!([{"name": "keys", "keys": ["one", "two"], "complete": true,
        "optional": false, "usedBy": []}]);
    let app = json!({"name": "shop", "namespace": "team", "foundBy": "namespace",
        "objects": objects, "images": [], "secrets": secrets, "pullSecrets": [],
        "requirements": [], "findings": []});
    Made {
        app: serde_json::from_value(app).unwrap(),
        version: "2026.1126.1".parse().unwrap(),
        images,
        secrets: SecretValues::default(),
    }
}

fn images(object: &Object) -> Vec<Shipped> {
    let Some(Value::Array(containers)) = object.at("/spec/template/spec/containers") else {
        return Vec::new();
    };
    let image = |(at, container): (usize, &Value)| Shipped {
        key: container["name"].as_str().unwrap().to_owned(),
        address: "r.example:5000/team/shop".to_owned(),
        tag: Some(format!("{}-1", container["name"].as_str().unwrap())),
        digest: format!("sha256:{at:064}"),
        kept: false,
        uses: vec![ContainerRef {
            object: object.id(),
            pointer: format!("/spec/template/spec/containers/{at}"),
            container: String::new(),
        }],
    };
    containers.iter().enumerate().map(image).collect()
}

impl Made {
    /// It, as it was exported.
    pub(crate) fn exported(&self) -> Exported<'_> {
        let Self { app, version, images, secrets } = self;
        Exported { app, version, images, secrets }
    }

    /// The same with a value of its Secret that is to be written.
    pub(crate) fn saying(mut self, secret: &str, key: &str, value: &[u8]) -> Self {
        let keys = self.secrets.0.entry(secret.to_owned()).or_default();
        keys.insert(key.to_owned(), value.to_vec().into());
        self
    }

    /// The model of it.
    pub(crate) fn application(&self) -> Application {
        application(self.exported())
    }

    /// With other images.
    pub(crate) fn with(mut self, change: impl Fn(&mut Shipped)) -> Self {
        self.images.iter_mut().for_each(change);
        self
    }
}

fn lost(application: &Application) -> Vec<String> {
    let named = |lost: &Lost| {
        format!(
            "{} {} {}",
            lost.object.kind,
            lost.object.name,
            lost.field.clone().unwrap_or_default()
        )
    };
    application.lost.iter().map(|lost| named(lost).trim_end().to_owned()).collect()
}

#[test]
fn an_application_is_its_containers_with_what_they_are_given() {
    let application = made("whole").application();
    let [web, db] = &application.workloads[..] else { panic!("{application:#?}") };
    assert_eq!((web.replicas, db.replicas), (3, 1));
    let container = &web.containers[0];
    assert_eq!(container.image.as_ref().unwrap().tagged(), "r.example:5000/team/shop:web-1");
    let env = container.env.iter().map(|of| (of.name.as_str(), of.setting.clone()));
    let text = |text: &str| Setting::Text(text.to_owned());
    let secret = |key: &str| Setting::Secret { name: "keys".into(), key: key.into() };
    let expected = [
        ("COLOUR", text("red")),
        ("shade", text("dark")),
        ("one", secret("one")),
        ("two", secret("two")),
        ("HOST", text("db")),
        ("URL", text("postgres://db/$HOME/$(NOBODY)")),
        ("SHADE", text("dark")),
        ("ONE", secret("one")),
        ("WITH_SECRET", text("x-$(ONE)")),
    ];
    assert_eq!(env.collect::<Vec<_>>(), expected);
    assert_eq!(container.arguments, ["--db=db", "$(x)"]);
    assert_eq!((container.user, container.group), (Some(1000), Some(2000)));
    assert_eq!((container.cpu_millis, container.memory), (Some(500), Some(128 << 20)));
    let (container, protocol) = ("web".to_owned(), "tcp".to_owned());
    let exposed = Exposed { container, internal: 8080, external: 80, protocol };
    assert_eq!(web.exposed, [exposed]);
    let contents: Vec<_> = web.volumes.iter().map(|volume| volume.content.clone()).collect();
    let files = [("colours.txt".to_owned(), "red".to_owned())];
    assert_eq!(
        contents,
        [
            Content::Files(files.into()),
            Content::Scratch(Some(1 << 30)),
            Content::Secret("keys".to_owned()),
            Content::Host("/dev/shm".to_owned()),
        ]
    );
    let claim = "data-db-0".to_owned();
    assert_eq!(db.volumes[0].content, Content::Kept { claim, size: Some(5 << 30) });
}

#[test]
fn what_nobody_has_a_place_for_is_named() {
    let application = made("whole").application();
    assert_eq!(
        lost(&application),
        [
            "Deployment web spec.template.spec.nodeSelector",
            "Deployment web spec.template.spec.volumes.4",
            "Deployment web spec.template.spec.containers.0.livenessProbe",
            "Deployment web spec.template.spec.containers.0.resources.requests",
            "Deployment web spec.template.spec.containers.0.env.NODE",
            "Deployment web spec.template.spec.containers.0.env.WITH_SECRET",
            "HorizontalPodAutoscaler web",
            "Service web",
        ]
    );
}
