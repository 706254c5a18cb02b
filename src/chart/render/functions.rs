//! The functions that our charts use, besides Go's own: Helm's (helm, `pkg/engine/funcs.go`) and
//! Sprig's (<https://masterminds.github.io/sprig/>).
//!
//! Values do not change here: `set` gives a new mapping. Templates say `$d = set $d "key" …`, which
//! means the same in helm.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotmpl::{FuncMap, TemplateError, Value as Go};

use super::engine::Itself;
use super::values::from_go;
use crate::chart::yaml::{Node, document};

/// Most templates that include each other: ours need three, and each level takes stack.
const MAX_INCLUDES: usize = 16;

type Answer = Result<Go, String>;
type Function = fn(&[Go]) -> Answer;

/// Functions by name.
const FUNCTIONS: &[(&str, Function)] = &[
    ("append", append),
    ("b64enc", |args| Ok(go(STANDARD.encode(text(args, 0)?)))),
    ("coalesce", |args| Ok(args.iter().find(|arg| !is_empty(arg)).cloned().unwrap_or(Go::Nil))),
    ("concat", concat),
    ("contains", |args| Ok(Go::Bool(text(args, 1)?.contains(&text(args, 0)?)))),
    ("default", default),
    ("dict", dict),
    ("empty", |args| Ok(Go::Bool(is_empty(at(args, 0)?)))),
    ("fail", |args| Err(text(args, 0)?)),
    ("get", |args| Ok(map(args, 0)?.get(&*text(args, 1)?).cloned().unwrap_or(go("")))),
    ("has", |args| Ok(Go::Bool(list(args, 1)?.contains(at(args, 0)?)))),
    ("hasKey", |args| Ok(Go::Bool(map(args, 0)?.contains_key(&*text(args, 1)?)))),
    ("hasPrefix", |args| Ok(Go::Bool(text(args, 1)?.starts_with(&text(args, 0)?)))),
    ("hasSuffix", |args| Ok(Go::Bool(text(args, 1)?.ends_with(&text(args, 0)?)))),
    ("indent", |args| Ok(go(indented(args)?))),
    ("join", join),
    ("keys", |args| Ok(map(args, 0)?.keys().map(|key| Go::String(key.clone())).collect_list())),
    ("kindIs", |args| Ok(Go::Bool(text(args, 0)? == kind(at(args, 1)?)))),
    ("kindOf", |args| Ok(go(kind(at(args, 0)?)))),
    ("list", |args| Ok(args.iter().cloned().collect_list())),
    ("lower", |args| Ok(go(text(args, 0)?.to_lowercase()))),
    ("merge", merge),
    ("nindent", |args| Ok(go(format!("\n{}", indented(args)?)))),
    ("quote", quote),
    ("replace", |args| Ok(go(text(args, 2)?.replace(&text(args, 0)?, &text(args, 1)?)))),
    ("required", required),
    ("set", set),
    ("sortAlpha", sort),
    ("ternary", |args| Ok(at(args, usize::from(!at(args, 2)?.is_truthy()))?.clone())),
    ("toJson", |args| Ok(go(from_go(at(args, 0)?).to_string()))),
    ("toString", |args| Ok(go(text(args, 0)?))),
    ("toYaml", to_yaml),
    ("trim", |args| Ok(go(text(args, 0)?.trim()))),
    ("trimAll", trim_all),
    ("trimPrefix", trim_prefix),
    ("trimSuffix", trim_suffix),
    ("trunc", truncate),
    ("uniq", uniq),
    ("upper", |args| Ok(go(text(args, 0)?.to_uppercase()))),
];

/// All functions. `include` runs templates of `itself`.
pub(super) fn all(itself: &Itself) -> FuncMap {
    let mut all = FuncMap::new();
    for (name, function) in FUNCTIONS.iter().copied() {
        let failed = move |reason| TemplateError::Exec(format!("{name}: {reason}"));
        all.insert(name.to_owned(), Arc::new(move |args| function(args).map_err(failed)));
    }
    let (itself, depth) = (Arc::clone(itself), AtomicUsize::new(0));
    let include = move |args: &[Go]| {
        let name = text(args, 0).map_err(TemplateError::Exec)?;
        let template = itself.get().and_then(std::sync::Weak::upgrade);
        let template = template.ok_or_else(|| TemplateError::UndefinedTemplate(name.clone()))?;
        if depth.fetch_add(1, Ordering::Relaxed) >= MAX_INCLUDES {
            return Err(TemplateError::RecursionLimit);
        }
        let text = template.execute_template_to_string(&name, args.get(1).unwrap_or(&Go::Nil));
        depth.fetch_sub(1, Ordering::Relaxed);
        text.map(go)
    };
    all.insert("include".to_owned(), Arc::new(include));
    all
}

fn go(text: impl AsRef<str>) -> Go {
    Go::String(text.as_ref().into())
}

