//! What each registry does differently, as data: how paths must look, and what must be created
//! before a push. Pure; nothing here speaks to a registry.

use std::fmt;

use super::{Host, RepositoryName};

/// A repository path that the registry will not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PathProblem {
    /// What is wrong.
    pub text: String,
    /// What to do about it.
    pub hint: String,
}

/// A kind of registry that this client knows something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// `docker.io`
    DockerHub,
    /// `ghcr.io`
    GitHub,
    /// `registry.gitlab.com`, and hosts that are named like it.
    GitLab,
    /// `<region>-docker.pkg.dev`, and `gcr.io`, which it serves now.
    Google,
    /// `<account>.dkr.ecr.<region>.amazonaws.com`
    Ecr,
    /// `public.ecr.aws`
    EcrPublic,
    /// `<name>.azurecr.io`
    Azure,
    /// `quay.io`
    Quay,
    /// Hosts that are named `harbor`.
    Harbor,
    /// Avassa Control Tower's own: `registry.<organisation>.avassa.net`, and
    /// `registry.<environment>.<organisation>.avassa.net`.
    ControlTower,
    /// JFrog Artifactory, which no host's name gives away.
    Artifactory,
}

/// Headers of answers that only Artifactory has.
pub(super) const ARTIFACTORY_HEADERS: [&str; 2] = ["x-jfrog-version", "x-artifactory-id"];

/// What a registry asks of a repository's path.
struct PathRule {
    vendor: Vendor,
    /// Fewest and most segments.
    segments: (usize, usize),
    /// The path's shape, for the message.
    shape: &'static str,
    /// Where that is written.
    reason: &'static str,
}

/// Segments without a limit of the registry's own.
const ANY: usize = usize::MAX;

const PATH_RULES: [PathRule; 9] = [
    PathRule {
        vendor: Vendor::DockerHub,
        segments: (2, 2),
        shape: "NAMESPACE/NAME",
        reason: "https://docs.docker.com/docker-hub/repos/create/",
    },
    PathRule {
        vendor: Vendor::GitHub,
        segments: (2, ANY),
        shape: "OWNER/NAME[/…]",
        reason: "https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry",
    },
    // Group, project and at most two levels; groups nest to twenty. One level too many is
    // answered with "insufficient_scope" (gitlab-org/gitlab#438563).
    PathRule {
        vendor: Vendor::GitLab,
        segments: (2, 23),
        shape: "GROUP/PROJECT[/NAME[/NAME]]",
        reason: "https://docs.gitlab.com/user/packages/container_registry/",
    },
    PathRule {
        vendor: Vendor::Google,
        segments: (3, ANY),
        shape: "PROJECT/REPOSITORY/NAME",
        reason: "https://cloud.google.com/artifact-registry/docs/docker/names",
    },
    PathRule {
        vendor: Vendor::Ecr,
        segments: (1, ANY),
        shape: "NAME[/…]",
        reason: "https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-create.html",
    },
    PathRule {
        vendor: Vendor::EcrPublic,
        segments: (2, ANY),
        shape: "ALIAS/NAME",
        reason: "https://docs.aws.amazon.com/AmazonECR/latest/public/public-repositories.html",
    },
    PathRule {
        vendor: Vendor::Azure,
        segments: (1, ANY),
        shape: "NAME[/…]",
        reason: "https://learn.microsoft.com/azure/container-registry/container-registry-concepts",
    },
    PathRule {
        vendor: Vendor::Quay,
        segments: (2, ANY),
        shape: "ORGANISATION/NAME[/…]",
        reason: "https://docs.quay.io/guides/create-repo.html",
    },
    PathRule {
        vendor: Vendor::Harbor,
        segments: (2, ANY),
        shape: "PROJECT/NAME[/…]",
        reason: "https://goharbor.io/docs/latest/working-with-projects/working-with-images/",
    },
];

