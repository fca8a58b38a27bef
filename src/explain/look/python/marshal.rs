//! Python's marshal format: objects that are equal get the same number, however they are written.

use std::collections::HashMap;

use super::super::cursor::Cursor;

/// Objects inside objects.
const DEPTH: u32 = 200;
const IS_SHARED: u8 = 0x80;

/// How a code object is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Numbers at the start.
    numbers: usize,
    /// Objects behind them, and which of them is the path of the source.
    objects: usize,
    source: usize,
    /// Objects behind the number of the first line.
    last: usize,
}

impl Layout {
    /// The layout of the version with that number, from Python 3.7 on.
    pub(super) fn of_version(version: u16) -> Option<Self> {
        match version {
            3390..3400 => Some(Self { numbers: 5, objects: 8, source: 6, last: 1 }),
            3400..3450 => Some(Self { numbers: 6, objects: 8, source: 6, last: 1 }),
            3450..4000 => Some(Self { numbers: 5, objects: 8, source: 5, last: 2 }),
            _ => None,
        }
    }
}

/// One file that was read.
pub(super) struct Code {
    /// The number of the object.
    pub(super) root: u32,
    /// The paths of sources in code objects, which do not count for the number, in order.
    pub(super) sources: Vec<Vec<u8>>,
}

/// Numbers for objects: equal ones have the same.
#[derive(Default)]
pub(super) struct Interner {
    numbers: HashMap<Vec<u8>, u32>,
    /// The texts among the objects.
    texts: HashMap<u32, Vec<u8>>,
}

struct Reader<'a, 'b> {
    cursor: Cursor<'a>,
    layout: Layout,
    interner: &'b mut Interner,
    /// Objects that others refer to; none while one is being read.
    shared: Vec<Option<u32>>,
    sources: Vec<Vec<u8>>,
}

impl Interner {
    /// Reads the one object that `bytes` are.
    pub(super) fn read(&mut self, bytes: &[u8], layout: Layout) -> Option<Code> {
        let cursor = Cursor::new(bytes);
        let mut reader = Reader { cursor, layout, interner: self, shared: Vec::new(), sources: Vec::new() };
        let root = reader.object(DEPTH)?;
        reader.cursor.rest().is_empty().then_some(Code { root, sources: reader.sources })
    }

    fn number(&mut self, form: Vec<u8>) -> Option<u32> {
        let next = u32::try_from(self.numbers.len()).ok()?;
        let text = form.strip_prefix(b"u").map(<[u8]>::to_vec);
        let number = *self.numbers.entry(form).or_insert(next);
        if let Some(text) = text.filter(|_| number == next) {
            self.texts.insert(number, text);
        }
        Some(number)
    }
}

impl Reader<'_, '_> {
    fn object(&mut self, depth: u32) -> Option<u32> {
        let depth = depth.checked_sub(1)?;
        let kind = self.cursor.byte()?;
        let slot = (kind & IS_SHARED != 0).then_some(self.shared.len());
        if slot.is_some() {
            self.shared.push(None);
        }
        let number = match kind & !IS_SHARED {
            b'r' => {
                let at = self.cursor.little_length()?;
                (*self.shared.get(at)?)?
            }
            b'c' => self.code(depth)?,
            kind => {
                let form = self.form(kind, depth)?;
                self.interner.number(form)?
            }
        };
        if let Some(slot) = slot {
            *self.shared.get_mut(slot)? = Some(number);
        }
        Some(number)
    }

