//! Services of Epinio: releases of their own that an application is bound to by a Secret.

use super::Walk;
use crate::app::kinds;
use crate::app::{Code, Finding, SecretUse};

/// Label of the Secrets of a service that applications are bound to: the service's name.
const ORIGIN: &str = "epinio.io/configuration-origin";

impl Walk<'_, '_> {
    /// Says which services the application is bound to, as far as their Secrets were read.
    pub(super) fn epinio_services(&mut self, secrets: &[SecretUse]) {
        for secret in secrets {
            let found = self.view.named(kinds::SECRET, &secret.name);
            let Some(index) = found.filter(|_| !secret.used_by.is_empty()) else { continue };
            let Some(service) = self.view.entries[index].object.label(ORIGIN) else { continue };
            let id = self.id(index);
            let text =
                format!("{id} leads to the service `{service}` of Epinio, which is not exported");
            let remedy =
                "Provide such a service where the chart is installed, and fill in the Secret.";
            self.findings.push(Finding::new(Code::NotExported, text).on(id).remedy(remedy));
        }
    }
}
