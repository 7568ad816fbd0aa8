//! Lengths, texts and sections as bytes: bounded reading that never panics and never allocates what it is told to.

/// Appends a length as LEB128.
pub(crate) fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(0x80 | u8::try_from(length & 0x7f).expect("seven bits fit into a byte"));
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits fit into a byte"));
}

/// Appends a text with its length in front.
pub(crate) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_length(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// Appends a section: a tag, a length and the content.
pub(crate) fn put_section(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) {
    bytes.push(tag);
    put_length(bytes, content.len());
    bytes.extend_from_slice(content);
}

/// Reads bytes from the front; `None` wherever they end too early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.bytes.split_at_checked(count)?;
        self.bytes = tail;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.bytes.split_first_chunk()?;
        self.bytes = tail;
        Some(*head)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn length(&mut self) -> Option<usize> {
        let byte = self.byte()?;
        // Nearly every length: the rest is out of the way.
        if byte < 0x80 { Some(byte.into()) } else { self.long_length(byte) }
    }

    #[cold]
    fn long_length(&mut self, first: u8) -> Option<usize> {
        let mut length = usize::from(first & 0x7f);
        for shift in [7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(length);
            }
        }
        None
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    pub(crate) fn section(&mut self) -> Option<(u8, &'a [u8])> {
        let tag = self.byte()?;
        let length = self.length()?;
        Some((tag, self.take(length)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_round_trip() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455] {
            let mut bytes = Vec::new();
            put_length(&mut bytes, length);
            assert_eq!(Reader::new(&bytes).length(), Some(length));
        }
    }

    #[test]
    fn a_length_beyond_the_bytes_is_refused_without_allocating() {
        assert!(Reader::new(&[1, 0xff, 0xff, 0xff, 0x7f, 0]).section().is_none());
        assert!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff]).length().is_none());
    }
}
