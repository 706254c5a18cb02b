//! Text in `binaryData`, where kubectl puts files that are not UTF-8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::LONGEST_TEXT;

/// The first [`LONGEST_TEXT`] bytes of a value in base64 as text; `None` if they are none. A byte of
/// another encoding than UTF-8 stands for one character, as credentials are ASCII nearly always.
pub(super) fn text(base64: &str) -> Option<String> {
    // Base64 of files may have line breaks, and comes in groups of four.
    let packed: Vec<u8> = base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let most = LONGEST_TEXT.div_ceil(3) * 4;
    let bytes = STANDARD.decode(&packed[..packed.len().min(most)]).ok()?;
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => Some(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Some(utf16(rest, u16::from_be_bytes)),
        // As git tells binary files from text.
        bytes if bytes.contains(&0) => None,
        bytes => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let pairs = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(pairs).map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
