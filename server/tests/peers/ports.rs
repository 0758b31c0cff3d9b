//! Ports below those the kernel gives to connections, so that no connection sits on a port that a node is to come back to.

#![expect(clippy::disallowed_types, reason = "a test of real servers speaks to them itself")]

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port nobody listens at, and that this process never gave out before.
pub(crate) fn free_port() -> u16 {
    // Test processes that run at the same time begin in different places.
    let start = std::process::id().wrapping_mul(7919) % COUNT;
    loop {
        let taken = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(taken < COUNT, "no free port");
        let port = u16::try_from(FIRST + (start + taken) % COUNT).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
