//! How commands on collections reach them: [`Context::view`], [`Context::look`], [`Context::edit`], [`Context::edit_or_new`].
//!
//! Each is one look-up of the key, meets expired keys as [`super::context`] does, and refuses a key of another type. A
//! handler then says what it did: the effect, and the event ([`Context::notify`]).

use super::context::{Context, Expiry, Found};
use super::error::{self, Failure};
use crate::data::Kind;
use crate::keyspace::{Edited, Ttl};
use crate::resp::Reply;

impl Context<'_> {
    /// As [`Context::read`], for a command on collections of one type.
    ///
    /// # Errors
    /// The key holds something else.
    #[inline]
    pub fn view<K: Kind, T>(
        &mut self,
        key: &[u8],
        look: impl FnOnce(Option<&K>, &mut Reply) -> T,
    ) -> Result<T, Failure> {
        self.read(key, |found, reply| collection(found).map(|found| look(found, reply)))
    }

    /// As [`Context::find`], for a command on collections of one type.
    ///
    /// # Errors
    /// The key holds something else.
    #[inline]
    pub fn look<K: Kind, T>(
        &mut self,
        key: &[u8],
        look: impl FnOnce(Option<&K>, &mut Reply) -> T,
    ) -> Result<T, Failure> {
        self.find(key, |found, reply| collection(found).map(|found| look(found, reply)))
    }

    /// Lets `change` change the collection of a key, and say whether it did; `None` when there is no such key. A key whose
    /// collection ends empty is gone ([`Edited::emptied`]): the handler then tells of a `del` too.
    ///
    /// # Errors
    /// The key holds something else.
    pub fn edit<K: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut K, &mut Reply) -> (R, bool),
    ) -> Result<Option<Edited<R>>, Failure> {
        let (now_ms, knows) = (self.now_ms, self.expiry != Expiry::Ignore);
        let reply = &mut *self.reply;
        let edited = self.keyspace.edit_collection(self.db, key, |expire, collection| {
            if knows && expire.is_some_and(|at| at <= now_ms) {
                return (Err(None), false);
            }
            match collection.and_then(K::of_mut) {
                None => (Err(Some(error::WRONG_TYPE)), false),
                Some(found) => {
                    let (result, changed) = change(found, reply);
                    (Ok(result), changed)
                }
            }
        });
        let Some(Edited { result, changed, emptied, created }) = edited else { return Ok(None) };
        match result {
            Ok(result) => Ok(Some(Edited { result, changed, emptied, created })),
            Err(Some(failure)) => Err(failure),
            Err(None) => {
                self.drop_expired(self.db, key);
                Ok(None)
            }
        }
    }

    /// As [`Context::edit`], making the collection if there is no such key, unless it would be empty.
    ///
    /// # Errors
    /// The key holds something else.
    pub fn edit_or_new<K: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut K, &mut Reply) -> (R, bool),
    ) -> Result<Edited<R>, Failure> {
        // Whichever of the two runs takes it.
        let mut change = Some(change);
        let edited = self.edit(key, |found: &mut K, reply| match change.take() {
            Some(change) => {
                let (result, changed) = change(found, reply);
                (Some(result), changed)
            }
            None => (None, false),
        })?;
        if let Some(Edited { result: Some(result), changed, emptied, created }) = edited {
            return Ok(Edited { result, changed, emptied, created });
        }
        let mut fresh = K::default();
        let Some(change) = change else { return Err(error::NO_SUCH_KEY) };
        let (result, _) = change(&mut fresh, self.reply);
        let fresh = fresh.wrap();
        let created = !fresh.is_nothing();
        if created {
            self.keyspace.put_collection(self.db, key, fresh, Ttl::Clear);
        }
        Ok(Edited { result, changed: created, emptied: false, created })
    }
}

/// What was found, if it is a collection of type `K`.
#[inline]
fn collection<K: Kind>(found: Option<Found<'_>>) -> Result<Option<&K>, Failure> {
    let Some(found) = found else { return Ok(None) };
    found.collection().and_then(K::of).map(Some).ok_or(error::WRONG_TYPE)
}
