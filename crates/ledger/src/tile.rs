//! The layout of C2SP tlog-tiles: hash tiles, entry bundles, and the paths of both.

use std::fmt;
use writ_types::{Digest, ParseError, TextValue};

/// A full tile has this many hashes, a full bundle this many entries.
pub const TILE_WIDTH: u16 = 256;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// The hashes of this level; level 0 are the leaf hashes.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// One tile or entry bundle. Text: its path, like `tile/0/x001/234.p/17` or `tile/entries/000`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Its number within its level.
    pub n: u64,
    /// How many it holds: 256, or fewer at the right edge.
    pub width: u16,
}

impl Tile {
    /// The index of its first hash or entry within its level.
    pub const fn first(self) -> u64 {
        self.n.saturating_mul(TILE_WIDTH as u64)
    }

    /// The index after its last hash or entry within its level.
    pub const fn end(self) -> u64 {
        self.first().saturating_add(self.width as u64)
    }
}

/// Every tile and bundle that a tree of `size` has, and no other.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    // "The partial tile at level l for a tree of size s has floor(s / 256**l) mod 256 entries."
    let levels = (0u8..8).map(move |level| (TileKind::Hashes(level), size >> (8 * u32::from(level))));
    std::iter::once((TileKind::Entries, size)).chain(levels).flat_map(|(kind, count)| {
        let full = count / u64::from(TILE_WIDTH);
        let rest = u16::try_from(count % u64::from(TILE_WIDTH)).unwrap_or_default();
        let partial = (rest > 0).then_some(Tile { kind, n: full, width: rest });
        (0..full).map(move |n| Tile { kind, n, width: TILE_WIDTH }).chain(partial)
    })
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        // "<N> … encoded into zero-padded 3-digit path elements. All but the last path element MUST begin with an x."
        let groups = std::iter::successors(Some(self.n), |n| (*n >= 1000).then_some(n / 1000)).collect::<Vec<_>>();
        for (place, group) in groups.iter().enumerate().rev() {
            if place > 0 {
                write!(f, "x{:03}/", group % 1000)?;
            } else {
                write!(f, "{:03}", group % 1000)?;
            }
        }
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl fmt::Debug for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TextValue for Tile {
    const WANTED: &'static str = "a tile's path";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new(text, Self::WANTED, "it is like `tile/0/x001/234.p/17` or `tile/entries/000`");
        let read = || {
            let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
            let kind = if kind == "entries" { TileKind::Entries } else { TileKind::Hashes(kind.parse().ok()?) };
            let (number, width) = match rest.split_once(".p/") {
                Some((number, width)) => (number, width.parse().ok()?),
                None => (rest, TILE_WIDTH),
            };
            let mut n = 0u64;
            for group in number.split('/') {
                let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
                n = n.checked_mul(1000)?.checked_add(group)?;
            }
            Some(Self { kind, n, width })
        };
        // One textual form only: what does not print back the same was not in it.
        let in_range = |tile: &Self| {
            (1..=TILE_WIDTH).contains(&tile.width) && !matches!(tile.kind, TileKind::Hashes(64..)) && tile.to_string() == text
        };
        read().filter(in_range).ok_or_else(wrong)
    }
}

/// Why bytes are not the tile or bundle that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// A hash tile of the wrong length.
    #[error("a hash tile of {found} bytes instead of {wanted}")]
    Length {
        /// Its length.
        found: usize,
        /// 32 bytes for each hash.
        wanted: usize,
    },
    /// A bundle that ends within an entry, or holds more or fewer than it should.
    #[error("an entry bundle {0}")]
    Bundle(&'static str),
}

/// The bytes of a hash tile: its hashes, one after another.
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(Digest::as_bytes).copied().collect()
}

/// The hashes of a tile of this width.
///
/// # Errors
/// When it is longer or shorter.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Digest>, TileError> {
    let wanted = usize::from(width) * 32;
    let (chunks, rest) = bytes.as_chunks::<32>();
    if bytes.len() != wanted || !rest.is_empty() {
        return Err(TileError::Length { found: bytes.len(), wanted });
    }
    Ok(chunks.iter().map(|hash| Digest::from_bytes(*hash)).collect())
}

/// The bytes of an entry bundle: each entry after its length as a big-endian 16-bit number.
///
/// # Errors
/// When an entry is longer than that can say.
pub fn encode_bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::Bundle("can't hold an entry this long"))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle of this width.
///
/// # Errors
/// When it holds more or fewer entries, or ends within one.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(TileError::Bundle("ends within an entry"))?;
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(TileError::Bundle("ends within a length"));
    }
    if entries.len() != usize::from(width) {
        return Err(TileError::Bundle("holds more or fewer entries than it should"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        for (tile, path) in [
            (Tile { kind: TileKind::Hashes(0), n: 1_234_067, width: 256 }, "tile/0/x001/x234/067"),
            (Tile { kind: TileKind::Hashes(2), n: 0, width: 1 }, "tile/2/000.p/1"),
            (Tile { kind: TileKind::Entries, n: 999, width: 255 }, "tile/entries/999.p/255"),
            (Tile { kind: TileKind::Entries, n: 1000, width: 256 }, "tile/entries/x001/000"),
        ] {
            assert_eq!(tile.to_string(), path);
            assert_eq!(Tile::parse(path), Ok(tile));
        }
        for bad in [
            "",
            "tile/0",
            "tile/0/0",
            "tile/0/1000",
            "tile/0/x000/001",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/64/000",
            "tile/00/000",
            "tile/data/000",
            "tile/0/../000",
            "/tile/0/000",
            "tile/0/000/",
            "tile/0/+00",
            "tile/0/x99/x99/999",
            "tile/0/x184/x467/x440/x737/x095/x516/160",
        ] {
            assert!(Tile::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_that_the_specification_counts() {
        let count = |kind, full| tiles(70_000).filter(|t| t.kind == kind && (t.width == 256) == full).count();
        assert_eq!((count(TileKind::Hashes(0), true), count(TileKind::Hashes(0), false)), (273, 1));
        assert_eq!((count(TileKind::Hashes(1), true), count(TileKind::Hashes(1), false)), (1, 1));
        assert_eq!((count(TileKind::Hashes(2), true), count(TileKind::Hashes(2), false)), (0, 1));
        assert_eq!((count(TileKind::Entries, true), count(TileKind::Entries, false)), (273, 1));
        let at_256: Vec<_> = tiles(256).map(|t| t.to_string()).collect();
        assert_eq!(at_256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(tiles(0).count(), 0);
    }

    proptest! {
        #[test]
        fn bundles_read_back_and_cut_ones_do_not(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..9), cut in any::<prop::sample::Index>()) {
            let bytes = encode_bundle(entries.iter().map(Vec::as_slice)).unwrap();
            let width = entries.len() as u16;
            prop_assert_eq!(decode_bundle(&bytes, width).unwrap(), entries);
            prop_assert!(decode_bundle(&bytes, width + 1).is_err());
            prop_assert!(decode_bundle(&bytes[..cut.index(bytes.len())], width).is_err());
        }

        #[test]
        fn a_path_that_parses_prints_the_same(path in "tile/(entries|[0-9]{1,2})/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
            if let Ok(tile) = Tile::parse(&path) {
                prop_assert_eq!(tile.to_string(), path);
            }
        }
    }
}
