//! Label selectors: as text (`-l`) and as objects carry them. The rules are Kubernetes'
//! (`apimachinery/pkg/labels/selector.go`).

use std::str::FromStr;

use serde_json::{Map, Value};

/// Longest name of a label, and longest value.
const MAX_PART: usize = 63;

/// Longest prefix of a label's key: a DNS subdomain.
const MAX_PREFIX: usize = 253;

/// Most requirements of one selector; more is not something that a person types.
const MAX_REQUIREMENTS: usize = 256;

/// A conjunction of requirements; without any, it selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Requirement {
    key: String,
    op: Op,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Op {
    Exists,
    Absent,
    In(Vec<String>),
    /// Holds also where the key is absent.
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotASelector(String);

impl Selector {
    /// Whether it selects something with these labels.
    pub fn matches(&self, labels: &Map<String, Value>) -> bool {
        self.0.iter().all(|requirement| {
            requirement.op.holds(labels.get(&requirement.key).and_then(Value::as_str))
        })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Labels, one of which it requires; there may be several such lists.
    pub(super) fn required(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().filter_map(|requirement| match &requirement.op {
            Op::In(values) => Some((requirement.key.as_str(), values.as_slice())),
            _ => None,
        })
    }

    /// A `map[string]string`, as Services have it.
    pub fn of_map(map: &Map<String, Value>) -> Self {
        let equal = |(key, value): (&String, &Value)| Requirement {
            key: key.clone(),
            op: Op::In(value.as_str().map(str::to_owned).into_iter().collect()),
        };
        Self(map.iter().map(equal).collect())
    }

    /// A `LabelSelector` with `matchLabels` and `matchExpressions`. An operator that this release
    /// does not know selects nothing.
    pub fn of_object(selector: &Value) -> Self {
        let labels = selector.get("matchLabels").and_then(Value::as_object);
        let mut all = labels.map(Self::of_map).unwrap_or_default();
        let expressions = selector.get("matchExpressions").and_then(Value::as_array);
        all.0.extend(expressions.into_iter().flatten().map(Requirement::of_expression));
        all
    }
}

impl Requirement {
    fn of_expression(expression: &Value) -> Self {
        let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
        let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
        let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
        let op = match text("operator") {
            "In" => Op::In(values),
            "NotIn" => Op::NotIn(values),
            "Exists" => Op::Exists,
            "DoesNotExist" => Op::Absent,
            _ => Op::In(Vec::new()),
        };
        Self { key: text("key").to_owned(), op }
    }
}

impl Op {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::In(of) => value.is_some_and(|value| of.iter().any(|one| one == value)),
            Self::NotIn(of) => value.is_none_or(|value| of.iter().all(|one| one != value)),
            Self::Above(than) => number().is_some_and(|number| number > *than),
            Self::Below(than) => number().is_some_and(|number| number < *than),
        }
    }
}

impl FromStr for Selector {
    type Err = NotASelector;

    fn from_str(text: &str) -> Result<Self, NotASelector> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = split_outside_brackets(text)?;
        if parts.len() > MAX_REQUIREMENTS {
            return Err(NotASelector(format!("more than {MAX_REQUIREMENTS} requirements")));
        }
        parts.into_iter().map(requirement).collect::<Result<_, _>>().map(Self)
    }
}

/// Splits at commas, but not at those in `key in (a,b)`.
fn split_outside_brackets(text: &str) -> Result<Vec<&str>, NotASelector> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '(' if inside => return Err(NotASelector("`(` within `(`".to_owned())),
            ')' if !inside => return Err(NotASelector("`)` without `(`".to_owned())),
            '(' => inside = true,
            ')' => inside = false,
            ',' if !inside => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err(NotASelector("`(` without `)`".to_owned()));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn requirement(text: &str) -> Result<Requirement, NotASelector> {
    let text = text.trim();
    if let Some(absent) = text.strip_prefix('!') {
        return Ok(Requirement { key: key(absent)?, op: Op::Absent });
    }
    let Some(end) = text.find(['=', '!', '<', '>', '(', ' ', '\t', '\n', '\r']) else {
        return Ok(Requirement { key: key(text)?, op: Op::Exists });
    };
    let (name, rest) = (key(&text[..end])?, text[end..].trim_start());
    let op = operator(rest)?;
    Ok(Requirement { key: name, op })
}

