//! Spreads what is due at the same moment.

use jiff::{SignedDuration, Timestamp};

/// How much later the run of `due` begins: less than `most`, the same whoever asks, and another for
/// each seed and time.
pub(super) fn of(seed: u64, due: Timestamp, most: SignedDuration) -> SignedDuration {
    let Ok(most) = u64::try_from(most.as_millis()) else { return SignedDuration::ZERO };
    if most == 0 {
        return SignedDuration::ZERO;
    }
    let mixed = mix(seed ^ mix(due.as_second().cast_unsigned()));
    SignedDuration::from_millis(i64::try_from(mixed % most).unwrap_or_default())
}

/// SplitMix64's finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
