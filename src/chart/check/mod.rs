//! Whether a chart gives back what was exported: rendered with its defaults and compared, object
//! by object, with the application (invariant I5).
//!
//! ```text
//!  Chart ─ render ─► objects ─ changes ─► each intended (`rules`), or a difference
//!  App ─────────────► objects ─┘
//! ```

mod rules;
mod secrets;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::compare::{Change, changes, changes_by_key};
use super::input::{Chart, Image, Input};
use super::render::{self, Manifest, Release, RenderError};
use crate::app::{Object, ObjectId, SecretsPolicy};

pub use rules::{RULES, Rule};

/// What came of the comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fidelity {
    /// Objects of the application, definitions that go along included.
    pub objects: usize,
    /// How many of them come back as they were, but for what is intended.
    pub identical: usize,
    /// The intended differences that occur.
    pub intended: Vec<IntendedDifference>,
    /// All other differences, by object and field.
    pub differences: Vec<Difference>,
}

/// An intended difference, and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntendedDifference {
    /// Its name in [`RULES`].
    pub rule: Cow<'static, str>,
    /// Why it is intended.
    pub reason: Cow<'static, str>,
    /// Fields, or whole objects, that differ by it.
    pub count: usize,
}

/// A field that does not come back. Values are not in it: they may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The object.
    pub object: ObjectId,
    /// The field, dotted; `None`: the whole object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What became of it.
    pub what: What,
}

/// What the chart makes of a field or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DifferenceKind")]
pub enum What {
    /// It is not rendered.
    Missing,
    /// It is rendered and was not there.
    Added,
    /// It is rendered as something else.
    Changed,
}

/// A comparison of an application with what a chart renders.
pub struct Comparison<'a> {
    input: &'a Input<'a>,
    release: Release<'a>,
    /// The images of each object, by the place that an [`ImageUse`](crate::app::ImageUse) names.
    images: Images<'a>,
}

type Images<'a> = HashMap<&'a ObjectId, Vec<(&'a str, &'a Image)>>;

/// A change of one object, with all that a rule may look at.
struct Case<'a> {
    input: &'a Input<'a>,
    images: &'a Images<'a>,
    release: Release<'a>,
    object: &'a Object,
    change: &'a Change<'a>,
}

/// Renders `chart` with its defaults and compares it with what it was built from. Under
/// [`SecretsPolicy::Require`] the values that it asks for are made up.
///
/// # Errors
/// When the chart does not render.
pub fn check(input: &Input<'_>, chart: &Chart) -> Result<Fidelity, RenderError> {
    let (name, namespace) = (unheard_of(chart, "release"), unheard_of(chart, "namespace"));
    let release = Release { name: &name, namespace: &namespace };
    let rendered = render::render(chart, release, &asked_for(input, chart)?)?;
    Ok(compare(&Comparison::new(input, release), rendered))
}

impl<'a> Comparison<'a> {
    /// With what a chart of `input` renders as `release`.
    pub fn new(input: &'a Input<'a>, release: Release<'a>) -> Self {
        let mut images = Images::new();
        for image in &input.images {
            for place in &image.uses {
                images.entry(&place.object).or_default().push((&*place.pointer, image));
            }
        }
        Self { input, release, images }
    }

    /// The fields of `rendered` that are not what they are in `object`, but for what is intended.
    /// Items of lists are compared by what they are known by.
    pub fn differences<'o>(&self, object: &'o Object, rendered: &'o Object) -> Vec<Change<'o>> {
        let mut changes = changes_by_key(object.fields(), rendered.fields());
        changes.retain(|change| self.rule(object, change).is_none());
        changes
    }

    fn rule(&self, object: &Object, change: &Change<'_>) -> Option<&'static Rule> {
        let Self { input, release, images } = self;
        rules::of_change(&Case { input, images, release: *release, object, change })
    }
}

fn compare(comparison: &Comparison<'_>, rendered: Vec<Manifest>) -> Fidelity {
    let input = comparison.input;
    let mut found = Found::default();
    let mut objects: HashMap<ObjectId, Object> = HashMap::with_capacity(rendered.len());
    for Manifest { object, .. } in rendered {
        let id = object.id();
        if objects.insert(id.clone(), object).is_some() {
            found.differ(id, None, What::Added);
        }
    }
    let mut identical = 0;
    for object in input.app.objects.iter().chain(&input.app.definitions) {
        let id = object.id();
        let is_identical = match objects.remove(&id) {
            Some(rendered) => found.object(comparison, object, &rendered),
            None => found.differ(id, None, What::Missing),
        };
        identical += usize::from(is_identical);
    }
    let mut left: Vec<(ObjectId, Object)> = objects.into_iter().collect();
    left.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (id, object) in left {
        match rules::of_object(input, &object) {
            Some((rule, expected)) => {
                found.intend(rule);
                found.object(comparison, &expected, &object);
            }
            None => _ = found.differ(id, None, What::Added),
        }
    }
    found.into_fidelity(input.app.objects.len() + input.app.definitions.len(), identical)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    intended: BTreeMap<&'static str, usize>,
    differences: Vec<Difference>,
}

impl Found {
    /// Compares one object; the answer is whether it is as it was.
    fn object(&mut self, comparison: &Comparison<'_>, object: &Object, rendered: &Object) -> bool {
        let mut is_identical = true;
        for change in changes(object.fields(), rendered.fields()) {
            match comparison.rule(object, &change) {
                Some(rule) => self.intend(rule),
                None => {
                    let what = match (change.before, change.after) {
                        (None, _) => What::Added,
                        (_, None) => What::Missing,
                        _ => What::Changed,
                    };
                    is_identical = self.differ(object.id(), Some(change.field), what);
                }
            }
        }
        is_identical
    }

    fn intend(&mut self, rule: &Rule) {
        *self.intended.entry(rule.name).or_default() += 1;
    }

    /// Notes a difference. Never identical.
    fn differ(&mut self, object: ObjectId, field: Option<String>, what: What) -> bool {
        self.differences.push(Difference { object, field, what });
        false
    }

    fn into_fidelity(self, objects: usize, identical: usize) -> Fidelity {
        let intended = RULES.iter().filter_map(|rule| {
            let count = *self.intended.get(rule.name)?;
            Some(IntendedDifference { rule: rule.name.into(), reason: rule.reason.into(), count })
        });
        Fidelity { objects, identical, intended: intended.collect(), differences: self.differences }
    }
}

impl Difference {
    /// Object and field, and what became of it, in a sentence.
    pub fn sentence(&self) -> String {
        let what = match self.what {
            What::Missing => "is not rendered",
            What::Added => "is rendered and was not there",
            What::Changed => "is rendered as something else",
        };
        match &self.field {
            Some(field) => format!("{field} of {} {what}", self.object),
            None => format!("{} {what}", self.object),
        }
    }
}

/// A name that stands nowhere in the chart, so that what is rendered with it is rendered by it.
fn unheard_of(chart: &Chart, stem: &str) -> String {
    let is_there = |name: &str| {
        let mut files = chart.files.values();
        files.any(|bytes| String::from_utf8_lossy(bytes).contains(name))
    };
    let mut names = (1..).map(|number| format!("{stem}-{number}"));
    names.find(|name| !is_there(name)).unwrap_or_default()
}

/// Values for Secrets that the chart does not render without.
fn asked_for(input: &Input<'_>, chart: &Chart) -> Result<Value, RenderError> {
    match input.secrets {
        SecretsPolicy::Require => Ok(render::stand_ins(&render::values(chart)?)),
        _ => Ok(json!({})),
    }
}
