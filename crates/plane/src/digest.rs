//! A digest of anything that can be hashed, the same on every machine.

use std::hash::Hasher;
use writ_types::Digest;

/// Feeds what `Hash` gives into SHA-256, integers in little-endian order and lengths as 64 bits.
#[derive(Debug, Default)]
pub(crate) struct StateHasher {
    bytes: Vec<u8>,
    chain: Option<Digest>,
}

/// Bytes that are held before they are folded into the chain.
const CHUNK: usize = 1 << 20;

impl StateHasher {
    pub(crate) fn digest(mut self) -> Digest {
        self.fold();
        self.chain.unwrap_or_else(|| Digest::of(&[]))
    }

    fn fold(&mut self) {
        let before = self.chain.map_or([0u8; 32], |digest| *digest.as_bytes());
        self.chain = Some(Digest::of_parts(&[&before, &self.bytes]));
        self.bytes.clear();
    }
}

impl Hasher for StateHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= CHUNK {
            self.fold();
        }
    }

    fn write_u16(&mut self, i: u16) {
        self.write(&i.to_le_bytes());
    }

    fn write_u32(&mut self, i: u32) {
        self.write(&i.to_le_bytes());
    }

    fn write_u64(&mut self, i: u64) {
        self.write(&i.to_le_bytes());
    }

    fn write_usize(&mut self, i: usize) {
        self.write_u64(i as u64);
    }

    fn write_isize(&mut self, i: isize) {
        self.write(&(i as i64).to_le_bytes());
    }

    fn finish(&self) -> u64 {
        // The 64-bit hash is never asked for: see `digest`.
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hash;

    #[test]
    fn different_values_and_different_nestings_differ() {
        let of = |value: &dyn Fn(&mut StateHasher)| {
            let mut hasher = StateHasher::default();
            value(&mut hasher);
            hasher.digest()
        };
        let a = of(&|h| vec!["ab", "c"].hash(h));
        let b = of(&|h| vec!["a", "bc"].hash(h));
        assert_ne!(a, b);
        assert_eq!(a, of(&|h| vec!["ab", "c"].hash(h)));
        assert_ne!(of(&|h| Some(0u8).hash(h)), of(&|h| None::<u8>.hash(h)));
    }
}
