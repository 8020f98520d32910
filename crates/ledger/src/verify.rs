//! What must hold of the entries of a log, one after another, whoever reads them: the server at its start, an auditor later.

use crate::entry::{Entry, EntryError, one_line};
use crate::note::LogKey;
use crate::tree::{Filled, Frontier, Tree, leaf_hash};
use writ_types::{Digest, TextValue, Time};

/// The kind of the first entry, and of no other.
pub const GENESIS_KIND: &str = "log.genesis";

/// What is wrong with an entry where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Its bytes are not an entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It is earlier than the entry before.
    #[error("its time {at} is before {last}, the time of the entry before")]
    Time {
        /// Its time.
        at: Time,
        /// The time of the entry before.
        last: Time,
    },
    /// Its epoch is lower than the epoch of the entry before.
    #[error("its epoch {epoch} is lower than {last}, the epoch of the entry before")]
    Epoch {
        /// Its epoch.
        epoch: u64,
        /// The epoch of the entry before.
        last: u64,
    },
    /// It rests on itself or on a later entry.
    #[error("it rests on entry {0}, which is not before it")]
    Cause(u64),
    /// The first entry is no genesis, or another one is.
    #[error("the first entry, and no other, is a `{GENESIS_KIND}`")]
    Genesis,
    /// The genesis does not name the log's key and origin.
    #[error("the genesis does not name the log's key: {0}")]
    Key(String),
}

/// The hash that an auditor pins: the SHA-256 of the genesis entry's bytes (not of the leaf).
pub fn genesis_hash(entry: &[u8]) -> Digest {
    Digest::of(entry)
}

/// The key in a genesis entry: `body.content.log_key`, whose name is `body.content.origin`.
///
/// # Errors
/// When they are not there, or do not agree.
pub fn genesis_key(genesis: &Entry) -> Result<LogKey, EntryFault> {
    let text = |pointer: &str| genesis.body.pointer(pointer).and_then(|value| value.as_str());
    let key = text("/content/log_key").ok_or_else(|| EntryFault::Key("no `body.content.log_key`".to_owned()))?;
    let key = LogKey::parse(key).map_err(|error| EntryFault::Key(one_line(&error.to_string())))?;
    if text("/content/origin") == Some(key.name()) {
        Ok(key)
    } else {
        Err(EntryFault::Key("`body.content.origin` is not the key's name".to_owned()))
    }
}

/// What is known after a run of entries from the first on: the tree, the last time and epoch, the log's key.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    tree: Tree,
    edge: Edge,
    genesis: Option<(Digest, LogKey)>,
}

/// The last entry's time and epoch.
#[derive(Debug, Clone, Copy, Default)]
struct Edge {
    last: Option<(Time, u64)>,
}

impl Chain {
    /// Takes the next entry in. Its leaf counts in the tree whatever is wrong with it, so that the root can be compared.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Entry, EntryFault> {
        let index = self.size();
        self.tree.push(leaf_hash(bytes));
        let entry = Entry::decode(bytes)?;
        let outcome = self.edge.follow(index, &entry);
        if index == 0 && outcome.is_ok() {
            self.genesis = Some((genesis_hash(bytes), genesis_key(&entry)?));
        }
        outcome.map(|()| entry)
    }

    /// How many entries were taken in.
    pub const fn size(&self) -> u64 {
        self.tree.frontier().size()
    }

    /// The tree of their leaves.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The time of the last entry.
    pub fn last_time(&self) -> Option<Time> {
        self.edge.last.map(|(at, _)| at)
    }

    /// The genesis entry's hash.
    pub fn genesis(&self) -> Option<Digest> {
        self.genesis.as_ref().map(|(hash, _)| *hash)
    }

    /// The log's key, from the genesis.
    pub fn key(&self) -> Option<&LogKey> {
        self.genesis.as_ref().map(|(_, key)| key)
    }

    /// What this would become with `entries` appended; nothing moves before [`Chain::accept`].
    pub(crate) fn extend<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<Extension, (usize, EntryFault)> {
        let (mut edge, mut frontier, mut genesis) = (self.edge, self.tree.frontier().clone(), self.genesis.clone());
        let (mut leaves, mut hashes, mut filled) = (Vec::new(), Vec::new(), Vec::new());
        for (place, entry) in entries.into_iter().enumerate() {
            let index = frontier.size();
            let mut check = || {
                let bytes = entry.encode()?;
                edge.follow(index, entry)?;
                if index == 0 {
                    genesis = Some((genesis_hash(&bytes), genesis_key(entry)?));
                }
                Ok(bytes)
            };
            let bytes = check().map_err(|fault| (place, fault))?;
            let hash = leaf_hash(&bytes);
            frontier.push(hash, &mut filled);
            leaves.push(bytes);
            hashes.push(hash);
        }
        Ok(Extension { leaves, hashes, root: frontier.root(), edge, frontier, filled, genesis })
    }

    /// Moves on, once the extension is durable.
    pub(crate) fn accept(&mut self, extension: Extension) {
        self.tree.advance(extension.frontier, extension.filled);
        self.edge = extension.edge;
        self.genesis = extension.genesis;
    }
}