impl Vendor {
    /// The vendor that a host's name gives away.
    pub fn of(host: &Host) -> Option<Self> {
        let name = host.name();
        let labels: Vec<&str> = name.split('.').collect();
        match name {
            "docker.io" => Some(Self::DockerHub),
            "ghcr.io" => Some(Self::GitHub),
            "quay.io" => Some(Self::Quay),
            "public.ecr.aws" => Some(Self::EcrPublic),
            "gcr.io" => Some(Self::Google),
            _ if name.ends_with("-docker.pkg.dev") || name.ends_with(".gcr.io") => {
                Some(Self::Google)
            }
            _ if name.contains(".dkr.ecr") && name.contains(".amazonaws.com") => Some(Self::Ecr),
            _ if name.ends_with(".azurecr.io") => Some(Self::Azure),
            _ if matches!(labels[..], ["registry", _, "avassa", "net"])
                || matches!(labels[..], ["registry", _, _, "avassa", "net"]) =>
            {
                Some(Self::ControlTower)
            }
            _ if labels.contains(&"gitlab") => Some(Self::GitLab),
            _ if labels.contains(&"harbor") => Some(Self::Harbor),
            _ => None,
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DockerHub => "Docker Hub",
            Self::GitHub => "GitHub's registry",
            Self::GitLab => "GitLab's registry",
            Self::Google => "Google Artifact Registry",
            Self::Ecr => "Amazon ECR",
            Self::EcrPublic => "Amazon ECR Public",
            Self::Azure => "Azure Container Registry",
            Self::Quay => "Quay",
            Self::Harbor => "Harbor",
            Self::ControlTower => "Avassa Control Tower",
            Self::Artifactory => "Artifactory",
        })
    }
}

/// Whether the registry can have a repository of this path at all. A registry that is not known
/// by its host's name takes any.
///
/// # Errors
/// What is wrong with the path, and what to do.
pub fn check_path(host: &Host, repository: &RepositoryName) -> Result<(), PathProblem> {
    let Some(vendor) = Vendor::of(host) else { return Ok(()) };
    let Some(rule) = PATH_RULES.iter().find(|rule| rule.vendor == vendor) else { return Ok(()) };
    let (fewest, most) = rule.segments;
    let (shape, reason) = (rule.shape, rule.reason);
    let problem = |text: String, todo: &str| PathProblem {
        text,
        hint: format!("{todo}: {vendor} has repositories of the form {host}/{shape} ({reason})"),
    };
    let segments = repository.as_str().split('/').count();
    if segments < fewest {
        let text = format!("`{host}/{repository}` has too few path segments for {vendor}");
        return Err(problem(text, "set the destination's namespace"));
    }
    if segments > most {
        let text = format!("`{host}/{repository}` has too many path segments for {vendor}");
        return Err(problem(text, "shorten the destination's namespace"));
    }
    let digit_first = repository.as_str().starts_with(|c: char| c.is_ascii_digit());
    if vendor == Vendor::Ecr && digit_first {
        let text = format!("`{repository}` begins with a digit, which {vendor} does not take");
        return Err(problem(text, "begin the destination's namespace with a letter"));
    }
    Ok(())
}

/// The command, or the words, that create what a push to this repository needs and what the
/// registry does not create by itself; `None` where it does, or where we do not know.
pub fn creation_hint(host: &Host, repository: &RepositoryName) -> Option<String> {
    let path = repository.as_str();
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    Some(match Vendor::of(host)? {
        Vendor::Ecr => {
            // <account>.dkr.ecr.<region>.amazonaws.com, `ecr-fips` and `.cn` included.
            let region = host.name().split('.').nth(3).unwrap_or("REGION");
            format!("aws ecr create-repository --region {region} --repository-name {path}")
        }
        Vendor::EcrPublic => {
            format!("aws ecr-public create-repository --region us-east-1 --repository-name {rest}")
        }
        Vendor::Google => {
            let location = host.name().strip_suffix("-docker.pkg.dev").unwrap_or("us");
            let name = rest.split('/').next().unwrap_or_default();
            format!(
                "gcloud artifacts repositories create {name} --repository-format=docker \
                 --location={location} --project={first}"
            )
        }
        Vendor::Harbor => {
            let data = format!("{{\"project_name\": \"{first}\"}}");
            format!(
                "curl -u USER -H 'Content-Type: application/json' -d '{data}' \
                 https://{host}/api/v2.0/projects"
            )
        }
        Vendor::GitLab => {
            let project = path.rsplit_once('/').map_or(path, |(project, _)| project);
            format!("create the project `{project}` in GitLab, or name an existing one")
        }
        Vendor::Quay => {
            format!("create the organisation `{first}` at https://{host}/organizations/new/")
        }
        Vendor::DockerHub => {
            format!("create the organisation `{first}` at https://hub.docker.com/orgs")
        }
        // Whether a push to Control Tower or to a repository key of Artifactory needs anything
        // created before is not documented.
        Vendor::GitHub | Vendor::Azure | Vendor::ControlTower | Vendor::Artifactory => {
            return None;
        }
    })
}

