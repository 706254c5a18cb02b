//! Quantities of Kubernetes, as whole numbers (`apimachinery/pkg/api/resource/quantity.go`).

/// The units and what they stand for, in thousandths.
const UNITS: [(&str, u128); 14] = [
    ("m", 1),
    ("", 1000),
    ("k", 1000_u128.pow(2)),
    ("M", 1000_u128.pow(3)),
    ("G", 1000_u128.pow(4)),
    ("T", 1000_u128.pow(5)),
    ("P", 1000_u128.pow(6)),
    ("E", 1000_u128.pow(7)),
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("Ei", 1000 << 60),
];

/// Decimals that are read; Kubernetes keeps thousandths.
const DECIMALS: usize = 3;

/// The quantity in whole units, rounded up: bytes. `None` for what is none, or has an exponent.
pub(super) fn whole(text: &str) -> Option<u64> {
    u64::try_from(thousandths(text)?.div_ceil(1000)).ok()
}

/// The quantity in thousandths: of processors.
pub(super) fn millis(text: &str) -> Option<u64> {
    u64::try_from(thousandths(text)?).ok()
}

fn thousandths(text: &str) -> Option<u128> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && decimals.is_empty() {
        return None;
    }
    let decimals = &decimals[..decimals.len().min(DECIMALS)];
    let digits = format!("{whole}{decimals:0<DECIMALS$}").parse::<u128>().ok()?;
    Some(digits.checked_mul(*factor)?.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, bytes) in [("10Gi", 10 << 30), ("1.5Ki", 1536), ("128Mi", 128 << 20), ("5", 5)] {
            assert_eq!(whole(text), Some(bytes), "{text}");
        }
        assert_eq!(
            (millis("250m"), millis("2"), millis("0.5")),
            (Some(250), Some(2000), Some(500))
        );
        for none in ["", "Gi", "1e3", "-1", "1 Gi", "99999999999999999999Ei"] {
            assert_eq!(whole(none), None, "{none}");
        }
    }
}
