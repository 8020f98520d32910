//! Receipts: an entry's proof that it is in the log, to be verified offline (C2SP tlog-proof).

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::note::LogKey;
use crate::proof::{PROOF_HASHES_MAX, ProofError, verify_inclusion};
use crate::tree::leaf_hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use writ_types::Digest;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A receipt. Text: a `.tlog-proof` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    index: u64,
    proof: Vec<Digest>,
    /// The checkpoint's note; it is believed only by [`Receipt::verify`].
    note: String,
}

/// Why a receipt does not show that the entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not in the format.
    #[error("not a receipt: {0}")]
    Format(&'static str),
    /// Its checkpoint is not the log's.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Its proof does not lead from the entry to the checkpoint.
    #[error("its proof: {0}")]
    Proof(#[from] ProofError),
}

impl Receipt {
    /// A receipt for the entry at `index` under `checkpoint`.
    pub fn new(index: u64, proof: Vec<Digest>, checkpoint: &SignedCheckpoint) -> Self {
        Self { index, proof, note: checkpoint.to_string() }
    }

    /// Which entry it is about.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Reads a `.tlog-proof` file. Nothing in it is to be believed before [`Receipt::verify`].
    ///
    /// # Errors
    /// When it is not in the format. Extra data is refused: Writ's receipts have none, and it is not authenticated.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        let wrong = ReceiptError::Format;
        let (head, note) = text.split_once("\n\n").ok_or(wrong("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(wrong("its first line is another"));
        }
        let index =
            lines.next().and_then(|line| line.strip_prefix("index ")).and_then(|n| n.parse().ok()).ok_or(wrong("no index"))?;
        let mut proof = Vec::new();
        for line in lines {
            let hash =
                STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok()).ok_or(wrong("a line that is not a hash"))?;
            proof.push(Digest::from_bytes(hash));
        }
        if proof.len() > PROOF_HASHES_MAX {
            return Err(wrong("too many hashes"));
        }
        let receipt = Self { index, proof, note: note.to_owned() };
        if receipt.to_string() == text { Ok(receipt) } else { Err(wrong("it is not in its one form")) }
    }

    /// The checkpoint under which `entry` is in the log of this key.
    ///
    /// # Errors
    /// When the checkpoint is not the log's, or the entry is not where the receipt says.
    pub fn verify(&self, entry: &[u8], key: &LogKey) -> Result<Checkpoint, ReceiptError> {
        let checkpoint = SignedCheckpoint::open(&self.note, key)?.checkpoint().clone();
        verify_inclusion(&leaf_hash(entry), self.index, checkpoint.size, &self.proof, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nindex {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::LogSigner;
    use crate::tree::node_hash;
    use proptest::prelude::*;
    use writ_types::Random;

    struct Ones;
    impl Random for Ones {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(1);
        }
    }

    fn receipt() -> (Receipt, LogSigner) {
        let signer = LogSigner::parse(&LogSigner::mint("log.example", &mut Ones).unwrap()).unwrap();
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        let signed = SignedCheckpoint::sign(2, node_hash(&a, &b), &signer).unwrap();
        (Receipt::new(1, vec![a], &signed), signer)
    }

    #[test]
    fn a_receipt_shows_its_entry_and_no_other() {
        let (receipt, signer) = receipt();
        assert_eq!(Receipt::parse(&receipt.to_string()), Ok(receipt.clone()));
        assert_eq!(receipt.verify(b"b", signer.key()).unwrap().size, 2);
        assert!(receipt.verify(b"a", signer.key()).is_err());
    }

    proptest! {
        #[test]
        fn every_flipped_bit_is_caught(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let (receipt, signer) = receipt();
            let mut bytes = receipt.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let believed = String::from_utf8(bytes).ok().and_then(|text| Receipt::parse(&text).ok()).is_some_and(|r| r.verify(b"b", signer.key()).is_ok());
            prop_assert!(!believed);
        }
    }
}
