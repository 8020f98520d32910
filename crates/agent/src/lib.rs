//! The SPIFFE Workload API: workload keys, requests, streams that push.
