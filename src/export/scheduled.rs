//! What a schedule says, checked before it is made: what the schema of the resource cannot refuse, and
//! what would be found out only when the first run is due.

use crate::app::selector::{NotASelector, Selector};
use crate::cluster::record::ExportSpec;
use crate::cluster::record::schedule::{ExportSchedule, Template};
use crate::destination::select;
use crate::export;
use crate::schedule::declared::Invalid;
use crate::schedule::retention::Rules;
use crate::schedule::rules::Plan;
use crate::schedule::run::is_name;

/// What an application is called where the template names none.
const ANY: &str = "app";

/// Where a schedule says what cannot be.
#[derive(Debug)]
pub enum Fault {
    /// Its name.
    Name(String),
    /// When it runs, or what stays.
    Declared(Invalid),
    /// Its destination is an address.
    Address(String),
    /// Labels that select nothing.
    Labels {
        /// The field of the template.
        field: &'static str,
        /// What was given.
        text: String,
        /// Why not.
        error: NotASelector,
    },
    /// What each export of it would be refused for.
    Export(Box<export::Error>),
}

impl Fault {
    /// Path of the field.
    pub fn field(&self) -> String {
        match self {
            Self::Name(_) => "name".to_owned(),
            Self::Declared(error) => match error {
                Invalid::Schedule(_) => "spec.schedule",
                Invalid::Zone { .. } => "spec.timeZone",
                Invalid::Age { .. } => "spec.retention.maxAge",
                Invalid::NoneSuccessful => "spec.retention.minSuccessful",
                Invalid::NothingStays => "spec.retention",
            }
            .to_owned(),
            Self::Address(_) => "spec.template.destination".to_owned(),
            Self::Labels { field, .. } => format!("spec.template.{field}"),
            Self::Export(error) => match error.as_ref() {
                export::Error::Spec { field, .. } => format!("spec.template.{field}"),
                _ => "spec.template".to_owned(),
            },
        }
    }
}

/// Checks all that needs no cluster.
///
/// # Errors
/// The first thing that cannot be.
pub fn check(schedule: &ExportSchedule) -> Result<(), Fault> {
    let spec = &schedule.spec;
    if !is_name(schedule.name()) {
        return Err(Fault::Name(schedule.name().to_owned()));
    }
    Plan::declared(spec).map_err(Fault::Declared)?;
    spec.retention.as_ref().map(Rules::of).transpose().map_err(Fault::Declared)?;
    let template = &spec.template;
    if select::is_address(&template.destination) {
        return Err(Fault::Address(template.destination.clone()));
    }
    let export = export::record::request(&export_of(template), schedule.namespace());
    export.map_err(|error| Fault::Export(Box::new(error)))?;
    let labels = [
        ("appSelector", &template.app_selector),
        ("namespaceSelector", &template.namespace_selector),
    ];
    for (field, text) in labels.into_iter().filter_map(|(field, text)| Some((field, text.clone()?)))
    {
        if let Err(error) = text.parse::<Selector>() {
            return Err(Fault::Labels { field, text, error });
        }
    }
    Ok(())
}

/// What each export of a schedule asks for, but for its application and who asks.
pub fn export_of(template: &Template) -> ExportSpec {
    ExportSpec {
        selector: template.selector.clone(),
        all: template.all,
        secrets: template.secrets,
        names: template.names.clone().unwrap_or_default(),
        options: template.options.clone(),
        ..ExportSpec::new(template.app.as_deref().unwrap_or(ANY), &template.destination)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(name: &str, further: &Value) -> Option<String> {
        let mut spec = json!({
            "schedule": "@daily",
            "template": {"app": "shop", "destination": "backup", "secrets": "reference"},
        });
        for (path, value) in further.as_object().unwrap() {
            let (parent, key) = path.rsplit_once('/').unwrap();
            spec.pointer_mut(parent).unwrap()[key] = value.clone();
        }
        let schedule = ExportSchedule::draft("shop", name, serde_json::from_value(spec).unwrap());
        check(&schedule).err().map(|fault| fault.field())
    }

    #[test]
    fn the_field_is_named() {
        assert_eq!(fault("nightly", &json!({})), None);
        for name in ["", "Nightly", "-a", "a_b", &"a".repeat(46)] {
            assert_eq!(fault(name, &json!({})).as_deref(), Some("name"), "{name}");
        }
        for (further, field) in [
            (json!({"/schedule": "61 2 * * *"}), "schedule"),
            (json!({"/timeZone": "Europe/Berln"}), "timeZone"),
            (json!({"/retention": {"keepLast": 0}}), "retention"),
            (json!({"/retention": {"maxAge": "9y"}}), "retention.maxAge"),
            (json!({"/template/destination": "r.example.com/x"}), "template.destination"),
            (json!({"/template/appSelector": "a in"}), "template.appSelector"),
            (json!({"/template/waitRollout": "25h"}), "template.waitRollout"),
            (json!({"/template/exclude": ["web"]}), "template.exclude"),
        ] {
            assert_eq!(fault("a", &further), Some(format!("spec.{field}")), "{further}");
        }
    }
}
