//! The verbs of people with everything real: the program, the server's process, and stock `ssh-keygen` for keys and as the judge.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on says so by failing")]

mod acts;
mod enrolment;
mod genesis;
mod place;
