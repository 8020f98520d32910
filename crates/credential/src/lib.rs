//! Formats of credentials and proofs, pure: parse, verify and lay out; holds no key.