fn operator(text: &str) -> Result<Op, NotASelector> {
    let one = |text: &str| value(text).map(|value| vec![value]);
    if let Some(rest) = text.strip_prefix("!=") {
        return one(rest).map(Op::NotIn);
    }
    if let Some(rest) = text.strip_prefix("==").or_else(|| text.strip_prefix('=')) {
        return one(rest).map(Op::In);
    }
    if let Some(rest) = text.strip_prefix('>') {
        return number(rest).map(Op::Above);
    }
    if let Some(rest) = text.strip_prefix('<') {
        return number(rest).map(Op::Below);
    }
    if let Some(rest) = text.strip_prefix("notin") {
        return values(rest).map(Op::NotIn);
    }
    if let Some(rest) = text.strip_prefix("in") {
        return values(rest).map(Op::In);
    }
    Err(NotASelector(format!("`{text}` is no operator with a value")))
}

/// `(a, b)`; an empty value between commas is a value.
fn values(text: &str) -> Result<Vec<String>, NotASelector> {
    let inner = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let inner = inner.ok_or_else(|| NotASelector("values must stand in `(…)`".to_owned()))?;
    inner.split(',').map(value).collect()
}

fn number(text: &str) -> Result<i64, NotASelector> {
    let text = text.trim();
    text.parse().map_err(|_| NotASelector(format!("`{text}` is not a whole number")))
}

fn value(text: &str) -> Result<String, NotASelector> {
    let text = text.trim();
    if text.is_empty() || is_part(text) {
        return Ok(text.to_owned());
    }
    Err(NotASelector(format!(
        "`{text}` is not a label value (letters, digits, `-`, `_`, `.`; at most {MAX_PART})"
    )))
}

fn key(text: &str) -> Result<String, NotASelector> {
    let text = text.trim();
    let (prefix, name) = text.split_once('/').map_or((None, text), |(p, n)| (Some(p), n));
    if is_part(name) && prefix.is_none_or(is_prefix) {
        return Ok(text.to_owned());
    }
    Err(NotASelector(format!("`{text}` is not a label key")))
}

