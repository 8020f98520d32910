//! The bodies of entries: one struct a kind, each with the version that it was written in.
//!
//! An entry's `kind` names the struct; its `body` holds the struct's members and `"v"`. Members that a version does not
//! know are refused. A body records an outcome: folding it never needs policy, a blob's content or the clock.

mod change;
mod credential;
mod decision;
mod domain;
mod estate;
mod people;
mod task;

pub use change::{ChangeContent, ChangeFiled, ChangeSigned, ChangeWithdrawn, Item, KeyItem, PartyState};
pub use credential::{
    ClosureReported, CredentialFailed, CredentialGranted, CredentialMade, CredentialRevoked, KillContent, KillOrdered, KillScope,
    SvidRow, SvidsIssued,
};
pub use decision::{Asked, DecisionMade, DenialsCounted, Effect, Evaluation, Refused, TaskAsk};
pub use domain::{
    AuthorityChanged, AuthorityRole, BlobErased, FindingRaised, Founder, Genesis, GenesisContent, LogState, PolicyText, Root,
    ServerStarted, TextOfPolicy,
};
pub use estate::{
    BoundaryItem, BoundarySet, BusinessTerms, Charter, CharterSigned, CharterVoided, IdentityItem, IdentityRetired, IdentitySet,
    IdentityTerms, PlatformTerms, PostgresTerms, ResourceItem, ResourceSet, SecurityTerms, Terms,
};
pub use people::{
    KeyEnrolled, KeyRemoved, PartyDisabled, PartyEnabled, PartyItem, PartySet, PartyType, SessionClosed, SessionOpened,
};
pub use task::{
    ApprovalContent, ApprovalResource, Delegation, DelegationGrant, Proposal, TaskApproved, TaskEnded, TaskRefused,
    TaskRequested, TaskSignalled, TaskStarted, TaskWanted,
};

use serde_json::Value;

/// A body that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The format doesn't know this kind.
    #[error("`{0}` is not a kind of entry that this format knows")]
    Kind(String),
    /// The body is not of its kind's shape.
    #[error("the body of `{kind}` is not of its shape: {why}")]
    Shape {
        /// The entry's kind.
        kind: String,
        /// What is wrong.
        why: String,
    },
}

macro_rules! bodies {
    ($($kind:literal => $name:ident,)*) => {
        /// What an entry says, by its kind.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body { $(
            #[doc = concat!("`", $kind, "`")]
            $name(Box<$name>),
        )* }

        impl Body {
            /// Every kind that this format knows.
            pub const KINDS: &'static [&'static str] = &[$($kind,)*];

            /// The entry's kind.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)* }
            }

            /// The entry's `body` member.
            ///
            /// # Errors
            /// When a number in it is not one that JSON readers keep exact.
            pub fn encode(&self) -> Result<Value, BodyError> {
                let value = match self { $(Self::$name(body) => serde_json::to_value(body),)* };
                let wrong = |why: String| BodyError::Shape { kind: self.kind().to_owned(), why };
                let mut value = value.map_err(|error| wrong(error.to_string()))?;
                let members = value.as_object_mut().ok_or_else(|| wrong("it is not an object".to_owned()))?;
                members.insert("v".to_owned(), Value::from(1));
                Ok(value)
            }

            /// Reads the `body` member of an entry of `kind`.
            ///
            /// # Errors
            /// When the kind or the version is unknown, or a member is missing, unknown or malformed.
            pub fn decode(kind: &str, body: &Value) -> Result<Self, BodyError> {
                let wrong = |why: String| BodyError::Shape { kind: kind.to_owned(), why };
                let mut members = body.as_object().cloned().ok_or_else(|| wrong("it is not an object".to_owned()))?;
                if members.remove("v") != Some(Value::from(1)) {
                    return Err(wrong("its version is not 1".to_owned()));
                }
                let rest = Value::Object(members);
                match kind {
                    $($kind => serde_json::from_value(rest).map(|body| Self::$name(Box::new(body))).map_err(|error| wrong(error.to_string())),)*
                    _ => Err(BodyError::Kind(kind.to_owned())),
                }
            }
        }

        $(impl From<$name> for Body {
            fn from(body: $name) -> Self {
                Self::$name(Box::new(body))
            }
        })*
    };
}

bodies! {
    "log.genesis" => Genesis,
    "log.state" => LogState,
    "server.started" => ServerStarted,
    "authority.changed" => AuthorityChanged,
    "session.opened" => SessionOpened,
    "session.closed" => SessionClosed,
    "change.filed" => ChangeFiled,
    "change.signed" => ChangeSigned,
    "change.withdrawn" => ChangeWithdrawn,
    "party.set" => PartySet,
    "party.disabled" => PartyDisabled,
    "party.enabled" => PartyEnabled,
    "key.enrolled" => KeyEnrolled,
    "key.removed" => KeyRemoved,
    "boundary.set" => BoundarySet,
    "identity.set" => IdentitySet,
    "identity.retired" => IdentityRetired,
    "resource.set" => ResourceSet,
    "charter.signed" => CharterSigned,
    "charter.voided" => CharterVoided,
    "decision.made" => DecisionMade,
    "denials.counted" => DenialsCounted,
    "task.wanted" => TaskWanted,
    "task.requested" => TaskRequested,
    "task.approved" => TaskApproved,
    "task.refused" => TaskRefused,
    "task.started" => TaskStarted,
    "task.signalled" => TaskSignalled,
    "task.ended" => TaskEnded,
    "credential.granted" => CredentialGranted,
    "credential.made" => CredentialMade,
    "credential.failed" => CredentialFailed,
    "credential.revoked" => CredentialRevoked,
    "closure.reported" => ClosureReported,
    "svids.issued" => SvidsIssued,
    "kill.ordered" => KillOrdered,
    "finding.raised" => FindingRaised,
    "blob.erased" => BlobErased,
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::Digest;

    #[test]
    fn a_body_reads_back_and_unknown_members_are_refused() {
        let body = Body::from(LogState { digest: Digest::of(b"state") });
        let mut value = body.encode().unwrap();
        assert_eq!(Body::decode("log.state", &value), Ok(body));
        assert!(matches!(Body::decode("log.other", &value), Err(BodyError::Kind(_))));
        value["more"] = Value::from(1);
        assert!(Body::decode("log.state", &value).is_err());
        value.as_object_mut().unwrap().remove("more");
        value["v"] = Value::from(2);
        assert!(Body::decode("log.state", &value).is_err());
    }
}
