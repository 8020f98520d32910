//! The operating system's randomness.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use writ_types::Random;

/// The operating system's randomness. Without it nothing can be granted: the process ends rather than guess.
#[derive(Debug, Default)]
pub(crate) struct Entropy(SystemRandom);

impl Random for Entropy {
    fn fill(&mut self, out: &mut [u8]) {
        if self.0.fill(out).is_err() {
            std::process::abort();
        }
    }
}
