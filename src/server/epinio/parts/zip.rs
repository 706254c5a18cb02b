//! A zip without compression, written as its entries pass (PKWARE, APPNOTE 6.3.10). Of an entry the size
//! is known before and the checksum behind it, so that the length of all is known before its first
//! byte. Pure.

/// A size or offset that stands in a field of zip64 instead.
const LARGE: u64 = 0xffff_ffff;

/// 1980-01-01, the first day that there is.
const DATE: u16 = (1 << 5) | 1;

/// Checksum and sizes stand behind the content.
const BEHIND: u16 = 1 << 3;

/// Versions that a reader needs: for what there was in 1993, and for zip64.
const PLAIN: u16 = 20;
const ZIP64: u16 = 45;

/// Where the modes of files are those of Unix.
const UNIX: u16 = 3 << 8;

/// A plain file, readable by all.
const MODE: u32 = 0o100_644 << 16;

/// Field with sizes and offsets of 64 bits.
const EXTRA: u16 = 1;

/// A zip that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Zip {
    entries: Vec<Entry>,
    /// Bytes so far.
    at: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    name: &'static str,
    size: u64,
    crc: u32,
    offset: u64,
}

/// How long the zip of these entries is; `None` beyond what there can be.
pub(super) fn length(entries: &[(&'static str, u64)]) -> Option<u64> {
    let mut zip = Zip::default();
    let mut length: u64 = 0;
    for (name, size) in entries {
        length = length.checked_add(*size)?.checked_add(1 << 10)?; // more than is around an entry
        zip.begin(name, *size);
        zip.end(0);
    }
    zip.at.checked_add(zip.clone().finish().len() as u64)
}

impl Zip {
    /// What stands before an entry of `size` bytes, which are written next.
    pub(super) fn begin(&mut self, name: &'static str, size: u64) -> Vec<u8> {
        let entry = Entry { name, size, crc: 0, offset: self.at };
        let is_large = entry.is_large();
        let mut bytes = Vec::new();
        put32(&mut bytes, 0x0403_4b50);
        put16(&mut bytes, if is_large { ZIP64 } else { PLAIN });
        entry.common(&mut bytes);
        // Behind the content; with zip64, where their place says so.
        put32(&mut bytes, 0);
        let unknown = if is_large { u32::MAX } else { 0 };
        put32(&mut bytes, unknown);
        put32(&mut bytes, unknown);
        put16(&mut bytes, short(name.len()));
        put16(&mut bytes, if is_large { 20 } else { 0 });
        bytes.extend_from_slice(name.as_bytes());
        if is_large {
            put16(&mut bytes, EXTRA);
            put16(&mut bytes, 16);
            put64(&mut bytes, 0);
            put64(&mut bytes, 0);
        }
        self.at += bytes.len() as u64 + size;
        self.entries.push(entry);
        bytes
    }

    /// What stands behind the entry that began last.
    pub(super) fn end(&mut self, crc: u32) -> Vec<u8> {
        let Some(entry) = self.entries.last_mut() else { return Vec::new() };
        entry.crc = crc;
        let mut bytes = Vec::new();
        put32(&mut bytes, 0x0807_4b50);
        put32(&mut bytes, crc);
        for _ in ["compressed", "not compressed"] {
            match entry.is_large() {
                true => put64(&mut bytes, entry.size),
                false => put32(&mut bytes, low(entry.size)),
            }
        }
        self.at += bytes.len() as u64;
        bytes
    }

    /// What stands behind all entries.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.entries.iter().for_each(|entry| entry.listed(&mut bytes));
        let (count, size, start) = (self.entries.len(), bytes.len() as u64, self.at);
        if start >= LARGE || size >= LARGE {
            large_end(&mut bytes, count, size, start);
        }
        put32(&mut bytes, 0x0605_4b50);
        put16(&mut bytes, 0);
        put16(&mut bytes, 0);
        put16(&mut bytes, short(count));
        put16(&mut bytes, short(count));
        put32(&mut bytes, low(size));
        put32(&mut bytes, low(start));
        put16(&mut bytes, 0);
        bytes
    }
}

/// The end of the list in zip64, and where that is.
fn large_end(bytes: &mut Vec<u8>, count: usize, size: u64, start: u64) {
    let at = start + size;
    put32(bytes, 0x0606_4b50);
    put64(bytes, 44); // bytes that follow
    put16(bytes, UNIX | ZIP64);
    put16(bytes, ZIP64);
    put32(bytes, 0);
    put32(bytes, 0);
    put64(bytes, count as u64);
    put64(bytes, count as u64);
    put64(bytes, size);
    put64(bytes, start);
    put32(bytes, 0x0706_4b50);
    put32(bytes, 0);
    put64(bytes, at);
    put32(bytes, 1);
}

impl Entry {
    fn is_large(&self) -> bool {
        self.size >= LARGE
    }

    /// Flags, no compression, and a time.
    fn common(&self, bytes: &mut Vec<u8>) {
        put16(bytes, BEHIND);
        put16(bytes, 0);
        put16(bytes, 0);
        put16(bytes, DATE);
    }

    /// Its place in the list of all.
    fn listed(&self, bytes: &mut Vec<u8>) {
        let mut extra = Vec::new();
        for value in [self.size, self.size, self.offset] {
            if value >= LARGE {
                put64(&mut extra, value);
            }
        }
        let version = if extra.is_empty() { PLAIN } else { ZIP64 };
        put32(bytes, 0x0201_4b50);
        put16(bytes, UNIX | version);
        put16(bytes, version);
        self.common(bytes);
        put32(bytes, self.crc);
        put32(bytes, low(self.size));
        put32(bytes, low(self.size));
        put16(bytes, short(self.name.len()));
        put16(bytes, if extra.is_empty() { 0 } else { short(extra.len()) + 4 });
        put16(bytes, 0); // comment
        put16(bytes, 0); // disk
        put16(bytes, 0); // whether it is text
        put32(bytes, MODE);
        put32(bytes, low(self.offset));
        bytes.extend_from_slice(self.name.as_bytes());
        if !extra.is_empty() {
            put16(bytes, EXTRA);
            put16(bytes, short(extra.len()));
            bytes.append(&mut extra);
        }
    }
}

/// A number in its 32 bits, or the sign that it stands elsewhere.
fn low(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A length of our own, which is far below the limit.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn put16(bytes: &mut Vec<u8>, value: u16) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn put32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn put64(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> u64 {
        bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }

    /// Name, size and offset of each entry of a list, as a reader of zip64 finds them from the end of
    /// a file of which `end` is what stands behind its entries, beginning at `start`.
    fn read(end: &[u8], start: u64) -> Vec<(String, u64, u64)> {
        let last = end.len() - 22;
        assert_eq!(number(&end[last..last + 4]), 0x0605_4b50);
        let mut list = number(&end[last + 16..last + 20]);
        if list == LARGE {
            let locator = last - 20;
            assert_eq!(number(&end[locator..locator + 4]), 0x0706_4b50);
            let large = usize::try_from(number(&end[locator + 8..locator + 16]) - start).unwrap();
            assert_eq!(number(&end[large..large + 4]), 0x0606_4b50);
            list = number(&end[large + 48..large + 56]);
        }
        assert_eq!(list, start);
        let (mut at, mut found) = (0, Vec::new());
        while number(&end[at..at + 4]) == 0x0201_4b50 {
            let field = |from: usize, length: usize| number(&end[at + from..at + from + length]);
            let name = usize::try_from(field(28, 2)).unwrap();
            let extra = usize::try_from(field(30, 2)).unwrap();
            let text = String::from_utf8(end[at + 46..at + 46 + name].to_vec()).unwrap();
            let mut large = end[at + 46 + name..at + 46 + name + extra].chunks(8);
            if extra > 0 {
                large = end[at + 50 + name..at + 46 + name + extra].chunks(8);
            }
            let mut wide =
                |value: u64| if value == LARGE { number(large.next().unwrap()) } else { value };
            let (size, packed) = (wide(field(24, 4)), wide(field(20, 4)));
            assert_eq!(size, packed);
            found.push((text, size, wide(field(42, 4))));
            at += 46 + name + extra;
        }
        found
    }

    #[test]
    fn sizes_and_offsets_are_found_on_both_sides_of_four_gib() {
        for sizes in [[1, 2], [LARGE - 1, 7], [LARGE, 7], [7, 5 << 30], [5 << 30, 6 << 30]] {
            let mut zip = Zip::default();
            let mut offsets = Vec::new();
            let mut at = 0;
            for (name, size) in [("a", sizes[0]), ("bc", sizes[1])] {
                offsets.push(at);
                at += zip.begin(name, size).len() as u64 + size;
                at += zip.end(5).len() as u64;
            }
            let end = zip.finish();
            let expected = vec![
                ("a".to_owned(), sizes[0], offsets[0]),
                ("bc".to_owned(), sizes[1], offsets[1]),
            ];
            assert_eq!(read(&end, at), expected, "{sizes:?}");
            let length = length(&[("a", sizes[0]), ("bc", sizes[1])]);
            assert_eq!(length, Some(at + end.len() as u64), "{sizes:?}");
        }
        assert_eq!(length(&[("a", u64::MAX - 5)]), None);
    }
}
