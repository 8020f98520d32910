//! The last head seen of each log: a head that does not go on from it is refused, and said (law 10).

use super::{Memory, read, write, write_text};
use crate::failure::Failure;
use crate::head::{Against, Head, Read, Seen};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::time::Duration;
use writ_ledger::Checkpoint;
use writ_types::Digest;
use writ_wire::api::Status;

/// What was last seen of each log.
const HEADS: &str = "heads.json";
/// A head that is shorter than the one seen before is asked for again so many times.
const SHORTER_MAX: u32 = 8;
const ASK_AGAIN: Duration = Duration::from_millis(250);
impl Memory {
    /// Takes the server's head, if it is the log's and goes on from the last one seen, and remembers it. `pinned` is a genesis hash from
    /// elsewhere; `read` reads what lies below `/v1/log/`.
    pub(crate) fn see(&self, status: &Status, pinned: Option<&Digest>, read: Read<'_>) -> Result<Head, Failure> {
        let mut shorter = 0;
        loop {
            let seen = self.seen(&status.origin)?;
            self.same_genesis(status, pinned, seen.as_ref())?;
            let head = Head::fetch(status, seen.as_ref(), read)?;
            if let Some(known) = &seen {
                let old = Head::remembered(known).map_err(|why| self.unreadable(&why))?;
                match head.against(&old, read)? {
                    Against::GoesOn => {}
                    // Another run of the command may have seen more since this one asked, and a server that has just started
                    // signs within a second: what is asked again is not behind that.
                    Against::Shorter if shorter < SHORTER_MAX => {
                        shorter += 1;
                        std::thread::sleep(ASK_AGAIN);
                        continue;
                    }
                    Against::Shorter => return Err(self.shorter(&old, &head)),
                    Against::Forked => return Err(self.forked(&old, &head)),
                }
            }
            if self.remember(&status.origin, seen.as_ref(), &head)? {
                return Ok(head);
            }
        }
    }

    /// The last head seen of a log.
    fn seen(&self, origin: &str) -> Result<Option<Seen>, Failure> {
        Ok(self.heads()?.remove(origin))
    }

    fn heads(&self) -> Result<BTreeMap<String, Seen>, Failure> {
        let heads = read::<BTreeMap<String, Seen>>(&self.dir.join(HEADS));
        heads.map(Option::unwrap_or_default).map_err(|failure| self.unreadable(&failure.message))
    }

    fn same_genesis(&self, status: &Status, pinned: Option<&Digest>, seen: Option<&Seen>) -> Result<(), Failure> {
        if let Some(pinned) = pinned.filter(|pinned| **pinned != status.genesis) {
            let message = format!("the genesis of `{}` is {}, not the pinned {pinned}", status.origin, status.genesis);
            return Err(Failure::failed(message, "this is another log: don't sign anything for it"));
        }
        if seen.is_some_and(|seen| seen.genesis != status.genesis) {
            let message = format!("the log `{}` has another genesis than the one seen before", status.origin);
            return Err(Failure::failed(message, self.begin_again()));
        }
        Ok(())
    }

    /// Keeps a head in place of `before`. False if another run of the command has kept one meanwhile.
    fn remember(&self, origin: &str, before: Option<&Seen>, head: &Head) -> Result<bool, Failure> {
        let new = head.to_seen();
        if before == Some(&new) {
            return Ok(true);
        }
        self.locked(|| {
            let mut heads = self.heads()?;
            if heads.get(origin) != before {
                return Ok(false);
            }
            heads.insert(origin.to_owned(), new);
            self.keep_heads(&heads).map(|()| true)
        })
    }

    fn keep_heads(&self, heads: &BTreeMap<String, Seen>) -> Result<(), Failure> {
        write(&self.dir.join(HEADS), heads).map_err(|failure| self.unwritable(failure))
    }

