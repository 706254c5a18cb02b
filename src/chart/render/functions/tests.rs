use super::super::exec::{Machine, Trees, add};
use super::*;
use serde_json::json;

/// What a template prints, with a list, a map and texts to work on.
fn printed(text: &str) -> String {
    let data = Go::from(&json!({"list": ["b", "a", "b"], "map": {"k": "v", "n": null},
        "text": "a\n\"b\"", "port": 8080}));
    let mut trees = Trees::new();
    add(&mut trees, "t", text)
        .and_then(|()| Machine::new(trees).text("t", &data))
        .unwrap_or_else(|error| error)
}

#[test]
fn functions_do_what_sprig_and_helm_say() {
    for (template, expected) in [
        (r#"{{ append .list "c" | join "," }}"#, "b,a,b,c"),
        (r#"{{ "hello" | b64enc }}"#, "aGVsbG8="),
        (r#"{{ coalesce "" nil "x" "y" }}"#, "x"),
        (r#"{{ concat (list 1) .list | join "" }}"#, "1bab"),
        (r#"{{ contains "el" "hello" }}"#, "true"),
        (r#"{{ "" | default "d" }}{{ default "d" "x" }}{{ default "d" }}"#, "dxd"),
        (r#"{{ dict "a" 1 "b" | toJson }}"#, r#"{"a":1,"b":""}"#),
        (r#"{{ fail "no way" }}"#, "line 1: fail: no way"),
        (r#"{{ get .map "k" }}{{ get .map "none" }}"#, "v"),
        (r#"{{ has "a" .list }}{{ has "c" .list }}"#, "truefalse"),
        (r#"{{ hasKey .map "n" }}{{ hasKey .map "m" }}"#, "truefalse"),
        ("{{ indent 2 .text }}|{{ nindent 1 \"x\" }}", "  a\n  \"b\"|\n x"),
        (r#"{{ keys .map | sortAlpha | join "," }}"#, "k,n"),
        (
            r#"{{ kindIs "invalid" .map.n }}{{ kindIs "map" .map }}{{ kindOf .list }}"#,
            "truetrueslice",
        ),
        (r#"{{ merge (dict "k" "mine") .map (dict "z" 1) | toJson }}"#, r#"{"k":"mine","z":1}"#),
        ("{{ .text | quote }}{{ quote nil }}", r#""a\n\"b\"""#),
        (r#"{{ quote "é\u0085\x01😀" }}"#, "\"é\\u0085\\x01😀\""),
        (r#"{{ "a+b+c" | replace "+" "_" }}"#, "a_b_c"),
        (r#"{{ required "it is needed" "" }}"#, "line 1: required: it is needed"),
        (r#"{{ $d := dict }}{{ $d = set $d "a" 1 }}{{ $d | toJson }}"#, r#"{"a":1}"#),
        (r#"{{ ternary "y" "n" true }}{{ true | ternary "y" "n" }}"#, "yy"),
        (
            "{{ toYaml .map }}|{{ toYaml .list }}|{{ toYaml (dict) }}",
            "k: v\n\"n\": null|- b\n- a\n- b|{}",
        ),
        (
            r#"{{ trimAll "-." ".a-b-" }}{{ trimPrefix "a" "ab" }}{{ trimSuffix "b" "ab" }}"#,
            "a-bba",
        ),
        (r#"{{ trunc 2 "abc" }}{{ trunc -2 "abc" }}{{ trunc 9 "abc" }}"#, "abbcabc"),
        (r#"{{ uniq .list | join "" }}"#, "ba"),
    ] {
        assert_eq!(printed(template), expected, "{template}");
    }
}

#[test]
fn wrong_arguments_are_errors_and_not_panics() {
    let arguments = ["", "nil", "1 1", ".text", ".list .map", "(-1) .text .text"];
    for (name, _) in TABLES.iter().copied().flatten() {
        for argument in arguments {
            printed(&format!("{{{{ {name} {argument} }}}}"));
        }
    }
    assert!(printed("{{ nope 1 }}").contains("nope"));
}
