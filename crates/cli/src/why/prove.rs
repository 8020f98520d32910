//! Receipts, checked here: nothing that the server says of its own log is taken on trust.

use writ_ledger::{Entry, LogKey, Receipt};
use writ_wire::api::Story;

/// An entry that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proven {
    pub(super) index: u64,
    pub(super) entry: Entry,
}

/// Every entry of the story, each with a receipt that holds; or what does not hold.
pub(super) fn prove(story: &Story, key: &LogKey) -> Result<Vec<Proven>, String> {
    if story.leaves.len() != story.entries.len() || story.receipts.len() != story.entries.len() {
        let (entries, receipts) = (story.entries.len(), story.receipts.len());
        return Err(format!("it rests on {entries} entries, and {receipts} receipts came with it"));
    }
    let mut proven = Vec::new();
    for ((index, leaf), receipt) in story.entries.iter().zip(&story.leaves).zip(&story.receipts) {
        let wrong = |why: String| format!("entry {index}: {why}");
        let receipt = Receipt::parse(receipt).map_err(|error| wrong(error.to_string()))?;
        if receipt.index() != *index {
            return Err(wrong(format!("its receipt is entry {}'s", receipt.index())));
        }
        receipt.verify(leaf.as_bytes(), key).map_err(|error| wrong(error.to_string()))?;
        let entry = Entry::decode(leaf.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        proven.push(Proven { index: *index, entry });
    }
    // The kinds are shown: they must be those of the entries.
    let kinds = proven.iter().map(|proven| proven.entry.kind.to_string());
    if !story.kinds.is_empty() && !kinds.eq(story.kinds.iter().cloned()) {
        return Err("the kinds of its entries are others than it says".to_owned());
    }
    Ok(proven)
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_ledger::{Actor, LogSigner, Salt, SignedCheckpoint, leaf_hash, node_hash};
    use writ_types::{ActorKind, EventId, Random, TextValue as _, Time, Via};

    struct Ones;
    impl Random for Ones {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(1);
        }
    }

    fn entry(n: u8) -> Vec<u8> {
        let entry = Entry {
            v: 1,
            kind: writ_ledger::Kind::parse("log.state").unwrap(),
            at: Time::from_seconds(1),
            id: EventId::from_bits([n; 16]),
            salt: Salt::from_bits([n; 16]),
            epoch: 1,
            actor: Actor { id: "system/writ".to_owned(), kind: ActorKind::System, via: Via::Timer },
            on: Vec::new(),
            cause: Vec::new(),
            decision: None,
            policy_set: None,
            body: serde_json::json!({ "v": 1 }),
            acts: Vec::new(),
            blobs: Vec::new(),
        };
        entry.encode().unwrap()
    }

    fn story() -> (Story, LogKey) {
        let signer = LogSigner::parse(&LogSigner::mint("example.org/writ", &mut Ones).unwrap()).unwrap();
        let (a, b) = (entry(1), entry(2));
        let signed = SignedCheckpoint::sign(2, node_hash(&leaf_hash(&a), &leaf_hash(&b)), &signer).unwrap();
        let receipts = [Receipt::new(0, vec![leaf_hash(&b)], &signed), Receipt::new(1, vec![leaf_hash(&a)], &signed)];
        let receipts = receipts.map(|receipt| receipt.to_string());
        let leaves = [a, b].map(|leaf| String::from_utf8(leaf).unwrap());
        let text = serde_json::json!({
            "kind": "task", "id": "t", "acted": null, "delegated": null, "justified": null, "approved": [], "owners": {},
            "purpose": null, "ends_at": null, "ended": null, "on_misuse": null, "cut": null, "closure": [],
            "entries": [0, 1], "kinds": ["log.state", "log.state"], "receipts": receipts, "leaves": leaves,
        });
        (serde_json::from_value(text).unwrap(), signer.key().clone())
    }

    /// R113: a story is proven entry by entry, or it is said not to be.
    #[test]
    fn a_story_is_proven_only_with_every_receipt() {
        let (good, key) = story();
        assert_eq!(prove(&good, &key).unwrap().len(), 2);
        let mut missing = good.clone();
        missing.receipts.pop();
        let mut swapped = good.clone();
        swapped.receipts.reverse();
        let mut other = good.clone();
        other.leaves.reverse();
        let mut lied = good.clone();
        lied.kinds = vec!["task.approved".to_owned(), "log.state".to_owned()];
        let mut elsewhere = good.clone();
        elsewhere.entries = vec![1, 0];
        for bad in [missing, swapped, other, lied, elsewhere] {
            assert!(prove(&bad, &key).is_err());
        }
        let foreign = LogSigner::parse(&LogSigner::mint("other.org/writ", &mut Ones).unwrap()).unwrap();
        assert!(prove(&good, foreign.key()).is_err());
    }
}
