//! Checkpoints: the signed head of the log (C2SP tlog-checkpoint).

use crate::note::{LogKey, LogSigner, Note, NoteError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use writ_types::Digest;

/// The head of a log. Text: origin, size and base64 root, a line each; without extension lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name; also the name of its key.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree.
    pub root: Digest,
}

/// Why a checkpoint is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is malformed, or its signature does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note's text is not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Format(&'static str),
    /// A checkpoint of another log.
    #[error("a checkpoint of `{found}`, not of `{wanted}`")]
    Origin {
        /// Its origin.
        found: String,
        /// The key's name.
        wanted: String,
    },
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

impl Checkpoint {
    /// Reads a note's text.
    ///
    /// # Errors
    /// When it is not exactly the three lines.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Format("it has more or fewer than three lines"));
        };
        let size = size.parse().map_err(|_| CheckpointError::Format("its size is not a number"))?;
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).map(Digest::from_bytes);
        let root = root.ok_or(CheckpointError::Format("its root is not a hash"))?;
        let checkpoint = Self { origin: origin.to_owned(), size, root };
        if origin.is_empty() || checkpoint.to_string() != text {
            return Err(CheckpointError::Format("it is not in its one form"));
        }
        Ok(checkpoint)
    }
}

/// A checkpoint under the log's signature. There is none without: it is made by signing or by verifying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs the head of the signer's log.
    ///
    /// # Errors
    /// When the origin is not one line.
    pub fn sign(size: u64, root: Digest, signer: &LogSigner) -> Result<Self, CheckpointError> {
        let checkpoint = Checkpoint { origin: signer.key().name().to_owned(), size, root };
        let note = Note::sign(&checkpoint.to_string(), signer)?;
        Ok(Self { checkpoint, note })
    }

    /// Reads a checkpoint of the key's log.
    ///
    /// # Errors
    /// When it is malformed, of another log, or the key's signature does not hold.
    pub fn open(text: &str, key: &LogKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(text)?;
        let checkpoint = Checkpoint::parse(note.verify(key)?)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::Origin { found: checkpoint.origin, wanted: key.name().to_owned() });
        }
        Ok(Self { checkpoint, note })
    }

    /// What is signed.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

/// The note, as it is stored, served and remembered.
impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::leaf_hash;
    use writ_types::{Random, Secret};

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    fn signer(name: &str, seed: u8) -> LogSigner {
        let text: Secret<String> = LogSigner::mint(name, &mut Fixed(seed)).unwrap();
        LogSigner::parse(&text).unwrap()
    }

    #[test]
    fn only_the_logs_own_signature_over_its_own_name_opens() {
        let signer = signer("log.example", 1);
        let signed = SignedCheckpoint::sign(7, leaf_hash(b"x"), &signer).unwrap();
        let text = signed.to_string();
        assert_eq!(SignedCheckpoint::open(&text, signer.key()), Ok(signed));
        for bad in
            [text.replace("\n7\n", "\n8\n"), text.replace("log.example\n7", "log.other\n7"), text.replace("\n7\n", "\n07\n")]
        {
            assert!(SignedCheckpoint::open(&bad, signer.key()).is_err(), "{bad}");
        }
        assert!(SignedCheckpoint::open(&text, super::tests::signer("log.example", 2).key()).is_err());
        let stolen = Note::sign("log.other\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", &signer).unwrap().to_string();
        assert!(matches!(SignedCheckpoint::open(&stolen, signer.key()), Err(CheckpointError::Origin { .. })));
    }

    #[test]
    fn a_checkpoint_has_one_form() {
        let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert!(Checkpoint::parse(&format!("a\n0\n{root}\n")).is_ok());
        for bad in [
            format!("a\n0\n{root}"),
            format!("a\n0\n{root}\nmore\n"),
            format!("\n0\n{root}\n"),
            format!("a\n+0\n{root}\n"),
            format!("a\n00\n{root}\n"),
            format!("a\n-1\n{root}\n"),
            "a\n0\nAAAA\n".to_owned(),
            format!("a\n0\n{}\n", root.replace("A=", "B=")),
            format!("a\n18446744073709551616\n{root}\n"),
        ] {
            assert!(Checkpoint::parse(&bad).is_err(), "{bad}");
        }
    }
}
