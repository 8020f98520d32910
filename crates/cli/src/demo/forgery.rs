//! Copies of an exported log with something changed in them, as who holds the disk could make them.

use super::trouble::{Result, Trouble};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use writ_ledger::{Checkpoint, LogSigner, Note, SignedCheckpoint, Tile, TileKind, Tree};
use writ_ledger::{decode_bundle, encode_bundle, encode_hashes, leaf_hash, tiles};

/// A copy of an exported log.
#[derive(Debug)]
pub(super) struct Forgery {
    pub(super) dir: PathBuf,
    size: u64,
}

fn failed(error: impl Display) -> Trouble {
    Trouble::new(format!("the exported log can't be altered: {error}"))
}

impl Forgery {
    /// Copies the log in `from`.
    pub(super) fn copy(from: &Path, dir: PathBuf) -> Result<Self> {
        copy(from, &dir)?;
        let note = std::fs::read_to_string(dir.join("checkpoint")).map_err(failed)?;
        let note = Note::parse(&note).map_err(failed)?;
        let size = Checkpoint::parse(note.unverified_text()).map_err(failed)?.size;
        Ok(Self { dir, size })
    }

    /// The file of the first bundle of entries.
    pub(super) fn bundle(&self) -> Result<PathBuf> {
        let first = self.bundles().next().ok_or_else(|| failed("it has no entries"))?;
        Ok(self.dir.join(first.to_string()))
    }

    fn bundles(&self) -> impl Iterator<Item = Tile> + use<> {
        tiles(self.size).filter(|tile| tile.kind == TileKind::Entries)
    }

    /// The entries, as bytes.
    pub(super) fn leaves(&self) -> Result<Vec<Vec<u8>>> {
        let mut leaves = Vec::new();
        for tile in self.bundles() {
            let bytes = std::fs::read(self.dir.join(tile.to_string())).map_err(failed)?;
            leaves.extend(decode_bundle(&bytes, tile.width).map_err(failed)?.into_iter().map(<[u8]>::to_vec));
        }
        Ok(leaves)
    }

    /// Writes other entries, with every tile as it has to be for them; with the log's key the checkpoint is signed anew.
    pub(super) fn rewrite(&self, leaves: &[Vec<u8>], signer: Option<&LogSigner>) -> Result<()> {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
        for tile in tiles(self.size) {
            let range = usize::try_from(tile.first()).ok().zip(usize::try_from(tile.end()).ok());
            let under = range.and_then(|(first, end)| leaves.get(first..end)).unwrap_or_default();
            let bytes = match tile.kind {
                TileKind::Entries => encode_bundle(under.iter().map(Vec::as_slice)).map_err(failed)?,
                TileKind::Hashes(0) => encode_hashes(&under.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>()),
                TileKind::Hashes(level) => {
                    let hashes = tree.hashes(level, tile.first(), tile.end());
                    encode_hashes(hashes.ok_or_else(|| failed("a tile is missing"))?)
                }
            };
            std::fs::write(self.dir.join(tile.to_string()), bytes).map_err(failed)?;
        }
        if let Some(signer) = signer {
            let signed = SignedCheckpoint::sign(self.size, tree.frontier().root(), signer).map_err(failed)?;
            std::fs::write(self.dir.join("checkpoint"), signed.to_string()).map_err(failed)?;
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in std::fs::read_dir(from).map_err(failed)?.flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).map_err(failed)?;
        }
    }
    Ok(())
}
