//! The containers of a pod.

use serde_json::{Map, Value};

use super::read::Context;
use super::{
    Container, Exposed, Lost, Mount, Setting, Variable, Workload, quantity, services, volumes,
};
use crate::app::Object;

/// Fields of a pod that are read here, and those that only mean something inside of Kubernetes.
const POD: [&str; 11] = [
    "containers",
    "volumes",
    "hostNetwork",
    "securityContext",
    "imagePullSecrets",
    "restartPolicy",
    "serviceAccountName",
    "serviceAccount",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "nodeName",
];

/// The same of a container.
const CONTAINER: [&str; 14] = [
    "name",
    "image",
    "command",
    "args",
    "workingDir",
    "env",
    "envFrom",
    "ports",
    "volumeMounts",
    "resources",
    "securityContext",
    "imagePullPolicy",
    "terminationMessagePath",
    "terminationMessagePolicy",
];

/// The same of both security contexts.
const SECURITY: [&str; 3] = ["runAsUser", "runAsGroup", "privileged"];

/// Reads the pod at `at` of `object` into `workload`.
pub(super) fn read(
    context: &Context<'_>,
    object: &Object,
    at: &str,
    spec: &Map<String, Value>,
    workload: &mut Workload,
    lost: &mut Vec<Lost>,
) {
    others(object, at, Some(spec), &POD, lost);
    let security = spec.get("securityContext").and_then(Value::as_object);
    others(object, &format!("{at}/securityContext"), security, &SECURITY, lost);
    workload.host_network = spec.get("hostNetwork").is_some_and(|value| value == true);
    workload.volumes = volumes::read(context, object, at, spec, lost);
    let list = spec.get("containers").and_then(Value::as_array);
    for (index, value) in list.into_iter().flatten().enumerate() {
        let at = format!("{at}/containers/{index}");
        let Some(fields) = value.as_object() else { continue };
        let container = container(context, object, &at, fields, security, lost);
        ports(object, &at, fields, &container.name, workload, lost);
        workload.containers.push(container);
    }
}

/// What a mapping says besides the fields of `known`.
fn others(
    object: &Object,
    at: &str,
    fields: Option<&Map<String, Value>>,
    known: &[&str],
    lost: &mut Vec<Lost>,
) {
    let is_said = |value: &Value| match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        other => !other.is_null(),
    };
    let others = fields.into_iter().flatten();
    let others = others.filter(|(name, value)| !known.contains(&name.as_str()) && is_said(value));
    lost.extend(others.map(|(name, _)| Lost::at(object, &format!("{at}/{name}"))));
}

fn container(
    context: &Context<'_>,
    object: &Object,
    at: &str,
    fields: &Map<String, Value>,
    of_pod: Option<&Map<String, Value>>,
    lost: &mut Vec<Lost>,
) -> Container {
    others(object, at, Some(fields), &CONTAINER, lost);
    let security = fields.get("securityContext").and_then(Value::as_object);
    others(object, &format!("{at}/securityContext"), security, &SECURITY, lost);
    let resources = fields.get("resources").and_then(Value::as_object);
    others(object, &format!("{at}/resources"), resources, &["limits"], lost);
    let limits = resources.and_then(|resources| resources.get("limits")?.as_object());
    others(object, &format!("{at}/resources/limits"), limits, &["cpu", "memory"], lost);
    let id = object.id();
    let is_here = |use_: &crate::app::ContainerRef| use_.object == id && use_.pointer == at;
    let image = context.exported.images.iter().find(|image| image.uses.iter().any(is_here));
    let number = |name: &str| {
        let own = security.and_then(|security| security.get(name));
        own.or_else(|| of_pod?.get(name)).and_then(Value::as_u64)
    };
    let env = environment(context, object, at, fields, lost);
    let mut list =
        |name: &str| words(object, &format!("{at}/{name}"), fields.get(name), &env, lost);
    let (entrypoint, arguments) = (list("command"), list("args"));
    let limit = |name: &str| limits.and_then(|limits| limits.get(name)).map(text);
    Container {
        name: fields.get("name").map(text).unwrap_or_default(),
        field: at.trim_start_matches('/').replace('/', "."),
        image: image.cloned(),
        entrypoint,
        arguments,
        working_dir: fields.get("workingDir").map(text),
        env,
        mounts: mounts(object, at, fields, lost),
        user: number("runAsUser"),
        group: number("runAsGroup"),
        privileged: security.is_some_and(|of| of.get("privileged").is_some_and(|is| is == true)),
        cpu_millis: limit("cpu").and_then(|limit| quantity::millis(&limit)),
        memory: limit("memory").and_then(|limit| quantity::whole(&limit)),
    }
}

/// The ports that a container opens on its host.
fn ports(
    object: &Object,
    at: &str,
    fields: &Map<String, Value>,
    container: &str,
    workload: &mut Workload,
    lost: &mut Vec<Lost>,
) {
    let list = fields.get("ports").and_then(Value::as_array);
    for (index, port) in list.into_iter().flatten().enumerate() {
        let at = format!("{at}/ports/{index}");
        others(
            object,
            &at,
            port.as_object(),
            &["name", "containerPort", "hostPort", "protocol"],
            lost,
        );
        if let (Some(internal), Some(external)) =
            (services::number(&port["containerPort"]), services::number(&port["hostPort"]))
        {
            let (container, protocol) = (container.to_owned(), services::protocol(port));
            workload.expose(Exposed { container, internal, external, protocol });
        }
    }
}

