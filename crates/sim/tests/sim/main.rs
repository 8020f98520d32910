//! The plane, as its callers see it: real signatures, a real writer, a world around it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that can't go on says so by failing")]

mod charter;
mod ending;
mod founding;
mod keys;
mod laws;
mod simulate;
mod takeover;
mod task;
mod why;
mod writer;
