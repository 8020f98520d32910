//! Formats of credentials and proofs, pure: parse, verify and lay out. No key is held here, no clock is read.
//!
//! People: [`PublicKey`], [`Statement`], [`sshsig`], and the proof [`VerifiedAct`] that comes out of [`verify_act`].
//! Workloads: [`x509`]: requests, the to-be-signed part of certificates, and their verification.

mod act;
mod armor;
mod export;
mod key_fingerprint;
mod ssh_key;
mod ssh_wire;
pub mod sshsig;
mod statement;
pub mod x509;

pub use act::{ActError, Expected, STATEMENT_LIFE_MAX, VerifiedAct, verify_act};
pub use armor::ArmorError;
pub use export::allowed_signers_line;
pub use key_fingerprint::KeyFingerprint;
pub use ssh_key::{KeyKind, PublicKey};
pub use sshsig::SignatureError;
pub use statement::{Statement, StatementError, content_digest};
