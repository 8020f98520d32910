//! One effect of one credential at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;
use writ_types::CredentialId;

/// Whose turn it is, per credential. A credential without a running effect takes no room.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<BTreeMap<CredentialId, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits until the effects before are over.
    pub(crate) async fn take(&self, credential: CredentialId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            match turns.get(&credential).and_then(Weak::upgrade) {
                Some(turn) => turn,
                None => {
                    let turn = Arc::new(tokio::sync::Mutex::new(()));
                    turns.insert(credential, Arc::downgrade(&turn));
                    turn
                }
            }
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    fn third() -> CredentialId {
        CredentialId::from_bits([3; 16])
    }

    #[tokio::test]
    async fn effects_of_one_credential_take_turns_and_leave_nothing() {
        let turns = Turns::default();
        let (one, two) = (CredentialId::from_bits([1; 16]), CredentialId::from_bits([2; 16]));
        let first = turns.take(one).await;
        let _other = turns.take(two).await;
        let mut second = Box::pin(turns.take(one));
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending(), "the second waits for the first");
        drop(first);
        drop(second.await);
        drop(turns.take(third()).await);
        assert_eq!(turns.0.lock().unwrap().len(), 2, "the first credential's turn takes no room");
    }
}
