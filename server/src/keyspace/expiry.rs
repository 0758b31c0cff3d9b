//! Looking for keys past their deadline, a few buckets at a time.
//!
//! Nothing is deleted here: a master deletes and tells its replicas, a replica only hides. The walk rolls over all
//! databases and starts where it stopped; buckets without deadlines cost one look at their first byte.

use super::store::Keyspace;
use crate::data::table::{Deadlines, Position};

/// Where the rolling walk is.
#[derive(Debug, Default)]
pub(super) struct Roll {
    db: usize,
    position: Position,
}

impl Keyspace {
    /// Looks at further buckets, `budget` of them at most, and tells `found` the database and key of each entry whose
    /// deadline is not after `now_ms`. Deletes nothing. In what it gives, `wrapped` says that the walk came to the
    /// end of the last database; comparing `found` with `seen` tells whether going on at once is worth it.
    pub fn expired(&mut self, now_ms: u64, budget: usize, found: &mut dyn FnMut(usize, &[u8])) -> Deadlines {
        let mut total = Deadlines::default();
        // One visit to each database at most, so that a call on empty ones ends.
        for _ in 0..=self.databases.len() {
            if total.steps >= budget {
                break;
            }
            let Roll { db, position } = &mut self.roll;
            let Some(table) = self.databases.get(*db) else {
                self.roll = Roll::default();
                continue;
            };
            let one = table.expired(position, now_ms, budget - total.steps, &mut |key| found(*db, key));
            total.steps += one.steps;
            total.seen += one.seen;
            total.found += one.found;
            if one.wrapped {
                *position = Position::default();
                *db += 1;
                if *db >= self.databases.len() {
                    *db = 0;
                    total.wrapped = true;
                    break;
                }
            }
        }
        total
    }
}
