//! The head of a server's log: believed under the log's own key, and only as what goes on from the head seen before (law 10).

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use writ_ledger::{
    Checkpoint, Entry, LogKey, ProofError, Prover, SignedCheckpoint, Tile, TileKind, decode_hashes, genesis_hash, genesis_key,
    leaf_hash, verify_consistency, verify_inclusion,
};
use writ_types::{Digest, TextValue as _, canonical};
use writ_wire::api::{EntryView, Status};

/// What was last seen of a log: enough to judge every later head without trusting anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    /// SHA-256 of the genesis entry.
    pub(crate) genesis: Digest,
    /// The log's verifier key, from that entry.
    pub(crate) key: String,
    /// The signed checkpoint.
    pub(crate) checkpoint: String,
}

/// A head whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) genesis: Digest,
    pub(crate) key: LogKey,
    signed: SignedCheckpoint,
}

/// How a head stands to the one seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Against {
    /// It is the same, or goes on from it.
    GoesOn,
    /// It has fewer entries.
    Shorter,
    /// It holds other entries in the place of those that were seen: two heads that one key signed, and that can't both be true.
    Forked,
}

/// Reads from the server what lies below `/v1/log/`.
pub(crate) type Read<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, Failure>;

impl Head {
    /// The server's newest head. The first time, the key comes from the genesis, which must be the one that the server names; later, from
    /// what is remembered.
    pub(crate) fn fetch(status: &Status, seen: Option<&Seen>, read: Read<'_>) -> Result<Self, Failure> {
        let note = String::from_utf8(read("checkpoint")?).map_err(|error| not_believed(&status.origin, &error))?;
        if let Some(seen) = seen {
            return Self::open(seen.genesis, &seen.key, &note).map_err(|error| not_believed(&status.origin, &error));
        }
        let view: EntryView =
            serde_json::from_slice(&read("entries/0")?).map_err(|error| not_believed(&status.origin, &error))?;
        let bytes = canonical(&view.entry).map_err(|error| not_believed(&status.origin, &error))?;
        let genesis = genesis_hash(&bytes);
        if genesis != status.genesis {
            return Err(not_believed(&status.origin, &"its genesis is another than it says"));
        }
        let entry = Entry::decode(&bytes).map_err(|error| not_believed(&status.origin, &error))?;
        let key = genesis_key(&entry).map_err(|error| not_believed(&status.origin, &error))?;
        let head = Self::open(genesis, &key.to_string(), &note).map_err(|error| not_believed(&status.origin, &error))?;
        // The tree that the key signs begins with this very genesis.
        let Checkpoint { size, root, .. } = head.checkpoint();
        let proof = Prover::new(*size, tiles(read)).inclusion(0)?;
        verify_inclusion(&leaf_hash(&bytes), 0, *size, &proof, root).map_err(|error| not_believed(&status.origin, &error))?;
        Ok(head)
    }

    fn open(genesis: Digest, key: &str, note: &str) -> Result<Self, String> {
        let key = LogKey::parse(key).map_err(|error| error.to_string())?;
        let signed = SignedCheckpoint::open(note, &key).map_err(|error| error.to_string())?;
        Ok(Self { genesis, key, signed })
    }

    /// The head that is remembered.
    pub(crate) fn remembered(seen: &Seen) -> Result<Self, String> {
        Self::open(seen.genesis, &seen.key, &seen.checkpoint)
    }

    /// As it is remembered.
    pub(crate) fn to_seen(&self) -> Seen {
        Seen { genesis: self.genesis, key: self.key.to_string(), checkpoint: self.signed.to_string() }
    }

    pub(crate) const fn checkpoint(&self) -> &Checkpoint {
        self.signed.checkpoint()
    }

    /// The signed note.
    pub(crate) fn note(&self) -> String {
        self.signed.to_string()
    }

    /// How this head stands to an earlier one of the same log, by the server's hash tiles.
    pub(crate) fn against(&self, old: &Self, read: Read<'_>) -> Result<Against, Failure> {
        let (old, new) = (old.checkpoint(), self.checkpoint());
        if new.size < old.size {
            return Ok(Against::Shorter);
        }
        let proof = Prover::new(new.size, tiles(read)).consistency(old.size)?;
        // Tiles that don't lead to the signed root prove nothing either way, and are no excuse.
        let goes_on = verify_consistency(old.size, &old.root, new.size, &new.root, &proof).is_ok();
        Ok(if goes_on { Against::GoesOn } else { Against::Forked })
    }
}

