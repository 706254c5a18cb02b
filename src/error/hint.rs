//! What the user can do about an error: one sentence after `hint:`.

use super::{Error, control_tower};
use crate::export::verify::State;
use crate::registry::{self, CopyError, Side};
use crate::schedule::declared::Invalid;
use crate::schedule::zones;
use crate::{app::select::SelectError, chart, cluster, destination, export, import};

/// Most names that a hint lists.
const MAX_LISTED: usize = 10;

impl Error {
    /// What to do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDestination => Some(
                "name a registry with `-r NAME|URL`, or a directory or `.tar` file with `--to`"
                    .into(),
            ),
            Self::TwoDestinations => Some("give either `-r` or a directory, not both".into()),
            Self::Arguments { hint, .. } => Some((*hint).to_owned()),
            Self::DigestAsDestination(_) => Some("leave out `@sha256:…`".into()),
            Self::Export(error) => of_export(error),
            Self::Destination(error) => of_destination(error),
            Self::Cluster(error) => of_cluster(error),
            Self::Copy(error) => of_copy(error, None),
            Self::Import(import::Error::Registry(error)) => of_registry(error, None),
            Self::Import(import::Error::Published(error)) => of_export(error),
            Self::Import(error) => error.hint().map(str::to_owned),
            Self::Registry(error) => of_registry(error, None),
            Self::System(error) => Some(error.hint().to_owned()),
            Self::Row(error) => Some(error.hint().to_owned()),
            Self::RegistryTaken { .. } => Some(
                "choose another `--name` or `--id`, or remove what is there by `outhaul registry \
                 delete`"
                    .into(),
            ),
            Self::NoRow(error) => Some(error.hint().to_owned()),
            Self::Controller(error) => Some(error.hint().to_owned()),
            Self::Unresolved(error) => Some(error.hint.clone()),
            Self::Schedule(error) => of_schedule(error),
            Self::Certificate { .. } => Some(
                "give PEM files: the certificate, then those of its authorities; and its own key; \
                 for authorities, their certificates"
                    .into(),
            ),
            Self::Listen { .. } => Some("choose another address with `--listen`".into()),
            Self::File { source, .. } => of_io(source),
            Self::Output { .. } | Self::Runtime { .. } => None,
            Self::PartlyExported { .. } => {
                Some("run the same command again: what is exported is unchanged then".into())
            }
            Self::PartlyCopied { .. } => {
                Some("run the same command again: what is there is not copied twice".into())
            }
            Self::PartlyRestored { .. } => {
                Some("run the same command again: what is there is upgraded to the same".into())
            }
            Self::NoApplications(_) => {
                Some("look at `outhaul app list`, or choose another namespace with `-n`".into())
            }
            Self::Elsewhere { hint, .. } | Self::Server { hint, .. } => hint.clone(),
            Self::Interrupted => Some("run the same command again".into()),
        }
    }
}

