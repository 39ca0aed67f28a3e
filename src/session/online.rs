//! Who is here now, on this node: browsers with at least one open socket, and from how many networks.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::id::SessionId;
use crate::model::Prefix;

/// Counts distinct sessions, and distinct narrowest networks: one address may open many browsers, so
/// only the latter says how many people there may be. Cheap to clone. Bounded by the cap on connections.
#[derive(Clone, Default)]
pub struct Online {
    here: Arc<Mutex<Here>>,
}

/// Open sockets.
#[derive(Default)]
struct Here {
    sessions: HashMap<SessionId, usize>,
    places: HashMap<Prefix, usize>,
}

impl Online {
    /// This session has one more socket, at this address, until the guard is dropped.
    pub fn enter(&self, session: SessionId, address: IpAddr) -> OnlineGuard {
        let place = Prefix::narrowest(address);
        let mut here = self.here.lock();
        *here.sessions.entry(session).or_default() += 1;
        *here.places.entry(place).or_default() += 1;
        OnlineGuard {
            online: self.clone(),
            session,
            place,
        }
    }

    /// Sessions with an open socket: for operators.
    pub fn count(&self) -> usize {
        self.here.lock().sessions.len()
    }

    /// Networks with an open socket: what the public is told of, rounded.
    pub fn places(&self) -> usize {
        self.here.lock().places.len()
    }
}

/// One open socket.
pub struct OnlineGuard {
    online: Online,
    session: SessionId,
    place: Prefix,
}

impl Drop for OnlineGuard {
    fn drop(&mut self) {
        let mut here = self.online.here.lock();
        one_less(&mut here.sessions, self.session);
        one_less(&mut here.places, self.place);
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tabs_are_one_browser_and_two_browsers_of_a_network_one_place() {
        let online = Online::default();
        let (me, you) = (SessionId::fresh(), SessionId::fresh());
        let here = "192.0.2.1".parse().unwrap();
        let there = "2001:db8::1".parse().unwrap();
        let same = "2001:db8::2".parse().unwrap();
        let counts = || (online.count(), online.places());
        let tabs = (online.enter(me, here), online.enter(me, there));
        assert_eq!(counts(), (1, 2));
        let other = online.enter(you, same);
        assert_eq!(counts(), (2, 2));
        drop(tabs.1);
        assert_eq!(counts(), (2, 2));
        drop(other);
        assert_eq!(counts(), (1, 1));
        drop(tabs.0);
        assert_eq!(counts(), (0, 0));
    }
}