    /// Runs one at a time among all runs of the command.
    fn locked<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let path = self.dir.join("heads.lock");
        let open = || {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
            Ok(file)
        };
        let lock = open().map_err(|error: std::io::Error| self.unwritable(Failure::file(&path, &error)))?;
        let done = work();
        drop(lock);
        done
    }

    /// Forgets what was seen of a log, because people opened a new one under the same name.
    pub(crate) fn begin(&self, origin: &str, seen: Seen) -> Result<(), Failure> {
        self.locked(|| {
            let mut heads = self.heads()?;
            heads.insert(origin.to_owned(), seen);
            self.keep_heads(&heads)
        })
    }

    fn shorter(&self, old: &Head, new: &Head) -> Failure {
        let (old, new) = (old.checkpoint(), new.checkpoint());
        let message = format!("the log `{}` has {} entries, and {} were seen before", new.origin, new.size, old.size);
        Failure::failed(
            message,
            format!(
                "it was rolled back: tell the security owner before anybody signs anything; the checkpoint that was seen, signed by the log's \
                 key, is in {}",
                self.dir.join(HEADS).display()
            ),
        )
    }

    /// Two heads that contradict each other, both signed: the evidence is kept, and the head that was seen stays the one that counts.
    fn forked(&self, old: &Head, new: &Head) -> Failure {
        let Checkpoint { origin, size, root } = new.checkpoint();
        let message = format!(
            "the log `{origin}` has forked: its head of {size} entries doesn't hold the {} entries that were seen before",
            old.checkpoint().size
        );
        let hex: String = root.to_string().chars().filter(char::is_ascii_hexdigit).take(16).collect();
        let kept = self.dir.join("forks").join(format!("{size}-{hex}.checkpoint"));
        let place = match write_text(&kept, &format!("{}\n{}", old.note(), new.note())) {
            Ok(()) => format!("both heads, signed by the log's own key, are in {}", kept.display()),
            Err(failure) => failure.message,
        };
        Failure::failed(
            message,
            format!("somebody runs two logs under one name: don't sign anything, and take this to the security owner; {place}"),
        )
    }

    fn unwritable(&self, failure: Failure) -> Failure {
        let help = format!(
            "what was seen of the log must be kept, or a rollback goes unnoticed: make `{}` writable, or name another directory in \
             `XDG_STATE_HOME`",
            self.dir.display()
        );
        Failure::failed(failure.message, help)
    }

    fn unreadable(&self, why: &str) -> Failure {
        Failure::failed(
            format!("what was seen of logs can't be read: {why}"),
            format!(
                "move it away, and begin from a hash that you trust: `writ login --genesis HASH`; it lies in {}",
                self.dir.join(HEADS).display()
            ),
        )
    }

    fn begin_again(&self) -> String {
        format!(
            "tell the security owner before anybody signs anything; if people opened a new log under this name, take its line out of {} and \
             run `writ login --genesis HASH`",
            self.dir.join(HEADS).display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::tests::Branch;
    use writ_types::TextValue as _;

    fn status() -> Status {
        Status {
            trust_domain: writ_types::TrustDomain::parse("example.org").unwrap(),
            origin: "example.org/writ".to_owned(),
            dev: false,
            epoch: 1,
            size: 0,
            root: Digest::of(b""),
            genesis: Digest::of(b"genesis"),
            clock_sure: true,
            version: String::new(),
            api: None,
            closing: 0,
        }
    }

    /// Law 10: a log that grew by another branch is refused by whoever saw this one, and the head that was seen stays: the true log goes on.
    #[test]
    fn a_forked_log_is_refused_and_the_true_one_is_taken_afterwards() {
        let top = tempfile::tempdir().unwrap();
        let memory = Memory::at(&top.path().join("writ"), None);
        let see = |branch: &Branch, pinned: Option<&Digest>| memory.see(&status(), pinned, &|path| branch.read(path)).map(drop);
        let (seen, fork, grown) = (Branch::new(692, u64::MAX), Branch::new(714, 500), Branch::new(695, u64::MAX));
        memory.begin("example.org/writ", seen.head.to_seen()).unwrap();
        assert_eq!(see(&seen, None), Ok(()));
        let failure = see(&fork, None).unwrap_err();
        assert!(failure.message.contains("forked") && failure.exit == crate::failure::Exit::Failed, "{failure:?}");
        let kept = std::fs::read_dir(top.path().join("writ/forks")).unwrap().next().unwrap().unwrap();
        let kept = std::fs::read_to_string(kept.path()).unwrap();
        assert!(kept.contains(&seen.head.note()) && kept.contains(&fork.head.note()), "{kept}");
        assert_eq!(see(&grown, Some(&Digest::of(b"genesis"))), Ok(()));
        assert_eq!(see(&grown, Some(&Digest::of(b"x"))).unwrap_err().exit, crate::failure::Exit::Failed);
        // Rolled back, and the same size with other entries.
        assert!(see(&seen, None).unwrap_err().message.contains("695 were seen before"));
        assert!(see(&Branch::new(695, 694), None).unwrap_err().message.contains("forked"));
        let other = Status { genesis: Digest::of(b"other"), ..status() };
        let failure = memory.see(&other, None, &|path| grown.read(path)).unwrap_err();
        assert!(failure.message.contains("another genesis"), "{failure:?}");
        assert_eq!(see(&Branch::new(700, u64::MAX), None), Ok(()), "a refused head is not remembered");
    }

    /// What can't be remembered, and what can't be read any more, is no reason to go on without it.
    #[test]
    fn a_memory_that_does_not_hold_is_an_error_with_a_next_step() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let seen = Branch::new(5, u64::MAX);
        let failure = Memory::at(&file.join("writ"), None).remember("o", None, &seen.head).unwrap_err();
        assert!(failure.help.contains("XDG_STATE_HOME"), "{failure:?}");

        let memory = Memory::at(top.path(), None);
        let see = || memory.see(&status(), None, &|path| seen.read(path)).unwrap_err();
        let heads = ["{", "{\"example.org/writ\":{\"genesis\":\"sha256:11\",\"size\":100,\"root\":\"sha256:11\"}}", "[]"];
        for corrupt in heads {
            write_text(&top.path().join(HEADS), corrupt).unwrap();
            let failure = see();
            assert!(failure.help.contains("move it away") && failure.help.contains("--genesis HASH"), "{failure:?}");
        }
        // A checkpoint that the log's key did not sign was not seen.
        let mut forged = seen.head.to_seen();
        forged.checkpoint = forged.checkpoint.replace("\n5\n", "\n4\n");
        write(&top.path().join(HEADS), &BTreeMap::from([("example.org/writ", forged)])).unwrap();
        assert!(see().message.contains("can't be read"));
    }
}
