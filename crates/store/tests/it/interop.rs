//! Go's own transparency log packages as the judge: they share no code with us.

use crate::world::{Counter, ORIGIN, copy_dir, fill, new_log, policies, signer};
use base64::Engine as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use writ_ledger::LogSigner;
use writ_store::export;

/// Builds `interop/logcheck`. Without Go this fails: a judge that did not come is no acquittal.
fn logcheck(top: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/logcheck");
    let binary = top.join("logcheck");
    let build = Command::new("go").args(["build", "-o"]).arg(&binary).arg(".").current_dir(source).output();
    let output =
        build.unwrap_or_else(|error| panic!("the Go toolchain is needed to verify our log with foreign code: go: {error}"));
    assert!(output.status.success(), "go build: {}", String::from_utf8_lossy(&output.stderr));
    binary
}

fn run(binary: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new(binary).args(args).output().unwrap();
    match output.status.code() {
        Some(0) => Ok(String::from_utf8(output.stdout).unwrap()),
        Some(1) => Err(String::from_utf8(output.stderr).unwrap()),
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// R143: verified without trusting the operator's code, and each tampering refused.
#[test]
fn go_accepts_our_log_and_refuses_each_tampering() {
    let top = tempfile::tempdir().unwrap();
    let (binary, good, bad) = (logcheck(top.path()), top.path().join("good"), top.path().join("bad"));
    let path = |name: &str| top.path().join(name).to_str().unwrap().to_owned();
    let mut log = new_log(&top.path().join("log"), 100);
    std::fs::write(path("old"), log.checkpoint().unwrap().to_string()).unwrap();
    fill(&mut log, 600);
    log.sign_checkpoint(&signer()).unwrap();
    export(&log, &good, &policies()).unwrap();
    std::fs::write(path("receipt"), log.receipt(300).unwrap().to_string()).unwrap();
    let hash = |hash: &writ_types::Digest| base64::engine::general_purpose::STANDARD.encode(hash.as_bytes()) + "\n";
    let proof: String = log.consistency(100, 600).unwrap().iter().map(hash).collect();
    std::fs::write(path("proof"), &proof).unwrap();
    std::fs::write(path("entry"), log.leaves(300..301).unwrap().remove(0)).unwrap();
    std::fs::write(path("other-entry"), log.leaves(301..302).unwrap().remove(0)).unwrap();

    let vkey = signer().key().to_string();
    let all =
        ["-vkey", &vkey, "-old", &path("old"), "-proof", &path("proof"), "-receipt", &path("receipt"), good.to_str().unwrap()];
    let said = run(&binary, &all).unwrap();
    assert!(said.contains(&format!("{ORIGIN}: 600 entries")) && said.contains("entry 300 is in the log of 600"), "{said}");
    run(&binary, &["-vkey", &format!("@{}", good.join("vkey").display()), good.to_str().unwrap()]).unwrap();
    run(&binary, &["-vkey", &vkey, "-receipt", &path("receipt"), "-entry", &path("entry")]).unwrap();
    // The receipt is for its entry alone.
    run(&binary, &["-vkey", &vkey, "-receipt", &path("receipt"), "-entry", &path("other-entry")]).unwrap_err();
    // A consistency proof with a hash left out.
    std::fs::write(path("proof"), proof.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    run(&binary, &all).unwrap_err();

    let other = LogSigner::mint(ORIGIN, &mut Counter(3)).unwrap();
    let other = LogSigner::parse(&other).unwrap().key().to_string();
    run(&binary, &["-vkey", &other, good.to_str().unwrap()]).unwrap_err();
    let edit = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let file = bad.join(name);
        std::fs::write(&file, change(std::fs::read(&file).unwrap())).unwrap();
    };
    let cases: [(&str, &dyn Fn(), &str); 8] = [
        ("a flipped byte of an entry", &|| edit("tile/entries/000", &|mut bytes| flip(&mut bytes, 5_000)), "root"),
        ("a flipped byte of a hash", &|| edit("tile/0/001", &|mut bytes| flip(&mut bytes, 100)), "tile/0/001"),
        ("a flipped byte of a higher tile", &|| edit("tile/1/000.p/2", &|mut bytes| flip(&mut bytes, 40)), "tile/1/000.p/2"),
        ("two entries swapped", &|| edit("tile/entries/001", &|bytes| swap_entries(&bytes)), "root"),
        ("the checkpoint's size edited", &|| edit("checkpoint", &|bytes| replace(&bytes, "\n600\n", "\n599\n")), "signature"),
        (
            "the checkpoint's origin edited",
            &|| edit("checkpoint", &|bytes| replace(&bytes, "prod.example", "test.example")),
            "signature",
        ),
        ("a tile missing", &|| std::fs::remove_file(bad.join("tile/0/000")).unwrap(), "tile/0/000"),
        ("a bundle missing", &|| std::fs::remove_file(bad.join("tile/entries/002.p/88")).unwrap(), "tile/entries/002.p/88"),
    ];
    for (name, tamper, named) in cases {
        copy_dir(&good, &bad);
        run(&binary, &["-vkey", &vkey, bad.to_str().unwrap()]).unwrap();
        tamper();
        let refused = run(&binary, &["-vkey", &vkey, bad.to_str().unwrap()]).expect_err(name);
        assert!(refused.contains(named), "{name}: {refused}");
        std::fs::remove_dir_all(&bad).unwrap();
    }
}

fn flip(bytes: &mut [u8], at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes.to_vec()
}

fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.contains(from));
    text.replacen(from, to, 1).into_bytes()
}

/// The first two entries of a bundle, each with its length, the other way round.
fn swap_entries(bytes: &[u8]) -> Vec<u8> {
    let length = |at: usize| 2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let (first, second) = (length(0), length(length(0)));
    assert_ne!(bytes[..first], bytes[first..first + second]);
    [&bytes[first..first + second], &bytes[..first], &bytes[first + second..]].concat()
}
