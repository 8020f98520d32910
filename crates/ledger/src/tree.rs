//! The Merkle tree of RFC 6962, grown at its right edge.

use writ_types::Digest;

/// The hashes of a tile are this many levels of the tree apart: a tile has 2^8 of them (C2SP tlog-tiles).
pub(crate) const TILE_HEIGHT: u32 = 8;

/// The hash of a leaf (RFC 6962 section 2.1: 0x00 before the entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of an inner node (RFC 6962 section 2.1: 0x01 before both children).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of no entries (RFC 6962 section 2.1: the hash of nothing).
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The right edge of a tree: the roots of its complete subtrees, from the largest to the smallest. Appending needs no more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

/// The root of a subtree that became complete and fills a place in a hash tile of level 1 or higher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The tile level that the hash belongs to; level 0, the leaves, is not recorded.
    pub level: u8,
    /// The hash.
    pub hash: Digest,
}

impl Frontier {
    /// How many leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; what it completes is added to `filled`, in order.
    pub fn push(&mut self, leaf: Digest, filled: &mut Vec<Filled>) {
        let mut hash = leaf;
        let mut height = 0u32;
        while (self.size >> height) & 1 == 1 {
            // A set bit of the size is a peak, so there is one; without it the root would not match anything.
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            height += 1;
            if height.is_multiple_of(TILE_HEIGHT) {
                filled.push(Filled { level: u8::try_from(height / TILE_HEIGHT).unwrap_or(u8::MAX), hash });
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root (RFC 6962 section 2.1).
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return empty_root() };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

/// The tree in memory: its right edge, and of every tile level above the leaves all hashes. The leaf hashes are not kept:
/// they are computed from the entries, 256 at a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    frontier: Frontier,
    /// `levels[k]` are the hashes of tile level `k + 1`.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// Its right edge.
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Adds one leaf.
    pub fn push(&mut self, leaf: Digest) {
        let mut filled = Vec::new();
        self.frontier.push(leaf, &mut filled);
        self.fill(filled);
    }

    /// Moves on to a frontier that grew from this tree's, with what it filled on the way.
    pub(crate) fn advance(&mut self, frontier: Frontier, filled: Vec<Filled>) {
        self.frontier = frontier;
        self.fill(filled);
    }

    fn fill(&mut self, filled: Vec<Filled>) {
        for Filled { level, hash } in filled {
            let place = usize::from(level).saturating_sub(1);
            while self.levels.len() <= place {
                self.levels.push(Vec::new());
            }
            if let Some(hashes) = self.levels.get_mut(place) {
                hashes.push(hash);
            }
        }
    }

    /// The hashes `from..to` of a tile level above the leaves; `None` for level 0 or hashes that are not there.
    pub fn hashes(&self, level: u8, from: u64, to: u64) -> Option<&[Digest]> {
        let level = self.levels.get(usize::from(level).checked_sub(1)?)?;
        level.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6962 section 2.1, word for word.
    fn mth(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let mut k = 1;
                while k * 2 < leaves.len() {
                    k *= 2;
                }
                node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
            }
        }
    }

    #[test]
    fn the_hashes_are_those_of_rfc_6962() {
        // The published test vectors of Certificate Transparency: the empty tree, the empty leaf, a node.
        assert_eq!(empty_root().to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(leaf_hash(b"").to_string(), "sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(
            node_hash(&leaf_hash(b""), &leaf_hash(&[0])).to_string(),
            "sha256:fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_frontier_has_the_root_of_all_leaves(size in 0usize..1200) {
            let leaves: Vec<_> = (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect();
            let mut tree = Tree::default();
            leaves.iter().for_each(|leaf| tree.push(*leaf));
            prop_assert_eq!(tree.frontier().root(), mth(&leaves));
            for (n, full) in leaves.chunks_exact(256).enumerate() {
                let n = n as u64;
                prop_assert_eq!(tree.hashes(1, n, n + 1), Some(&[mth(full)][..]));
            }
            prop_assert_eq!(tree.hashes(1, 0, size as u64 / 256 + 1), None);
        }
    }
}
