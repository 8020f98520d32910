//! The closed word lists: who answers, what acts, how things end.

use crate::text::through_text;
use crate::{ParseError, TextValue};
use std::fmt;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident, $wanted:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl TextValue for $name {
            const WANTED: &'static str = $wanted;
            fn parse(text: &str) -> Result<Self, ParseError> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(ParseError::new(text, Self::WANTED, concat!("it is one of", $(" `", $text, "`",)*))),
                }
            }
        }

        through_text!($name);
    )*};
}

words! {
    /// The roles that answer for an identity. Each is held by a named person.
    OwnerRole, "an owner role" {
        /// The whole access path; exactly one.
        Control = "control",
        /// Why, data scope, tools; owns the risk.
        Business = "business",
        /// Credential kinds, lifetimes, rotation, triggers, misuse action.
        Identity = "identity",
        /// Where it runs, storage, issuance, telemetry.
        Platform = "platform",
        /// Assurance: policy, exceptions, audit; never the only owner.
        Security = "security",
    }
    /// The functions that each have a named person.
    Duty, "a duty" {
        /// Issues credentials; by default the platform owner.
        Issuance = "issuance",
        /// Rotates; by default the identity owner.
        Rotation = "rotation",
        /// Revokes; by default the identity owner.
        Revocation = "revocation",
        /// Enforces policy; by default the control owner.
        Enforcement = "enforcement",
    }
    /// A section of a charter, signed by the owner role of the same name.
    Section, "a charter section" {
        /// Purpose, data scope, tools.
        Business = "business",
        /// Credential kinds, lifetimes, rotation, triggers, misuse action.
        Identity = "identity",
        /// Storage, issuance, telemetry, selectors.
        Platform = "platform",
        /// Policy, exceptions, audit.
        Security = "security",
    }
    /// What acts.
    ActorKind, "an actor kind" {
        /// A person.
        Human = "human",
        /// A service or job.
        Workload = "workload",
        /// A program that chooses its own next action.
        Agent = "agent",
        /// The server itself, an identity provider, an evaluation harness.
        System = "system",
    }
    /// How a request came in.
    Via, "a way in" {
        /// By a person's signature.
        Key = "key",
        /// By a person's session.
        Session = "session",
        /// By an attested workload's certificate.
        Svid = "svid",
        /// By the local socket alone.
        Socket = "socket",
        /// By the passing of time.
        Timer = "timer",
    }
    /// How much harm an identity or a resource can do.
    Tier, "a tier" {
        /// Least.
        Low = "low",
        /// Ordinary.
        Standard = "standard",
        /// Most.
        Critical = "critical",
    }
    /// What a person's signature does; SSHSIG's namespace is `writ.` and this word.
    ActKind, "an act" {
        /// Opens a trust domain.
        Genesis = "genesis",
        /// Files or signs a change set.
        Change = "change",
        /// Delegates a task.
        Delegate = "delegate",
        /// Approves a request.
        Approve = "approve",
        /// Refuses a request.
        Refuse = "refuse",
        /// Activates a policy set.
        Activate = "activate",
        /// Completes or cancels a task.
        Complete = "complete",
        /// Signals a trigger.
        Signal = "signal",
        /// Suspends a task.
        Suspend = "suspend",
        /// Resumes a task.
        Resume = "resume",
        /// Kills a scope.
        Kill = "kill",
        /// Reinstates what was killed.
        Reinstate = "reinstate",
        /// Adopts a mandate.
        Adopt = "adopt",
        /// Opens a session.
        Login = "login",
    }
    /// What a kind of credential can promise about its revocation.
    RevocationClass, "a revocation class" {
        /// Live use ends.
        CutsLive = "cuts-live",
        /// New use is refused; live use goes on.
        BlocksNew = "blocks-new",
        /// Only its expiry ends it.
        ExpiresOnly = "expires-only",
    }
    /// A kind of credential.
    CredentialKind, "a credential kind" {
        /// An X.509 identity document.
        X509Svid = "x509-svid",
        /// A database user.
        PostgresUser = "postgres-user",
    }
    /// The state of a revocation at one point.
    Closure, "a closure state" {
        /// Nothing is ended yet.
        Open = "OPEN",
        /// Some is ended.
        Partial = "PARTIAL",
        /// The backend does not answer.
        Unknown = "UNKNOWN",
        /// All access is ended, with proof.
        Closed = "CLOSED",
    }
    /// Why a task ended.
    TaskEnd, "the end of a task" {
        /// The work is done.
        Completed = "completed",
        /// Its time was up.
        Timeout = "timeout",
        /// A trigger fired.
        Signal = "signal",
        /// A person killed it.
        Killed = "killed",
        /// Its parent ended.
        Parent = "parent",
        /// Its delegator's or an owner's power ended.
        Cutoff = "cutoff",
        /// Policy denied the request.
        Denied = "denied",
        /// An approver refused.
        Refused = "refused",
        /// It was not approved or started in time, or what was approved changed.
        Expired = "expired",
        /// Who asked took it back.
        Cancelled = "cancelled",
    }
    /// What ends a task early when somebody who may signals it.
    Trigger, "a trigger" {
        /// The actor reached outside its task.
        ScopeExceeded = "scope-exceeded",
        /// The actor changed its objective.
        ObjectiveChanged = "objective-changed",
        /// The actor failed an evaluation step.
        EvaluationFailed = "evaluation-failed",
        /// What the task rested on changed.
        ContextChanged = "context-changed",
        /// A credential was used by somebody else, or elsewhere.
        Misuse = "misuse",
    }
}

impl Section {
    /// The owner role that answers for this section.
    pub const fn role(self) -> OwnerRole {
        match self {
            Self::Business => OwnerRole::Business,
            Self::Identity => OwnerRole::Identity,
            Self::Platform => OwnerRole::Platform,
            Self::Security => OwnerRole::Security,
        }
    }
}

impl Duty {
    /// The owner role that holds this duty where nobody else is named.
    pub const fn default_role(self) -> OwnerRole {
        match self {
            Self::Issuance => OwnerRole::Platform,
            Self::Rotation | Self::Revocation => OwnerRole::Identity,
            Self::Enforcement => OwnerRole::Control,
        }
    }
}

impl ActKind {
    /// The namespace that SSHSIG binds the signature to.
    pub fn namespace(self) -> String {
        format!("writ.{self}")
    }
}

impl CredentialKind {
    /// What revoking this kind does.
    pub const fn class(self) -> RevocationClass {
        match self {
            Self::X509Svid => RevocationClass::BlocksNew,
            Self::PostgresUser => RevocationClass::CutsLive,
        }
    }
}
