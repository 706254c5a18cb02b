//! What is lost on the way from the model to a system: one table.

use super::{Registries, Row, Scope, System, Username};
use crate::app::{Code, Finding};
use crate::destination::{eda, iofog};

/// Something that a row may say, and the systems that can say it.
struct Concept {
    /// What it is reported as where it is lost.
    code: Code,
    /// Its name for people.
    field: &'static str,
    /// Whether a row says it.
    said: fn(&Row) -> bool,
    /// Who keeps it.
    kept_by: &'static [System],
    /// What is lost.
    text: &'static str,
    /// What to do about it.
    remedy: &'static str,
}

use System::{Avassa, Eda, Edgelet, Epinio, Iofog};

/// The table of `registries.md` §5, field by field. Epinio's form keeps ioFog's columns in our own
/// annotations.
const CONCEPTS: [Concept; 18] = [
    Concept {
        code: Code::RegistryNameLost,
        field: "name",
        said: |row| row.name.is_some(),
        kept_by: &[Epinio, Eda],
        text: "it has no names for registries",
        remedy: "",
    },
    Concept {
        code: Code::RegistryNameLost,
        field: "credentials",
        said: |row| {
            let secrets = row.used().iter().filter_map(|rule| rule.secret.as_ref());
            secrets.map(|secret| Some(&secret.name)).any(|name| name != row.name.as_ref())
        },
        kept_by: &[Eda, Avassa],
        text: "it has no names for credentials but those of registries",
        remedy: "",
    },
    Concept {
        code: Code::RegistryNameLost,
        field: "credentials.vault",
        said: |row| {
            row.used().iter().filter_map(|rule| rule.secret.as_ref()).any(|s| s.vault.is_some())
        },
        kept_by: &[Avassa],
        text: "it has no vaults, so that only the secret's name is kept, if that",
        remedy: "",
    },
    Concept {
        code: Code::RegistryIdLost,
        field: "id",
        said: |row| row.id.is_some(),
        kept_by: &[Epinio, Iofog, Edgelet],
        text: "it has no numeric ids",
        remedy: "",
    },
    Concept {
        code: Code::RegistryAddressPath,
        field: "path",
        said: |row| !row.address.rest.is_empty(),
        kept_by: &[Epinio, Eda, Iofog],
        text: "the path in the address is left out",
        remedy: "put it into the references of images",
    },
    Concept {
        code: Code::RegistryPathLost,
        field: "path",
        said: |row| row.path.is_some(),
        kept_by: &[Epinio],
        text: "it puts no path before repositories",
        remedy: "write the path in each reference to an image",
    },
    Concept {
        code: Code::RegistryCredentialsLost,
        field: "credentials",
        said: |row| row.used().iter().any(|rule| rule.scope != Scope::All),
        kept_by: &[Avassa, Iofog, Edgelet],
        text: "it has one credential for a registry; those of single repositories are left out",
        remedy: "give the one credential the right to read all of these repositories",
    },
    Concept {
        code: Code::RegistryCredentialsSplit,
        field: "credentials",
        said: |row| row.used().len() > 1,
        kept_by: &[Avassa, Epinio, Eda],
        text: "each credential became a registry of its own, which applications choose by id",
        remedy: "name the id that fits in `images.registry` of each microservice",
    },
    Concept {
        code: Code::RegistryCaLost,
        field: "certificate",
        said: |row| row.ca.is_some(),
        kept_by: &[Epinio, Avassa, Iofog, Edgelet],
        text: "it has no place for a certificate authority",
        remedy: "give the registry a certificate that its nodes trust already",
    },
    Concept {
        code: Code::RegistrySkipVerifyLost,
        field: "skipTLSVerify",
        said: |row| row.skip_tls_verify,
        kept_by: &[Epinio, Eda, Edgelet],
        text: "it always verifies certificates",
        remedy: "give it the certificate authority of the registry",
    },
    Concept {
        code: Code::RegistryPlainHttpLost,
        field: "scheme",
        said: |row| {
            row.address.plain_http()
                || row.mirror.as_ref().is_some_and(|mirror| mirror.starts_with("http://"))
        },
        kept_by: &[Epinio, Eda, Iofog, Edgelet],
        text: "it speaks HTTPS alone",
        remedy: "put TLS before the registry",
    },
    Concept {
        code: Code::RegistryMirrorLost,
        field: "mirror",
        said: |row| row.mirror.is_some(),
        kept_by: &[Eda, Avassa],
        text: "it has no mirrors, so images are read from the registry itself",
        remedy: "write the mirror's host in the references of images",
    },
    Concept {
        code: Code::RegistryFieldLost,
        field: "email",
        said: |row| row.email.is_some(),
        kept_by: &[Epinio, Iofog, Edgelet],
        text: "it has no place for an e-mail address",
        remedy: "",
    },
    Concept {
        code: Code::RegistryFieldLost,
        field: "title",
        said: |row| row.title.is_some(),
        kept_by: &[Epinio, Eda],
        text: "it has no place for a title",
        remedy: "",
    },
    Concept {
        code: Code::RegistryFieldLost,
        field: "isPublic",
        said: |row| row.is_public == Some(true) && !row.credentials.is_empty(),
        kept_by: &[Epinio, Iofog, Edgelet],
        text: "the row is public, so its credentials are not used and not written",
        remedy: "make the row private first if they are to be used",
    },
    Concept {
        code: Code::RegistryFieldLost,
        field: "isSecure",
        said: |row| row.is_secure == Some(true) && !is_system(row),
        kept_by: &[],
        text: "ioFog sets it by itself, and nothing reads it",
        remedy: "",
    },
    Concept {
        code: Code::RegistryFieldLost,
        field: "requiresCert",
        said: |row| row.requires_cert == Some(true),
        kept_by: &[Epinio, Iofog],
        text: "it has no such field",
        remedy: "",
    },
    Concept {
        code: Code::RegistryFieldLost,
        field: "",
        said: |row| row.unknown.names().next().is_some(),
        kept_by: &[],
        text: "fields that are not known are written for their own system alone",
        remedy: "",
    },
];

