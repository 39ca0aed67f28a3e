//! What the frames of one connection cost it: each is paid for before it is taken. One that is over a rate is
//! held, and the socket is left unread until it may be taken; a client that is over its own rate for long is
//! cut off. The rates themselves are counted by `admission`.

use std::time::{Duration, Instant};

use crate::admission::abuse::AbuseCounter;
use crate::admission::client::Client;
use crate::admission::door::Door;
use crate::admission::{Caller, FrameCost, Over};
use crate::state::AppState;
use crate::state_machine::Weight;

/// Who pays for a frame, and what counts as abuse.
#[derive(Clone, Copy)]
pub(super) struct Payer<'a> {
    door: &'a Door,
    caller: &'a Caller,
    /// A client over its rate for this long is flooding.
    flood: Duration,
    /// Most malformed frames in a row.
    bad_frames: u32,
    /// How many times each byte of a message counts.
    byte_price: u64,
}

/// How many times a byte counts while there is no room for new people. What is left of the data's size is for
/// those who talk; at this price no network uses it up while theirs would still have lasted, and a person
/// notices nothing.
const SCARCE_PRICE: u64 = 10;

impl<'a> Payer<'a> {
    /// The client of a connection.
    pub(super) fn of(app: &'a AppState, client: &'a Client) -> Self {
        Self {
            door: &app.door,
            caller: &client.caller,
            flood: app.config.limits.flood,
            bad_frames: app.config.limits.bad_frames,
            byte_price: if app.capacity.full() { SCARCE_PRICE } else { 1 },
        }
    }
}

/// An input that is to be paid for.
#[derive(Debug, PartialEq)]
pub(super) struct UnpaidInput<T> {
    pub(super) input: T,
    /// How much it counts.
    pub(super) weight: Weight,
    /// How large its frame was.
    pub(super) bytes: u64,
}

/// The client floods, or sends one malformed frame after the other: the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Abuse;

/// What a connection has paid, and what waits until it can pay.
pub(super) struct Charging<T> {
    abuse: AbuseCounter,
    /// Until when the socket is left unread, and the input that waits for that; none, when it is because of
    /// frames that ask for nothing. Boxed: few connections ever wait.
    wait: Option<Box<(Option<UnpaidInput<T>>, Instant)>>,
}

