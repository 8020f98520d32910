//! Verifying an exported log: nothing is trusted but the hash that the reader pins.

use crate::export::hex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use writ_ledger::{
    BLOB_BYTES_MAX, Blob, Chain, Checkpoint, Entry, Note, SignedCheckpoint, TILE_WIDTH, Tile, TileKind, decode_bundle,
    encode_hashes, leaf_hash, tiles,
};
use writ_types::{Digest, TextValue};

/// Larger files than a full bundle of the longest entries an exported log does not have.
const FILE_BYTES_MAX: u64 = 256 * (65_535 + 2);

/// Of at most this many missing bundles each is named.
const MISSING_MAX: u64 = 64;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The log's name, as its checkpoint says it.
    pub origin: Option<String>,
    /// Its size, as its checkpoint says it.
    pub size: u64,
    /// The root of the entries that are there.
    pub root: Option<Digest>,
    /// The hash of the genesis entry.
    pub genesis: Option<Digest>,
    /// How many entries are there.
    pub entries: u64,
    /// All that does not hold.
    pub problems: Vec<Problem>,
}

impl Verification {
    /// True if everything holds.
    pub const fn ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, where there is one.
    pub file: Option<String>,
    /// The entry, where it is known.
    pub index: Option<u64>,
    /// What does not hold.
    pub what: String,
}

/// Verifies the exported log in `dir`; `genesis` is the hash that the reader pinned.
pub fn verify_dir(dir: &Path, genesis: Option<&Digest>) -> Verification {
    ExportedLog::new(dir).verify(genesis, |_, _| {})
}

/// A log that was exported to a directory.
#[derive(Debug, Clone)]
pub struct ExportedLog {
    dir: PathBuf,
}

impl ExportedLog {
    /// The log exported to `dir`.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Checks the signature, every tile, every bundle, every entry, every name, and that there is nothing else. `each` gets
    /// every entry that reads and follows, in order; what it made of them counts only if nothing is wrong.
    pub fn verify(&self, genesis: Option<&Digest>, mut each: impl FnMut(u64, Entry)) -> Verification {
        let mut check =
            Check { dir: &self.dir, found: Verification::default(), chain: Chain::default(), named: Named::default() };
        let mut files = Files::new();
        if let Err(error) = list(&self.dir, "", &mut files, &mut check.found.problems) {
            check.problem(None, None, format!("`{}`: {error}", self.dir.display()));
            return check.found;
        }
        // Without a checkpoint that can be read, nothing says which files there should be.
        if let Some(claim) = check.claim(&mut files) {
            check.tree(&claim, &mut files, &mut each);
            check.signature(&claim);
            check.genesis(genesis, &mut files);
            check.names(&files);
        }
        check.found.entries = check.chain.size();
        check.found.root = Some(check.chain.tree().frontier().root());
        check.found
    }

    /// The canonical text of the policy set with this hash.
    ///
    /// # Errors
    /// When it is not there, or is another text.
    pub fn policy(&self, hash: &Digest) -> io::Result<Vec<u8>> {
        let bytes = read(&self.dir.join("policy").join(hex(hash)), FILE_BYTES_MAX)?;
        if Digest::of(&bytes) == *hash { Ok(bytes) } else { Err(io::Error::other("it is not the text of its hash")) }
    }

