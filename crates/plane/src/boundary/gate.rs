//! The gate before any issuance: every role and duty held by an active person, every section of the charter signed.

use super::state::{Boundaries, Holder};
use crate::people::People;
use std::collections::BTreeMap;
use std::fmt;
use writ_types::{Code, Denial, Duty, Name, OwnerRole, PartyId, Section};

/// Something that must be there before anything is issued, and who can supply it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// Nobody active holds an owner role.
    Owner(Name, OwnerRole),
    /// Nobody active holds a duty.
    Duty(Name, Duty),
    /// A charter section is not signed; its owner can.
    Section(Name, Section, Option<PartyId>),
    /// Only security answers here (R8), or one person answers for everything.
    Alone(Name),
    /// In production a role has no backup.
    Backup(Name, OwnerRole),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(boundary, role) => write!(f, "an active {role} owner of boundary `{boundary}`"),
            Self::Duty(boundary, duty) => write!(f, "an active person with the duty {duty} in boundary `{boundary}`"),
            Self::Section(boundary, section, _) => write!(f, "the {section} section of the charter of boundary `{boundary}`"),
            Self::Alone(boundary) => write!(f, "a second person among the owners of boundary `{boundary}`"),
            Self::Backup(boundary, role) => write!(f, "a backup of the {role} owner of boundary `{boundary}`"),
        }
    }
}

impl Missing {
    fn who_can(&self) -> String {
        match self {
            Self::Section(_, section, Some(person)) => format!("{person} ({section} owner)"),
            Self::Section(_, section, None) => format!("the {section} owner, once there is one"),
            Self::Owner(boundary, _) | Self::Duty(boundary, _) | Self::Alone(boundary) | Self::Backup(boundary, _) => {
                format!("the control owner above boundary `{boundary}`, by `writ apply`")
            }
        }
    }

    /// One refusal that names everything missing and who can supply each.
    pub fn denial(missing: &[Self], for_what: &str) -> Denial {
        let unchartered = missing.iter().all(|each| matches!(each, Self::Section(..)));
        let code = if unchartered { Code::Unchartered } else { Code::OwnerMissing };
        Denial::new(
            code,
            format!("{for_what} is refused until named people answer for it"),
            "have each of them sign with `writ sign`",
        )
        .missing(missing.iter().map(ToString::to_string))
        .who_can(missing.iter().map(Self::who_can))
    }
}

/// Everyone who answers in a boundary now. Made only by [`Boundaries::standing`]: having one is the proof that none is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    owners: BTreeMap<OwnerRole, Holder>,
}

impl Standing {
    /// Who holds each role.
    pub const fn owners(&self) -> &BTreeMap<OwnerRole, Holder> {
        &self.owners
    }
}

impl Boundaries {
    /// Everyone who answers in `name`, or all that is missing (R1 to R8, R18).
    ///
    /// # Errors
    /// Every missing role, duty and backup.
    pub fn standing(&self, people: &People, name: &Name) -> Result<Standing, Vec<Missing>> {
        let mut missing = Vec::new();
        let mut owners = BTreeMap::new();
        for role in OwnerRole::ALL {
            match self.holder(people, name, *role) {
                Some(holder) => {
                    owners.insert(*role, holder);
                }
                None => missing.push(Missing::Owner(name.clone(), *role)),
            }
            if self.is_production(name) && !self.has_backup(name, *role) {
                missing.push(Missing::Backup(name.clone(), *role));
            }
        }
        for duty in Duty::ALL {
            if self.duty(people, name, *duty).is_none() {
                missing.push(Missing::Duty(name.clone(), *duty));
            }
        }
        if missing.is_empty() && is_alone(&owners) {
            missing.push(Missing::Alone(name.clone()));
        }
        if missing.is_empty() { Ok(Standing { owners }) } else { Err(missing) }
    }

    /// As [`Boundaries::standing`], with every section of the charter signed too.
    ///
    /// # Errors
    /// Everything missing.
    pub fn chartered(&self, people: &People, name: &Name) -> Result<Standing, Vec<Missing>> {
        let standing = self.standing(people, name);
        let unsigned: Vec<_> = Section::ALL
            .iter()
            .filter(|section| self.section(name, **section).is_none())
            .map(|section| {
                let owner = self.holder(people, name, section.role()).map(|holder| holder.person);
                Missing::Section(name.clone(), *section, owner)
            })
            .collect();
        match standing {
            Ok(standing) if unsigned.is_empty() => Ok(standing),
            Ok(_) => Err(unsigned),
            Err(mut missing) => {
                missing.extend(unsigned);
                Err(missing)
            }
        }
    }

    /// True if this boundary or one above it is production.
    pub fn is_production(&self, name: &Name) -> bool {
        self.path(name).any(|(_, boundary)| boundary.production)
    }

    fn has_backup(&self, name: &Name, role: OwnerRole) -> bool {
        let set = self.path(name).find(|(_, boundary)| boundary.owners.contains_key(&role));
        set.is_some_and(|(_, boundary)| {
            let owner = boundary.owners.get(&role);
            boundary.backups.get(&role).is_some_and(|backup| Some(backup) != owner)
        })
    }
}

/// True if one person holds all roles, or whoever holds security holds every other too.
fn is_alone(owners: &BTreeMap<OwnerRole, Holder>) -> bool {
    let security = owners.get(&OwnerRole::Security).map(|holder| holder.person);
    owners.values().all(|holder| Some(holder.person) == security)
}
