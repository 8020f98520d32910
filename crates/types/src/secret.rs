//! Values that must not be seen.

use zeroize::Zeroize;

/// A secret: wiped when dropped; it has no `Debug`, `Display` or `Serialize`, so it can't reach a log by mistake.
#[expect(missing_debug_implementations, reason = "a secret must not be printable")]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value in.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
