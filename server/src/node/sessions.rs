//! The table of all connections, and what clients weigh together.

use super::session::Session;
use super::sink::ConnId;

/// All connections, by slot.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Vec<Option<Box<Session>>>,
    /// Clients are weighed, whenever they come back or [`Sessions::weigh`] says so.
    weighs: bool,
    /// The memory of all clients that are here and not closing; 0 while nothing is weighed.
    weight: usize,
}

impl Sessions {
    pub(super) fn insert(&mut self, mut session: Box<Session>) {
        session.weight = if self.weighs { session.counted() } else { 0 };
        self.weight += session.weight;
        let slot = session.conn.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(session);
        }
    }

    /// Takes a session out while it is served; [`Sessions::insert`] puts it back.
    #[inline]
    pub(super) fn take(&mut self, conn: ConnId) -> Option<Box<Session>> {
        let place = self.slots.get_mut(conn.slot as usize)?;
        if place.as_ref()?.conn != conn {
            return None;
        }
        let session = place.take()?;
        self.weight -= session.weight.min(self.weight);
        Some(session)
    }

    /// The memory of all clients, if they are weighed.
    #[inline]
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Begins or ends to weigh clients.
    pub(super) fn set_weighs(&mut self, weighs: bool) {
        self.weighs = weighs;
        self.weight = 0;
        for session in self.slots.iter_mut().flatten() {
            session.weight = if weighs { session.counted() } else { 0 };
            self.weight += session.weight;
        }
    }

    /// A client was given something while it was here, or is closing now.
    pub(super) fn weigh(&mut self, conn: ConnId) {
        if !self.weighs {
            return;
        }
        let place = self.slots.get_mut(conn.slot as usize).and_then(Option::as_mut);
        if let Some(session) = place.filter(|session| session.conn == conn) {
            let before = std::mem::replace(&mut session.weight, 0);
            session.weight = session.counted();
            self.weight = self.weight - before.min(self.weight) + session.weight;
        }
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Session> {
        self.slots.get(conn.slot as usize)?.as_deref().filter(|session| session.conn == conn)
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.slots.get_mut(conn.slot as usize)?.as_deref_mut().filter(|session| session.conn == conn)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().flatten().map(Box::as_ref)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.slots.iter_mut().flatten().map(Box::as_mut)
    }
}
