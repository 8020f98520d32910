//! The actor's side with everything real: the server's process, ssh-keygen's keys, PostgreSQL, and an agent under a user of its own.

mod deadline;
mod outage;
mod runs;
mod world;
