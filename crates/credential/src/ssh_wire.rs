//! The wire encoding of SSH (RFC 4251 section 5): lengths in four bytes, big-endian.

/// A text or a number ends early, or is followed by something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WireError;

/// Reads values off the front of a byte string.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (front, rest) = self.0.split_at_checked(count).ok_or(WireError)?;
        self.0 = rest;
        Ok(front)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.try_into().map_err(|_| WireError)
    }

    pub(crate) fn number(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn string(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.number()?).map_err(|_| WireError)?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.string()?).map_err(|_| WireError)
    }

    /// A positive integer of at most 256 bits, in its one shortest form (RFC 4251 section 5, `mpint`).
    pub(crate) fn positive_256(&mut self) -> Result<[u8; 32], WireError> {
        let bytes = self.string()?;
        let magnitude = match bytes {
            [] => return Err(WireError),
            [0, rest @ ..] if rest.first().is_some_and(|next| next & 0x80 != 0) => rest,
            [first, ..] if *first != 0 && first & 0x80 == 0 => bytes,
            _ => return Err(WireError),
        };
        let mut out = [0u8; 32];
        let start = out.len().checked_sub(magnitude.len()).ok_or(WireError)?;
        out.get_mut(start..).ok_or(WireError)?.copy_from_slice(magnitude);
        Ok(out)
    }

    /// True to the end: nothing may follow.
    pub(crate) const fn finish(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError) }
    }
}

/// Appends a string with its length. Only bounded values are written, far below 2^32 bytes.
pub(crate) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Appends a positive integer, given big-endian, in its shortest form.
pub(crate) fn put_positive(out: &mut Vec<u8>, big_endian: &[u8]) {
    let start = big_endian.iter().position(|byte| *byte != 0).unwrap_or(big_endian.len());
    let magnitude = big_endian.get(start..).unwrap_or_default();
    let mut bytes = Vec::with_capacity(magnitude.len() + 1);
    if magnitude.first().is_some_and(|first| first & 0x80 != 0) {
        bytes.push(0);
    }
    bytes.extend_from_slice(magnitude);
    put_string(out, &bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_form() {
        for wanted in [[0x7f; 32], [0x80; 32], [0xff; 32]] {
            let mut wire = Vec::new();
            put_positive(&mut wire, &wanted);
            assert_eq!(Reader::new(&wire).positive_256(), Ok(wanted));
        }
        let cases: [&[u8]; 6] = [&[], &[0], &[0, 1], &[0x80], &[0, 0, 0x80], &[1; 33]];
        for bad in cases {
            let mut wire = Vec::new();
            put_string(&mut wire, bad);
            assert_eq!(Reader::new(&wire).positive_256(), Err(WireError), "{bad:?}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_an_error() {
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 1]).string(), Err(WireError));
        assert_eq!(Reader::new(&[0, 0, 0]).string(), Err(WireError));
        assert_eq!(Reader::new(&[1]).finish(), Err(WireError));
    }
}
