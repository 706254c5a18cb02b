//! The whole chart as text, and its archive byte for byte.

use std::fmt::Write as _;

use outhaul::chart::{Chart, archive};

use super::shop;

fn printed(chart: &Chart) -> String {
    let mut text = chart.tree();
    for (path, bytes) in &chart.files {
        write!(text, "\n======== {path}\n{}", std::str::from_utf8(bytes).unwrap()).unwrap();
    }
    text
}

#[test]
fn the_whole_chart() {
    insta::assert_snapshot!(printed(&shop::chart()));
}

/// Longest README that people read: that of an application of some twenty objects is below.
const LONGEST_README: usize = 300;

#[test]
fn the_readme_can_be_read() {
    let readme = shop::chart().files["README.md"].clone();
    let lines = String::from_utf8(readme).unwrap().lines().count();
    assert!(lines < LONGEST_README, "{lines}");
}

#[test]
fn two_builds_are_byte_identical() {
    let (one, two) = (shop::chart(), shop::chart());
    assert_eq!(one, two);
    assert_eq!(archive(&one), archive(&two));
}
