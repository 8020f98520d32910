//! The pure core: prepare, plan, apply, explain, and the writer that drives them.
