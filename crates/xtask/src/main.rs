//! Entry points for people and CI.

fn main() {}
