//! What a command is judged against: the state, the policy set in force and one `now`.

use crate::state::State;
use writ_policy::PolicySet;
use writ_types::Time;

/// What a command is judged against.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Everything that is true.
    pub state: &'a State,
    /// The policy set in force, compiled.
    pub policy: &'a PolicySet,
    /// When.
    pub now: Time,
}
