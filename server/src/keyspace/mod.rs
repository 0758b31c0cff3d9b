//! Room keyspace.
