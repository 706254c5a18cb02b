//! What of an application can be said to systems that are not Kubernetes: its containers, with what they
//! are given. One model between the exported objects and the systems' documents.
//!
//! ```text
//!  App, images as pushed ─► read ─► Application ─┬─► avassa::application
//!                                                └─► iofog::application, iofog::microservices
//! ```
//!
//! What no system has a place for is [`Lost`] already here; a writer adds what its own system lacks.

mod pod;
mod quantity;
mod read;
mod services;
#[cfg(test)]
pub(crate) mod tests;
mod volumes;

pub use read::application;

use std::collections::BTreeMap;

use super::System;
use crate::app::{App, Code, ContainerRef, Finding, ObjectId, SecretValues};

/// What was exported: the application, and its images where they were pushed.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// The application.
    pub app: &'a App,
    /// Version of its chart.
    pub version: &'a semver::Version,
    /// Its images, in the order of [`App::images`].
    pub images: &'a [Shipped],
    /// The values of its Secrets that documents are to have.
    pub secrets: &'a SecretValues,
}

/// An image where a system reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its key in the chart's values.
    pub key: String,
    /// `host[:port]/repository`, the host as the destination's owner spells it.
    pub address: String,
    /// A tag that never moves; unset for an image that stays where it is and has none.
    pub tag: Option<String>,
    /// `sha256:…`.
    pub digest: String,
    /// It stays where it is, and is not at the destination.
    pub kept: bool,
    /// The places in objects that name it.
    pub uses: Vec<ContainerRef>,
}

/// An application, as far as systems of containers know the word.
#[derive(Clone, Debug, Default)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Version of its chart.
    pub version: String,
    /// What runs, in the order of the objects.
    pub workloads: Vec<Workload>,
    /// The Secrets that it uses, with their keys.
    pub secrets: BTreeMap<String, Vec<String>>,
    /// Their values that documents are to have.
    pub values: SecretValues,
    /// What no system has a place for.
    pub lost: Vec<Lost>,
}

/// Containers that run together, some number of times.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The object.
    pub object: ObjectId,
    /// How often it runs.
    pub replicas: u64,
    /// It runs once on each node, and `replicas` says nothing.
    pub on_each_node: bool,
    /// It uses the network of its host.
    pub host_network: bool,
    /// Its containers.
    pub containers: Vec<Container>,
    /// What they may mount.
    pub volumes: Vec<Volume>,
    /// Ports that are reached from outside.
    pub exposed: Vec<Exposed>,
}

/// One container.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its place in the object, dotted, for findings.
    pub field: String,
    /// Its image; `None` where the object names none.
    pub image: Option<Shipped>,
    /// What is run in place of the image's entry point.
    pub entrypoint: Vec<String>,
    /// The arguments in place of the image's.
    pub arguments: Vec<String>,
    /// Directory that it starts in.
    pub working_dir: Option<String>,
    /// Its environment, in order.
    pub env: Vec<Variable>,
    /// What it mounts.
    pub mounts: Vec<Mount>,
    /// Number of the user.
    pub user: Option<u64>,
    /// Number of the group.
    pub group: Option<u64>,
    /// It may do everything on its host.
    pub privileged: bool,
    /// Limit in thousandths of a processor.
    pub cpu_millis: Option<u64>,
    /// Limit in bytes.
    pub memory: Option<u64>,
}

/// A variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where its value comes from.
    pub setting: Setting,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// It is this text.
    Text(String),
    /// A Secret has it; nobody reads it for this.
    Secret {
        /// Name of the Secret.
        name: String,
        /// Key in it.
        key: String,
    },
}

/// A port that is reached from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Name of the container; the first, where nothing says which one has the port.
    pub container: String,
    /// Port of the container.
    pub internal: u16,
    /// Port outside.
    pub external: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// Something that containers mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name in the workload.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What a volume holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing at first, and nothing that stays; with its limit in bytes.
    Scratch(Option<u64>),
    /// Data that stays, and that all who name its claim share.
    Kept {
        /// Name of the claim; one of a StatefulSet's first copy has the name that Kubernetes gives it.
        claim: String,
        /// Its size in bytes, where the claim says one.
        size: Option<u64>,
    },
    /// Files of a ConfigMap, by path in the volume.
    Files(BTreeMap<String, String>),
    /// The keys of a Secret, as files.
    Secret(String),
    /// A directory of the host.
    Host(String),
}

/// A place where a container has a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The volume.
    pub volume: String,
    /// Path in the container.
    pub path: String,
    /// Path in the volume, if not all of it.
    pub sub_path: Option<String>,
    /// It cannot be written.
    pub read_only: bool,
}

/// Something of the application that is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The object.
    pub object: ObjectId,
    /// The field, dotted; `None`: all of it.
    pub field: Option<String>,
    /// Why, in a sentence without its full stop; empty: there is no place for it.
    pub reason: String,
}

impl Shipped {
    /// The reference that only ever means this content.
    pub fn pinned(&self) -> String {
        format!("{}@{}", self.address, self.digest)
    }

    /// The reference by tag, or by digest where there is no tag.
    pub fn tagged(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{}:{tag}", self.address),
            None => self.pinned(),
        }
    }
}

impl Workload {
    /// Something of it that is lost.
    pub(crate) fn lost(&self, field: impl Into<String>, reason: &str) -> Lost {
        let (object, field) = (self.object.clone(), Some(field.into()));
        Lost { object, field, reason: reason.to_owned() }
    }

    /// Adds a port that is reached from outside, unless it is there.
    pub(crate) fn expose(&mut self, exposed: Exposed) {
        if !self.exposed.contains(&exposed) {
            self.exposed.push(exposed);
        }
    }

    /// The volume of a mount.
    pub(crate) fn volume(&self, mount: &Mount) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.name == mount.volume)
    }
}

impl Lost {
    /// What is said of it to a user of `system`.
    pub fn finding(self, system: System) -> Finding {
        let text = match self.reason.as_str() {
            "" => format!("{} has no place for it that its vendor describes", system.title()),
            reason => reason.to_owned(),
        };
        let finding = Finding::new(Code::ApplicationFieldLost, text).on(self.object);
        let finding = finding.remedy("Look whether the application can do without it there.");
        match self.field {
            Some(field) => finding.field(field),
            None => finding,
        }
    }
}