/// How versions are deleted where the registry's API for everybody does not do it; `None` where it
/// does, or where we do not know.
pub fn deletion_hint(host: &Host, repository: &RepositoryName) -> Option<String> {
    let path = repository.as_str();
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    Some(match Vendor::of(host)? {
        Vendor::DockerHub => format!(
            "delete tags with Docker Hub's own API, `DELETE \
             https://hub.docker.com/v2/repositories/{path}/tags/TAG`, or on its site"
        ),
        Vendor::GitHub => format!(
            "delete versions of the package `{rest}` of `{first}` with GitHub's own API: \
             https://docs.github.com/rest/packages/packages"
        ),
        Vendor::Ecr => {
            let region = host.name().split('.').nth(3).unwrap_or("REGION");
            format!(
                "aws ecr batch-delete-image --region {region} --repository-name {path} \
                 --image-ids imageTag=TAG, or a lifecycle policy"
            )
        }
        Vendor::EcrPublic => format!(
            "aws ecr-public batch-delete-image --region us-east-1 --repository-name {rest} \
             --image-ids imageTag=TAG"
        ),
        Vendor::Quay => {
            format!("delete tags at https://{host}/repository/{path}?tab=tags, or let them expire")
        }
        Vendor::GitLab
        | Vendor::Google
        | Vendor::Azure
        | Vendor::Harbor
        | Vendor::ControlTower
        | Vendor::Artifactory => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reference: &str) -> Result<(), PathProblem> {
        let (host, path) = reference.split_once('/').unwrap();
        check_path(&host.parse().unwrap(), &path.parse().unwrap())
    }

    #[test]
    fn paths_that_a_registry_refuses_are_found_before_it_does() {
        for reference in [
            "docker.io/only",
            "index.docker.io/a/b/c",
            "ghcr.io/only",
            "europe-west1-docker.pkg.dev/project/repository",
            "eu.gcr.io/only",
            "quay.io/only",
            "harbor.example.com/only",
            "registry.gitlab.com/only",
            "1.dkr.ecr.eu-west-1.amazonaws.com/1shop",
            "public.ecr.aws/only",
        ] {
            let problem = check(reference).unwrap_err();
            assert!(problem.hint.contains("https://"), "{problem:?}");
        }
    }

    #[test]
    fn paths_that_a_registry_takes_are_left_alone() {
        for reference in [
            "docker.io/team/shop",
            "ghcr.io/team/a/b",
            "europe-west1-docker.pkg.dev/project/repository/a/b",
            "1.dkr.ecr.eu-west-1.amazonaws.com/shop/web",
            "registry.gitlab.com/group/project/a/b",
            "localhost:5000/x",
            "registry.example.com/x",
        ] {
            assert_eq!(check(reference), Ok(()), "{reference}");
        }
    }

    #[test]
    fn control_tower_is_known_by_its_host() {
        let of = |host: &str| Vendor::of(&host.parse().unwrap());
        for host in ["registry.acme.avassa.net", "registry.test.acme.avassa.net:443"] {
            assert_eq!(of(host), Some(Vendor::ControlTower), "{host}");
        }
        for host in ["registry.avassa.net", "api.acme.avassa.net", "registry.acme.avassa.net.evil"]
        {
            assert_eq!(of(host), None, "{host}");
        }
    }

    #[test]
    fn what_must_exist_is_created_by_one_command() {
        let hint =
            |host: &str, path: &str| creation_hint(&host.parse().unwrap(), &path.parse().unwrap());
        assert_eq!(
            hint("123.dkr.ecr.eu-west-1.amazonaws.com", "team/shop").as_deref(),
            Some("aws ecr create-repository --region eu-west-1 --repository-name team/shop")
        );
        assert_eq!(
            hint("europe-west1-docker.pkg.dev", "project/repo/shop").as_deref(),
            Some(
                "gcloud artifacts repositories create repo --repository-format=docker \
                 --location=europe-west1 --project=project"
            )
        );
        assert!(hint("harbor.corp", "team/shop").unwrap().contains(r#"{"project_name": "team"}"#));
        assert_eq!(hint("registry.example.com", "a/b"), None);
    }
}
