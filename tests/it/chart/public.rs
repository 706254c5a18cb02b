//! Charts in the shapes that public ones have: our renderer gives what both helms give.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use outhaul::chart::Chart;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::render::{assert_same, ours};
use crate::support::helm::Helm;

/// The chart in a folder, packed or not.
pub(crate) fn chart_in(folder: &Path) -> Chart {
    let mut files = BTreeMap::new();
    read(folder, "", &mut files);
    let metadata: Value = serde_saphyr::from_slice(&files["Chart.yaml"]).unwrap();
    Chart {
        name: metadata["name"].as_str().unwrap().to_owned(),
        version: metadata["version"].as_str().unwrap().parse().unwrap(),
        config: metadata.to_string().into_bytes(),
        files,
        annotations: BTreeMap::new(),
    }
}

fn read(folder: &Path, place: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{place}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read(entry.path()).unwrap());
        }
    }
}

/// A parent, a library, a chart under two names, conditions, tags, imported values, `tpl`, `set`,
/// files with digests, hooks, and functions of every kind.
#[test]
fn a_chart_with_charts_in_it_renders_as_in_helm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/chart/public/shop");
    assert_same(
        &chart_in(&folder),
        &[
            json!({}),
            json!({"tags": {"speed": true}, "replica": {"enabled": false}, "exportedName": "own",
                "replicaService": {"port": "none"}}),
            json!({"global": {"imageRegistry": "mirror.test:5000", "imagePullSecrets": ["a", {"name": "b"}]},
                "nameOverride": "other", "team": "blue", "primary": {"service": {"port": 1}}}),
            json!({"image": {"registry": "", "digest": format!("sha256:{}", "a".repeat(64))},
                "autoscaling": {"enabled": true}, "podAnnotations": {"a": "{{ .Release.Name }}"},
                "resources": {"limits": {"cpu": "1"}}, "extra": "- name: B\n  value: '{{ 1 }}'",
                "labels": {"a": "b"}, "cache": {"a": "x"}, "text": "plain"}),
        ],
    );
}

#[test]
fn the_chart_that_helm_creates_renders_as_in_helm() {
    for helm in Helm::both() {
        helm.run(&["create", "web"]).ok();
        assert_same(
            &chart_in(&helm.folder().join("web")),
            &[
                json!({}),
                json!({"nameOverride": "n", "fullnameOverride": "full-", "image": {"tag": "2"},
                    "imagePullSecrets": [{"name": "pull"}], "serviceAccount": {"create": false}}),
                json!({"autoscaling": {"enabled": true, "targetMemoryUtilizationPercentage": 70},
                    "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"},
                    "podSecurityContext": {"fsGroup": 2000}, "resources": {"limits": {"cpu": "1"}},
                    "volumes": [{"name": "v", "emptyDir": {}}], "nodeSelector": {"a": "b"},
                    "volumeMounts": [{"name": "v", "mountPath": "/v"}], "affinity": {"x": {}},
                    "tolerations": [{"key": "k", "operator": "Exists"}]}),
                json!({"serviceAccount": {"annotations": {"x": "y"}, "name": "own"},
                    "service": {"type": "NodePort", "port": 8080},
                    "ingress": {"enabled": true, "className": "nginx", "annotations": {"a": "b"},
                        "tls": [{"secretName": "t", "hosts": ["h"]}]}}),
            ],
        );
    }
}

/// Pipelines that a value goes through, by what it must be.
const ANY: &[&str] = &[
    "toYaml $v",
    "toJson $v",
    "toPrettyJson $v",
    "toRawJson $v",
    "quote $v",
    "squote $v",
    "kindOf $v",
    "typeOf $v",
    "print $v",
    "printf \"%v\" $v",
    "toString $v",
    "empty $v",
    "default \"d\" $v | toJson",
    "toYaml $v | sha256sum",
    "toYaml $v | indent 3",
    "int $v",
    "int64 $v",
    "add 1 $v",
    "list $v $v | toYaml",
    "dict \"k\" $v | toYaml",
    "ternary 1 2 (empty $v)",
    "list $v 1 | uniq | toJson",
    "deepCopy $v | toJson",
    "has $v (list 1 $v)",
    "cat $v \"x\"",
    "dict \"long key with spaces\" (dict \"b\" (list (list $v))) | toYaml",
    "deepEqual $v $v",
];
const TEXTS: &[&str] = &[
    "upper $v",
    "lower $v",
    "trim $v",
    "replace \"a\" \"b\" $v",
    "contains \"a\" $v",
    "hasPrefix \"a\" $v",
    "b64enc $v",
    "b64enc $v | trunc 5",
    "sha256sum $v",
    "adler32sum $v",
    "nospace $v",
    "untitle $v",
    "splitList \"a\" $v | toJson",
    "split \" \" $v | toJson",
    "len $v",
    "regexReplaceAll \"[^a-z]+\" $v \"x\"",
    "regexMatch \"^[a-z]*$\" $v",
    "printf \"%q\" $v",
    "printf \"%-8s|\" $v",
    "printf \"%s\" $v | nindent 2",
    "trimSuffix \"a\" $v",
    "fromJson (toJson (dict \"a\" $v)) | toYaml",
    "fromYaml (toYaml (dict \"a\" $v)) | toJson",
    "repeat 2 $v",
    "trimAll \" a\" $v",
    "tpl $v $",
    "atoi $v",
    "float64 $v",
    "eq $v \"a\"",
    "lt $v \"m\"",
    "b64enc $v | b64dec",
    "regexFind \"[0-9]+\" $v",
];
const LISTS: &[&str] = &[
    "first $v | toJson",
    "last $v | toJson",
    "rest $v | join \",\"",
    "initial $v | join \",\"",
    "reverse $v | toJson",
    "uniq $v | toJson",
    "compact $v | toJson",
    "join \",\" $v",
    "len $v",
    "without $v 1 \"a\" | toJson",
    "concat $v (list 1) | toJson",
    "append $v 1 | toYaml",
    "prepend $v 1 | toJson",
    "sortAlpha $v | toJson",
    "chunk 2 $v | toJson",
    "toStrings $v | toJson",
];
const MAPS: &[&str] = &[
    "keys $v | sortAlpha | toJson",
    "pick $v \"a\" \"b\" | toYaml",
    "omit $v \"a\" | toYaml",
    "hasKey $v \"a\"",
    "get $v \"a\" | toJson",
    "dig \"a\" \"none\" $v | toJson",
    "len $v",
    "merge (dict \"a\" 1) (deepCopy $v) | toYaml",
    "mergeOverwrite (dict \"a\" 1 \"b\" (dict \"c\" 1)) $v | toJson",
    "merge (deepCopy $v) (dict \"a\" (dict \"n\" 1) \"b\" 2) | toJson",
    "set (deepCopy $v) \"n\" 1 | toYaml",
    "unset (deepCopy $v) \"a\" | toYaml",
    "pluck \"a\" $v (dict \"a\" 1) | toJson",
    "range $k, $e := $v }}{{ $k }}={{ kindOf $e }};{{ end",
];

