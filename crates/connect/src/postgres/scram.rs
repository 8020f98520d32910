//! Passwords of task users, and the SCRAM-SHA-256 verifier that PostgreSQL keeps of them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::num::NonZeroU32;
use writ_types::{Random, Secret};

/// The most iterations that a resource may ask for.
pub const ITERATIONS_MAX: u32 = 100_000;

/// A fresh password and its salt: 256 and 128 random bits.
pub(crate) struct FreshPassword {
    password: Secret<String>,
    salt: [u8; 16],
}

impl FreshPassword {
    /// Draws both from `random`.
    pub(crate) fn draw(random: &mut dyn Random) -> Self {
        let mut bits = [0u8; 32];
        random.fill(&mut bits);
        let bits = Secret::new(bits);
        let mut salt = [0u8; 16];
        random.fill(&mut salt);
        Self { password: Secret::new(URL_SAFE_NO_PAD.encode(bits.expose())), salt }
    }

    /// The verifier with this many iterations. With a password of 256 random bits, one protects as well as many.
    pub(crate) fn verifier(&self, iterations: NonZeroU32) -> String {
        verifier(&self.password, self.salt, iterations)
    }

    /// The password itself.
    pub(crate) fn into_secret(self) -> Secret<String> {
        self.password
    }
}

/// The text that PostgreSQL stores for `password`: `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
///
/// The password is ASCII, so SASLprep (RFC 7677 section 3) leaves it as it is.
pub fn verifier(password: &Secret<String>, salt: [u8; 16], iterations: NonZeroU32) -> String {
    // RFC 5802 section 3: SaltedPassword, ClientKey, StoredKey, ServerKey.
    let mut salted = [0u8; 32];
    derive(PBKDF2_HMAC_SHA256, iterations, &salt, password.expose().as_bytes(), &mut salted);
    let salted = Secret::new(salted);
    let key = Key::new(HMAC_SHA256, salted.expose());
    let stored = digest(&SHA256, sign(&key, b"Client Key").as_ref());
    let server = sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored.as_ref()),
        STANDARD.encode(server.as_ref())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);

    impl Random for Counting {
        fn fill(&mut self, out: &mut [u8]) {
            for byte in out {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
        }
    }

    #[test]
    fn the_verifier_agrees_with_the_exchange_of_rfc_7677() {
        // RFC 7677 section 3: the password `pencil`, 4096 iterations; its server signature follows from the server key.
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let text = verifier(&Secret::new("pencil".to_owned()), salt, NonZeroU32::new(4096).unwrap());
        let server = STANDARD.decode(text.rsplit(':').next().unwrap()).unwrap();
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = sign(&Key::new(HMAC_SHA256, &server), message.as_bytes());
        assert_eq!(STANDARD.encode(signature.as_ref()), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn two_draws_share_nothing_and_the_verifier_has_no_password_in_it() {
        let mut random = Counting(0);
        let (one, two) = (FreshPassword::draw(&mut random), FreshPassword::draw(&mut random));
        let text = one.verifier(NonZeroU32::MIN);
        assert!(text.starts_with("SCRAM-SHA-256$1:"), "{text}");
        assert_ne!(text, two.verifier(NonZeroU32::MIN));
        let (one, two) = (one.into_secret(), two.into_secret());
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one.expose(), two.expose());
        assert!(!text.contains(one.expose().as_str()));
    }
}
