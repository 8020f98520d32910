//! A deterministic world with faults that drives the writer and checks the laws.
