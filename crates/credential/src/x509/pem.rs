//! PEM (RFC 7468, its strict form).

use super::{DER_BYTES_MAX, What, X509Error};
use crate::{ArmorError, armor};

/// Most texts that one file may hold.
const COUNT_MAX: usize = 16;

/// What a PEM text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PemLabel {
    /// `CERTIFICATE`.
    Certificate,
    /// `CERTIFICATE REQUEST`.
    Request,
}

impl PemLabel {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::Request => "CERTIFICATE REQUEST",
        }
    }

    const fn what(self) -> What {
        match self {
            Self::Certificate => What::Certificate,
            Self::Request => What::Request,
        }
    }
}

/// The PEM text of each of `ders`, one after the other.
pub fn pem_encode<'a>(label: PemLabel, ders: impl IntoIterator<Item = &'a [u8]>) -> String {
    ders.into_iter().map(|der| armor::encode(label.as_str(), 64, der)).collect()
}

/// The DER of one to sixteen PEM texts that follow each other, with nothing between.
///
/// # Errors
/// When there is anything else in the text, or too much.
pub fn pem_decode(label: PemLabel, text: &str) -> Result<Vec<Vec<u8>>, X509Error> {
    let what = label.what();
    let wrong = |why| X509Error::Pem { what, why };
    let mut found = Vec::new();
    let mut rest = text;
    while found.is_empty() || !rest.is_empty() {
        if found.len() == COUNT_MAX {
            return Err(wrong(ArmorError::TooLong { bytes: text.len(), max: text.len() - rest.len() }));
        }
        let (der, after) = armor::decode_first(label.as_str(), rest, COUNT_MAX * DER_BYTES_MAX * 3 / 2).map_err(wrong)?;
        what.bounded(&der)?;
        found.push(der);
        rest = after;
    }
    Ok(found)
}