/// Entries that fit, with all that changes once they are durable.
pub(crate) struct Extension {
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) hashes: Vec<Digest>,
    pub(crate) root: Digest,
    edge: Edge,
    frontier: Frontier,
    filled: Vec<Filled>,
    genesis: Option<(Digest, LogKey)>,
}

impl Edge {
    fn follow(&mut self, index: u64, entry: &Entry) -> Result<(), EntryFault> {
        if (index == 0) != (entry.kind.as_str() == GENESIS_KIND) {
            return Err(EntryFault::Genesis);
        }
        if let Some(cause) = entry.cause.iter().find(|cause| **cause >= index) {
            return Err(EntryFault::Cause(*cause));
        }
        // What comes after a faulty entry is judged by it all the same: one fault, one problem.
        let before = self.last.replace((entry.at, entry.epoch));
        if let Some((last, epoch)) = before {
            if entry.at < last {
                return Err(EntryFault::Time { at: entry.at, last });
            }
            if entry.epoch < epoch {
                return Err(EntryFault::Epoch { epoch: entry.epoch, last: epoch });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::LogSigner;
    use crate::{Actor, Kind, Salt};
    use serde_json::{Value, json};
    use writ_types::{ActorKind, EventId, Random, Via};

    struct Ones;
    impl Random for Ones {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(1);
        }
    }

    fn entry(kind: &str, micros: u64, body: Value) -> Entry {
        Entry {
            v: 1,
            kind: Kind::parse(kind).unwrap(),
            at: Time::from_micros(micros),
            id: EventId::from_bits([7; 16]),
            salt: Salt::from_bits([9; 16]),
            epoch: 1,
            actor: Actor { id: "writ".to_owned(), kind: ActorKind::System, via: Via::Timer },
            on: Vec::new(),
            cause: Vec::new(),
            decision: None,
            policy_set: None,
            body,
            acts: Vec::new(),
            blobs: Vec::new(),
        }
    }

    fn genesis() -> Entry {
        let signer = LogSigner::parse(&LogSigner::mint("log.example", &mut Ones).unwrap()).unwrap();
        entry(GENESIS_KIND, 5, json!({"v": 1, "content": {"log_key": signer.key().to_string(), "origin": "log.example"}}))
    }

    fn taken(entries: &[Entry]) -> Result<Chain, EntryFault> {
        let mut chain = Chain::default();
        for entry in entries {
            chain.take(&entry.encode().unwrap())?;
        }
        Ok(chain)
    }

    #[test]
    fn what_does_not_follow_is_named() {
        let next = entry("task.ended", 5, json!({"v": 1}));
        let chain = taken(&[genesis(), next.clone()]).unwrap();
        assert_eq!((chain.size(), chain.genesis()), (2, Some(genesis_hash(&genesis().encode().unwrap()))));
        let with = |change: &dyn Fn(&mut Entry)| {
            let mut entry = next.clone();
            change(&mut entry);
            taken(&[genesis(), next.clone(), entry]).unwrap_err()
        };
        assert!(matches!(with(&|e| e.at = Time::from_micros(4)), EntryFault::Time { .. }));
        assert!(matches!(with(&|e| e.epoch = 0), EntryFault::Epoch { epoch: 0, last: 1 }));
        assert_eq!(with(&|e| e.cause = vec![0, 2]), EntryFault::Cause(2));
        assert_eq!(with(&|e| e.kind = Kind::parse(GENESIS_KIND).unwrap()), EntryFault::Genesis);
        assert_eq!(taken(std::slice::from_ref(&next)).unwrap_err(), EntryFault::Genesis);
        let mut other = genesis();
        other.body["content"]["origin"] = json!("log.other");
        assert!(matches!(taken(&[other]), Err(EntryFault::Key(_))));
    }

    #[test]
    fn an_extension_moves_nothing_until_accepted_and_then_as_taking_would() {
        let (first, second) = (genesis(), entry("task.ended", 6, json!({"v": 1})));
        let mut chain = Chain::default();
        let extension = chain.extend([&first, &second]).unwrap_or_else(|(_, fault)| panic!("{fault}"));
        assert_eq!((chain.size(), chain.key()), (0, None));
        let root = extension.root;
        chain.accept(extension);
        let taken = taken(&[first, second]).unwrap();
        assert_eq!((chain.tree(), chain.last_time(), chain.key()), (taken.tree(), taken.last_time(), taken.key()));
        assert_eq!(root, taken.tree().frontier().root());
        let late = entry("task.ended", 5, json!({"v": 1}));
        assert!(matches!(chain.extend([&late]), Err((0, EntryFault::Time { .. }))));
    }
}
