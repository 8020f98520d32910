//! Randomness as an argument: the core is given bits, it never takes them.

/// A source of random bits: the operating system's in the server, a seed's in the simulator.
pub trait Random {
    /// Fills `out` with random bytes.
    fn fill(&mut self, out: &mut [u8]);

    /// 128 random bits.
    fn bits_128(&mut self) -> [u8; 16] {
        let mut bits = [0u8; 16];
        self.fill(&mut bits);
        bits
    }
}
