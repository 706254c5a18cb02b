//! `archive`: values, chart and image in one zip.

use std::collections::BTreeMap;
use std::process::Command;

use flate2::Crc;

use super::{Sample, config};

/// The entries of a zip, as its list at the end has them, each with the checksum that stands there.
fn entries(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let number = |at: usize, length: usize| {
        let bytes = zip[at..at + length].iter().rev();
        bytes.fold(0_usize, |number, byte| (number << 8) | usize::from(*byte))
    };
    let end = zip.len() - 22;
    assert_eq!(&zip[end..end + 4], b"PK\x05\x06");
    let (count, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        assert_eq!(&zip[at..at + 4], b"PK\x01\x02");
        assert_eq!(number(at + 10, 2), 0, "stored as it is");
        let (name, size, local) = (number(at + 28, 2), number(at + 24, 4), number(at + 42, 4));
        assert_eq!(&zip[local..local + 4], b"PK\x03\x04");
        let start = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let content = zip[start..start + size].to_vec();
        let mut crc = Crc::new();
        crc.update(&content);
        assert_eq!(number(at + 16, 4), usize::try_from(crc.sum()).unwrap());
        let text = String::from_utf8(zip[at + 46..at + 46 + name].to_vec()).unwrap();
        entries.insert(text, content);
        at += 46 + name + number(at + 30, 2) + number(at + 32, 2);
    }
    assert_eq!(at, end);
    entries
}

#[test]
fn the_archive_holds_the_three_as_they_are_alone() {
    let sample = Sample::new("zipped");
    let answer = sample.get("archive");
    let disposition = answer.header("content-disposition");
    assert_eq!(disposition, "attachment; filename=\"sample-helm-chart.zip\"");
    let zip = sample.part("archive", "application/zip");
    assert!(zip == answer.bytes, "the same again is the same file");
    let entries = entries(&zip);
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    assert_eq!(names, ["app-chart.tar.gz", "app-image.tar", "values.yaml"]);
    assert!(entries["values.yaml"] == sample.get("values").bytes);
    assert!(entries["app-chart.tar.gz"] == sample.get("chart").bytes);
    config(&entries["app-image.tar"], &sample.image.manifests[0]);
    // Those who have it see it with other eyes.
    let file = sample.helm.folder().join("a.zip");
    std::fs::write(&file, zip).unwrap();
    match Command::new("unzip").arg("-t").arg(&file).output() {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => println!("unzip was not asked: {error}"),
    }
}