    /// The blob of this name; none where it is erased or not for this reader.
    ///
    /// # Errors
    /// When it can't be read, or its bytes are not those of its name.
    pub fn blob(&self, name: &Digest) -> io::Result<Option<Blob>> {
        match read(&self.dir.join("blob").join(hex(name)), BLOB_BYTES_MAX as u64) {
            Ok(bytes) => Blob::open(*name, bytes).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The files by their names, as far as nothing asked for them yet.
type Files = BTreeSet<String>;

/// The names that entries use.
#[derive(Default)]
struct Named {
    blobs: BTreeSet<Digest>,
    policies: BTreeMap<Digest, u64>,
}

/// What the checkpoint says, before anybody believes it.
struct Claim {
    text: String,
    checkpoint: Checkpoint,
}

struct Check<'a> {
    dir: &'a Path,
    found: Verification,
    chain: Chain,
    named: Named,
}

impl Check<'_> {
    fn problem(&mut self, file: Option<&str>, index: Option<u64>, what: impl Into<String>) {
        self.found.problems.push(Problem { file: file.map(str::to_owned), index, what: what.into() });
    }

    /// A file that must be there.
    fn take(&mut self, name: &str, files: &mut Files) -> Option<Vec<u8>> {
        if !files.remove(name) {
            self.problem(Some(name), None, "it is missing");
            return None;
        }
        read(&self.dir.join(name), FILE_BYTES_MAX).map_err(|error| self.problem(Some(name), None, error.to_string())).ok()
    }

    fn claim(&mut self, files: &mut Files) -> Option<Claim> {
        let bytes = self.take("checkpoint", files)?;
        let read = || {
            let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
            let note = Note::parse(&text).map_err(|error| error.to_string())?;
            let checkpoint = Checkpoint::parse(note.unverified_text()).map_err(|error| error.to_string())?;
            Ok::<_, String>(Claim { text, checkpoint })
        };
        let claim = read().map_err(|what| self.problem(Some("checkpoint"), None, what)).ok()?;
        (self.found.origin, self.found.size) = (Some(claim.checkpoint.origin.clone()), claim.checkpoint.size);
        // A size that the files can't bear out is not walked: it may be any number.
        let bundles = files.iter().filter(|name| name.starts_with("tile/entries/")).count() as u64;
        if claim.checkpoint.size.div_ceil(u64::from(TILE_WIDTH)) > bundles.saturating_add(MISSING_MAX) {
            self.problem(
                Some("tile/entries"),
                None,
                format!("{bundles} entry bundles can't hold {} entries", claim.checkpoint.size),
            );
            return None;
        }
        Some(claim)
    }

    /// Every bundle and every tile that the checkpoint's size asks for.
    fn tree(&mut self, claim: &Claim, files: &mut Files, each: &mut impl FnMut(u64, Entry)) {
        let mut leaves_follow = true;
        // The bundles come first, each with the leaf hashes of the same places; the tree grows on the way.
        for tile in tiles(claim.checkpoint.size) {
            let name = tile.to_string();
            match tile.kind {
                TileKind::Entries => {
                    leaves_follow &= self.bundle(tile, &name, leaves_follow, files, each);
                }
                // Checked with its bundle.
                TileKind::Hashes(0) => {}
                TileKind::Hashes(level) => {
                    let Some(bytes) = self.take(&name, files) else { continue };
                    let hashes = self.chain.tree().hashes(level, tile.first(), tile.end()).map(encode_hashes);
                    if leaves_follow && hashes.as_deref() != Some(&bytes[..]) {
                        self.problem(Some(&name), None, "its hashes are not those of the tiles below it");
                    }
                }
            }
        }
    }

    /// One bundle and its leaf hashes. False if its entries can't be told apart: then no later one has a known place.
    fn bundle(&mut self, tile: Tile, name: &str, follows: bool, files: &mut Files, each: &mut impl FnMut(u64, Entry)) -> bool {
        let hashes_name = Tile { kind: TileKind::Hashes(0), ..tile }.to_string();
        let (bundle, hashes) = (self.take(name, files), self.take(&hashes_name, files));
        let Some(bundle) = bundle.filter(|_| follows) else { return false };
        let entries = match decode_bundle(&bundle, tile.width) {
            Ok(entries) => entries,
            Err(error) => {
                self.problem(Some(name), None, error.to_string());
                return false;
            }
        };
        let mut leaves = Vec::new();
        for bytes in entries {
            let index = self.chain.size();
            leaves.push(leaf_hash(bytes));
            match self.chain.take(bytes) {
                Ok(entry) => {
                    self.named.blobs.extend(&entry.blobs);
                    if let Some(hash) = entry.policy_set {
                        self.named.policies.entry(hash).or_insert(index);
                    }
                    each(index, entry);
                }
                Err(fault) => self.problem(Some(name), Some(index), fault.to_string()),
            }
        }
        if let Some(hashes) = hashes.filter(|hashes| *hashes != encode_hashes(&leaves)) {
            let place = leaves.iter().zip(hashes.chunks(32)).position(|(leaf, hash)| leaf.as_bytes() != hash);
            let index = place.map(|place| tile.first() + place as u64);
            self.problem(Some(&hashes_name), index, format!("its hashes are not those of the entries in {name}"));
        }
        true
    }

    fn signature(&mut self, claim: &Claim) {
        let Some(key) = self.chain.key().cloned() else {
            self.problem(None, Some(0), "no genesis entry names the log's key");
            return;
        };
        if let Err(error) = SignedCheckpoint::open(&claim.text, &key) {
            self.problem(Some("checkpoint"), None, error.to_string());
        }
        let root = self.chain.tree().frontier().root();
        if claim.checkpoint.size != self.chain.size() || claim.checkpoint.root != root {
            let what = format!(
                "it says {} entries with the root {}, there are {} with the root {root}",
                claim.checkpoint.size,
                claim.checkpoint.root,
                self.chain.size()
            );
            self.problem(Some("checkpoint"), None, what);
        }
    }

    fn genesis(&mut self, pinned: Option<&Digest>, files: &mut Files) {
        self.found.genesis = self.chain.genesis();
        if let Some(pinned) = pinned.filter(|pinned| self.found.genesis != Some(**pinned)) {
            let found = self.found.genesis.map_or_else(|| "none that reads".to_owned(), |found| found.to_string());
            self.problem(None, Some(0), format!("the genesis is {found}, not the pinned {pinned}"));
        }
        let vkey = self.take("vkey", files);
        if let (Some(vkey), Some(key)) = (vkey, self.chain.key())
            && vkey != format!("{key}\n").as_bytes()
        {
            self.problem(Some("vkey"), None, "it is not the key that the genesis names");
        }
    }

    /// What is left beside the tree: policy sets and blobs under their hashes, and nothing else.
    fn names(&mut self, files: &Files) {
        let exported = ExportedLog::new(self.dir);
        for name in files {
            let digest = |hex: &str| Digest::parse(&format!("sha256:{hex}")).ok();
            if let Some(hash) = name.strip_prefix("policy/").and_then(digest) {
                self.named.policies.remove(&hash);
                if let Err(error) = exported.policy(&hash) {
                    self.problem(Some(name), None, error.to_string());
                }
            } else if let Some(blob) = name.strip_prefix("blob/").and_then(digest) {
                if let Err(error) = exported.blob(&blob) {
                    self.problem(Some(name), None, error.to_string());
                } else if !self.named.blobs.contains(&blob) {
                    self.problem(Some(name), None, "no entry names this blob");
                }
            } else {
                self.problem(Some(name), None, "it is no file of an exported log");
            }
        }
        for (hash, index) in std::mem::take(&mut self.named.policies) {
            self.problem(Some(&format!("policy/{}", hex(&hash))), Some(index), "the policy set that the entry names is missing");
        }
    }
}

/// All files below `dir`. What is neither a plain file nor a directory with files is a problem.
fn list(dir: &Path, prefix: &str, files: &mut Files, problems: &mut Vec<Problem>) -> io::Result<()> {
    let mut empty = true;
    for item in std::fs::read_dir(dir)? {
        let (item, problem) =
            (item?, |file: String, what: &str| Problem { file: Some(file), index: None, what: what.to_owned() });
        empty = false;
        let shown = format!("{prefix}{}", item.file_name().to_string_lossy().escape_debug());
        let Ok(name) = item.file_name().into_string() else {
            problems.push(problem(shown, "its name is not text"));
            continue;
        };
        let kind = item.file_type()?;
        if kind.is_dir() && prefix.matches('/').count() < 12 {
            list(&item.path(), &format!("{prefix}{name}/"), files, problems)?;
        } else if kind.is_file() {
            files.insert(format!("{prefix}{name}"));
        } else {
            problems.push(problem(shown, "it is neither a plain file nor a directory of the tree"));
        }
    }
    if empty && !prefix.is_empty() {
        problems.push(Problem { file: Some(prefix.to_owned()), index: None, what: "a directory without files".to_owned() });
    }
    Ok(())
}

fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max { Err(io::Error::other("it is longer than any file of its kind")) } else { Ok(bytes) }
}
