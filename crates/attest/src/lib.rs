//! Workload attestation: what a process is, by facts that the kernel gives.
