//! What roles of Epinio allow, as far as there is a route of ours for it.
//!
//! The names are those of Epinio's `internal/auth/actions.yaml`, with what they depend on written out.

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// What every user may.
    Default,
    /// To see applications.
    AppRead,
    /// To export them.
    AppExport,
    /// To see the charts that applications are deployed with.
    ChartRead,
    /// To see configurations.
    ConfigurationRead,
    /// To see services.
    ServiceRead,
    /// To see how Git repositories are read.
    GitconfigRead,
    /// To see images that build.
    BuilderimageRead,
    /// To see destinations.
    ExportRegistriesRead,
}

const READ: &[Action] = &[Action::AppRead, Action::ChartRead];
const EXPORT: &[Action] = &[Action::AppExport, Action::AppRead, Action::ChartRead];
const CHART: &[Action] = &[Action::ChartRead];
const CONFIGURATION: &[Action] = &[Action::ConfigurationRead];
const SERVICE: &[Action] = &[Action::ServiceRead];
const GITCONFIG: &[Action] = &[Action::GitconfigRead];
const BUILDERIMAGE: &[Action] = &[Action::BuilderimageRead];
const REGISTRIES: &[Action] = &[Action::ExportRegistriesRead];

/// Every action of Epinio's that a role may name, but `default`, which each role has.
const ACTIONS: [(&str, &[Action]); 38] = [
    ("app", EXPORT),
    ("app_create", READ),
    ("app_delete", READ),
    ("app_deploy", READ),
    ("app_exec", &[]),
    ("app_export", EXPORT),
    ("app_logs", &[]),
    ("app_portforward", &[]),
    ("app_read", READ),
    ("app_restart", READ),
    ("app_scale", READ),
    ("app_stage", READ),
    ("app_update", READ),
    ("app_update_chart", READ),
    ("app_update_configs", READ),
    ("app_update_env", READ),
    ("app_update_routes", READ),
    ("app_update_settings", READ),
    ("app_write", EXPORT),
    ("builderimage", BUILDERIMAGE),
    ("builderimage_read", BUILDERIMAGE),
    ("builderimage_write", BUILDERIMAGE),
    ("chart", CHART),
    ("chart_read", CHART),
    ("chart_write", CHART),
    ("configuration", CONFIGURATION),
    ("configuration_read", CONFIGURATION),
    ("configuration_write", CONFIGURATION),
    ("export_registries_read", REGISTRIES),
    ("gitconfig", GITCONFIG),
    ("gitconfig_read", GITCONFIG),
    ("gitconfig_write", GITCONFIG),
    ("namespace_write", &[]),
    ("service", SERVICE),
    ("service_portforward", &[]),
    ("service_read", SERVICE),
    ("service_write", SERVICE),
    ("support_bundle", &[]),
];

/// The action of this name, as Epinio spells it, and what it allows; `None` where Epinio knows none.
pub(super) fn named(name: &str) -> Option<(&'static str, &'static [Action])> {
    ACTIONS.iter().find(|(known, _)| *known == name).copied()
}