    /// What the object is, in one form for all ways to write it.
    fn form(&mut self, kind: u8, depth: u32) -> Option<Vec<u8>> {
        let of = |kind: u8, bytes: &[u8]| Some([&[kind], bytes].concat());
        match kind {
            b'N' | b'F' | b'T' | b'S' | b'.' | b'0' => Some(vec![kind]),
            b'i' => of(kind, self.cursor.take(4)?),
            b'g' => of(kind, self.cursor.take(8)?),
            b'y' => of(kind, self.cursor.take(16)?),
            b'l' => {
                let count = self.cursor.array().map(i32::from_le_bytes)?;
                let digits = self.cursor.take(usize::try_from(count.unsigned_abs()).ok()?.checked_mul(2)?)?;
                Some([&b"l"[..], &count.to_le_bytes(), digits].concat())
            }
            b's' => {
                let length = self.cursor.little_length()?;
                of(kind, self.cursor.take(length)?)
            }
            b't' | b'u' | b'a' | b'A' => {
                let length = self.cursor.little_length()?;
                of(b'u', self.cursor.take(length)?)
            }
            b'z' | b'Z' => {
                let length = usize::from(self.cursor.byte()?);
                of(b'u', self.cursor.take(length)?)
            }
            b')' => {
                let count = usize::from(self.cursor.byte()?);
                self.many(b'(', count, depth)
            }
            b'(' | b'[' | b'<' | b'>' => {
                let count = self.cursor.little_length()?;
                self.many(kind, count, depth)
            }
            b':' => self.many(kind, 3, depth),
            _ => None,
        }
    }

    fn many(&mut self, kind: u8, count: usize, depth: u32) -> Option<Vec<u8>> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(self.object(depth)?);
        }
        if matches!(kind, b'<' | b'>') {
            // A set has no order; how it is written follows the hash seed.
            numbers.sort_unstable();
        }
        let mut form = vec![kind];
        form.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
        Some(form)
    }

    fn code(&mut self, depth: u32) -> Option<u32> {
        let Layout { numbers, objects, source, last } = self.layout;
        let mut form = b"c".to_vec();
        form.extend(self.cursor.take(numbers * 4)?);
        let place = self.sources.len();
        self.sources.push(Vec::new());
        for at in 0..objects {
            let number = self.object(depth)?;
            if at == source {
                *self.sources.get_mut(place)? = self.interner.texts.get(&number)?.clone();
            } else {
                form.extend(number.to_le_bytes());
            }
        }
        form.extend(self.cursor.take(4)?);
        for _ in 0..last {
            form.extend(self.object(depth)?.to_le_bytes());
        }
        self.interner.number(form)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_equal(first: &[u8], second: &[u8]) -> bool {
        let layout = Layout::of_version(3495).unwrap();
        let mut interner = Interner::default();
        let one = interner.read(first, layout);
        let other = interner.read(second, layout);
        one.zip(other).is_some_and(|(one, other)| one.root == other.root)
    }

    #[test]
    fn a_reference_is_what_it_refers_to() {
        for (first, second, want) in [
            (&b")\x02z\x01az\x01a"[..], &b")\x02\xfa\x01ar\0\0\0\0"[..], true),
            (b")\x02z\x01az\x01a", b")\x02\xfa\x01ar\x01\0\0\0", false),
            (b")\x02z\x01az\x01a", b")\x02Z\x01aa\x01\0\0\0a", true),
            (b")\x02z\x01az\x01b", b")\x02z\x01bz\x01a", false),
            (b">\x02\0\0\0z\x01az\x01b", b">\x02\0\0\0z\x01bz\x01a", true),
            (b">\x02\0\0\0z\x01az\x01b", b"<\x02\0\0\0z\x01az\x01b", false),
            (b"(\x01\0\0\0N", b")\x01N", true),
            (b"z\x01a", b"s\x01\0\0\0a", false),
            (b"\xa9\x01r\0\0\0\0", b"\xa9\x01r\0\0\0\0", false),
            (b"NN", b"NN", false),
        ] {
            assert_eq!(is_equal(first, second), want, "{first:?}, {second:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(prop::sample::select(&b"c()[<>rNizszl\xe3\xa9\xfa\0\x01\x02\x03"[..]), 0..200)) {
            is_equal(&bytes, &bytes);
        }
    }
}
