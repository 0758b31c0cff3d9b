//! Room replication.
