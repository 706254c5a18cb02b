//! What helm 3 and 4 print for the same; `tests/it/chart/public.rs` asks them about more.

use serde_json::json;

use super::text;

#[test]
fn values_are_written_as_helm_writes_them() {
    let long = "word ".repeat(30);
    for (value, expected) in [
        (
            json!({"b": 1, "a": [1, {"x": "y", "z": []}, [2]], "c": {}}),
            "a:\n- 1\n- x: \"y\"\n  z: []\n- - 2\nb: 1\nc: {}",
        ),
        (json!("yes"), "\"yes\""),
        (json!({"a10": 1, "a9": 2, "A": 3}), "A: 3\na9: 2\na10: 1"),
        (
            json!(["a: b", "#", "", "1.5", "it's", "x\ny\n", " a"]),
            "- 'a: b'\n- '#'\n- \"\"\n- \"1.5\"\n- it's\n- |\n  x\n  y\n- ' a'",
        ),
        (
            json!({"t": "a\tb", "e": "\u{1f600}", "f": 0.5}),
            "e: \"\\U0001F600\"\nf: 0.5\nt: \"a\\tb\"",
        ),
        (
            json!({"long": long.trim()}),
            "long: word word word word word word word word word word word word word word word word\n  \
             word word word word word word word word word word word word word word",
        ),
    ] {
        assert_eq!(text(&value), expected);
    }
}