fn is_part(text: &str) -> bool {
    let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= MAX_PART
        && alphanumeric(text.chars().next())
        && alphanumeric(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_prefix(text: &str) -> bool {
    let label = |label: &str| {
        is_part(label)
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    text.len() <= MAX_PREFIX && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn labels(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn selects(selector: &str, of: &Value) -> bool {
        selector.parse::<Selector>().unwrap().matches(&labels(of))
    }

    /// `TestSelectorMatches` and `TestSetMatches` of apimachinery.
    #[test]
    fn the_cases_of_kubernetes() {
        let matches: &[(&str, Value)] = &[
            ("", json!({"x": "y"})),
            ("x=y", json!({"x": "y"})),
            ("x=y,z=w", json!({"x": "y", "z": "w"})),
            ("x!=y,z!=w", json!({"x": "z", "z": "a"})),
            ("notin=in", json!({"notin": "in"})),
            ("x", json!({"x": "z"})),
            ("!x", json!({"y": "z"})),
            ("x>1", json!({"x": "2"})),
            ("x<1", json!({"x": "0"})),
            ("x=", json!({"x": ""})),
            ("x in ()", json!({"x": ""})),
            ("x in (a,,b)", json!({"x": ""})),
            ("x notin (a)", json!({})),
            (" x  in ( a , b ) , !y ", json!({"x": "b"})),
            ("x==a", json!({"x": "a"})),
            ("example.com/x!=a", json!({})),
        ];
        for (selector, of) in matches {
            assert!(selects(selector, of), "{selector} {of}");
        }
        let others: &[(&str, Value)] = &[
            ("x=z", json!({})),
            ("x=y", json!({"x": "z"})),
            ("x=y,z=w", json!({"x": "w", "z": "w"})),
            ("x!=y,z!=w", json!({"x": "z", "z": "w"})),
            ("x", json!({"y": "z"})),
            ("!x", json!({"x": "z"})),
            ("x>1", json!({"x": "1"})),
            ("x>1", json!({"x": "many"})),
            ("x<-1", json!({"x": "0"})),
        ];
        for (selector, of) in others {
            assert!(!selects(selector, of), "{selector} {of}");
        }
    }

    #[test]
    fn what_is_no_selector() {
        for text in [
            "x=a||y=b",
            "x=y,",
            ",x=y",
            "!x=a",
            "x==a==b",
            "x in a",
            "x in (a",
            "x in a)",
            "x in ((a))",
            "x<a",
            "x >",
            "x y",
            "=a",
            "a b=c",
            "x=-a",
            "x=a b",
            "/x",
            "UPPER/x",
            "a..b/x",
            "x/y/z",
            "x=ä",
            "x = 'a'",
            ",",
            "!",
        ] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
        assert!(format!("{}=a", "k".repeat(64)).parse::<Selector>().is_err());
        assert!(format!("k={}", "v".repeat(64)).parse::<Selector>().is_err());
        assert!(vec!["k"; MAX_REQUIREMENTS + 1].join(",").parse::<Selector>().is_err());
    }

    #[test]
    fn selectors_of_objects() {
        let of = |value: Value| Selector::of_object(&value);
        let web = labels(&json!({"app": "web", "tier": "front"}));
        assert!(of(json!({})).matches(&web));
        assert!(of(json!({"matchLabels": {"app": "web"}})).matches(&web));
        assert!(!of(json!({"matchLabels": {"app": "web", "x": "y"}})).matches(&web));
        for (operator, values, expected) in [
            ("In", json!(["web", "db"]), true),
            ("NotIn", json!(["db"]), true),
            ("NotIn", json!(["web"]), false),
            ("Exists", Value::Null, true),
            ("DoesNotExist", Value::Null, false),
            ("Like", json!(["web"]), false),
        ] {
            let expression = json!({"key": "app", "operator": operator, "values": values});
            let selector = of(json!({"matchExpressions": [expression]}));
            assert_eq!(selector.matches(&web), expected, "{operator} {values}");
        }
    }

    fn part() -> impl Strategy<Value = String> {
        "[a-c]([a-c._-]{0,2}[a-c])?"
    }

    fn one() -> impl Strategy<Value = Requirement> {
        let key = prop_oneof![part(), part().prop_map(|name| format!("ex.io/{name}"))];
        let values = || prop::collection::vec(prop_oneof![part(), Just(String::new())], 1..3);
        let op = prop_oneof![
            Just(Op::Exists),
            Just(Op::Absent),
            values().prop_map(Op::In),
            values().prop_map(Op::NotIn),
            any::<i64>().prop_map(Op::Above),
            any::<i64>().prop_map(Op::Below),
        ];
        (key, op).prop_map(|(key, op)| Requirement { key, op })
    }

    fn print(Requirement { key, op }: &Requirement, space: &str) -> String {
        match op {
            Op::Exists => key.clone(),
            Op::Absent => format!("!{space}{key}"),
            Op::In(of) if of.len() == 1 && space.is_empty() => format!("{key}={}", of[0]),
            Op::NotIn(of) if of.len() == 1 => format!("{key}{space}!={space}{}", of[0]),
            Op::In(of) => format!("{key} in{space}({})", of.join(&format!("{space},"))),
            Op::NotIn(of) => format!("{key} notin{space}({})", of.join(&format!(",{space}"))),
            Op::Above(than) => format!("{key}{space}>{space}{than}"),
            Op::Below(than) => format!("{key}{space}<{than}{space}"),
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(
            requirements in prop::collection::vec(one(), 0..5), space in "[ \t]{0,2}",
        ) {
            let text: Vec<_> = requirements.iter().map(|of| print(of, &space)).collect();
            let text = text.join(&format!("{space},{space}"));
            prop_assert_eq!(text.parse::<Selector>().unwrap(), Selector(requirements), "{}", text);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-c=!<>(), ]{0,20}|.{0,20}") {
            let _ = text.parse::<Selector>();
        }
    }
}
