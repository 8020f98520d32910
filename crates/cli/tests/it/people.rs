//! The verbs of people with everything real: the program, the server's process, and stock `ssh-keygen` for keys and as the judge.

mod acts;
mod enrolment;
mod genesis;
mod place;
