//! A value of YAML or JSON as kubectl reads it.
//!
//! Scalars mean what they mean to kubectl, which reads YAML 1.1 and goes through Go's JSON:
//!
//! - `yes`, `no`, `on`, `off`, `y` and `n` without quotes are booleans, and as keys they are the
//!   texts `true` and `false`;
//! - `0755` is octal, `1_000` is a thousand;
//! - numbers between `i64::MIN` and `u64::MAX` stay exact, larger ones become floats;
//! - a float without a fraction is an integer (`1.0` and `1e3` are `1` and `1000`).
//!
//! Other than kubectl, a key that is there twice in one mapping is an error: one of the two values
//! would be lost.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A value as kubectl reads it.
pub(crate) struct Tree(pub(crate) Value);

/// The key of a mapping as kubectl reads it.
struct Key(String);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree(number(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_string<E>(self, value: String) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
                let mut list = Vec::new();
                while let Some(Tree(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(Tree(list.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
                let mut map = Map::new();
                while let Some(Key(key)) = entries.next_key_seed(KeySeed)? {
                    if map.contains_key(&key) {
                        return Err(A::Error::custom(format_args!(
                            "the key `{key}` is there twice"
                        )));
                    }
                    let Tree(value) = entries.next_value()?;
                    map.insert(key, value);
                }
                Ok(Tree(map.into()))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// Go prints floats of that size without exponent, and those without fraction as integers.
fn number(value: f64) -> Value {
    // Integers up to here have exactly one float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "it is an integer within i64")]
        return Value::from(value as i64);
    }
    Value::from(value)
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        match Tree::deserialize(deserializer)?.0 {
            Value::String(text) => Ok(Key(text)),
            Value::Bool(flag) => Ok(Key(flag.to_string())),
            Value::Number(number) => Ok(Key(number.to_string())),
            _ => Err(D::Error::custom("a key is no text")),
        }
    }
}