/// The hash tiles of the server, which anybody may read.
fn tiles(read: Read<'_>) -> impl FnMut(u8, u64, u16) -> Result<Vec<Digest>, Failure> {
    move |level, n, width| {
        let tile = Tile { kind: TileKind::Hashes(level), n, width };
        decode_hashes(&read(&tile.to_string())?, width).map_err(|error| unproven(&error))
    }
}

impl From<ProofError> for Failure {
    fn from(error: ProofError) -> Self {
        unproven(&error)
    }
}

fn unproven(error: &dyn std::fmt::Display) -> Failure {
    let message = format!("the server can't show that its log goes on from what was seen before: {error}");
    Failure::failed(message, "don't sign anything for it; tell the security owner")
}

fn not_believed(origin: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::failed(
        format!("the head of the log `{origin}` is not to be believed: {why}"),
        "don't sign anything for it; tell the security owner",
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use writ_ledger::{LogSigner, Tree, encode_hashes};
    use writ_types::Random;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    pub(crate) fn signer(seed: u8) -> LogSigner {
        LogSigner::parse(&LogSigner::mint("example.org/writ", &mut Fixed(seed)).unwrap()).unwrap()
    }

    /// A log of so many entries, which branches off after `same` of them.
    pub(crate) struct Branch {
        pub(crate) head: Head,
        tiles: BTreeMap<String, Vec<u8>>,
    }

    impl Branch {
        pub(crate) fn new(size: u64, same: u64) -> Self {
            let leaf = |i: u64| leaf_hash(&[&i.to_be_bytes()[..], &[u8::from(i >= same)]].concat());
            let leaves: Vec<Digest> = (0..size).map(leaf).collect();
            let mut tree = Tree::default();
            leaves.iter().for_each(|leaf| tree.push(*leaf));
            let tiles = writ_ledger::tiles(size).filter_map(|tile| match tile.kind {
                TileKind::Hashes(0) => Some((tile.to_string(), leaves[tile.first() as usize..tile.end() as usize].to_vec())),
                TileKind::Hashes(level) => Some((tile.to_string(), tree.hashes(level, tile.first(), tile.end())?.to_vec())),
                TileKind::Entries => None,
            });
            let tiles = tiles.map(|(path, hashes)| (path, encode_hashes(&hashes))).collect();
            let signer = signer(1);
            let signed = SignedCheckpoint::sign(size, tree.frontier().root(), &signer).unwrap();
            Self { head: Head { genesis: Digest::of(b"genesis"), key: signer.key().clone(), signed }, tiles }
        }

        pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
            if path == "checkpoint" {
                return Ok(self.head.note().into_bytes());
            }
            self.tiles.get(path).cloned().ok_or_else(|| Failure::bug(path))
        }

        pub(crate) fn against(&self, old: &Self) -> Against {
            self.head.against(&old.head, &|path| self.read(path)).unwrap()
        }
    }

    /// Law 10: a log goes on from what was seen only if all of that is in it; nothing else is taken for it, however long it is.
    #[test]
    fn only_what_holds_all_that_was_seen_goes_on_from_it() {
        for (old, new) in [(1, 1), (1, 2), (5, 5), (5, 9), (255, 256), (256, 257), (200, 700), (512, 70_000)] {
            assert_eq!(Branch::new(new, u64::MAX).against(&Branch::new(old, u64::MAX)), Against::GoesOn, "{old} {new}");
            let forked = Branch::new(new, old - 1);
            assert_eq!(forked.against(&Branch::new(old, u64::MAX)), Against::Forked, "{old} {new}");
            assert_eq!(Branch::new(new, u64::MAX).against(&Branch::new(old, old - 1)), Against::Forked, "{old} {new}");
        }
        assert_eq!(Branch::new(4, u64::MAX).against(&Branch::new(5, u64::MAX)), Against::Shorter);
    }

    #[test]
    fn tiles_that_were_made_up_prove_nothing() {
        let (old, mut new) = (Branch::new(300, u64::MAX), Branch::new(700, 290));
        // The tiles of the true log under the forked log's signature.
        new.tiles = Branch::new(700, u64::MAX).tiles;
        assert_eq!(new.against(&old), Against::Forked);
        new.tiles.clear();
        assert!(new.head.against(&old.head, &|path| new.read(path)).is_err());
    }
}
