//! PostgreSQL 15 and later: one user per task, made and ended by SECURITY DEFINER functions.
//!
//! `sql.rs` prints what a DBA installs, `functions/` holds the functions' bodies, `backend.rs` is the connector,
//! `ending.rs` the five phases, `doctor.rs` looks whether the login and the installed functions are what they should be.

mod address;
mod backend;
mod calls;
mod doctor;
mod ending;
mod functions;
mod limits;
mod login;
mod pool;
mod quote;
mod scram;
mod session;
mod settings;
mod sql;
mod tls;
mod turns;

pub use address::Address;
pub use backend::Postgres;
pub use doctor::{Finding, Marker, Report, Severity, Standing};
pub use limits::Limits;
pub use login::{Login, passfile_line};
pub use scram::{ITERATIONS_MAX, verifier};
pub use settings::PostgresSettings;
pub use sql::{InstallError, InstallPlan, InstallScript, ROLES, install_sql};
