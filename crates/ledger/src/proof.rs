//! Inclusion and consistency proofs (RFC 6962 section 2.1, verified as in RFC 9162 section 2.1).

use crate::tile::TILE_WIDTH;
use crate::tree::{TILE_HEIGHT, empty_root, node_hash};
use std::collections::BTreeMap;
use writ_types::Digest;

/// More hashes than this no proof has: a tree has fewer than 2^64 leaves.
pub const PROOF_HASHES_MAX: usize = 64;

/// A proof that does not show what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index or the smaller size lies outside the tree.
    #[error("a proof about {0}, which a tree of size {1} does not have")]
    OutOfTree(u64, u64),
    /// Too many or too few hashes.
    #[error("a proof of the wrong length")]
    Length,
    /// The hashes lead to another root.
    #[error("a proof that leads to another root")]
    Root,
    /// A hash that the proof needs can't be had.
    #[error("no hash tile {n} of level {level}")]
    NoTile {
        /// The tile's level.
        level: u8,
        /// The tile's number.
        n: u64,
    },
}

/// Checks that `leaf` is the hash at `index` of the tree with `size` leaves and this root (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// When the proof does not show it.
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfTree(index, size));
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `size` leaves and `root` continues the one of `old` leaves and `old_root` (RFC 9162 section
/// 2.1.4.2).
///
/// # Errors
/// When the proof does not show it.
pub fn verify_consistency(old: u64, old_root: &Digest, size: u64, root: &Digest, proof: &[Digest]) -> Result<(), ProofError> {
    if old > size {
        return Err(ProofError::OutOfTree(old, size));
    }
    if old == size || old == 0 {
        let same = if old == size { old_root == root } else { *old_root == empty_root() };
        return if !proof.is_empty() {
            Err(ProofError::Length)
        } else if same {
            Ok(())
        } else {
            Err(ProofError::Root)
        };
    }
    let (first, rest) = if old.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(ProofError::Length)? };
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            old_hash = node_hash(sibling, &old_hash);
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Proves from hash tiles. `read(level, n, width)` gives the first `width` hashes of a tile.
#[expect(missing_debug_implementations, reason = "it holds a closure")]
pub struct Prover<F> {
    size: u64,
    read: F,
    tiles: BTreeMap<(u8, u64), Vec<Digest>>,
}

impl<E, F> Prover<F>
where
    E: From<ProofError>,
    F: FnMut(u8, u64, u16) -> Result<Vec<Digest>, E>,
{
    /// A prover for the tree of this size.
    pub const fn new(size: u64, read: F) -> Self {
        Self { size, read, tiles: BTreeMap::new() }
    }

    /// The root.
    ///
    /// # Errors
    /// When a tile can't be read.
    pub fn root(&mut self) -> Result<Digest, E> {
        if self.size == 0 { Ok(empty_root()) } else { self.range(0, self.size) }
    }

    /// The hashes that show the leaf at `index`, from its sibling up (RFC 6962 section 2.1.1).
    ///
    /// # Errors
    /// When there is no such leaf, or a tile can't be read.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Digest>, E> {
        if index >= self.size {
            return Err(ProofError::OutOfTree(index, self.size).into());
        }
        let (mut low, mut high, mut proof) = (0, self.size, Vec::new());
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                proof.push(self.range(middle, high)?);
                high = middle;
            } else {
                proof.push(self.range(low, middle)?);
                low = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The hashes that show that this tree continues the one of its first `old` leaves (RFC 6962 section 2.1.2).
    ///
    /// # Errors
    /// When this tree is smaller, or a tile can't be read.
    pub fn consistency(&mut self, old: u64) -> Result<Vec<Digest>, E> {
        if old > self.size {
            return Err(ProofError::OutOfTree(old, self.size).into());
        }
        let (mut low, mut high, mut proof) = (0, self.size, Vec::new());
        if old == 0 || old == self.size {
            return Ok(proof);
        }
        while high != old {
            let middle = low + split(high - low);
            if old <= middle {
                proof.push(self.range(middle, high)?);
                high = middle;
            } else {
                proof.push(self.range(low, middle)?);
                low = middle;
            }
        }
        // The old tree's own root is left out where it is one complete subtree from the left edge.
        if low > 0 {
            proof.push(self.range(low, high)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The root of the leaves `low..high`, where `low` is where RFC 6962 splits.
    fn range(&mut self, low: u64, high: u64) -> Result<Digest, E> {
        let width = high - low;
        if width.is_power_of_two() {
            return self.node(width.trailing_zeros(), low >> width.trailing_zeros());
        }
        let middle = low + split(width);
        let left = self.range(low, middle)?;
        let right = self.range(middle, high)?;
        Ok(node_hash(&left, &right))
    }

    /// The root of the complete subtree of 2^height leaves that is the `index`th of that height.
    fn node(&mut self, height: u32, index: u64) -> Result<Digest, E> {
        let level = u8::try_from(height / TILE_HEIGHT).unwrap_or(u8::MAX);
        let inner = height % TILE_HEIGHT;
        let first = index << inner;
        let n = first / u64::from(TILE_WIDTH);
        let missing = || E::from(ProofError::NoTile { level, n });
        if !self.tiles.contains_key(&(level, n)) {
            let there = (self.size >> (u32::from(level) * TILE_HEIGHT)).saturating_sub(n * u64::from(TILE_WIDTH));
            let width = u16::try_from(there).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
            let hashes = (self.read)(level, n, width)?;
            self.tiles.insert((level, n), hashes);
        }
        let from = usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or_default();
        let tile = self.tiles.get(&(level, n)).ok_or_else(missing)?;
        let mut hashes = tile.get(from..from + (1 << inner)).ok_or_else(missing)?.to_vec();
        while hashes.len() > 1 {
            hashes = hashes.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        hashes.first().copied().ok_or_else(missing)
    }
}

/// The largest power of two smaller than `n`, for `n` above 1 (RFC 6962 section 2.1).
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Tree, leaf_hash};
    use proptest::prelude::*;

    fn leaves(size: u64) -> Vec<Digest> {
        (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn root(size: u64) -> Digest {
        let mut tree = Tree::default();
        leaves(size).into_iter().for_each(|leaf| tree.push(leaf));
        tree.frontier().root()
    }

    fn prover(size: u64) -> Prover<impl FnMut(u8, u64, u16) -> Result<Vec<Digest>, ProofError>> {
        let leaves = leaves(size);
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        Prover::new(size, move |level, n, width| {
            let (from, to) = (n * 256, n * 256 + u64::from(width));
            let hashes = if level == 0 { leaves.get(from as usize..to as usize) } else { tree.hashes(level, from, to) };
            hashes.map(<[Digest]>::to_vec).ok_or(ProofError::NoTile { level, n })
        })
    }

    /// Every proof with one bit flipped, one hash more and one less.
    fn tampered(proof: &[Digest]) -> Vec<Vec<Digest>> {
        let mut all = vec![[proof, &[leaf_hash(b"more")]].concat(), [&[leaf_hash(b"more")], proof].concat()];
        for at in 0..proof.len() {
            let mut shorter = proof.to_vec();
            shorter.remove(at);
            all.push(shorter);
            for bit in 0..256 {
                let mut bytes = *proof[at].as_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut flipped = proof.to_vec();
                flipped[at] = Digest::from_bytes(bytes);
                all.push(flipped);
            }
        }
        all
    }

    #[test]
    fn every_small_tree_proves_every_leaf_and_every_prefix() {
        for size in 1..40u64 {
            let (root_now, all, mut prover) = (root(size), leaves(size), prover(size));
            assert_eq!(prover.root().unwrap(), root_now);
            for index in 0..size {
                let proof = prover.inclusion(index).unwrap();
                assert_eq!(verify_inclusion(&all[index as usize], index, size, &proof, &root_now), Ok(()));
                let other = (index + 1) % size;
                assert!(size == 1 || verify_inclusion(&all[index as usize], other, size, &proof, &root_now).is_err());
            }
            for old in 0..=size {
                let proof = prover.consistency(old).unwrap();
                assert_eq!(verify_consistency(old, &root(old), size, &root_now, &proof), Ok(()), "{old} of {size}");
                assert!(verify_consistency(old, &leaf_hash(b"other"), size, &root_now, &proof).is_err());
                assert!(old == 0 || verify_consistency(old, &root(old), size, &leaf_hash(b"other"), &proof).is_err());
            }
            assert!(prover.inclusion(size).is_err() && prover.consistency(size + 1).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn a_proof_holds_and_every_tampered_one_fails(size in 1u64..2000, at in any::<prop::sample::Index>()) {
            let index = at.index(size as usize) as u64;
            let (root_now, leaf, mut prover) = (root(size), leaf_hash(&index.to_be_bytes()), prover(size));
            let proof = prover.inclusion(index).unwrap();
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root_now), Ok(()));
            for bad in tampered(&proof) {
                prop_assert!(verify_inclusion(&leaf, index, size, &bad, &root_now).is_err());
            }
            let old = index + 1;
            let (proof, old_root) = (prover.consistency(old).unwrap(), root(old));
            prop_assert_eq!(verify_consistency(old, &old_root, size, &root_now, &proof), Ok(()));
            for bad in tampered(&proof) {
                prop_assert!(verify_consistency(old, &old_root, size, &root_now, &bad).is_err());
            }
        }
    }

    #[test]
    fn a_tree_with_a_level_of_tiles_above_another_proves_too() {
        // 65,536 leaves fill one tile of level 1: the proof crosses three levels of tiles.
        let size = 65_536 + 300;
        let (root_now, mut prover) = (root(size), prover(size));
        assert_eq!(prover.root().unwrap(), root_now);
        for index in [0, 255, 256, 65_535, 65_536, size - 1] {
            let proof = prover.inclusion(index).unwrap();
            assert_eq!(verify_inclusion(&leaf_hash(&index.to_be_bytes()), index, size, &proof, &root_now), Ok(()));
        }
        for old in [1, 255, 256, 257, 65_536, 65_537] {
            let proof = prover.consistency(old).unwrap();
            assert_eq!(verify_consistency(old, &root(old), size, &root_now, &proof), Ok(()));
        }
    }
}
