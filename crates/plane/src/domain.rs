//! The trust domain itself: genesis, authorities, the policy set in force.

mod apply;
mod command;
mod genesis;
mod plan;
mod state;

pub(crate) use command::{AuthorityReady, ServerCertificateReady, lay_out};
pub use command::{NewAuthority, NewServerCertificate, Open};
pub use genesis::found;
pub(crate) use plan::backdated;
pub use state::{Authority, Domain};
