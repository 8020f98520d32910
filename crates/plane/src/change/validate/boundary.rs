//! Boundaries and their charters.

use super::Check;
use crate::boundary::{BOUNDARIES_DEPTH_MAX, GRACE_MAX, ROOT};
use writ_ledger::body::{BoundaryItem, PartyType};
use writ_types::{SelectorPattern, TextValue};

/// The policy sets that there are, by name: others come with the life of policies.
const POLICIES: [&str; 1] = ["base"];
/// What a charter can say of exceptions: none, until there are some.
const EXCEPTIONS: [&str; 1] = ["none"];
/// What happens on misuse.
const MISUSE: [&str; 1] = ["kill-task"];

impl<'a> Check<'a> {
    pub(super) fn boundary(&mut self, item: &'a BoundaryItem) {
        if item.name.as_str() == ROOT {
            return self.say("boundary `root` is the genesis' own and can't be set".to_owned());
        }
        self.has_boundary(&item.parent, &format!("boundary `{}`", item.name));
        let below = self.state.boundaries.iter().map(|(name, _)| name).filter(|name| self.tree.lies_in(name, &item.name));
        let too_deep = below.chain([&item.name]).any(|name| self.tree.path(name).count() >= BOUNDARIES_DEPTH_MAX);
        if too_deep {
            self.say(format!("boundary `{}` would lie below itself, or deeper than {BOUNDARIES_DEPTH_MAX}", item.name));
        }
        for person in item.owners.values().chain(item.backups.values()).chain(item.duties.values()) {
            self.person(person, &format!("an owner, backup or duty holder of boundary `{}`", item.name));
        }
        for (role, backup) in &item.backups {
            if item.owners.get(role) == Some(backup) {
                self.say(format!("the backup of the {role} owner of boundary `{}` is somebody else", item.name));
            }
        }
        if let Some(team) = &item.delegators
            && self.kind_of(team) != Some(PartyType::Team)
        {
            self.say(format!("the delegators of boundary `{}` are a team, and `{team}` is none", item.name));
        }
        if item.grace > GRACE_MAX {
            self.say(format!("the grace of boundary `{}` is {}, and at most {GRACE_MAX}", item.name, item.grace));
        }
        self.charter(item);
        self.becomes_production(item);
    }

    fn charter(&mut self, item: &BoundaryItem) {
        if let Some(terms) = &item.charter.identity {
            if terms.ttl_max.seconds() == 0 || terms.rotation.seconds() == 0 || terms.kinds.is_empty() {
                self.say(format!("the identity section of boundary `{}` needs kinds, a `ttlMax` and a `rotation`", item.name));
            }
            self.one_of(&MISUSE, "misuse action", &terms.misuse, item);
        }
        for text in item.charter.platform.iter().flat_map(|terms| &terms.selectors) {
            if let Err(error) = SelectorPattern::parse(text) {
                self.say(error.to_string());
            }
        }
        if let Some(terms) = &item.charter.security {
            self.one_of(&POLICIES, "policy set", &terms.policy, item);
            self.one_of(&EXCEPTIONS, "word for exceptions", &terms.exceptions, item);
        }
    }

    /// A word that is signed means something: what nothing knows would be believed and never done.
    fn one_of(&mut self, known: &[&str], what: &str, word: &str, item: &BoundaryItem) {
        if !known.contains(&word) {
            let known: Vec<String> = known.iter().map(|each| format!("`{each}`")).collect();
            let shown: String = word.chars().take(64).flat_map(char::escape_debug).collect();
            self.say(format!("the {what} `{shown}` of boundary `{}` is unknown: there is {}", item.name, known.join(", ")));
        }
    }
}
