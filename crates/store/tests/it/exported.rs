//! An exported log holds, and no byte, file or entry of it can change unnoticed.

use crate::world::{Counter, OPTIONS, ORIGIN, content, copy_dir, fill, fill_signed_by, new_log, open, policies, signer};
use std::path::{Path, PathBuf};
use writ_ledger::{Log, LogSigner};
use writ_store::{ExportError, ExportedLog, SqliteStore, Verification, export, verify_dir};
use writ_types::Digest;

/// An exported log of 270 entries: a full and a partial bundle, two levels of tiles.
fn exported(top: &Path) -> PathBuf {
    let log = new_log(&top.join("log"), 270);
    let out = top.join("export");
    export(&log, &out, &policies()).unwrap();
    out
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

fn names(verification: &Verification, what: &str) -> bool {
    verification.problems.iter().any(|p| p.file.as_deref().is_some_and(|file| file.contains(what)) || p.what.contains(what))
}

/// R143, R150: the whole log can be handed to somebody who trusts none of us.
#[test]
fn an_exported_log_holds_and_has_the_files_of_the_specification() {
    let top = tempfile::tempdir().unwrap();
    let out = exported(top.path());
    let log = open(&top.path().join("log")).unwrap();
    let verification = verify_dir(&out, log.genesis().as_ref());
    assert_eq!(verification.problems, []);
    assert_eq!((verification.origin.as_deref(), verification.size, verification.entries), (Some(ORIGIN), 270, 270));
    assert_eq!((verification.root, verification.genesis), (Some(log.root()), log.genesis()));
    for name in
        ["checkpoint", "vkey", "tile/0/000", "tile/0/001.p/14", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/14"]
    {
        assert!(out.join(name).is_file(), "{name}");
    }
    let (mut seen, exported) = (Vec::new(), ExportedLog::new(&out));
    exported.verify(None, |index, entry| seen.push((index, entry.encode().unwrap())));
    assert!(seen.iter().map(|(index, _)| *index).eq(0..270));
    assert!(seen.into_iter().map(|(_, leaf)| leaf).eq(log.leaves(0..270).unwrap()));
    let blob = log.entry(3).unwrap().blobs[0];
    assert!(exported.blob(&blob).unwrap().unwrap().content()["mail"].as_str().unwrap().contains("person-3"));
    assert!(exported.blob(&Digest::of(b"none")).unwrap().is_none());
    assert!(matches!(export(&log, &out, &policies()), Err(ExportError::NotEmpty(_))));
}

#[test]
fn an_export_ends_at_the_checkpoint_and_leaves_erased_blobs_out() {
    let top = tempfile::tempdir().unwrap();
    let mut log = new_log(&top.path().join("log"), 30);
    let blob = log.entry(3).unwrap().blobs[0];
    log.upkeep().erase_blob(&blob).unwrap();
    fill(&mut log, 40);
    let done = export(&log, &top.path().join("export"), &policies()).unwrap();
    assert_eq!(done.size, 30);
    let verification = verify_dir(&top.path().join("export"), None);
    assert_eq!((verification.problems, verification.entries), (Vec::new(), 30));
    assert!(ExportedLog::new(&top.path().join("export")).blob(&blob).unwrap().is_none());
}

#[test]
fn every_flipped_byte_of_every_file_is_caught_and_its_file_named() {
    let top = tempfile::tempdir().unwrap();
    let out = exported(top.path());
    let all = files(&out);
    assert!(all.len() > 30);
    for (number, path) in all.iter().enumerate() {
        let good = std::fs::read(path).unwrap();
        let name = path.strip_prefix(&out).unwrap().to_str().unwrap();
        // All of a small file's flips are alike in kind; the tiles and the notes get more.
        let samples = if name.starts_with("blob/") { 1 } else { 12 };
        for sample in 0..samples {
            let at = (sample * good.len() / samples + number * 7 + sample * 3) % good.len();
            let mut bad = good.clone();
            bad[at] ^= 1 << ((sample + number) % 8);
            std::fs::write(path, &bad).unwrap();
            let verification = verify_dir(&out, None);
            assert!(!verification.ok(), "byte {at} of {name}");
            assert!(names(&verification, name), "byte {at} of {name}: {:?}", verification.problems);
        }
        std::fs::write(path, &good[..good.len() - 1]).unwrap();
        assert!(names(&verify_dir(&out, None), name), "{name} one byte shorter");
        std::fs::write(path, [&good[..], b"\n"].concat()).unwrap();
        assert!(names(&verify_dir(&out, None), name), "{name} one byte longer");
        std::fs::remove_file(path).unwrap();
        // A blob may be erased, or not for this reader: its absence is no fault of the log.
        assert_eq!(names(&verify_dir(&out, None), name), !name.starts_with("blob/"), "{name} missing");
        std::fs::write(path, &good).unwrap();
    }
    assert!(verify_dir(&out, None).ok());
}

#[test]
fn what_does_not_belong_to_the_tree_is_a_problem() {
    let top = tempfile::tempdir().unwrap();
    let out = exported(top.path());
    for name in
        ["README", "tile/0/002", "tile/0/001.p/13", "tile/2/000.p/1", "tile/entries/001", "policy/x", "blob/..", "tile/ent\nries"]
    {
        let path = out.join(name.replace("..", "dots"));
        let made = !path.parent().unwrap().exists();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        assert!(names(&verify_dir(&out, None), "no file of an exported log"), "{name:?}");
        std::fs::remove_file(&path).unwrap();
        if made {
            std::fs::remove_dir_all(path.parent().unwrap().parent().unwrap()).unwrap();
        }
    }
    let stray = b"{\"content\":1,\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"v\":1}";
    let path = out.join("blob").join(Digest::of(stray).to_string().replace("sha256:", ""));
    std::fs::write(&path, stray).unwrap();
    assert!(names(&verify_dir(&out, None), "no entry names this blob"));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(out.join("empty")).unwrap();
    assert!(names(&verify_dir(&out, None), "empty/"));
    std::fs::remove_dir(out.join("empty")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", out.join("zero")).unwrap();
    assert!(names(&verify_dir(&out, None), "zero"));
    std::fs::remove_file(out.join("zero")).unwrap();
    let bundle = out.join("tile/entries/000");
    std::fs::rename(&bundle, out.join("kept")).unwrap();
    std::os::unix::fs::symlink("../../kept", &bundle).unwrap();
    assert!(names(&verify_dir(&out, None), "tile/entries/000"));
}

#[test]
fn a_checkpoint_of_any_size_is_answered_at_once() {
    let top = tempfile::tempdir().unwrap();
    let out = exported(top.path());
    let text = std::fs::read_to_string(out.join("checkpoint")).unwrap();
    for size in ["0", "1", "269", "271", "400", "512", "513", "18446744073709551615", "-1", "1e9"] {
        std::fs::write(out.join("checkpoint"), text.replace("\n270\n", &format!("\n{size}\n"))).unwrap();
        assert!(!verify_dir(&out, None).ok(), "{size}");
    }
    assert!(!verify_dir(&top.path().join("nowhere"), None).ok());
    let empty = tempfile::tempdir().unwrap();
    assert!(names(&verify_dir(empty.path(), None), "checkpoint"));
}

/// Whoever holds the disk can write another log with another key. Only the pin tells.
#[test]
fn another_log_with_another_key_holds_but_is_not_the_pinned_one() {
    let top = tempfile::tempdir().unwrap();
    let pinned = open_genesis(top.path());
    let other = LogSigner::parse(&LogSigner::mint(ORIGIN, &mut Counter(99)).unwrap()).unwrap();
    let mut log = Log::open(SqliteStore::create(&top.path().join("other"), OPTIONS).unwrap(), |_, _| {}).unwrap();
    fill_signed_by(&mut log, 30, &other);
    log.sign_checkpoint(&other).unwrap();
    let out = top.path().join("out");
    export(&log, &out, &policies()).unwrap();
    assert!(verify_dir(&out, None).ok());
    assert!(names(&verify_dir(&out, Some(&pinned)), &pinned.to_string()));
    // Its entries under our checkpoint do not hold even without a pin.
    let ours = new_log(&top.path().join("ours"), 30);
    std::fs::write(out.join("checkpoint"), ours.checkpoint().unwrap().to_string()).unwrap();
    assert!(names(&verify_dir(&out, None), "no signature by"));
}

fn open_genesis(top: &Path) -> Digest {
    let log = new_log(&top.join("pinned"), 2);
    assert!(!content(&log).is_empty() && signer().key() == log.key().unwrap());
    log.genesis().unwrap()
}

#[test]
fn a_copy_verifies_like_the_original() {
    let top = tempfile::tempdir().unwrap();
    let out = exported(top.path());
    copy_dir(&out, &top.path().join("copy"));
    assert_eq!(verify_dir(&top.path().join("copy"), None), verify_dir(&out, None));
}
