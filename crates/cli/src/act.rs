//! From a question to a signed answer: the statement over exact content, signed once.

use crate::failure::Failure;
use crate::signer::Signer;
use crate::system::{OsRandom, now};
use serde_json::Value;
use writ_credential::{PublicKey, Statement, content_digest};
use writ_types::{ActKind, OwnerRole, PartyId, Time, Ttl};
use writ_wire::api::Act;

/// How long an answer that is handed in at once counts.
const LIFE: Ttl = Ttl::from_seconds(15 * 60);
/// How long an answer that travels counts: a day is the most that the server takes.
const LIFE_ELSEWHERE: Ttl = Ttl::from_seconds(24 * 3_600 - 300);

/// What is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// The log's origin.
    pub(crate) origin: &'a str,
    pub(crate) act: ActKind,
    /// Of what: a change set, a task…
    pub(crate) id: &'a str,
    pub(crate) content: &'a Value,
    /// The roles in which the person answers.
    pub(crate) roles: &'a [OwnerRole],
}

impl Question<'_> {
    /// The statement that answers it until `expires`.
    pub(crate) fn statement(&self, expires: Time, random: &mut OsRandom) -> Result<Statement, Failure> {
        Ok(Statement {
            origin: self.origin.to_owned(),
            act: self.act,
            id: self.id.to_owned(),
            digest: content_digest(self.content)?,
            as_roles: self.roles.to_vec(),
            expires,
            nonce: random.token(),
        })
    }

    /// The answer of `by`, signed with a key of theirs.
    pub(crate) fn answer(&self, by: PartyId, signer: &Signer, random: &mut OsRandom) -> Result<Act, Failure> {
        let statement = self.statement(now().after(LIFE), random)?;
        let sshsig = signer.sign(self.act, &statement.to_bytes()?)?;
        act(by, signer.public(), &statement, sshsig)
    }

    /// The statement to be signed on another machine.
    pub(crate) fn elsewhere(&self, random: &mut OsRandom) -> Result<Statement, Failure> {
        self.statement(now().after(LIFE_ELSEWHERE), random)
    }

    /// The answer that was signed on another machine, if its statement answers this question.
    pub(crate) fn answered(&self, by: PartyId, key: &PublicKey, statement: &Value, sshsig: String) -> Result<Act, Failure> {
        let statement = Statement::from_value(statement)?;
        let same = statement.digest == content_digest(self.content)?
            && statement.id == self.id
            && statement.act == self.act
            && statement.origin == self.origin;
        if !same {
            return Err(Failure::failed(
                "what was signed is not what is asked now",
                "print it again with `--print` and sign that",
            ));
        }
        crate::signer::check(key, self.act, &statement.to_bytes()?, &sshsig)?;
        act(by, key, &statement, sshsig)
    }
}

fn act(by: PartyId, key: &PublicKey, statement: &Statement, sshsig: String) -> Result<Act, Failure> {
    Ok(Act { by, key: key.fingerprint().to_string(), statement: statement.to_value()?, sshsig })
}
