//! Ids: a prefix that says what is named, and 128 random bits in lower-case hexadecimal.

use crate::text::through_text;
use crate::{ParseError, TextValue};
use std::fmt;

/// Lower-case hexadecimal of `bytes`.
pub(crate) fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend(
            [byte >> 4, byte & 15].iter().filter_map(|nibble| DIGITS.get(usize::from(*nibble))).map(|digit| char::from(*digit)),
        );
    }
    f.write_str(&text)
}

/// Exactly `N` bytes from lower-case hexadecimal.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut out = [0u8; N];
    if text.len() != N * 2 {
        return None;
    }
    for (slot, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *slot = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(out)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $wanted:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The prefix of the textual form.
            pub const PREFIX: &'static str = $prefix;

            /// An id from 128 bits, which must be random: ids are not guessable.
            pub const fn from_bits(bits: [u8; 16]) -> Self {
                Self(bits)
            }

            /// A new id from a source of randomness.
            pub fn mint(random: &mut dyn crate::Random) -> Self {
                Self(random.bits_128())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Self::PREFIX)?;
                hex(&self.0, f)
            }
        }

        impl TextValue for $name {
            const WANTED: &'static str = $wanted;
            fn parse(text: &str) -> Result<Self, ParseError> {
                text.strip_prefix(Self::PREFIX).and_then(unhex).map(Self).ok_or_else(|| {
                    ParseError::new(text, Self::WANTED, concat!("it is `", $prefix, "` and 32 lower-case hexadecimal digits"))
                })
            }
        }

        through_text!($name);
    )*};
}

ids! {
    /// A person, a team or a system.
    PartyId = "pty_", "a party id";
    /// A non-human identity.
    IdentityId = "idn_", "an identity id";
    /// Something that a task can reach.
    ResourceId = "res_", "a resource id";
    /// One delegated piece of work.
    TaskId = "tsk_", "a task id";
    /// The result of policy on one request.
    DecisionId = "dec_", "a decision id";
    /// What an approver signs: the resolved parameters of one request.
    ApprovalId = "apr_", "an approval id";
    /// Anything issued.
    CredentialId = "crd_", "a credential id";
    /// A change set.
    ChangeId = "chg_", "a change set id";
    /// One entry of the log.
    EventId = "ev_", "an event id";
}
