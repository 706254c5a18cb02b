//! `Application` of `iofog.org/v3`, for Java agents.

use serde_json::{Map, Value, json};

use super::{
    Microservice, Placing, container, copies, name, open_rows, registry, split, steps, told,
};
use crate::app::{Code, Finding};
use crate::destination::iofog::CERTIFICATE_UNUSED;
use crate::destination::iofog::new::is_template;
use crate::destination::iofog::resolve::unpullable;
use crate::destination::systems::{
    Content, Document, Emitted, File, Image, Lost, ModelledApplication, Setting, System,
    fill_secret,
};

/// The agent that is found first, as the vendor's example has it ("Registry Example").
const FIND_AGENT: &str =
    "{% raw %} {% assign agent = \"\" | findAgent | first %} {% endraw %}{{ agent.name }}";

/// Name of the file.
const FILE: &str = "application.yaml";

/// One microservice for each container, with the image by tag, for both architectures: Java agents
/// cannot pull by digest, and "it is currently required to set both".
pub fn application(application: &ModelledApplication, placing: &Placing) -> Emitted {
    let mut lost = application.lost.clone();
    let (mut open, mut findings) = (Vec::new(), Vec::new());
    application.workloads.iter().for_each(|workload| copies(workload, &mut lost));
    let microservices: Vec<Value> = split(application)
        .iter()
        .map(|of| microservice(of, placing, &mut open, &mut lost, &mut findings))
        .collect();
    let document = Document::new(json!({
        "kind": "Application",
        "apiVersion": "iofog.org/v3",
        "metadata": {"name": name(application)},
        "spec": {"microservices": microservices},
    }));
    findings.extend(told(lost, System::Iofog));
    findings.extend(open_rows(&open));
    findings.extend(certificate(placing));
    let steps = steps(System::Iofog, &open, FILE);
    Emitted { files: vec![File::one(FILE, document)], findings, steps }
}

/// The roots of the destination, which no Java agent is given.
fn certificate(placing: &Placing) -> Option<Finding> {
    let (text, remedy) = CERTIFICATE_UNUSED;
    placing.own_roots.then(|| Finding::new(Code::IofogCertificateUnused, text).remedy(remedy))
}

fn microservice(
    of: &Microservice<'_>,
    placing: &Placing,
    open: &mut Vec<String>,
    lost: &mut Vec<Lost>,
    findings: &mut Vec<Finding>,
) -> Value {
    let mut images = Map::new();
    match &of.container.image {
        Some(image) => {
            let reference = image.tagged();
            let unpullable = unpullable(&Image::parse(&reference));
            findings
                .extend(unpullable.into_iter().map(|found| found.on(of.workload.object.clone())));
            images.insert("arm".to_owned(), reference.as_str().into());
            images.insert("x86".to_owned(), reference.as_str().into());
            images.insert("registry".to_owned(), registry(image, placing, open));
        }
        None => lost.push(of.workload.lost(format!("{}.image", of.container.field), "")),
    }
    unsaid(of, lost);
    templates(of, lost);
    let mut container = Map::new();
    let all = of.workload.host_network || of.container.privileged;
    container.insert("rootHostAccess".to_owned(), all.into());
    container.insert("ports".to_owned(), container::ports(of, System::Iofog, lost).into());
    let env = container::env(of, lost);
    let volumes = container::volumes(of, System::Iofog, lost);
    let commands: Vec<Value> =
        of.container.arguments.iter().map(|word| word.as_str().into()).collect();
    let lists = [("env", env), ("volumes", volumes), ("commands", commands)];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        container.insert(name.to_owned(), list.into());
    }
    json!({
        "name": of.name,
        "agent": {"name": placing.agent.as_deref().unwrap_or(FIND_AGENT)},
        "images": images,
        "container": container,
        "config": {},
    })
}

/// Texts in which the Controller would find a template: it renders every text of a request
/// (`substitutionMiddleware` in its `src/helpers/template-helper.js`).
fn templates(of: &Microservice<'_>, lost: &mut Vec<Lost>) {
    let container = of.container;
    let env = container.env.iter().map(|variable| {
        let text = match &variable.setting {
            Setting::Text(text) => text.clone(),
            Setting::Secret { name, key } => fill_secret(of.values, name, key),
        };
        (format!("env.{}", variable.name), text)
    });
    let arguments = container.arguments.iter().map(|word| ("args".to_owned(), word.clone()));
    let mounts = container.mounts.iter().flat_map(|mount| {
        let host = match of.workload.volume(mount).map(|volume| &volume.content) {
            Some(Content::Host(path)) => Some(path.clone()),
            _ => None,
        };
        let field = format!("volumeMounts.{}", mount.volume);
        host.into_iter().chain([mount.path.clone()]).map(move |path| (field.clone(), path))
    });
    let texts = env.chain(arguments).chain(mounts);
    let why = "the Controller takes `{{` and `{%` for templates, and puts something else there";
    let mut fields: Vec<String> = texts
        .filter(|(_, text)| is_template(text))
        .map(|(field, _)| format!("{}.{field}", container.field))
        .collect();
    fields.dedup();
    lost.extend(fields.into_iter().map(|field| of.workload.lost(field, why)));
}

/// What a microservice of a Java agent does not have.
fn unsaid(of: &Microservice<'_>, lost: &mut Vec<Lost>) {
    let container = of.container;
    for (is_said, field) in [
        (!container.entrypoint.is_empty(), "command"),
        (container.working_dir.is_some(), "workingDir"),
        (container.user.is_some(), "securityContext.runAsUser"),
        (container.group.is_some(), "securityContext.runAsGroup"),
        (container.cpu_millis.is_some() || container.memory.is_some(), "resources.limits"),
    ] {
        if is_said {
            lost.push(of.workload.lost(format!("{}.{field}", container.field), ""));
        }
    }
}
