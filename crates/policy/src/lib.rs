//! Cedar behind Writ's words: schema, policy sets, decisions.
