//! One folder per managed backend; the only crate that talks to production resources.