trait CollectList: Iterator<Item = Go> + Sized {
    fn collect_list(self) -> Go {
        Go::List(self.collect())
    }
}

impl<I: Iterator<Item = Go>> CollectList for I {}

fn at(args: &[Go], place: usize) -> Result<&Go, String> {
    args.get(place).ok_or_else(|| format!("argument {} is missing", place + 1))
}

/// The argument as text, as Sprig's `strval` makes it.
fn text(args: &[Go], place: usize) -> Result<String, String> {
    at(args, place).map(Go::to_string)
}

fn map(args: &[Go], place: usize) -> Result<&BTreeMap<Arc<str>, Go>, String> {
    match at(args, place)? {
        Go::Map(fields) => Ok(fields),
        other => Err(format!("argument {} is a {}, not a map", place + 1, kind(other))),
    }
}

fn list(args: &[Go], place: usize) -> Result<&[Go], String> {
    match at(args, place)? {
        Go::List(items) => Ok(items),
        other => Err(format!("argument {} is a {}, not a list", place + 1, kind(other))),
    }
}

fn number(args: &[Go], place: usize) -> Result<i64, String> {
    at(args, place)?.as_int().ok_or_else(|| format!("argument {} is no number", place + 1))
}

fn is_empty(value: &Go) -> bool {
    !value.is_truthy()
}

/// Go's word for the kind of a value.
fn kind(value: &Go) -> &'static str {
    match value {
        Go::Nil => "invalid",
        Go::List(_) => "slice",
        Go::Map(_) => "map",
        Go::Int(_) => "int64",
        Go::Uint(_) => "uint64",
        other => other.type_name(),
    }
}

fn append(args: &[Go]) -> Answer {
    let last = at(args, 1)?.clone();
    Ok(list(args, 0)?.iter().cloned().chain([last]).collect_list())
}

fn concat(args: &[Go]) -> Answer {
    let lists: Result<Vec<&[Go]>, String> = (0..args.len()).map(|at| list(args, at)).collect();
    Ok(lists?.concat().into_iter().collect_list())
}

fn default(args: &[Go]) -> Answer {
    let given = args.get(1).filter(|given| !is_empty(given));
    Ok(given.unwrap_or(at(args, 0)?).clone())
}

fn dict(args: &[Go]) -> Answer {
    let pair =
        |pair: &[Go]| Ok((text(pair, 0)?.into(), pair.get(1).cloned().unwrap_or_else(|| go(""))));
    let fields: Result<BTreeMap<Arc<str>, Go>, String> = args.chunks(2).map(pair).collect();
    Ok(Go::Map(Arc::new(fields?)))
}

fn set(args: &[Go]) -> Answer {
    let mut fields = map(args, 0)?.clone();
    fields.insert(text(args, 1)?.into(), at(args, 2)?.clone());
    Ok(Go::Map(Arc::new(fields)))
}

/// Earlier mappings win, those within them field by field.
fn merge(args: &[Go]) -> Answer {
    fn under(over: &mut BTreeMap<Arc<str>, Go>, fields: &BTreeMap<Arc<str>, Go>) {
        for (key, value) in fields {
            match (over.get_mut(key), value) {
                (Some(Go::Map(over)), Go::Map(fields)) => under(Arc::make_mut(over), fields),
                (Some(over), value) if is_empty(over) => over.clone_from(value),
                (Some(_), _) => {}
                (None, value) => _ = over.insert(Arc::clone(key), value.clone()),
            }
        }
    }
    let mut merged = map(args, 0)?.clone();
    for place in 1..args.len() {
        under(&mut merged, map(args, place)?);
    }
    Ok(Go::Map(Arc::new(merged)))
}

fn join(args: &[Go]) -> Answer {
    let texts: Vec<String> = list(args, 1)?.iter().map(Go::to_string).collect();
    Ok(go(texts.join(&text(args, 0)?)))
}

fn sort(args: &[Go]) -> Answer {
    let mut texts: Vec<String> = list(args, 0)?.iter().map(Go::to_string).collect();
    texts.sort();
    Ok(texts.into_iter().map(go).collect_list())
}

