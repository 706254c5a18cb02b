//! Names of time zones that somebody may have meant.

/// Most letters that a name may be off: more is another name.
const MOST_OFF: usize = 2;

/// The zone whose name is the closest to `name`, if one is close: its city, or but for a few letters.
pub fn close(name: &str) -> Option<String> {
    let wanted = folded(name);
    if wanted.is_empty() {
        return None;
    }
    let all = jiff::tz::db().available().map(|zone| zone.as_str().to_owned());
    let off = |zone: String| {
        let folded = folded(&zone);
        let city = folded.rsplit('/').next().unwrap_or_default();
        let wanted_city = wanted.rsplit('/').next().unwrap_or_default();
        let off = distance(&folded, &wanted).min(distance(city, &wanted));
        // The right city on the wrong continent.
        let off = if city == wanted_city { off.min(1) } else { off };
        (off <= MOST_OFF && off < wanted.len() / 2).then_some((off, zone))
    };
    all.filter_map(off).min().map(|(_, zone)| zone)
}

/// As names are compared: blanks and cases are no difference.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "_")
}

/// How many letters have to be put in, left out or exchanged (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let exchanged = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = exchanged.min(corner + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_by_what_is_nearly_its_name() {
        for (name, zone) in [
            ("Europe/Berln", "Europe/Berlin"),
            ("europe/berlin ", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("America/Berlin", "Europe/Berlin"),
            ("America/New York", "America/New_York"),
            ("Asia/Calcuta", "Asia/Calcutta"),
        ] {
            assert_eq!(close(name).as_deref(), Some(zone), "{name}");
        }
        for name in ["", "x", "Middle-earth/Shire", "local"] {
            assert_eq!(close(name), None, "{name}");
        }
    }

    #[test]
    fn letters_that_are_off_are_counted() {
        for (a, b, off) in [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("abc", "abc", 0)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (off, off), "{a} {b}");
        }
    }
}
