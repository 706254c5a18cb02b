//! Flags about what an export holds, and where its images are read.

use clap::{Args, ValueEnum};

use super::platform;
use crate::app::{ImagePattern, JobsPolicy};
use crate::export::Mapping;
use crate::registry::Platform;

#[derive(Debug, Args)]
pub(crate) struct ContentArgs {
    /// Only this platform of each image, as os/arch[/variant] (repeatable)
    #[arg(long, value_name = "PLATFORM", value_parser = platform)]
    pub(crate) platform: Vec<Platform>,
    /// Leave images of this pattern where they are, such as `docker.io/*` (repeatable); `*` also
    /// matches `/`
    #[arg(long, value_name = "PATTERN")]
    pub(crate) keep_image: Vec<ImagePattern>,
    /// Read images of an address elsewhere, such as `127.0.0.1:30500=registry.example.com`
    /// (repeatable); `http://` before the second means plain HTTP
    #[arg(long, value_name = "FROM=TO[/PREFIX]")]
    pub(crate) map_registry: Vec<Mapping>,
    /// Read images with the credentials in the application's own pull secrets
    #[arg(long)]
    pub(crate) use_pull_secrets: bool,
    /// What to do with Jobs that nothing owns
    #[arg(long, value_enum, default_value_t)]
    pub(crate) jobs: JobsArg,
    /// Write the release's namespace where texts have an address in the application's
    #[arg(long)]
    pub(crate) rewrite_namespace: bool,
}

impl ContentArgs {
    /// Which of the flags are given.
    pub(crate) fn given(&self) -> [(bool, &'static str); 6] {
        [
            (!self.platform.is_empty(), "--platform"),
            (!self.keep_image.is_empty(), "--keep-image"),
            (!self.map_registry.is_empty(), "--map-registry"),
            (self.use_pull_secrets, "--use-pull-secrets"),
            (matches!(self.jobs, JobsArg::Hook), "--jobs"),
            (self.rewrite_namespace, "--rewrite-namespace"),
        ]
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum JobsArg {
    /// Leave them out
    #[default]
    Skip,
    /// Let the chart run them after each install and upgrade
    Hook,
}

impl From<JobsArg> for JobsPolicy {
    fn from(arg: JobsArg) -> Self {
        match arg {
            JobsArg::Skip => Self::Skip,
            JobsArg::Hook => Self::Hook,
        }
    }
}
