//! A directory with people, their keys and a server.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;
use writ_ledger::Log;
use writ_store::{Options, SqliteStore};

/// Everything. The server ends with it.
pub(crate) struct Place {
    top: TempDir,
    server: Option<Child>,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The answer, which is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text at a place in the JSON answer.
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}: {self:?}")).to_owned()
    }

    /// This, if the exit code is the one that was expected.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl Place {
    /// People with keys, and nothing else.
    pub(crate) fn with(people: &[&str]) -> Self {
        let place = Self { top: tempfile::Builder::new().prefix("writ-people-").tempdir().expect("a directory"), server: None };
        for person in people {
            place.keygen(person, "ed25519");
        }
        place
    }

    /// A trust domain that alice and bob opened, served, with a session of each.
    pub(crate) fn founded(people: &[&str]) -> Self {
        let mut place = Self::with(people);
        place.writ("alice", &place.init()).exits(0);
        place.serve();
        for person in ["alice", "bob"] {
            place.login(person);
        }
        place
    }

    /// The arguments with which alice and bob open it.
    pub(crate) fn init(&self) -> Vec<String> {
        let founders = ["alice", "bob"].map(|name| format!("{name}={}.pub", self.path(name)));
        let [alice, bob] = founders;
        ["init", "--dir", &self.path("dir"), "--trust-domain", "example.org", "--founder", &alice, "--founder", &bob]
            .map(str::to_owned)
            .to_vec()
    }

    pub(crate) fn keygen(&self, name: &str, kind: &str) {
        let made = Command::new("ssh-keygen").args(["-q", "-N", "", "-C", name, "-t", kind, "-f", &self.path(name)]).status();
        assert!(made.expect("ssh-keygen runs").success());
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// The program as a person runs it, with a memory of her own.
    pub(crate) fn writ<S: AsRef<str>>(&self, person: &str, arguments: &[S]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
        command.args(arguments.iter().map(AsRef::as_ref)).env("XDG_STATE_HOME", self.at(&format!("{person}.state")));
        // No terminal and no agent: what is not on the command line is not there.
        let output = command.env_remove("SSH_AUTH_SOCK").current_dir(self.top.path()).stdin(Stdio::null()).output();
        Ran::of(&output.expect("writ runs"))
    }

    pub(crate) fn login(&self, person: &str) {
        self.writ(person, &["login", "--dir", &self.path("dir"), "--key", &self.path(person)]).exits(0);
    }

    pub(crate) fn serve(&mut self) {
        let log = std::fs::File::create(self.at("server.log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
        command.args(["serve", "--no-api", "--dir", &self.path("dir")]);
        let mut server = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("the server starts");
        let mut said = String::new();
        BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut said).expect("the server speaks");
        assert_eq!(said, "ready\n", "{}", std::fs::read_to_string(self.at("server.log")).unwrap_or_default());
        self.server = Some(server);
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("it can be stopped");
            server.wait().expect("it has gone");
        }
    }

    /// Copies a directory, as a backup does.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let copied = Command::new("cp").arg("-a").arg(self.at(from)).arg(self.at(to)).status();
        assert!(copied.expect("cp runs").success());
    }

    /// Puts each in the other's place.
    pub(crate) fn swap(&self, one: &str, other: &str) {
        for (from, to) in [(one, "aside"), (other, one), ("aside", other)] {
            std::fs::rename(self.at(from), self.at(to)).expect("moved");
        }
    }

    /// The size of a log's checkpoint, where no server runs.
    pub(crate) fn size(&self, dir: &str) -> u64 {
        let store = SqliteStore::open(&self.at(dir), Options::default()).expect("a store");
        let log = Log::open(store, |_, _| ()).expect("a log");
        log.size()
    }

    /// Looks until what a person remembers of the log is so; its size.
    pub(crate) fn seen(&self, person: &str, enough: impl Fn(u64) -> bool) -> u64 {
        for _ in 0..200 {
            self.writ(person, &["party", "list"]).exits(0);
            let heads = std::fs::read(self.at(&format!("{person}.state/writ/heads.json"))).expect("what was seen");
            let heads: Value = serde_json::from_slice(&heads).expect("JSON");
            let note = heads.pointer("/example.org~1writ/checkpoint").and_then(Value::as_str).expect("a checkpoint");
            let size = note.lines().nth(1).and_then(|size| size.parse().ok()).expect("its size");
            if enough(size) {
                return size;
            }
        }
        panic!("the checkpoint does not follow the log");
    }

    /// Signs a file as anybody with OpenSSH can; the signature's path.
    pub(crate) fn sign_elsewhere(&self, person: &str, namespace: &str, statement: &str) -> String {
        let file = self.at(&format!("{person}.statement"));
        std::fs::write(&file, statement).expect("a statement");
        let signature = file.with_extension("statement.sig");
        let _ = std::fs::remove_file(&signature);
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", namespace, "-f", &self.path(person)])
            .arg(&file)
            .env_remove("SSH_AUTH_SOCK")
            .stderr(Stdio::null())
            .status();
        assert!(signed.expect("ssh-keygen runs").success());
        signature.display().to_string()
    }

    /// Whether stock `ssh-keygen -Y verify` takes a signature.
    pub(crate) fn judged(&self, dir: &str, principal: &str, namespace: &str, message: &str, signature: &str) -> bool {
        let dir = self.at(dir);
        let mut judge = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-f", "allowed_signers", "-I", principal, "-n", namespace, "-s", signature])
            .current_dir(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh-keygen runs");
        let message = std::fs::read(dir.join(message)).expect("the message");
        judge.stdin.take().expect("a pipe").write_all(&message).expect("it reads");
        judge.wait().expect("it answers").success()
    }

    /// The example's estate, filed by alice and signed by bob.
    pub(crate) fn example(&self) -> Vec<String> {
        self.writ("alice", &["init", "--example", &self.path("example")]).exits(0);
        let mut files = Vec::new();
        for name in ["boundary.yaml", "identity.yaml", "resource.yaml"] {
            files.extend(["-f".to_owned(), self.path(&format!("example/{name}"))]);
        }
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop();
    }
}
