//! What a caller hears instead of an answer: what is wrong, and the next step.

use tonic::{Code, Status};
use writ_attest::{AttestError, Attested};
use writ_types::{Denial, Fault};

/// A denial of the upstream, with its next step.
pub(crate) fn denied(denial: &Denial) -> Status {
    let code = match (denial.code, denial.code.fault()) {
        (writ_types::Code::Limit, _) => Code::ResourceExhausted,
        (_, Fault::Caller | Fault::People) => Code::PermissionDenied,
        (_, Fault::Operator) => Code::Unavailable,
        (_, Fault::Bug) => Code::Internal,
    };
    let who = if denial.who_can.is_empty() { String::new() } else { format!(" (who can: {})", denial.who_can.join(", ")) };
    Status::new(code, format!("{denial}; {}{who}", denial.help))
}

/// Whether a denial may pass by itself: nothing is wrong with the caller.
pub(crate) fn is_passing(denial: &Denial) -> bool {
    matches!(denial.code.fault(), Fault::Operator | Fault::Bug)
}

/// A caller that could not be attested.
pub(crate) fn unattested(error: &AttestError) -> Status {
    match error {
        AttestError::Kernel(_) => Status::unavailable(format!("{error}; the server's log says why")),
        _ => Status::permission_denied(format!("{error}; connect again from the process that is to have the identity")),
    }
}

/// A caller that nobody filed an identity for (SPIFFE_Workload_API.md section 5.2). It is told its own facts, and
/// nothing else. Clients know the first three words (SPIRE's), and then ask less often.
pub(crate) fn no_identity(attested: &Attested) -> Status {
    let facts: Vec<String> = attested.selectors().iter().map(|selector| format!("`{selector}`")).collect();
    Status::permission_denied(format!(
        "no identity issued: none is filed that asks for what this process is: {}; file one whose selectors are among these",
        facts.join(", ")
    ))
}

/// The upstream took too long.
pub(crate) fn too_slow() -> Status {
    Status::unavailable("the server did not answer in time; try again")
}

/// The server ends.
pub(crate) fn stopping() -> Status {
    Status::unavailable("the server is stopping; connect again")
}

/// One user asks for too much.
pub(crate) fn too_many_svids(uid: u32) -> Status {
    Status::resource_exhausted(format!(
        "user `{uid}` asks for SVIDs faster than it may; keep one stream open instead of asking again"
    ))
}

/// A profile that has no authority yet.
pub(crate) fn unimplemented(profile: &str) -> Status {
    Status::unimplemented(format!("this trust domain issues no {profile}-SVIDs; X.509-SVIDs are served by FetchX509SVID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_missing_who_can_and_the_next_step() {
        let denial =
            Denial::new(writ_types::Code::Unchartered, "the charter of `prod` is not signed", "ask the owner to run `writ sign`")
                .missing(["business"])
                .who_can(["bob"]);
        let status = denied(&denial);
        assert_eq!(status.code(), Code::PermissionDenied);
        for part in ["`prod`", "missing business", "writ sign", "bob"] {
            assert!(status.message().contains(part), "{status}");
        }
    }

    #[test]
    fn every_fault_has_its_code() {
        for (code, expected) in [
            (writ_types::Code::Limit, Code::ResourceExhausted),
            (writ_types::Code::PolicyDenied, Code::PermissionDenied),
            (writ_types::Code::LogUnavailable, Code::Unavailable),
            (writ_types::Code::ClockUnsure, Code::Unavailable),
            (writ_types::Code::Bug, Code::Internal),
        ] {
            assert_eq!(denied(&Denial::new(code, "x", "y")).code(), expected, "{code:?}");
        }
    }
}
