//! What is to be done once its entry is durable. Creating consumes a `Committed` order; cutting needs none.

use crate::{CredentialId, Digest, ResourceId, SpiffeId, SqlName, TaskId, Time};

/// Sign one X.509-SVID. The to-be-signed part is laid out already, and its digest is in the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignX509 {
    /// The to-be-signed part, DER.
    pub tbs: Vec<u8>,
    /// Its digest.
    pub tbs_digest: Digest,
    /// Whom the certificate names.
    pub spiffe_id: SpiffeId,
    /// When it ends.
    pub expires: Time,
}

/// Make one database user for one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDatabaseUser {
    /// The credential.
    pub credential: CredentialId,
    /// Its task.
    pub task: TaskId,
    /// The resource.
    pub resource: ResourceId,
    /// The user to make.
    pub user: SqlName,
    /// The groups it becomes a member of.
    pub groups: Vec<SqlName>,
    /// The databases it may connect to; the first is where it works.
    pub databases: Vec<SqlName>,
    /// When it ends.
    pub expires: Time,
    /// The log's epoch, which the backend compares with its own.
    pub epoch: u64,
    /// SCRAM iterations of the verifier.
    pub scram_iterations: u32,
}

/// Hand over a password that was made: it opens the sealed result of [`OpenDatabaseUser`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasePassword {
    /// The credential whose password it is.
    pub credential: CredentialId,
}

/// End one database user. It needs no `Committed`: ending never waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutDatabaseUser {
    /// The credential.
    pub credential: CredentialId,
    /// The resource.
    pub resource: ResourceId,
    /// The user to end.
    pub user: SqlName,
    /// The databases in which it may have left objects.
    pub databases: Vec<SqlName>,
    /// The log's epoch.
    pub epoch: u64,
}

/// What a plan orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Sign a certificate.
    SignX509(SignX509),
    /// Make a database user.
    OpenDatabaseUser(OpenDatabaseUser),
    /// Hand over a password.
    ReleasePassword(ReleasePassword),
    /// End a database user.
    CutDatabaseUser(CutDatabaseUser),
}

impl Order {
    /// The order as one of kind `K`.
    ///
    /// # Errors
    /// The order itself, where it is of another kind.
    #[expect(clippy::result_large_err, reason = "what is not of this kind is given back whole")]
    pub fn narrow<K: OrderKind>(self) -> Result<K, Self> {
        K::of(self)
    }
}

/// One kind of order. Nobody else can add one: a commitment to an [`Order`] can be narrowed to what the order is, and to nothing else.
pub trait OrderKind: sealed::Sealed + Sized {
    /// The order as one of this kind.
    ///
    /// # Errors
    /// The order itself, where it is of another kind.
    #[expect(clippy::result_large_err, reason = "what is not of this kind is given back whole")]
    fn of(order: Order) -> Result<Self, Order>;
}

mod sealed {
    /// Keeps the kinds of orders closed.
    pub trait Sealed {}
}

macro_rules! kinds {
    ($($kind:ident),*) => {$(
        impl sealed::Sealed for $kind {}

        impl OrderKind for $kind {
            fn of(order: Order) -> Result<Self, Order> {
                if let Order::$kind(it) = order { Ok(it) } else { Err(order) }
            }
        }
    )*};
}

kinds!(SignX509, OpenDatabaseUser, ReleasePassword, CutDatabaseUser);
