//! One record, decoded. Anyone who may write a Secret can write one, so everything is bounded.

use std::fmt;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Most bytes of a packed record: what etcd takes in one request. Kubernetes itself stops at 1 MiB.
pub(super) const MAX_PACKED: usize = 3 << 19;

/// Most bytes of an unpacked one. Manifests pack to about a tenth, so that the largest real ones
/// have about 10 MiB; gzip can make a thousand times as much of nothing.
pub(super) const MAX_UNPACKED: usize = 32 << 20;

/// How gzip begins; what does not is JSON as it is (helm, `pkg/storage/driver/util.go`).
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// A record that cannot be read. Holds nothing of what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No payload.
    #[error("it holds no `release`")]
    Empty,
    /// Beyond a limit.
    #[error("it is larger than {} KiB packed or {} MiB unpacked", MAX_PACKED >> 10, MAX_UNPACKED >> 20)]
    TooLarge,
    /// Text that is no base64.
    #[error("it is not base64")]
    NotBase64,
    /// A gzip stream that is cut off or wrong.
    #[error("it does not unpack")]
    NotGzip,
    /// JSON that is cut off, nested too deeply or not a release.
    #[error("it is not the JSON of a release (line {line}, column {column})")]
    NotARelease {
        /// Where the parser stopped.
        line: usize,
        /// Where the parser stopped.
        column: usize,
    },
}

/// A release as helm stored it. Times, notes and what nobody here needs are left out.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// Name of the release.
    pub name: String,
    /// Its namespace.
    #[serde(default)]
    pub namespace: String,
    /// Its revision.
    #[serde(default)]
    pub version: u32,
    /// What was installed.
    #[serde(default)]
    pub chart: ChartRecord,
    /// The values that the user gave.
    #[serde(default, deserialize_with = "or_default")]
    pub config: GivenValues,
    /// What the chart rendered to, without hooks.
    #[serde(default)]
    pub manifest: String,
    /// Its hooks.
    #[serde(default, deserialize_with = "or_default")]
    pub hooks: Vec<HookRecord>,
}

/// The values that a user gave for a release, which often are secrets. They cannot be printed, and
/// nothing serialises them: who takes them out says so.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct GivenValues(Map<String, Value>);

/// The chart of a record. What its dependencies were is lost.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ChartRecord {
    /// `Chart.yaml`, dependencies cut down to those that were enabled.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Map<String, Value>,
    /// Its templates.
    #[serde(default, deserialize_with = "or_default")]
    pub templates: Vec<ChartFile>,
    /// `values.yaml`, without its comments.
    #[serde(default, deserialize_with = "or_default")]
    pub values: Map<String, Value>,
    /// `values.schema.json`; empty where there is none.
    #[serde(default, deserialize_with = "bytes")]
    pub schema: Vec<u8>,
    /// Everything else, `crds/` and README included.
    #[serde(default, deserialize_with = "or_default")]
    pub files: Vec<ChartFile>,
}

/// One file of the chart.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ChartFile {
    /// Path within the chart.
    pub name: String,
    /// Its bytes.
    #[serde(default, deserialize_with = "bytes")]
    pub data: Vec<u8>,
}

/// One hook of the release.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct HookRecord {
    /// Its manifest.
    #[serde(default)]
    pub manifest: String,
    /// When it runs: `pre-install`, `post-upgrade`, `test`, …
    #[serde(default, deserialize_with = "or_default")]
    pub events: Vec<String>,
}

impl Record {
    /// Decodes what [`super::payload`] gives.
    ///
    /// # Errors
    /// When it is beyond a limit, or not what helm writes.
    pub fn decode(payload: &[u8]) -> Result<Self, RecordError> {
        if payload.len() > MAX_PACKED {
            return Err(RecordError::TooLarge);
        }
        let packed = base64(payload)?;
        let json = if packed.starts_with(&GZIP) { unpack(&packed)? } else { packed };
        // serde_json stops at 128 levels.
        serde_json::from_slice(&json).map_err(|error| RecordError::NotARelease {
            line: error.line(),
            column: error.column(),
        })
    }
}

impl Record {
    /// Bytes of its texts and files, without the values.
    pub(super) fn size(&self) -> usize {
        let files = self.chart.templates.iter().chain(&self.chart.files);
        let hooks = self.hooks.iter().map(|hook| hook.manifest.len());
        self.manifest.len() + hooks.chain(files.map(|file| file.data.len())).sum::<usize>()
    }
}