impl<T> Charging<T> {
    /// Of a connection that is new.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            abuse: AbuseCounter::new(now),
            wait: None,
        }
    }

    /// Whether the socket may be read: it is not while a frame before waits.
    pub(super) fn reads(&self) -> bool {
        self.wait.is_none()
    }

    /// When [`Charging::due`] is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wait.as_ref().map(|wait| wait.1)
    }

    /// The socket may be read again when this time has come; answers with the input that is to be charged
    /// once more.
    pub(super) fn due(&mut self, now: Instant) -> Option<UnpaidInput<T>> {
        self.wait.take_if(|wait| wait.1 <= now)?.0
    }

    /// Pays for an input that was understood and gives it back; `None`: it is over a rate and held until
    /// [`Charging::due`].
    ///
    /// # Errors
    /// This is a flood. The input is held all the same.
    pub(super) fn charge(
        &mut self,
        frame: UnpaidInput<T>,
        now: Instant,
        payer: Payer<'_>,
    ) -> Result<Option<T>, Abuse> {
        self.abuse.good_frame();
        let price = match frame.weight {
            Weight::Message => payer.byte_price,
            // It is kept nowhere.
            Weight::Signal => 1,
        };
        match self.pay(frame.weight, frame.bytes * price, now, payer) {
            Ok(()) => Ok(Some(frame.input)),
            Err(over) => {
                self.wait = Some(Box::new((Some(frame), now + over.wait)));
                self.throttle(now, over, payer).map(|()| None)
            }
        }
    }

    /// Counts a frame that was not understood as a signal.
    ///
    /// # Errors
    /// This is a flood, or one malformed frame too many in a row.
    pub(super) fn bad_frame(
        &mut self,
        malformed: bool,
        bytes: u64,
        now: Instant,
        payer: Payer<'_>,
    ) -> Result<(), Abuse> {
        let too_many = malformed && self.abuse.bad_frame(payer.bad_frames);
        self.signal(bytes, now, payer)?;
        if too_many { Err(Abuse) } else { Ok(()) }
    }

    /// Counts a frame that asks for nothing; too many leave the socket unread for a while.
    ///
    /// # Errors
    /// This is a flood.
    pub(super) fn signal(
        &mut self,
        bytes: u64,
        now: Instant,
        payer: Payer<'_>,
    ) -> Result<(), Abuse> {
        let Err(over) = self.pay(Weight::Signal, bytes, now, payer) else {
            return Ok(());
        };
        // It was read already: what is not paid is owed, and the next one waits longer.
        let owed = self.abuse.shortfall(Weight::Signal, bytes);
        payer.door.charge(payer.caller, owed, now);
        self.abuse.prepay(owed);
        self.abuse.spend(Weight::Signal, bytes);
        let waiting = self.wait.take().and_then(|wait| wait.0);
        self.wait = Some(Box::new((waiting, now + over.wait)));
        self.throttle(now, over, payer)
    }

    /// Pays for a frame, from what was taken ahead as far as that reaches.
    fn pay(
        &mut self,
        weight: Weight,
        bytes: u64,
        now: Instant,
        payer: Payer<'_>,
    ) -> Result<(), Over> {
        let shortfall = self.abuse.shortfall(weight, bytes);
        if shortfall != FrameCost::default() {
            payer.door.send(payer.caller, shortfall, now)?;
            self.abuse.prepay(shortfall);
        }
        if weight == Weight::Signal {
            let counted = self.abuse.signal(now);
            counted.map_err(|wait| Over { wait, own: true })?;
        }
        self.abuse.spend(weight, bytes);
        Ok(())
    }

    /// The socket is left unread. For a network that is over its quota the client may not be to blame: only
    /// what it does itself can become a flood.
    fn throttle(&mut self, now: Instant, over: Over, payer: Payer<'_>) -> Result<(), Abuse> {
        match over.own && self.abuse.throttled(now, over.wait, payer.flood) {
            true => Err(Abuse),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::admission::RateLimits;
    use crate::admission::memory_budget::MemoryBudget;
    use crate::config::Limits;
    use crate::domain::id::SessionId;

    const FLOOD: Duration = Duration::from_secs(5);

    /// The door of a site where a session has two messages at once, and one a second; and a caller of it.
    fn site() -> (Door, Caller) {
        let limits = Limits {
            messages_per_second: 1,
            message_burst: 2,
            ..Limits::default()
        };
        let rates = Arc::new(RateLimits::new(&limits, 1000));
        let caller = rates.caller(Some(SessionId::fresh()), "192.0.2.1".parse().unwrap());
        let door = Door::new(rates, MemoryBudget::new(1 << 30), Arc::default());
        (door, caller)
    }

    fn message(input: u32) -> UnpaidInput<u32> {
        UnpaidInput {
            input,
            weight: Weight::Message,
            bytes: 10,
        }
    }

    fn payer<'a>((door, caller): &'a (Door, Caller)) -> Payer<'a> {
        Payer {
            door,
            caller,
            flood: FLOOD,
            bad_frames: 3,
            byte_price: 1,
        }
    }

    #[test]
    fn an_input_over_the_rate_is_held_until_it_can_be_paid() {
        let (site, start) = (site(), Instant::now());
        let mut charging = Charging::new(start);
        for n in 0..2 {
            let taken = charging.charge(message(n), start, payer(&site));
            assert_eq!(taken, Ok(Some(n)));
        }
        assert_eq!(charging.deadline(), None);
        assert_eq!(charging.charge(message(2), start, payer(&site)), Ok(None));
        assert!(!charging.reads(), "read while a frame waits");
        assert_eq!(charging.due(start), None, "too early");
        let at = charging.deadline().unwrap();
        assert!(at > start && at <= start + Duration::from_secs(1));
        let frame = charging.due(at).expect("the input that was held");
        assert!(charging.reads());
        assert_eq!(charging.charge(frame, at, payer(&site)), Ok(Some(2)));
    }

    #[test]
    fn being_over_the_rate_for_long_is_abuse() {
        let (site, mut now) = (site(), Instant::now());
        let (mut charging, start) = (Charging::new(now), now);
        let flooded = loop {
            match charging.charge(message(0), now, payer(&site)) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    now = charging.deadline().unwrap();
                    let frame = charging.due(now).unwrap();
                    assert!(charging.charge(frame, now, payer(&site)).unwrap().is_some());
                }
                Err(Abuse) => break now,
            }
        };
        assert!(flooded >= start + FLOOD && flooded < start + 2 * FLOOD);
    }

    #[test]
    fn signals_over_the_rate_leave_the_socket_unread_and_are_owed() {
        let (site, start) = (site(), Instant::now());
        let mut charging = Charging::<u32>::new(start);
        let mut sent = 0;
        while charging.reads() {
            charging.signal(0, start, payer(&site)).unwrap();
            sent += 1;
        }
        assert!(sent > 10, "{sent}");
        let at = charging.deadline().unwrap();
        assert_eq!(charging.due(at), None);
        assert!(charging.reads());
    }

    #[test]
    fn malformed_frames_in_a_row_are_abuse_and_a_good_one_between_them_is_a_pardon() {
        let (site, now) = (site(), Instant::now());
        let mut charging = Charging::new(now);
        let bad = |charging: &mut Charging<u32>| charging.bad_frame(true, 1, now, payer(&site));
        assert_eq!([bad(&mut charging), bad(&mut charging)], [Ok(()), Ok(())]);
        assert!(charging.charge(message(0), now, payer(&site)).is_ok());
        assert_eq!([bad(&mut charging), bad(&mut charging)], [Ok(()), Ok(())]);
        assert_eq!(charging.bad_frame(false, 1, now, payer(&site)), Ok(()));
        assert_eq!(bad(&mut charging), Err(Abuse));
    }
}