fn text() -> impl Strategy<Value = String> {
    let traps: Vec<String> =
        serde_json::from_str(include_str!("../../../src/chart/yaml/traps.json")).unwrap();
    let plain = |text: &String| {
        text != "1e400" // we quote it, and helm does not
            && !text.contains("{{")
            && text.chars().all(|c| {
                c == '\n' || c == '\t' || (' '..='~').contains(&c) || "éüß日😀".contains(c)
            })
    };
    let traps: Vec<String> = traps.into_iter().filter(plain).collect();
    prop_oneof![
        proptest::sample::select(traps),
        "[a-z0-9 :#'\"\\-\n\t]{0,12}",
        "([a-z']{1,9} {1,2}){10,25}",
        "[a-cé日😀. ]{0,8}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        (-5..20_000_000i64).prop_map(Value::from),
        (0..4000i32).prop_map(|of| Value::from(f64::from(of) / 8.0)),
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        number,
        text().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop_oneof!["[ab]", "[a-z]{1,4}[0-9]{0,2}", text()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Cases in one chart: each process of helm costs more than a hundred of them.
const CASES: usize = 120;

/// A chart that prints what each value becomes, in a ConfigMap for each.
fn chart_of(values: &[Value], seed: usize) -> Chart {
    let mut files = BTreeMap::new();
    let metadata = json!({"apiVersion": "v2", "name": "random", "version": "1.0.0"});
    let mut all = Map::new();
    for (at, value) in values.iter().enumerate() {
        let own = match value {
            Value::String(_) => TEXTS,
            Value::Array(_) => LISTS,
            Value::Object(_) => MAPS,
            _ => ANY,
        };
        let mut text = format!(
            "{{{{ $v := .Values.v{at} }}}}apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{at}}}\ndata:\n"
        );
        for (place, piece) in ANY.iter().chain(own).enumerate() {
            if (place + at + seed).is_multiple_of(2) {
                let name = piece.split(' ').next().unwrap();
                let define = format!(
                    "{{{{ define \"p{at}.{place}\" }}}}{{{{ $v := .Values.v{at} }}}}{{{{ {piece} }}}}{{{{ end }}}}"
                );
                text.push_str(&format!(
                    "  p{place}-{name}: {define}{{{{ include \"p{at}.{place}\" $ | b64enc }}}}\n"
                ));
            }
        }
        files.insert(format!("templates/c{at}.yaml"), text.into_bytes());
        all.insert(format!("v{at}"), value.clone());
    }
    files.insert("values.yaml".to_owned(), Value::Object(all).to_string().into_bytes());
    files.insert("Chart.yaml".to_owned(), metadata.to_string().into_bytes());
    Chart {
        name: "random".to_owned(),
        version: semver::Version::new(1, 0, 0),
        config: metadata.to_string().into_bytes(),
        files,
        annotations: BTreeMap::new(),
    }
}

#[test]
fn random_values_become_what_they_become_in_helm() {
    let mut runner = TestRunner::new(Config { cases: 6, max_shrink_iters: 0, ..Config::default() });
    let values = proptest::collection::vec(value(), CASES);
    let tested = runner.run(&(values, 0..2usize), |(values, seed)| {
        let chart = chart_of(&values, seed);
        assert_eq!(ours(&chart, &json!({})).len(), CASES);
        assert_same(&chart, &[json!({})]);
        Ok(())
    });
    tested.unwrap();
}
