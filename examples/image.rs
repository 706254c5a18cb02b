//! Makes the image of Outhaul as an OCI layout: `image DIRECTORY PLATFORM=BINARY…`.
//!
//! One layer for each platform, with nothing in it but the binary, the C library if the binary is
//! linked to one, certificate authorities, and a user without rights. The same files give the same
//! bytes. Nothing is pushed: `outhaul layout serve` and `outhaul copy` do that.

#![allow(clippy::print_stdout, reason = "it is a tool for builders, and prints one line")]

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use outhaul::registry::blob::InMemory;
use outhaul::registry::manifest::{OCI_INDEX, OCI_MANIFEST};
use outhaul::registry::{Descriptor, Digest, Layout, Manifest, Revision, Store as _};
use serde_json::{Value, json};

/// Media types of a configuration and a layer (image-spec, "Media Types").
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The user without rights that images without a shell use, as distroless does.
const USER: u32 = 65532;

/// Where Debian and Alpine keep certificate authorities, and where the binary looks for them.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Where images are found that tests and charts name.
const REPOSITORY: &str = "outhaul";
const VERSION: &str = env!("CARGO_PKG_VERSION");

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let directory = args.next().ok_or("usage: image DIRECTORY PLATFORM=BINARY…")?;
    let digest = make(Path::new(&directory), &args.collect::<Vec<_>>())?;
    println!("{directory}: {REPOSITORY}:{VERSION}@{digest}");
    Ok(())
}

/// Makes the layout of binaries `PLATFORM=PATH`, and gives the digest of the image's index.
pub(crate) fn make(directory: &Path, binaries: &[String]) -> Result<Digest, Failure> {
    let layout = Layout::create(directory)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut manifests = Vec::new();
    for binary in binaries {
        let (platform, binary) = binary.split_once('=').ok_or("a binary is PLATFORM=PATH")?;
        let layer = layer(&files(Path::new(binary))?)?;
        manifests.push(runtime.block_on(image(&layout, platform, &layer))?);
    }
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
    let index = Manifest::new(OCI_INDEX, index.to_string());
    let tag = Revision::Tag(VERSION.parse()?);
    runtime.block_on(layout.put_manifest(&REPOSITORY.parse()?, &tag, &index))?;
    Ok(index.digest)
}

/// A file of the image.
struct File {
    path: PathBuf,
    mode: u32,
    bytes: Vec<u8>,
}

impl File {
    fn new(path: impl Into<PathBuf>, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode, bytes: bytes.into() }
    }

    /// The same path here and there.
    fn copy(path: &Path, mode: u32) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::new(path, mode, bytes))
    }
}

fn files(binary: &Path) -> Result<Vec<File>, Failure> {
    let mut files = vec![
        File { path: "/outhaul".into(), ..File::copy(binary, 0o755)? },
        File::copy(Path::new(AUTHORITIES), 0o644)?,
        File::new("/etc/passwd", 0o644, format!("outhaul:x:{USER}:{USER}::/:/sbin/nologin\n")),
        File::new("/etc/group", 0o644, format!("outhaul:x:{USER}:\n")),
    ];
    for library in libraries(binary)? {
        files.push(File::copy(&library, 0o755)?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// What the dynamic loader would load, and the loader; nothing for a static binary.
fn libraries(binary: &Path) -> Result<Vec<PathBuf>, Failure> {
    let output = Command::new("ldd").arg(binary).output()?;
    let text = String::from_utf8(output.stdout)?;
    let paths = text.lines().filter_map(|line| {
        let path = line.split_once("=>").map_or(line, |(_, path)| path).trim();
        path.starts_with('/').then(|| path.split(' ').next().unwrap_or(path).into())
    });
    Ok(paths.collect())
}

/// Packed, and the digest of what is packed.
struct Layer {
    packed: Vec<u8>,
    content: Digest,
}

fn layer(files: &[File]) -> Result<Layer, Failure> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(file.mode);
        header.set_mtime(0);
        header.set_size(file.bytes.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        archive.append_data(&mut header, file.path.strip_prefix("/")?, &*file.bytes)?;
    }
    let archive = archive.into_inner()?;
    let mut packer = GzBuilder::new().write(Vec::new(), Compression::best());
    packer.write_all(&archive)?;
    Ok(Layer { packed: packer.finish()?, content: Digest::of(&archive) })
}

/// Puts the image of one platform into the layout, and gives its entry of the index.
async fn image(layout: &Layout, platform: &str, layer: &Layer) -> Result<Value, Failure> {
    let (os, architecture) = platform.split_once('/').ok_or("a platform is OS/ARCHITECTURE")?;
    let config = json!({
        "os": os,
        "architecture": architecture,
        "config": {
            "User": format!("{USER}:{USER}"),
            "Entrypoint": ["/outhaul"],
            "Env": [format!("SSL_CERT_FILE={AUTHORITIES}")],
            "Labels": {
                "org.opencontainers.image.title": "outhaul",
                "org.opencontainers.image.version": VERSION,
                "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.content]},
    });
    let config = push(layout, CONFIG, config.to_string().into_bytes()).await?;
    let layer = push(layout, LAYER, layer.packed.clone()).await?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer],
    });
    let manifest = Manifest::new(OCI_MANIFEST, manifest.to_string());
    let revision = Revision::Digest(manifest.digest.clone());
    layout.put_manifest(&REPOSITORY.parse()?, &revision, &manifest).await?;
    let mut entry = json!(manifest.descriptor());
    entry["platform"] = json!({"os": os, "architecture": architecture});
    Ok(entry)
}

async fn push(layout: &Layout, media_type: &str, bytes: Vec<u8>) -> Result<Descriptor, Failure> {
    let blob = Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64);
    let source = InMemory(Bytes::from(bytes));
    layout.push_blob(&REPOSITORY.parse()?, &blob, None, &source).await?;
    Ok(blob)
}
