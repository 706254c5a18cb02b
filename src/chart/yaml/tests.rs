//! Emit, read back, compare.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::scalar::{Style, style};
use super::*;

/// Texts that some reader of YAML 1.1 or 1.2 takes for something else when they are not quoted.
/// `tests/it/chart/yaml.rs` shows the same ones to Helm.
const TRAPS: &str = include_str!("traps.json");

fn traps() -> Vec<String> {
    serde_json::from_str(TRAPS).unwrap()
}

fn undone(template: &str) -> String {
    template.replace(r#"{{ "{{" }}"#, "{{")
}

#[track_caller]
fn round_trip(value: &Value) {
    let node = Node::from(value);
    for text in [document(&node), undone(&template(&node))] {
        let read: Value = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(&read, value, "\n{text}");
    }
}

#[test]
fn traps_come_back_as_values_items_and_keys() {
    for trap in &traps() {
        round_trip(&json!({"a": trap, "z": 1}));
        round_trip(&json!([{"a": {"b": [trap, [trap], {"c": trap}]}}, trap]));
        round_trip(&json!({trap: {trap: [trap]}}));
    }
    let all: Map<String, Value> =
        traps().into_iter().map(|trap| (trap.clone(), trap.into())).collect();
    round_trip(&Value::Object(all));
}

#[test]
fn what_needs_no_quotes_has_none() {
    for text in [
        "web",
        "10Gi",
        "100m",
        "--port=80",
        "http://a:80/b#c",
        "a:b",
        "docker.io/library/nginx:1.27",
        "sha256:00",
        "$(A)",
        "kubernetes.io/hostname",
        "Host names, and so on.",
        "it's",
        "a{b",
    ] {
        assert_eq!(style(text, true), Style::Plain, "{text}");
    }
    assert_eq!(
        document(&Node::from(&json!({"a": "b", "c": ["d"], "e": {}}))),
        "a: b\nc:\n  - d\ne: {}\n"
    );
}

#[test]
fn what_misleads_a_reader_is_quoted() {
    for text in
        ["y", "NO", "On", "~", "0777", "1_000", "1e3", "12:30", "2001-01-01", "1.20", "a: b", " a"]
    {
        assert_eq!(style(text, false), Style::Double, "{text}");
    }
}

#[test]
fn lines_are_a_block_unless_helm_would_trim_it() {
    assert_eq!(style("a\nb\n", true), Style::Literal);
    for text in ["a\nb\n\n", "a \nb", "a\n  b\t\nc"] {
        assert_eq!(
            (style(text, false), style(text, true)),
            (Style::Literal, Style::Double),
            "{text:?}"
        );
    }
    for text in ["a\r\nb\r\n", "\n", "a\n ", "\ta\nb", "a\u{7}\nb"] {
        assert_eq!(style(text, false), Style::Double, "{text:?}");
    }
}

#[test]
fn long_keys_are_explicit() {
    for length in [500, 600, 1500] {
        round_trip(&json!({"k".repeat(length): {"a": [1]}, "z": null}));
    }
}

#[test]
fn numbers_are_numbers_for_every_reader() {
    let value = json!([0, -1, 1.5, 1e300, 1e-7, 2.0, u64::MAX, i64::MIN]);
    assert_eq!(
        document(&Node::from(&value)),
        "- 0\n- -1\n- 1.5\n- 1.0e+300\n- 1.0e-7\n- 2.0\n- 18446744073709551615\n- -9223372036854775808\n"
    );
}

#[test]
fn guards_blocks_and_comments_are_indented_as_their_place() {
    let node = Node::Map(vec![
        Row::Action("$a := .Values.a".to_owned()),
        Row::Comment("Why {{ not }}.".to_owned()),
        Row::field(
            "spec",
            Node::Map(vec![
                Row::when(
                    "with $a.labels",
                    Row::field("labels", Node::Block("toYaml .".to_owned())),
                ),
                Row::field(
                    "items",
                    Node::List(vec![
                        Row::Action("$b := 1".to_owned()),
                        Row::One(Node::map([
                            ("name", Node::expr("$b")),
                            ("args", Node::list([Node::str("{{")])),
                        ])),
                        Row::One(Node::Map(vec![Row::when("if $b", Row::field("c", Node::Null))])),
                    ]),
                ),
            ]),
        ),
    ]);
    let expected = r#"{{- $a := .Values.a }}
# Why {{ "{{" }} not }}.
spec:
  {{- with $a.labels }}
  labels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  items:
    {{- $b := 1 }}
    - name: {{ $b }}
      args:
        - "{{ "{{" }}"
    -
      {{- if $b }}
      c: null
      {{- end }}
"#;
    assert_eq!(template(&node), expected);
}

#[test]
fn a_brace_before_an_expression_is_inert() {
    let parts = vec![Part::Literal("a{".to_owned()), Part::Expr(".x".to_owned())];
    assert_eq!(template(&Node::map([("k", Node::Text(parts))])), "k: \"a{{ \"{\" }}{{ .x }}\"\n");
}

#[test]
fn long_comments_are_wrapped() {
    let text =
        document(&Node::Map(vec![Row::Comment("word ".repeat(60)), Row::field("a", Node::Null)]));
    assert_eq!(text.lines().count(), 5);
    assert!(text.lines().all(|line| line.len() <= 96));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has none of these", |f| f.is_finite()).prop_map(Value::from),
        nasty().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((nasty(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(traps()),
        prop::collection::vec(prop::sample::select(traps()), 0..5).prop_map(|parts| parts.concat()),
        "[ \\t\\r\\n:#{}\\-\"'a\\\\]{0,12}",
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_comes_back(value in any_json()) {
        round_trip(&value);
    }
}
