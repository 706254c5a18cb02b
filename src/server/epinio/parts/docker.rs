//! The form of `docker save`, which docker and podman load: `manifest.json`, the configuration, and
//! layers as they are stored, packed or not (moby, `image/tarexport/load.go`). Pure.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::json;

use crate::registry::{Descriptor, Digest};

/// Unit of a tar.
const BLOCK: u64 = 512;

/// Two empty blocks end a tar.
const END: u64 = 2 * BLOCK;

/// Time of every entry: 1980-01-01, the first that zip knows. Of 1970 GNU tar warns.
const MTIME: u64 = 315_532_800;

/// Digits of a digest that name a file: all of SHA-256, and as many of longer ones as a header holds.
const DIGITS: usize = 64;

/// What of an archive comes next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// These bytes.
    Bytes(Bytes),
    /// A blob of the registry.
    Blob(Box<Descriptor>),
}

/// An archive whose length is known before a layer is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Archive {
    pub(super) length: u64,
    pub(super) pieces: Vec<Piece>,
}

/// The archive of one image. It names no tag: which one is for whoever loads it.
///
/// `None` where the sizes that the manifest states are beyond what there can be.
pub(super) fn archive(config: (&Digest, Bytes), layers: &[Descriptor]) -> Option<Archive> {
    let config_name = format!("{}.json", short(config.0));
    let layer_name = |layer: &Descriptor| format!("{}.tar", short(&layer.digest));
    let names: Vec<String> = layers.iter().map(layer_name).collect();
    let manifest = json!([{"Config": config_name, "RepoTags": null, "Layers": names}]);
    let mut archive = Archive { length: END, pieces: Vec::new() };
    archive.file("manifest.json", Piece::Bytes(manifest.to_string().into()))?;
    archive.file(&config_name, Piece::Bytes(config.1))?;
    let mut written = BTreeSet::new();
    for (layer, name) in layers.iter().zip(&names) {
        // An image may have a layer twice, such as an empty one.
        if written.insert(name) {
            archive.file(name, Piece::Blob(Box::new(layer.clone())))?;
        }
    }
    archive.pieces.push(zeros(END));
    Some(archive)
}

fn short(digest: &Digest) -> &str {
    let hex = digest.hex();
    &hex[..DIGITS.min(hex.len())]
}

fn zeros(count: u64) -> Piece {
    static ZEROS: [u8; END as usize] = [0; END as usize];
    let count = usize::try_from(count).unwrap_or_default().min(ZEROS.len());
    Piece::Bytes(Bytes::from_static(&ZEROS[..count]))
}

impl Archive {
    fn file(&mut self, name: &str, content: Piece) -> Option<()> {
        let size = match &content {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Blob(blob) => blob.size,
        };
        let padding = size.wrapping_neg() % BLOCK;
        let whole = BLOCK.checked_add(size)?.checked_add(padding)?;
        self.length = self.length.checked_add(whole)?;
        self.pieces.extend([Piece::Bytes(header(name, size)?), content, zeros(padding)]);
        Some(())
    }
}

fn header(name: &str, size: u64) -> Option<Bytes> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).ok()?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MTIME);
    header.set_size(size);
    header.set_cksum();
    Some(Bytes::copy_from_slice(header.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn layer(text: &str) -> Descriptor {
        Descriptor::new("a/b", Digest::of(text.as_bytes()), text.len() as u64)
    }

    /// The bytes of an archive whose blobs are among `blobs`.
    fn written(archive: &Archive, blobs: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &archive.pieces {
            match piece {
                Piece::Bytes(piece) => bytes.extend_from_slice(piece),
                Piece::Blob(blob) if blob.size == 0 => {}
                Piece::Blob(blob) => {
                    let of = |text: &&&str| Digest::of(text.as_bytes()) == blob.digest;
                    bytes.extend_from_slice(blobs.iter().find(of).unwrap().as_bytes());
                }
            }
        }
        bytes
    }

    #[test]
    fn a_tar_reads_it_and_its_length_is_known() {
        let long = "x".repeat(512);
        let blobs = ["one", "", &long];
        let mut layers: Vec<Descriptor> = blobs.iter().map(|text| layer(text)).collect();
        layers.insert(1, layers[0].clone());
        let config = Bytes::from_static(b"{}");
        let archive = archive((&Digest::of(&config), config.clone()), &layers).unwrap();
        let bytes = written(&archive, &blobs);
        assert_eq!(bytes.len() as u64, archive.length);
        let mut files = Vec::new();
        for entry in tar::Archive::new(&*bytes).entries().unwrap() {
            let (mut entry, mut text) = (entry.unwrap(), String::new());
            entry.read_to_string(&mut text).unwrap();
            files.push((entry.path().unwrap().display().to_string(), text));
        }
        let name = |text: &str| format!("{}.tar", Digest::of(text.as_bytes()).hex());
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let config = format!("{}.json", Digest::of(b"{}").hex());
        assert_eq!(names, ["manifest.json", &config, &name("one"), &name(""), &name(&long)]);
        let manifest: serde_json::Value = serde_json::from_str(&files[0].1).unwrap();
        let listed = [name("one"), name("one"), name(""), name(&long)];
        assert_eq!(manifest, json!([{"Config": config, "RepoTags": null, "Layers": listed}]));
    }

    #[test]
    fn sizes_beyond_octal_are_written_and_impossible_ones_refused() {
        let config = || Bytes::from_static(b"{}");
        let digest = Digest::of(b"{}");
        let of = |sizes: &[u64]| {
            let layers: Vec<Descriptor> =
                sizes.iter().map(|size| Descriptor { size: *size, ..layer("a") }).collect();
            archive((&digest, config()), &layers)
        };
        let large = of(&[20 << 30]).unwrap();
        let Piece::Bytes(header) = &large.pieces[6] else { panic!("no header") };
        let header = tar::Header::from_byte_slice(header);
        assert_eq!(header.entry_size().unwrap(), 20 << 30);
        assert_eq!(large.length, (20 << 30) + 1024 + 3 * 512 + 2 * 512);
        assert_eq!(of(&[u64::MAX]), None);
        assert_eq!(of(&[u64::MAX - 600]), None);
    }

    #[test]
    fn a_longer_digest_names_a_file_as_well() {
        let digest: Digest = format!("sha512:{}", "ab".repeat(64)).parse().unwrap();
        let archive =
            archive((&digest, Bytes::new()), &[Descriptor::new("a/b", digest.clone(), 0)]);
        let bytes = written(&archive.unwrap(), &[]);
        let mut tar = tar::Archive::new(&*bytes);
        let name =
            |entry: Result<tar::Entry<'_, _>, _>| entry.unwrap().path().unwrap().into_owned();
        let names: Vec<_> = tar.entries().unwrap().map(name).collect();
        let short = "ab".repeat(32);
        let expected =
            ["manifest.json".to_owned(), format!("{short}.json"), format!("{short}.tar")];
        assert_eq!(names, expected.map(std::path::PathBuf::from));
    }
}