fn of_export(error: &export::Error) -> Option<String> {
    use export::Error as E;
    Some(match error {
        E::Cluster(error) => return of_cluster(error),
        E::Select(error) => return of_select(error),
        E::Unreadable(_) => {
            "grant `list` on them, or go on without them with `--skip-unreadable`".into()
        }
        E::Terminating(_) => {
            "choose another namespace, or export what is left with `--allow-terminating`".into()
        }
        E::NotRolledOut { .. } => {
            "`kubectl rollout status` and the pods' events say what keeps it; or export without \
             `--wait-rollout`"
                .into()
        }
        E::Stopped(by) => {
            format!("settle them, or go on with `--accept {}`", export::error::codes(by))
        }
        E::Empty { .. } => "look at `outhaul app show` for what was found and left out".into(),
        E::Name(_) | E::Spec { .. } | E::Encryption(_) => return None,
        E::ChartName(_) => {
            "lower-case letters, digits and single `-`, starting with a letter, at most 53".into()
        }
        E::ChartVersion { .. } => "a version is SemVer with three numbers, such as 1.4.0".into(),
        E::NoRecipients => {
            "give `--age-recipient age1…`; `age-keygen -o key.txt` makes a key and prints it".into()
        }
        E::SameRepository(_) => "choose another `--chart-name` or `--image-name`".into(),
        E::Path(_, hint) => hint.clone(),
        E::ChartsUndocumented { .. } => {
            "name a registry for the chart with `--chart-registry NAME|URL` of `app export` or `app \
             copy`; if you know that this one takes charts, name it there as well. Schedules and servers \
             have no such flag: choose another destination for them"
                .into()
        }
        E::NotAllowed(error) => return of_destination(error),
        E::ImageInvalid { .. } => {
            "correct it: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, the repository in lower case"
                .into()
        }
        E::ImageMissing { image } => {
            let elsewhere = image.in_cluster().map(|host| format!("; {}", map_registry(host)));
            format!("push it, or correct the reference{}", elsewhere.unwrap_or_default())
        }
        E::ImageOnlyOnNodes { .. } => {
            "push the image to a registry that can be read from here, and deploy it from there"
                .into()
        }
        E::ImageUnreadable { image, source } => match image.in_cluster() {
            Some(host) if source.is_transient() => map_registry(host),
            _ => return of_registry(source, None),
        },
        E::Foreign { .. } => {
            "choose another `--chart-name`, or take the repository over with `--adopt`".into()
        }
        E::VersionTaken { .. } => {
            "choose another `--chart-version`, or leave it to the clock".into()
        }
        E::ChartMissing(_) => {
            "check the repository and the version; `outhaul app export` says what it pushed".into()
        }
        E::NotAChart { .. } => "a chart's repository ends in its name, such as `…-chart`".into(),
        E::NotAnExport { .. } => {
            "only what `outhaul app export` and `app copy` pushed has an origin and a lock; \
             `outhaul copy` copies any chart or image as it is"
                .into()
        }
        E::TagTaken { .. } => "choose another `--image-tag`: tags never move".into(),
        E::Chart(chart::Error::Template { .. }) => {
            "docs/TEMPLATES.md lists what a template may use".into()
        }
        E::Chart(_) => return None,
        E::TooLarge(_) => {
            "choose fewer objects with `-l`, leave the largest out with `--exclude`, \
                           or make it regardless with `--allow-oversize`"
                .into()
        }
        E::Differs(_) | E::Render(_) => {
            "this is a defect of outhaul, worth a report; export all the same with \
             `--allow-differences`"
                .into()
        }
        E::Changed { .. } => "export again to publish what runs".into(),
        E::VersionsDiffer { .. } => {
            "`outhaul app import REF:VERSION` brings one of the two back".into()
        }
        E::Unrendered { .. } => {
            "`helm template` says whether helm renders it; another version may be comparable".into()
        }
        E::Verified { worst, .. } => match worst.state {
            State::Unknown => "check the network and the credentials for that registry (`docker \
                               login HOST`), and verify again"
                .into(),
            State::Differs => "someone has changed the chart since: export the application again \
                               under another version"
                .into(),
            _ => "export again: it restores what is gone, if its source has it".into(),
        },
        E::Copy { source, vendor, .. } => {
            let own = control_tower::hint(&source.source, *vendor);
            return own.or_else(|| of_copy(source, None));
        }
        E::Destination { source, ca_secret, vendor, .. } => {
            let own = control_tower::hint(source, *vendor);
            return own.or_else(|| of_registry(source, ca_secret.as_deref()));
        }
        E::NotDeleted { .. } => {
            "switch deleting on at the registry, or delete it there with its own tools".into()
        }
        E::Lost { .. } => {
            "export its application again, which brings the image back, and look for a clean-up \
             policy at the registry"
                .into()
        }
        E::Vanished { .. } => {
            "switch off the clean-up policy of that repository, then export again".into()
        }
    })
}

fn map_registry(host: &str) -> String {
    format!(
        "if {host} is an address within the cluster, say where it can be read with \
         `--map-registry {host}=ADDRESS`"
    )
}

fn of_cluster(error: &cluster::Error) -> Option<String> {
    error.hint().map(str::to_owned)
}

fn of_destination(error: &destination::Error) -> Option<String> {
    match error {
        destination::Error::Unreadable { source, .. }
            if matches!(**source, cluster::Error::Forbidden { .. }) =>
        {
            Some(
                "who may not read them can name a registry by its address, or let a server export, \
                 with `--in-cluster` or `--server URL`"
                    .to_owned(),
            )
        }
        destination::Error::Unreadable { source, .. } => of_cluster(source),
        other => other.hint().map(str::to_owned),
    }
}

fn of_select(error: &SelectError) -> Option<String> {
    match error {
        SelectError::Unknown { known, .. } if known.is_empty() => {
            Some("the namespace holds no application; choose another with `-n`".into())
        }
        SelectError::Unknown { known, .. } => {
            let names: Vec<&str> = known.iter().take(MAX_LISTED).map(String::as_str).collect();
            let more = if known.len() > MAX_LISTED { ", …" } else { "" };
            Some(format!("known applications: {}{more}", names.join(", ")))
        }
        SelectError::Ambiguous { .. } => Some("choose with `-l LABELS`".into()),
        SelectError::Selector { .. } => Some("such as `app=shop,tier!=test`".into()),
        SelectError::NothingExcluded { .. } => {
            Some("`--exclude` takes KIND/NAME, such as `deploy/web` or `Secret/login`".into())
        }
    }
}

fn of_copy(error: &CopyError, ca_secret: Option<&str>) -> Option<String> {
    match (&error.side, &error.source) {
        (Side::Source, registry::Error::Unauthorized { host, .. }) => {
            Some(format!("log in to {host} with `docker login {host}`"))
        }
        (_, source) => of_registry(source, ca_secret),
    }
}

