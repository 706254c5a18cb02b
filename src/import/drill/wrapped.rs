//! A chart of objects as they are: helm installs exactly these, and renders nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::app::Object;

/// Writes the chart into a folder below `scratch`, which nobody else can read: values of Secrets may
/// be among the objects.
///
/// Each object is a file of its own, as helm takes no file above 5 MiB (helm 3.18, `MaxDecompressedFileSize`),
/// and is put into the manifest by `.Files.Get`, so that braces in it are no template.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn chart(scratch: &Path, version: &str, objects: &[Object]) -> io::Result<PathBuf> {
    let folder = scratch.join("drill");
    fs::create_dir_all(folder.join("templates"))?;
    fs::create_dir_all(folder.join("objects"))?;
    let about = json!({"apiVersion": "v2", "name": "drill", "version": version});
    fs::write(folder.join("Chart.yaml"), about.to_string())?;
    let mut template = String::new();
    for (index, object) in objects.iter().enumerate() {
        let file = format!("objects/{index}.json");
        fs::write(folder.join(&file), Value::from(object.clone()).to_string())?;
        template.push_str(&format!("---\n{{{{ .Files.Get {file:?} }}}}\n"));
    }
    fs::write(folder.join("templates/objects.yaml"), template)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_of_an_object_are_in_a_file_that_is_no_template() {
        let scratch = tempfile::tempdir().unwrap();
        let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
            "data": {"greeting": "{{ .Release.Name }}\n---\n"}});
        let objects = [Object::new(value.clone()).unwrap()];
        let folder = chart(scratch.path(), "2026.1.0", &objects).unwrap();
        let template = fs::read_to_string(folder.join("templates/objects.yaml")).unwrap();
        assert_eq!(template, "---\n{{ .Files.Get \"objects/0.json\" }}\n");
        let object = fs::read(folder.join("objects/0.json")).unwrap();
        assert!(!object.contains(&b'\n'), "helm parts documents at lines");
        assert_eq!(serde_json::from_slice::<Value>(&object).unwrap(), value);
    }
}
