//! The evidence log: entries, Merkle tree, checkpoints, receipts, tiles and the append.