/// What `to` cannot say of what another system said.
pub fn losses(registries: &Registries, to: System) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(host) = registries.default_address.as_deref().filter(|_| to != Avassa) {
        findings.push(of_default(host, to));
    }
    registries.rows.iter().for_each(|row| of_row(row, to, &mut findings));
    findings
}

fn of_default(host: &str, to: System) -> Finding {
    let by_itself = matches!(to, Iofog | Edgelet) && iofog::is_docker_hub(host);
    let (text, remedy) = if by_itself {
        let text = "reads images without a host from Docker Hub by itself, as `remote`";
        (format!("{} {text}; nothing is written for it", to.title()), "")
    } else {
        let text = format!("{} has no default registry; `{host}` was it", to.title());
        (text, "write the host in every reference to an image")
    };
    Finding::new(Code::RegistryDefaultLost, text).field("default-remote-registry").remedy(remedy)
}

fn of_row(row: &Row, to: System, findings: &mut Vec<Finding>) {
    let mut found = |code, field: &str, text: &str, remedy: &str| {
        let text = format!("for {}: {text}", to.title());
        let finding = Finding::new(code, text).on(row.object()).remedy(remedy);
        findings.push(if field.is_empty() { finding } else { finding.field(field) });
    };
    if row.is_cache() && !matches!(to, Iofog | Edgelet) {
        found(Code::RegistryCacheOnly, "url", "its cache of images is no registry", "");
        return;
    }
    if !row.is_usable() {
        found(Code::RegistryAddressInvalid, "", "it has no address and is left out", "");
        return;
    }
    for concept in CONCEPTS.iter().filter(|c| !c.kept_by.contains(&to) && (c.said)(row)) {
        found(concept.code, concept.field, concept.text, concept.remedy);
    }
    if is_system(row) && matches!(to, Iofog | Edgelet) {
        return;
    }
    let title = |title: &String| title.len() > eda::LONGEST_TITLE;
    if to == Eda && row.title.as_ref().is_some_and(title) {
        found(Code::RegistryFieldLost, "title", "a title has 50 bytes at most; it was cut", "");
    }
    let token = |row: &Row| {
        row.used()
            .iter()
            .filter_map(|rule| rule.login.as_ref())
            .any(|login| matches!(login.username, Username::Token))
    };
    if to != Avassa && token(row) {
        let text = "a token alone is not enough: a user name stands beside it";
        found(Code::RegistryUsernameMissing, "username", text, "fill it in");
    }
    if matches!(to, Iofog | Edgelet) {
        of_iofog(row, to, found);
    }
}

fn of_iofog(row: &Row, to: System, mut found: impl FnMut(Code, &str, &str, &str)) {
    if row.email.is_none() && to == Iofog {
        let text = "ioFog asks for an e-mail address; a placeholder stands there";
        found(Code::RegistryPlaceholder, "email", text, "put the address of the account there");
    }
    if row.ca.is_some() && to == Iofog {
        let (text, remedy) = iofog::CERTIFICATE_UNUSED;
        found(Code::IofogCertificateUnused, "certificate", text, remedy);
    }
    if to == Edgelet && row.id.is_some_and(|id| id < iofog::FIRST_EDGELET_ID) {
        let text = "edgelet keeps ids below 4 for itself, and gives another one";
        found(Code::RegistryIdLost, "id", text, "");
    }
    if to == Edgelet && (row.skip_tls_verify || row.address.plain_http()) {
        let text = "`insecure` is both HTTP without TLS and certificates that are not verified";
        found(Code::RegistrySkipVerifyLost, "insecure", text, "give the registry's `ca` instead");
    }
}

/// Whether it is a row that every ioFog has by itself (`1` and `2`).
fn is_system(row: &Row) -> bool {
    iofog::is_system(row)
}