fn uniq(args: &[Go]) -> Answer {
    let mut kept: Vec<Go> = Vec::new();
    for item in list(args, 0)? {
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    Ok(kept.into_iter().collect_list())
}

fn required(args: &[Go]) -> Answer {
    match at(args, 1)? {
        Go::Nil => Err(text(args, 0)?),
        Go::String(value) if value.is_empty() => Err(text(args, 0)?),
        value => Ok(value.clone()),
    }
}

fn indented(args: &[Go]) -> Result<String, String> {
    // Nobody indents by more, and the number may come from anywhere.
    const MOST: i64 = 256;
    let pad = " ".repeat(usize::try_from(number(args, 0)?.min(MOST)).unwrap_or_default());
    Ok(format!("{pad}{}", text(args, 1)?.replace('\n', &format!("\n{pad}"))))
}

fn trim_all(args: &[Go]) -> Answer {
    let cut: Vec<char> = text(args, 0)?.chars().collect();
    Ok(go(text(args, 1)?.trim_matches(cut.as_slice())))
}

fn trim_prefix(args: &[Go]) -> Answer {
    let (part, whole) = (text(args, 0)?, text(args, 1)?);
    Ok(go(whole.strip_prefix(&part).unwrap_or(&whole)))
}

fn trim_suffix(args: &[Go]) -> Answer {
    let (part, whole) = (text(args, 0)?, text(args, 1)?);
    Ok(go(whole.strip_suffix(&part).unwrap_or(&whole)))
}

/// The first bytes, or with a negative number the last.
fn truncate(args: &[Go]) -> Answer {
    let (count, whole) = (number(args, 0)?, text(args, 1)?);
    let bytes = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if bytes >= whole.len() {
        return Ok(go(whole));
    }
    let part = if count < 0 { whole.get(whole.len() - bytes..) } else { whole.get(..bytes) };
    part.map(go).ok_or_else(|| "it would cut through a character".to_owned())
}

/// As YAML without the line feed at its end.
fn to_yaml(args: &[Go]) -> Answer {
    let yaml = document(&Node::from(&from_go(at(args, 0)?)));
    Ok(go(yaml.strip_suffix('\n').unwrap_or(&yaml)))
}

/// Every argument that is not nil between quotes, as Go writes them.
fn quote(args: &[Go]) -> Answer {
    let given = args.iter().filter(|arg| !matches!(arg, Go::Nil));
    let quoted: Vec<String> = given.map(|arg| go_quoted(&arg.to_string())).collect();
    Ok(go(quoted.join(" ")))
}

/// Go's `%q`. Escapes that only differ from Go's in where they are used mean the same to YAML.
fn go_quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        // Writing to a String cannot fail.
        let _ = match (c, u32::from(c)) {
            ('"' | '\\', _) => write!(quoted, "\\{c}"),
            ('\n', _) => quoted.write_str("\\n"),
            ('\r', _) => quoted.write_str("\\r"),
            ('\t', _) => quoted.write_str("\\t"),
            ('\'', _) => quoted.write_char(c),
            (c, _) if c.escape_debug().len() == 1 => quoted.write_char(c),
            (_, code @ ..0x80) => write!(quoted, "\\x{code:02x}"),
            (_, code @ ..0x1_0000) => write!(quoted, "\\u{code:04x}"),
            (_, code) => write!(quoted, "\\U{code:08x}"),
        };
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use gotmpl::{Template, tmap};

    use super::*;

    /// What a template prints, with a list, a map and texts to work on.
    fn printed(text: &str) -> String {
        let data = tmap! {
            "list" => vec!["b".to_owned(), "a".to_owned(), "b".to_owned()],
            "map" => tmap! { "k" => "v", "n" => Go::Nil },
            "text" => "a\n\"b\"",
        };
        let template = Template::new("").funcs(all(&Itself::default())).parse(text).unwrap();
        template.execute_to_string(&data).unwrap_or_else(|error| error.to_string())
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
            (r#"{{ fail "no way" }}"#, "execution error: fail: no way"),
            (r#"{{ get .map "k" }}{{ get .map "none" }}"#, "v"),
            (r#"{{ has "a" .list }}{{ has "c" .list }}"#, "truefalse"),
            (r#"{{ hasKey .map "n" }}{{ hasKey .map "m" }}"#, "truefalse"),
            ("{{ indent 2 .text }}|{{ nindent 1 \"x\" }}", "  a\n  \"b\"|\n x"),
            (r#"{{ keys .map | sortAlpha | join "," }}"#, "k,n"),
            (
                r#"{{ kindIs "invalid" .map.n }}{{ kindIs "map" .map }}{{ kindOf .list }}"#,
                "truetrueslice",
            ),
            (
                r#"{{ merge (dict "k" "mine") .map (dict "z" 1) | toJson }}"#,
                r#"{"k":"mine","n":null,"z":1}"#,
            ),
            ("{{ .text | quote }}{{ quote nil }}", r#""a\n\"b\"""#),
            (r#"{{ quote "é\u0085\x01😀" }}"#, "\"é\\u0085\\x01😀\""),
            (r#"{{ "a+b+c" | replace "+" "_" }}"#, "a_b_c"),
            (r#"{{ required "it is needed" "" }}"#, "execution error: required: it is needed"),
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
        for (name, _) in FUNCTIONS {
            for argument in arguments {
                printed(&format!("{{{{ {name} {argument} }}}}"));
            }
        }
        assert!(printed("{{ nope 1 }}").contains("nope"));
    }
}
