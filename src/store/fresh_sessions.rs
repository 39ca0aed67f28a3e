//! Sessions made a moment ago: they have met no partner yet, so that their first search need not read the
//! store. For stores whose every write is made by this process.

use std::mem;

use parking_lot::Mutex;

use crate::domain::id::{IdMap, SessionId};

/// Sessions that nothing stored names, as far as they are remembered.
///
/// Two generations: when the younger one is full it takes the place of the older one, which is forgotten.
/// So the memory is bounded, and the latest sessions are remembered however many came before.
pub struct FreshSessions {
    generations: Mutex<Generations>,
    most: usize,
}

#[derive(Default)]
struct Generations {
    younger: IdMap<SessionId, ()>,
    older: IdMap<SessionId, ()>,
}

impl FreshSessions {
    /// Remembers at least the last `most`, and at most twice as many.
    pub fn new(most: usize) -> Self {
        Self {
            generations: Mutex::default(),
            most,
        }
    }

    /// This session was made just now.
    pub fn add(&self, session: SessionId) {
        let mut generations = self.generations.lock();
        if generations.younger.len() >= self.most {
            generations.older = mem::take(&mut generations.younger);
        }
        generations.younger.insert(session, ());
    }

    /// Certainly nothing names this session. False says nothing.
    pub fn has(&self, session: SessionId) -> bool {
        let generations = self.generations.lock();
        generations.younger.contains_key(&session) || generations.older.contains_key(&session)
    }

    /// Something may name these from now on.
    pub fn remove(&self, sessions: [SessionId; 2]) {
        let mut generations = self.generations.lock();
        for session in sessions {
            generations.younger.remove(&session);
            generations.older.remove(&session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_is_named_is_not_fresh() {
        let fresh_sessions = FreshSessions::new(2);
        let [me, you, them] = [(); 3].map(|()| SessionId::fresh());
        for session in [me, you, them] {
            fresh_sessions.add(session);
        }
        assert!([me, you, them].into_iter().all(|it| fresh_sessions.has(it)));
        assert!(!fresh_sessions.has(SessionId::fresh()));
        // One of each generation.
        fresh_sessions.remove([me, them]);
        assert!(!fresh_sessions.has(me) && !fresh_sessions.has(them));
        assert!(fresh_sessions.has(you));
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let fresh_sessions = FreshSessions::new(10);
        let all: Vec<_> = (0..100).map(|_| SessionId::fresh()).collect();
        for (number, session) in all.iter().enumerate() {
            fresh_sessions.add(*session);
            let last = &all[..=number];
            assert!(last.iter().rev().take(10).all(|it| fresh_sessions.has(*it)));
            assert!(last.iter().filter(|it| fresh_sessions.has(**it)).count() <= 20);
        }
    }
}