/// Decodes base64 with the line breaks that YAML puts into it.
pub(super) fn base64(text: &[u8]) -> Result<Vec<u8>, RecordError> {
    let text: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| RecordError::NotBase64)
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, RecordError> {
    let mut json = Vec::new();
    // One byte more tells what fits from what does not.
    let mut stream = GzDecoder::new(packed).take(MAX_UNPACKED as u64 + 1);
    stream.read_to_end(&mut json).map_err(|_| RecordError::NotGzip)?;
    if json.len() > MAX_UNPACKED { Err(RecordError::TooLarge) } else { Ok(json) }
}

/// Go writes what is empty as `null`.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Go writes bytes as base64.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    STANDARD.decode(text.unwrap_or_default()).map_err(|_| serde::de::Error::custom("not base64"))
}

impl GivenValues {
    /// The values in clear.
    pub fn expose(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl From<Map<String, Value>> for GivenValues {
    fn from(values: Map<String, Value>) -> Self {
        Self(values)
    }
}

impl fmt::Debug for GivenValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenValues(redacted)")
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, namespace, version, .. } = self;
        f.debug_struct("Record")
            .field("name", name)
            .field("namespace", namespace)
            .field("version", version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn packed(json: &[u8]) -> Vec<u8> {
        STANDARD.encode(gzip(json)).into_bytes()
    }

    fn release() -> Value {
        json!({"name": "shop", "namespace": "web", "version": 3, "manifest": "---\n",
            "info": {"status": "deployed", "first_deployed": ""},
            "config": {"password": "canary"}, "hooks": null,
            "chart": {"metadata": {"name": "shop", "version": "1.0.0"}, "lock": null,
                "templates": [{"name": "templates/a.yaml", "data": STANDARD.encode("a: {{ .x }}")}],
                "values": null, "schema": null, "files": []}})
    }

    #[test]
    fn packed_and_plain_records_are_read() {
        let json = release().to_string().into_bytes();
        for payload in [packed(&json), STANDARD.encode(&json).into_bytes()] {
            let record = Record::decode(&payload).unwrap();
            assert_eq!((record.name.as_str(), record.version), ("shop", 3));
            assert_eq!(record.chart.templates[0].data, b"a: {{ .x }}");
            assert_eq!(record.config.expose()["password"], "canary");
            assert!(!format!("{record:?} {:?}", record.config).contains("canary"));
        }
    }

    #[test]
    fn bombs_fragments_and_nonsense_are_refused_in_words_that_tell_nothing() {
        let whole = packed(release().to_string().as_bytes());
        let cut = STANDARD.encode(&gzip(release().to_string().as_bytes())[..60]).into_bytes();
        let deep = format!("{{\"config\":{}{}}}", "{\"a\":".repeat(200), "}".repeat(200));
        for (payload, expected) in [
            (b"no base64!".to_vec(), RecordError::NotBase64),
            (cut, RecordError::NotGzip),
            (packed(&vec![b' '; MAX_UNPACKED + 1]), RecordError::TooLarge),
            (vec![b'A'; MAX_PACKED + 1], RecordError::TooLarge),
        ] {
            assert_eq!(Record::decode(&payload).unwrap_err(), expected);
        }
        for json in ["", "[]", "{\"name\": 5}", "{\"name\": \"canary", &deep] {
            let error = Record::decode(&packed(json.as_bytes())).unwrap_err();
            assert!(matches!(error, RecordError::NotARelease { .. }), "{error}");
            assert!(!error.to_string().contains("canary"));
        }
        assert!(Record::decode(&whole).is_ok());
    }

    proptest! {
        /// Whatever bytes are flipped, at whichever layer, there is an answer and no panic.
        #[test]
        fn damaged_records_never_panic(
            at in any::<prop::sample::Index>(), byte in any::<u8>(), layer in 0_u8..3, cut in any::<bool>(),
        ) {
            let damage = |mut bytes: Vec<u8>| {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                if cut { bytes.truncate(at) }
                bytes
            };
            let json = release().to_string().into_bytes();
            let payload = match layer {
                0 => packed(&damage(json)),
                1 => STANDARD.encode(damage(gzip(&json))).into_bytes(),
                _ => damage(packed(&json)),
            };
            let _ = Record::decode(&payload);
        }

        #[test]
        fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::decode(&bytes);
            let _ = Record::decode(STANDARD.encode(&bytes).as_bytes());
            let _ = Record::decode(&packed(&bytes));
        }
    }
}
