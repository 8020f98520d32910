//! Limits on tasks.

use writ_types::Ttl;

/// A request is approved within this, or it ends; what an actor asks for by itself is delegated within this.
pub const APPROVAL_LIFE: Ttl = Ttl::from_seconds(24 * 3_600);

/// An approved task is started within this, or it ends.
pub const START_WITHIN: Ttl = Ttl::from_seconds(15 * 60);

/// Resources of one task.
pub(crate) const GRANTS_MAX: usize = 16;

/// Tasks of one actor that have not ended.
pub(crate) const OPEN_OF_ACTOR_MAX: usize = 256;

/// Tasks that one actor asks for by itself and that nobody has delegated.
pub(super) const WANTED_OF_ACTOR_MAX: usize = 16;

/// Credentials of one task.
pub(crate) const CREDENTIALS_OF_TASK_MAX: usize = 32;
