//! Base64 between a BEGIN and an END line: PEM (RFC 7468, its strict form) and SSHSIG's armour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What is wrong with an armoured text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// Longer than what is read.
    #[error("it is {bytes} bytes; at most {max} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// No BEGIN line, no END line, or something before or after.
    #[error("it is not one text from `-----BEGIN {0}-----` to `-----END {0}-----`")]
    Frame(&'static str),
    /// What stands between is not base64 in lines.
    #[error("what stands between its BEGIN and END lines is not base64 in lines of at most 76 characters")]
    Base64,
}

/// Longest line of base64.
const LINE_MAX: usize = 76;

/// The bytes of one armoured text and nothing else; one newline may follow it. At most `max` bytes are read.
pub(crate) fn decode(label: &'static str, text: &str, max: usize) -> Result<Vec<u8>, ArmorError> {
    let (bytes, rest) = decode_first(label, text, max)?;
    if rest.is_empty() { Ok(bytes) } else { Err(ArmorError::Frame(label)) }
}

/// The bytes of the first armoured text, and what follows it.
pub(crate) fn decode_first<'a>(label: &'static str, text: &'a str, max: usize) -> Result<(Vec<u8>, &'a str), ArmorError> {
    if text.len() > max {
        return Err(ArmorError::TooLong { bytes: text.len(), max });
    }
    let inner = text.strip_prefix(&format!("-----BEGIN {label}-----\n")).ok_or(ArmorError::Frame(label))?;
    let (body, rest) = inner.split_once(&format!("\n-----END {label}-----")).ok_or(ArmorError::Frame(label))?;
    let rest = match rest.strip_prefix('\n') {
        Some(rest) => rest,
        None if rest.is_empty() => rest,
        None => return Err(ArmorError::Frame(label)),
    };
    if body.split('\n').any(|line| line.is_empty() || line.len() > LINE_MAX) {
        return Err(ArmorError::Base64);
    }
    let base64: String = body.split('\n').collect();
    // Strict: the alphabet, the padding and the unused bits are all checked, so that a text has one meaning.
    let bytes = STANDARD.decode(base64).map_err(|_| ArmorError::Base64)?;
    Ok((bytes, rest))
}

/// The armoured text of `bytes`, in lines of `width`, with a newline at its end.
pub(crate) fn encode(label: &str, width: usize, bytes: &[u8]) -> String {
    let base64 = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(width).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_one_whole_text_is_read() {
        let good = encode("X", 64, &[7; 100]);
        assert_eq!(decode("X", &good, 1000), Ok(vec![7; 100]));
        assert_eq!(decode("X", good.trim_end(), 1000), Ok(vec![7; 100]));
        for bad in [
            String::new(),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{good}{good}"),
            good.replace('\n', "\r\n"),
            good.replace("BEGIN X", "BEGIN Y"),
            good.replace("\n-----END", "\n\n-----END"),
            good.replace("\n-----END", " \n-----END"),
            good.replace("==", "="),
            "-----BEGIN X-----\n-----END X-----\n".to_owned(),
            encode("X", 80, &[7; 100]),
        ] {
            assert!(decode("X", &bad, 1000).is_err(), "{bad}");
        }
        assert_eq!(decode("X", &good, 10), Err(ArmorError::TooLong { bytes: good.len(), max: 10 }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 1..300), width in 1usize..=76) {
            prop_assert_eq!(decode("X", &encode("X", width, &bytes), 10_000), Ok(bytes));
        }

        #[test]
        fn hostile_texts_never_panic(text in "\\PC{0,300}") {
            let _ = decode("X", &text, 200);
            let _ = decode("X", &format!("-----BEGIN X-----\n{text}\n-----END X-----"), 1000);
        }
    }
}
