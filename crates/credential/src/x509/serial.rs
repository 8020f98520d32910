//! Serial numbers of certificates.

use std::fmt;
use writ_types::{ParseError, TextValue, through_text};

/// A certificate's serial number: positive, at most 20 bytes (RFC 5280 section 4.1.2.2). Text: lower-case
/// hexadecimal, as OpenSSL prints it but for case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// A serial of exactly 16 bytes from 128 random bits, of which 126 are kept so that it is positive.
    pub fn from_random(mut bits: [u8; 16]) -> Self {
        if let Some(first) = bits.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        Self(bits.to_vec())
    }

    /// From the content of a DER integer. `None` if it is zero, negative, not in its shortest form or too long.
    pub(super) fn from_integer(bytes: &[u8]) -> Option<Self> {
        let fits = match bytes {
            [] | [0] => false,
            // DER keeps a positive number positive with one leading zero, and never with more.
            [0, next, ..] => next & 0x80 != 0,
            [first, ..] => first & 0x80 == 0,
        };
        let magnitude = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        (fits && bytes.len() <= 20).then(|| Self(magnitude.to_vec()))
    }

    /// The content of the DER integer.
    pub(super) fn to_integer(&self) -> Vec<u8> {
        let sign = self.0.first().filter(|first| *first & 0x80 != 0).map(|_| 0);
        sign.into_iter().chain(self.0.iter().copied()).collect()
    }

    /// The big-endian magnitude.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl TextValue for Serial {
    const WANTED: &'static str = "a serial number";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong =
            || ParseError::new(text, Self::WANTED, "it is 2 to 40 lower-case hexadecimal digits, an even count, not zero");
        let nibble = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
            _ => None,
        });
        let bytes: Vec<u8> = pairs.collect::<Option<_>>().ok_or_else(wrong)?;
        match bytes.first() {
            Some(first) if *first != 0 && bytes.len() + usize::from(first >> 7) <= 20 => Ok(Self(bytes)),
            _ => Err(wrong()),
        }
    }
}

through_text!(Serial);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_positive_whatever_the_bits() {
        for bits in [[0; 16], [0xff; 16], [0x80; 16]] {
            let serial = Serial::from_random(bits);
            assert_eq!(Serial::from_integer(&serial.to_integer()), Some(serial.clone()));
            assert_eq!(Serial::parse(&serial.to_string()), Ok(serial));
        }
        for bad in [&[][..], &[0], &[0, 1], &[0x80], &[1; 21]] {
            assert_eq!(Serial::from_integer(bad), None);
        }
        for bad in ["", "0", "00", "4", "4G", "FF", &"11".repeat(21)] {
            assert!(Serial::parse(bad).is_err(), "{bad}");
        }
    }
}
