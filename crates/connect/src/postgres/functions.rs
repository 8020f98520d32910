//! The SECURITY DEFINER functions that a DBA reads and installs: all that the connector's login can do.

/// Who owns a function, and so with whose rights it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// `writ_owner`: may make and drop roles.
    Maker,
    /// `writ_sweeper`: may see every session, end those of blocked users, and clean after them.
    Sweeper,
}

impl Owner {
    /// The role.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Maker => "writ_owner",
            Self::Sweeper => "writ_sweeper",
        }
    }
}

/// One function.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name in the schema `writ`.
    pub(crate) name: &'static str,
    /// Its arguments, with types.
    pub(crate) arguments: &'static str,
    /// What it returns.
    pub(crate) returns: &'static str,
    /// Whose rights it works with.
    pub(crate) owner: Owner,
    /// How long it waits for a lock; cut and verify wait for none.
    pub(crate) lock_timeout: Option<&'static str>,
    /// Who calls it.
    pub(crate) callers: &'static str,
    /// True if every managed database has it, not the first alone.
    pub(crate) everywhere: bool,
    /// Its body, PL/pgSQL.
    pub(crate) body: &'static str,
}

/// Every function, in the order of a user's life.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function {
        name: "open",
        arguments: "p_installation text, p_epoch bigint, p_credential text, p_user text, p_verifier text, p_groups text[], p_expires bigint, p_connections integer",
        returns: "bigint",
        owner: Owner::Maker,
        lock_timeout: Some("2s"),
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/open.sql"),
    },
    Function {
        name: "block",
        arguments: "p_installation text, p_credential text, p_user text",
        returns: "TABLE (role_id bigint, complete boolean, notes text[], lsn text)",
        owner: Owner::Maker,
        lock_timeout: Some("250ms"),
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/block.sql"),
    },
    Function {
        name: "cut",
        arguments: "p_credential text",
        returns: "TABLE (signalled integer, refused integer)",
        owner: Owner::Sweeper,
        lock_timeout: None,
        callers: "writ_connector, writ_owner",
        everywhere: false,
        body: include_str!("functions/cut.sql"),
    },
    Function {
        name: "verify",
        arguments: "p_credential text",
        returns: "TABLE (role_left boolean, blocked boolean, sessions integer[], in_flight text[], prepared text[], prepared_in text[], prepared_by_group bigint, standbys bigint, lsn text)",
        owner: Owner::Sweeper,
        lock_timeout: None,
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/verify.sql"),
    },
    Function {
        name: "lend",
        arguments: "p_credential text",
        returns: "void",
        owner: Owner::Maker,
        lock_timeout: Some("250ms"),
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/lend.sql"),
    },
    Function {
        name: "unlend",
        arguments: "p_credential text",
        returns: "void",
        owner: Owner::Maker,
        lock_timeout: Some("250ms"),
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/unlend.sql"),
    },
    Function {
        name: "clean",
        arguments: "p_role bigint, p_user text, p_keep boolean",
        returns: "TABLE (done boolean, notes text[])",
        owner: Owner::Sweeper,
        lock_timeout: Some("1s"),
        callers: "writ_connector",
        everywhere: true,
        body: include_str!("functions/clean.sql"),
    },
    Function {
        name: "drop",
        arguments: "p_credential text",
        returns: "TABLE (dropped boolean, held_in text[], held_elsewhere bigint)",
        owner: Owner::Maker,
        lock_timeout: Some("250ms"),
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/drop.sql"),
    },
    Function {
        name: "reap",
        arguments: "p_now timestamptz",
        returns: "TABLE (reaped integer)",
        owner: Owner::Maker,
        lock_timeout: Some("250ms"),
        callers: "writ_timer",
        everywhere: false,
        body: include_str!("functions/reap.sql"),
    },
    Function {
        name: "mark",
        arguments: "p_installation text, p_epoch bigint",
        returns: "bigint",
        owner: Owner::Maker,
        lock_timeout: Some("5s"),
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/mark.sql"),
    },
    Function {
        name: "describe",
        arguments: "",
        returns: "TABLE (installation text, epoch bigint, prefix text, slots_free bigint, slots bigint, allowed text[])",
        owner: Owner::Maker,
        lock_timeout: Some("2s"),
        callers: "writ_connector",
        everywhere: false,
        body: include_str!("functions/describe.sql"),
    },
];

/// Nothing that the caller or an agent made is found by name.
const PINNED_PATH: &str = "SET search_path = pg_catalog, pg_temp";
/// One plan a session, by index: a plan for each call costs more than the call, and one that was made while a catalog was
/// small would read all of it for ever. Where there is no index, the plan's cost says nothing: no compiling for that.
const PLANS: &str = "SET plan_cache_mode = force_generic_plan\n  SET enable_seqscan = off\n  SET jit = off";
/// A caller that switched it off would change every backslash in the bodies, the regular expressions' among them.
const PINNED_STRINGS: &str = "SET standard_conforming_strings = on";

impl Function {
    /// The statements that install it.
    pub(crate) fn sql(&self) -> String {
        let Self { name, arguments, returns, body, callers, .. } = self;
        let owner = self.owner.role();
        let waits = self.lock_timeout.map(|limit| format!("\n  SET lock_timeout = '{limit}'")).unwrap_or_default();
        format!(
            "CREATE OR REPLACE FUNCTION writ.{name}({arguments}) RETURNS {returns}\n  \
             LANGUAGE plpgsql VOLATILE SECURITY DEFINER\n  {PINNED_PATH}\n  {PINNED_STRINGS}\n  {PLANS}{waits}\nAS $writ$\n{body}$writ$;\n\
             ALTER FUNCTION writ.{name} OWNER TO {owner};\n\
             REVOKE ALL ON FUNCTION writ.{name} FROM PUBLIC;\n\
             GRANT EXECUTE ON FUNCTION writ.{name} TO {callers};\n"
        )
    }

    /// The body as the server stores it.
    pub(crate) fn stored_body(&self) -> String {
        format!("\n{}", self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_pins_its_path_and_shuts_out_the_public() {
        for function in FUNCTIONS {
            let sql = function.sql();
            for needed in
                ["SECURITY DEFINER", PINNED_PATH, PINNED_STRINGS, "FROM PUBLIC", &format!("OWNER TO {}", function.owner.role())]
            {
                assert!(sql.contains(needed), "{} lacks `{needed}`", function.name);
            }
            assert!(!function.body.contains("$writ$"), "{} would end its own quotes", function.name);
            let waits_not = ["cut", "verify"].contains(&function.name);
            assert_eq!(function.lock_timeout.is_none(), waits_not, "{}", function.name);
        }
    }
}
