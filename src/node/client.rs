//! An async RESP client over the server crate's codec. Every call has a timeout.