fn of_registry(error: &registry::Error, ca_secret: Option<&str>) -> Option<String> {
    use registry::Error as E;
    if let Some(hint) = control_tower::hint(error, None) {
        return Some(hint);
    }
    Some(match error {
        E::Unreachable { host, .. } => {
            format!("check the address {host}, the network and the proxy")
        }
        E::UntrustedCertificate { .. } => match ca_secret {
            Some(secret) => format!("put the registry's CA into `tls.crt` of Secret `{secret}`"),
            None => {
                "name a Secret with the CA in `tls.crt` by the key `certs` of the destination's \
                     Secret, or give `--ca-file`"
                    .into()
            }
        },
        E::Unauthorized { host, user: None } => {
            format!("log in with `docker login {host}`, or give --username and --password-stdin")
        }
        E::Unauthorized { host, .. } => {
            format!("check user name and password for {host}; tokens expire")
        }
        E::Forbidden { host, repository, .. } => {
            format!("the user needs the right to read and push {repository} at {host}")
        }
        E::RepositoryMissing { host, repository, .. } => {
            let create = registry::quirks::creation_hint(host, repository);
            create.unwrap_or_else(|| "create it first, by the registry's own way".to_owned())
        }
        E::RateLimited { .. } => "log in for a higher limit, or try again later".into(),
        E::DigestMismatch { .. } => {
            "a proxy or cache on the way may have changed the content".into()
        }
        E::Surroundings { .. } => "images are read there if a destination has that address as its \
                                   own or as its pull address; else push them to a registry"
            .into(),
        E::NoTagList { .. } => {
            "which versions there are is read from that list: without it, one version can be named, as \
             REF:VERSION, and nothing pruned"
                .into()
        }
        E::RedirectRefused { .. } => "check the registry's external address setting".into(),
        E::File { source, .. } => return of_io(source),
        E::CredentialHelper { helper, .. } => {
            format!("run `{helper} list` to see whether it works, or `docker login` without it")
        }
        _ => return None,
    })
}

fn of_schedule(error: &Invalid) -> Option<String> {
    use crate::schedule::cron::Error as E;
    Some(match error {
        Invalid::Schedule(E::Fields(_) | E::Length) => {
            "such as `30 2 * * 1-5`, at half past two from Monday to Friday; or `@daily`".into()
        }
        Invalid::Schedule(E::Seconds) => {
            "leave out the field of seconds; the shortest interval is a minute".into()
        }
        Invalid::Schedule(E::Zone(text)) => {
            let zone = text.split_once('=').map_or("ZONE", |(_, zone)| zone);
            format!("leave it out, and say `--time-zone {zone}`, or `timeZone` in a manifest")
        }
        Invalid::Schedule(E::Never) => "such as the last day with `0 0 28-31 * *`".into(),
        Invalid::Schedule(E::Descriptor(_) | E::Field { .. } | E::Interval(_)) => {
            "docs/BACKUPS.md, section 3, has all that a schedule may say".into()
        }
        Invalid::Zone { zone } => match zones::close(zone) {
            Some(close) => format!("is it `{close}`?"),
            None => "a zone has an IANA name, such as Europe/Berlin or UTC".into(),
        },
        Invalid::Age { .. } => "a number and h, d or w: a day has 24 hours here".into(),
        Invalid::NoneSuccessful => "leave it out, and the newest version stays".into(),
        Invalid::NothingStays => {
            "give `--keep-last`, `--keep-daily`, `--max-age` or another rule (in a manifest \
             `keepLast`, …); without any rule everything stays"
                .into()
        }
    })
}

fn of_io(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => {
            Some("free some space, raise the limit, or choose another directory".into())
        }
        K::PermissionDenied => Some("get access to it, or choose another place".into()),
        K::NotFound => Some("check the path: it, or a directory on the way, is not there".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(error: registry::Error) -> String {
        Error::Registry(error).hint().unwrap()
    }

    #[test]
    fn who_may_not_read_destinations_is_told_what_goes_without() {
        let source = cluster::Error::Forbidden { resource: "secrets".into(), reason: "no".into() };
        let error =
            destination::Error::Unreadable { namespace: "n".into(), source: Box::new(source) };
        let hint = Error::Destination(error).hint().unwrap();
        for way in ["address", "`--in-cluster`", "`--server URL`"] {
            assert!(hint.contains(way), "{hint}");
        }
    }

    #[test]
    fn a_helper_is_named_as_it_is_run() {
        let error = registry::Error::CredentialHelper {
            helper: "docker-credential-pass".into(),
            host: "r.example".into(),
            reason: "it is locked".into(),
        };
        assert!(hint(error).starts_with("run `docker-credential-pass list` to see"));
    }

    #[test]
    fn who_sent_no_credentials_is_told_how_to_give_some() {
        let error = |user| registry::Error::Unauthorized { host: "r.example".into(), user };
        assert_eq!(
            hint(error(None)),
            "log in with `docker login r.example`, or give --username and --password-stdin"
        );
        assert!(hint(error(Some("carol".into()))).starts_with("check user name and password"));
    }

    #[test]
    fn what_must_be_created_first_comes_with_the_command_that_does() {
        let missing = registry::Error::RepositoryMissing {
            host: "1234.dkr.ecr.eu-west-1.amazonaws.com".parse().unwrap(),
            repository: "team/shop-shop-chart".parse().unwrap(),
            reason: "NAME_UNKNOWN".into(),
        };
        let command = "aws ecr create-repository --region eu-west-1 \
                       --repository-name team/shop-shop-chart";
        assert_eq!(hint(missing), command);
    }
}
