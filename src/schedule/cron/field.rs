//! One field of five: what it may hold, and what it holds.

use super::Error;

/// Numbers from 0 to 59 that a field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    bits: u64,
    /// Whether it was written as `*` or `?`: it restricts nothing.
    pub(super) any: bool,
}

/// What may stand in a field.
pub(super) struct Field {
    pub(super) name: &'static str,
    first: u8,
    last: u8,
    /// Names of the numbers from `first` on.
    names: &'static [&'static str],
}

pub(super) const MINUTE: Field = Field { name: "minute", first: 0, last: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", first: 0, last: 23, names: &[] };
pub(super) const DAY: Field = Field { name: "day of month", first: 1, last: 31, names: &[] };
pub(super) const MONTH: Field = Field {
    name: "month",
    first: 1,
    last: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const WEEKDAY: Field = Field {
    name: "day of week",
    first: 0,
    last: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Set {
    /// Whether `number` is in it.
    pub(super) fn has(self, number: i8) -> bool {
        u32::try_from(number).is_ok_and(|number| number < 64 && self.bits >> number & 1 == 1)
    }

    /// The least number in it that is at least `from`.
    pub(super) fn from(self, from: i8) -> Option<i8> {
        let from = u32::try_from(from).ok().filter(|from| *from < 64)?;
        let rest = self.bits >> from << from;
        (rest != 0).then(|| rest.trailing_zeros()).and_then(|least| i8::try_from(least).ok())
    }

    /// The numbers in it.
    pub(super) fn numbers(self) -> impl Iterator<Item = i8> {
        (0..64).filter(move |number| self.has(*number))
    }

    fn range(first: u8, last: u8, step: u8) -> Self {
        let mut bits = 0;
        for number in (first..=last).step_by(usize::from(step)) {
            bits |= 1 << number;
        }
        Self { bits, any: false }
    }
}

impl Field {
    /// Everything that it may hold.
    pub(super) fn all(&self) -> Set {
        Set { any: true, ..Set::range(self.first, self.last, 1) }
    }

    /// How many numbers it may hold.
    pub(super) fn size(&self) -> u8 {
        self.last - self.first + 1
    }

    /// Just `number`.
    pub(super) fn only(&self, number: u8) -> Set {
        Set::range(number, number, 1)
    }

    /// What `text` names: parts separated by commas.
    ///
    /// # Errors
    /// When a part is none, or none of this field.
    pub(super) fn parse(&self, text: &str) -> Result<Set, Error> {
        let mut set = Set { bits: 0, any: false };
        for part in text.split(',') {
            let part = self.part(part)?;
            set = Set { bits: set.bits | part.bits, any: set.any || part.any };
        }
        Ok(set)
    }

    /// `*`, `?`, `N`, `N-M`, and any of them with `/STEP`. `N/STEP` goes on to the end.
    fn part(&self, part: &str) -> Result<Set, Error> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(self.step(part, step)?)),
            None => (part, None),
        };
        if matches!(range, "*" | "?") {
            let step = step.unwrap_or(1);
            return Ok(Set { any: step == 1, ..Set::range(self.first, self.last, step) });
        }
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (self.number(part, first)?, self.number(part, last)?),
            None => {
                let first = self.number(part, range)?;
                (first, if step.is_some() { self.last } else { first })
            }
        };
        if first > last {
            return Err(self.wrong(part, "the range ends before it begins".to_owned()));
        }
        Ok(Set::range(first, last, step.unwrap_or(1)))
    }

    /// A step beyond the field's size is a misreading: `*/90` in minutes is not every 90 minutes.
    fn step(&self, part: &str, text: &str) -> Result<u8, Error> {
        let step = digits(text).filter(|step| (1..=self.size()).contains(step));
        step.ok_or_else(|| {
            self.wrong(part, format!("a step is a number from 1 to {}", self.size()))
        })
    }

    fn number(&self, part: &str, text: &str) -> Result<u8, Error> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(position) => u8::try_from(position).ok().map(|position| self.first + position),
            None => digits(text),
        };
        number.filter(|number| (self.first..=self.last).contains(number)).ok_or_else(|| {
            let Self { first, last, .. } = self;
            let names = match self.names {
                [one, .., other] => format!(", or a name from {one} to {other}"),
                _ => String::new(),
            };
            self.wrong(part, format!("`{text}` is no number from {first} to {last}{names}"))
        })
    }

    fn wrong(&self, part: &str, why: String) -> Error {
        Error::Field { field: self.name, part: part.to_owned(), why }
    }
}

/// A number without sign and blanks.
fn digits(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
