//! What the command takes from the machine: the time and randomness.

use crate::failure::Failure;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use writ_types::{Random, Time};

/// The wall clock, for the expiry of statements.
#[expect(clippy::disallowed_methods, reason = "the command is a program of its own; this is where it reads the clock")]
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// The operating system's randomness, read ahead so that drawing from it can't fail.
pub(crate) struct OsRandom {
    pool: Vec<u8>,
}

/// More than any one run of the command draws: an id or a salt takes 16 bytes.
const POOL_BYTES: usize = 64 * 1024;

impl OsRandom {
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut pool = vec![0u8; POOL_BYTES];
        let path = Path::new("/dev/urandom");
        File::open(path).and_then(|mut file| file.read_exact(&mut pool)).map_err(|error| Failure::file(path, &error))?;
        Ok(Self { pool })
    }

    /// 128 random bits in hexadecimal, for nonces and idempotency keys.
    pub(crate) fn token(&mut self) -> String {
        self.bits_128().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Random for OsRandom {
    #[expect(clippy::panic, reason = "an id that is not random must not exist; no run draws 4,096 of them")]
    fn fill(&mut self, out: &mut [u8]) {
        let Some(left) = self.pool.len().checked_sub(out.len()) else { panic!("the randomness is used up") };
        for (slot, byte) in out.iter_mut().zip(self.pool.drain(left..)) {
            *slot = byte;
        }
    }
}
