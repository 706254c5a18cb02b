//! The chart of a release as it was installed, and the values that were given for it: what a user
//! needs to install the same again by hand.

use secrecy::SecretString;
use serde_json::Value;

use super::{Unusable, check_dependencies, files, name, unusable, yaml};
use crate::app::helm::Record;
use crate::chart::archive::tgz;
use crate::chart::render::goyaml;

/// The `.tgz` of the chart: its own files, default values, name and version. Not the bytes that were
/// installed, whose times and comments helm does not keep, but the same content; one record gives one
/// archive.
///
/// # Errors
/// When helm's record lost a part of it, or it has files or a name that lead out of it.
pub fn archive(record: &Record) -> Result<Vec<u8>, Unusable> {
    check_dependencies(record)?;
    let name = name(record);
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
        return Err(unusable("the chart has a name that is none"));
    }
    let mut files = files(record, &Value::Object(record.chart.values.clone()))?;
    let metadata = Value::Object(record.chart.metadata.clone());
    files.insert("Chart.yaml".to_owned(), yaml(&metadata));
    Ok(tgz(name, &files))
}

/// The values that the user gave, as `helm get values` has them, in the style of Go's `yaml.v2`.
pub fn given_values(record: &Record) -> SecretString {
    let values = Value::Object(record.config.expose().clone());
    SecretString::from(goyaml::text(&values) + "\n")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use flate2::read::GzDecoder;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    fn record(chart: &Value) -> Record {
        let config = json!({"b": "canary", "a": {"n": 1_000_000, "t": "x: \"y\"\nz"}, "c": null});
        let record = json!({"name": "fox", "namespace": "web", "config": config, "chart": chart});
        serde_json::from_value(record).unwrap()
    }

    fn file(name: &str, text: &str) -> Value {
        json!({"name": name, "data": STANDARD.encode(text)})
    }

    fn chart(metadata: &Value, file: &Value) -> Record {
        record(&json!({"metadata": metadata, "values": {"a": 1}, "templates": [file]}))
    }

    #[test]
    fn values_are_those_that_were_given_and_nothing_else() {
        let record = record(&json!({"values": {"d": "default"}}));
        let values = given_values(&record);
        let expected = "a:\n  \"n\": 1000000\n  t: |-\n    x: \"y\"\n    z\nb: canary\nc: null\n";
        assert_eq!(values.expose_secret(), expected);
        let none: Record = serde_json::from_value(json!({"name": "fox", "config": null})).unwrap();
        assert_eq!(given_values(&none).expose_secret(), "{}\n");
    }

    #[test]
    fn the_chart_is_its_own_and_has_nothing_of_the_given_values() {
        let metadata = json!({"apiVersion": "v2", "name": "My_App", "version": "1.2"});
        let record = chart(&metadata, &file("templates/a.yaml", "{{ .Values.a }}"));
        let packed = archive(&record).unwrap();
        assert_eq!(packed, archive(&record).unwrap());
        let mut files = std::collections::BTreeMap::new();
        for entry in tar::Archive::new(GzDecoder::new(&*packed)).entries().unwrap() {
            let (mut entry, mut text) = (entry.unwrap(), String::new());
            entry.read_to_string(&mut text).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), text);
        }
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["My_App/Chart.yaml", "My_App/templates/a.yaml", "My_App/values.yaml"]);
        assert_eq!(files["My_App/values.yaml"], "a: 1\n");
        assert!(files["My_App/Chart.yaml"].contains("version: \"1.2\""));
    }

    #[test]
    fn what_is_lost_or_leads_out_is_no_chart() {
        let metadata = json!({"name": "a", "version": "1.0.0"});
        let plain = file("templates/a.yaml", "");
        let with = |key: &str, value: Value| {
            let mut metadata = metadata.clone();
            metadata[key] = value;
            archive(&chart(&metadata, &plain))
        };
        with("name", "../a".into()).unwrap_err();
        with("name", "".into()).unwrap_err();
        with("dependencies", json!([{"name": "db"}])).unwrap_err();
        for path in ["../a", "/a", "a/../../b", "charts/db/Chart.yaml"] {
            archive(&chart(&metadata, &file(path, ""))).unwrap_err();
        }
        with("name", "a".into()).unwrap();
    }
}
