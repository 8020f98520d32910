//! The evidence log: entries, Merkle tree, checkpoints, receipts, tiles and the append.
//!
//! Pure and synchronous: bytes reach a disk only through [`LogStore`], which others implement. An auditor who wants to know
//! that no order is carried out before its entry is durable reads `log.rs`; who wants to verify a log, `verify.rs` and
//! `proof.rs`. [`body`] is what entries say, kind by kind; nothing else here looks into it.

pub mod body;

mod blob;
mod checkpoint;
mod entry;
mod log;
mod note;
mod proof;
mod receipt;
mod salt;
mod store;
mod tile;
mod tree;
mod verify;

pub use blob::{BLOB_BYTES_MAX, Blob, BlobError};
pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use entry::{Actor, ENTRY_BYTES_MAX, ENTRY_VERSION, Entry, EntryError, Kind, SignedAct};
pub use log::{AppendError, Committed, Log, LogError, Staged, StoreUpkeep};
pub use note::{LogKey, LogSigner, Note, NoteError};
pub use proof::{PROOF_HASHES_MAX, ProofError, Prover, verify_consistency, verify_inclusion};
pub use receipt::{Receipt, ReceiptError};
pub use salt::Salt;
pub use store::{Batch, Durability, Head, Lane, LogStore, StoreError, Stored};
pub use tile::{TILE_WIDTH, Tile, TileError, TileKind, decode_bundle, decode_hashes, encode_bundle, encode_hashes, tiles};
pub use tree::{Filled, Frontier, Tree, empty_root, leaf_hash, node_hash};
pub use verify::{Chain, EntryFault, GENESIS_KIND, genesis_hash, genesis_key};