/// Text, or a number as text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The text with variables in place of `$(NAME)`, as Kubernetes puts them there and nobody else
/// does; `$$` is one `$`. What is no variable stays, and one of a Secret stays and is lost.
fn expanded(
    object: &Object,
    at: &str,
    said: &str,
    variables: &[Variable],
    lost: &mut Vec<Lost>,
) -> String {
    let (mut text, mut rest) = (String::new(), said);
    while let Some(found) = rest.find('$') {
        text.push_str(&rest[..found]);
        rest = &rest[found + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            (text, rest) = (text + "$", after);
            continue;
        }
        let named = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let known = named.and_then(|(name, after)| {
            Some((variables.iter().rev().find(|variable| variable.name == name)?, after))
        });
        match known {
            Some((Variable { setting: Setting::Text(value), .. }, after)) => {
                text.push_str(value);
                rest = after;
            }
            Some(_) => {
                let why = "the value of a Secret is not put in place of `$(NAME)`";
                lost.push(Lost::at(object, at).because(why));
                text.push('$');
            }
            None => text.push('$'),
        }
    }
    text + rest
}

fn words(
    object: &Object,
    at: &str,
    list: Option<&Value>,
    variables: &[Variable],
    lost: &mut Vec<Lost>,
) -> Vec<String> {
    let words = list.and_then(Value::as_array).into_iter().flatten();
    words.map(|word| expanded(object, at, &text(word), variables, lost)).collect()
}

/// The variables: those of whole ConfigMaps and Secrets first, as later ones win.
fn environment(
    context: &Context<'_>,
    object: &Object,
    at: &str,
    fields: &Map<String, Value>,
    lost: &mut Vec<Lost>,
) -> Vec<Variable> {
    let list = |name: &str| fields.get(name).and_then(Value::as_array).into_iter().flatten();
    let mut variables: Vec<Variable> = Vec::new();
    for (index, from) in list("envFrom").enumerate() {
        match everything(context, from) {
            Some(found) => variables.extend(found),
            None => lost.push(Lost::at(object, &format!("{at}/envFrom/{index}"))),
        }
    }
    for variable in list("env") {
        let Some(name) = variable["name"].as_str() else { continue };
        let at = format!("{at}/env/{name}");
        match setting(context, variable) {
            Some(mut setting) => {
                if let Setting::Text(value) = &mut setting
                    && variable.get("value").is_some()
                {
                    *value = expanded(object, &at, value, &variables, lost);
                }
                variables.push(Variable { name: name.to_owned(), setting });
            }
            None => lost.push(Lost::at(object, &at)),
        }
    }
    let names: Vec<String> = variables.iter().map(|variable| variable.name.clone()).collect();
    let mut index = 0;
    variables.retain(|variable| {
        index += 1;
        !names[index..].contains(&variable.name)
    });
    variables
}

/// The variables of an item of `envFrom`; `None` where what it names is not all known.
fn everything(context: &Context<'_>, from: &Value) -> Option<Vec<Variable>> {
    let prefix = from["prefix"].as_str().unwrap_or_default();
    if let Some(name) = from["configMapRef"]["name"].as_str() {
        let data = context.configs.get(name)?.at("/data")?.as_object()?;
        let each = data.iter().map(|(key, value)| Variable {
            name: format!("{prefix}{key}"),
            setting: Setting::Text(text(value)),
        });
        return Some(each.collect());
    }
    let name = from["secretRef"]["name"].as_str()?;
    let secret =
        context.app.secrets.iter().find(|secret| secret.name == name && secret.complete)?;
    let each = secret.keys.iter().map(|key| Variable {
        name: format!("{prefix}{key}"),
        setting: Setting::Secret { name: name.to_owned(), key: key.clone() },
    });
    Some(each.collect())
}

fn setting(context: &Context<'_>, variable: &Value) -> Option<Setting> {
    let from = &variable["valueFrom"];
    if from.is_null() {
        return Some(Setting::Text(variable.get("value").map(text).unwrap_or_default()));
    }
    let key = |source: &Value| {
        Some((source["name"].as_str()?.to_owned(), source["key"].as_str()?.to_owned()))
    };
    if let Some((name, key)) = key(&from["configMapKeyRef"]) {
        let data = context.configs.get(name.as_str())?.at("/data")?;
        return data.get(&key).map(|value| Setting::Text(text(value)));
    }
    let (name, key) = key(&from["secretKeyRef"])?;
    Some(Setting::Secret { name, key })
}

fn mounts(
    object: &Object,
    at: &str,
    fields: &Map<String, Value>,
    lost: &mut Vec<Lost>,
) -> Vec<Mount> {
    let list = fields.get("volumeMounts").and_then(Value::as_array);
    let mut mounts = Vec::new();
    for (index, mount) in list.into_iter().flatten().enumerate() {
        let at = format!("{at}/volumeMounts/{index}");
        let known = ["name", "mountPath", "subPath", "readOnly"];
        others(object, &at, mount.as_object(), &known, lost);
        let word = |name: &str| mount[name].as_str().map(str::to_owned);
        if let (Some(volume), Some(path)) = (word("name"), word("mountPath")) {
            let (sub_path, read_only) = (word("subPath"), mount["readOnly"] == true);
            mounts.push(Mount { volume, path, sub_path, read_only });
        }
    }
    mounts
}
