//! Tickets and pairings as the scripts take and give them (`ticket.lua`). What the scripts look into
//! (sessions, tags, blocks) is packed in bytes at known places; the rest is JSON that they only carry.
//! All of it is bounded by the bounds of its parts: a ticket has at most about ten kilobytes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::id::{Address, NodeId, RoomId, SessionId, TicketId, Timestamp};
use crate::domain::ip_prefix::LEVELS;
use crate::domain::topics::topic_number;
use crate::domain::wish::fold;
use crate::domain::{
    Gender, Mark, Marks, Mood, Pairing, Party, Persona, PreferredGender, Profile, Tags, UserId,
};
use crate::matching::{Entered, PoolError, PoolStats, Renewed, Resume, Ticket, rule};

/// How many bytes of a tag's digest stand for it.
const TAG_BYTES: usize = 8;
/// What the pool puts before a ticket: that it waits, since when, with which serial, and which
/// ticket it took the name from, told where.
const FRONT_BYTES: usize = 1 + 8 + 8 + REPLACED_BYTES;
const REPLACED_BYTES: usize = NAME_BYTES + 16;
/// Where a ticket comes from: one hash for each length of prefix.
const PREFIXES_BYTES: usize = 8 * LEVELS;
/// A letter and an id.
const NAME_BYTES: usize = 1 + 16;
const MARK_BYTES: usize = 8;
/// How many bits of a phase are in front of those of the languages.
const PHASE_BITS: u32 = 2;
/// Most marks that a ticket holds against others: their number is one byte.
const MOST_HELD: usize = 255;

/// A ticket as `enter` takes it.
#[derive(Clone)]
pub(super) struct PackedTicket {
    /// The caller's clock, and for how many milliseconds the ticket waited by it.
    pub(super) now: Timestamp,
    pub(super) waited: i64,
    room: RoomId,
    resume: Vec<u8>,
    kept: Vec<u8>,
}

impl PackedTicket {
    /// Its two arguments, when it waits for so many milliseconds: that, with the room to be and where
    /// the look goes on; and what is kept of it.
    pub(super) fn arguments(&self, waited: i64) -> [Vec<u8>; 2] {
        let mut arrival = waited.to_be_bytes().to_vec();
        arrival.extend(room(self.room));
        arrival.extend(&self.resume);
        [arrival, self.kept.clone()]
    }
}

/// What became of one ticket: a letter with the ticket that it replaced and the room; and of a pairing, the outcome.
pub(super) type ReplyParts = Vec<Vec<u8>>;

/// What the scripts carry without looking into it.
#[derive(Serialize)]
struct PackedBody<'a>(&'a str, u8, Mood, &'a Tags, Option<&'a str>);

/// The same when it comes back.
#[derive(Deserialize)]
struct UnpackedBody(String, u8, Mood, Tags, Option<String>);

/// A ticket, the moment by its caller's clock, and the number of this attempt to enter.
pub(super) fn ticket(ticket: &Ticket, now: Timestamp, attempt: [u8; 8]) -> PackedTicket {
    let profile = &ticket.persona.profile;
    let class = profile.gender.index() * PreferredGender::ALL.len() + ticket.wish.gender.index();
    let user = ticket.persona.user_id.as_str().as_bytes();
    let tags = tag_keys(&ticket.wish.tags).concat();
    let [blocked, recent] = [&ticket.blocked, &ticket.recent].map(|list| sessions(list));
    let mut kept = name(b't', ticket.id.0.as_bytes()).to_vec();
    kept.extend(name(b's', &ticket.session.0));
    kept.extend(address(ticket.address));
    kept.extend(attempt);
    let phase = ticket.phase as usize | usize::from(ticket.wish.languages.bits()) << PHASE_BITS;
    kept.extend([class, phase, user.len(), tags.len()].map(byte));
    kept.extend([&blocked, &recent].map(|list| length(list)).concat());
    kept.extend(ticket.prefixes.0.map(u64::to_be_bytes).concat());
    for part in [user, &tags, &blocked, &recent] {
        kept.extend(part);
    }
    for mark in ticket.marks.0 {
        kept.extend(mark.map_or(0, |mark| mark.0).to_be_bytes());
    }
    let held = &ticket.held[..ticket.held.len().min(MOST_HELD)];
    kept.push(byte(held.len()));
    kept.extend(held.iter().flat_map(|mark| mark.0.to_be_bytes()));
    let body = PackedBody(
        &profile.nickname,
        profile.avatar,
        profile.mood,
        &ticket.wish.tags,
        profile.own_nickname.as_deref(),
    );
    serde_json::to_writer(&mut kept, &body).expect("names and words are always JSON");
    PackedTicket {
        now,
        waited: now.0.saturating_sub(ticket.since.0),
        room: ticket.room,
        resume: ticket.resume.as_deref().map(resume).unwrap_or_default(),
        kept,
    }
}

/// Where a search goes on.
fn resume(from: &Resume) -> Vec<u8> {
    let [since, serial] = [from.since, from.serial].map(u64::to_be_bytes);
    [&[from.tags], &since[..], &serial[..]].concat()
}

/// A ticket's name in the pool.
pub(super) fn id(ticket: TicketId) -> Vec<u8> {
    name(b't', ticket.0.as_bytes()).to_vec()
}

/// A room's name in the pool.
pub(super) fn room(room: RoomId) -> Vec<u8> {
    name(b'o', room.0.as_bytes()).to_vec()
}

/// Takes apart what `enter` answers for so many tickets.
pub(super) fn answers(parts: ReplyParts, tickets: usize) -> Result<Vec<ReplyParts>, PoolError> {
    let mut parts = parts.into_iter();
    let mut answers = Vec::with_capacity(tickets);
    while let Some(word) = parts.next() {
        let outcome = word.starts_with(b"P").then(|| parts.next()).flatten();
        answers.push(std::iter::once(word).chain(outcome).collect());
    }
    if answers.len() != tickets {
        return Err(unreadable());
    }
    Ok(answers)
}

/// What `enter` came to, for one ticket.
pub(super) fn entered(parts: &[Vec<u8>]) -> Result<Entered, PoolError> {
    let mut word = Reader(parts.first().ok_or_else(unreadable)?);
    match word.byte()? {
        b'W' => Ok(Entered::Waiting {
            replaced: replaced(&mut word)?,
            resume: resumed(&mut word)?,
        }),
        b'P' => Ok(Entered::Paired {
            replaced: replaced(&mut word)?,
            pairing: pairing(word, parts)?,
        }),
        b'T' => Err(PoolError::TooManyTickets),
        b'F' => Err(PoolError::Full),
        _ => Err(unreadable()),
    }
}

/// What `renew` came to.
pub(super) fn renewed(parts: &[Vec<u8>]) -> Result<Renewed, PoolError> {
    let mut word = Reader(parts.first().ok_or_else(unreadable)?);
    match word.byte()? {
        b'W' => Ok(Renewed::Waiting),
        b'P' => {
            replaced(&mut word)?;
            Ok(Renewed::Paired(pairing(word, parts)?))
        }
        b'G' => Ok(Renewed::Gone),
        _ => Err(unreadable()),
    }
}

/// The numbers of `stats`: more are due to be taken out, and who waits.
pub(super) fn stats(numbers: &[u32]) -> Result<(bool, PoolStats), PoolError> {
    let (more, counts) = numbers.split_first().ok_or_else(unreadable)?;
    Ok((*more > 0, by_class(counts)?))
}

/// How many wait, by class.
fn by_class(counts: &[u32]) -> Result<PoolStats, PoolError> {
    let wishes = PreferredGender::ALL.len();
    if counts.len() != Gender::ALL.len() * wishes {
        return Err(unreadable());
    }
    let mut stats = PoolStats::default();
    for (class, count) in counts.iter().enumerate() {
        stats.waiting[class / wishes][class % wishes] = *count;
    }
    Ok(stats)
}

/// What stands for each tag, sorted.
fn tag_keys(tags: &Tags) -> Vec<[u8; TAG_BYTES]> {
    let keys = tags
        .with_kinds()
        .map(|(tag, is_topic)| tag_key(tag, is_topic));
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys
}

/// The number of a topic of our own, or a digest: with its first bit cleared for a topic of the site, set for
/// any other tag. Unkeyed, because all nodes must agree; two tags that collide on purpose only let the tickets
/// of their inventor meet each other.
fn tag_key(tag: &str, is_topic: bool) -> [u8; TAG_BYTES] {
    let mut key = [0; TAG_BYTES];
    if let Some(number) = topic_number(tag) {
        key[TAG_BYTES - 1] = number;
    } else {
        key.copy_from_slice(&Sha256::digest(fold(tag).as_bytes())[..TAG_BYTES]);
        key[0] = if is_topic {
            key[0] & 0x7f
        } else {
            key[0] | 0x80
        };
    }
    key
}

fn name(letter: u8, id: &[u8; 16]) -> [u8; NAME_BYTES] {
    let mut name = [letter; NAME_BYTES];
    name[1..].copy_from_slice(id);
    name
}

fn sessions(all: &[SessionId]) -> Vec<u8> {
    all.iter()
        .flat_map(|session| name(b's', &session.0))
        .collect()
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).expect("names and numbers of tags are short")
}

fn length(bytes: &[u8]) -> [u8; 4] {
    let length = u32::try_from(bytes.len()).expect("lists of sessions are bounded");
    length.to_be_bytes()
}

fn address(address: Address) -> Vec<u8> {
    let [node, number] = [address.node.0, address.number].map(u64::to_be_bytes);
    [node, number].concat()
}

fn replaced(word: &mut Reader<'_>) -> Result<Option<(TicketId, Address)>, PoolError> {
    let mut replaced = Reader(word.bytes(REPLACED_BYTES)?);
    if replaced.0.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    Ok(Some((TicketId(replaced.id()?), replaced.address()?)))
}

fn resumed(word: &mut Reader<'_>) -> Result<Option<Box<Resume>>, PoolError> {
    if word.0.is_empty() {
        return Ok(None);
    }
    let tags = word.byte()?;
    let [since, serial] = [word.fixed()?, word.fixed()?].map(u64::from_be_bytes);
    Ok(Some(Box::new(Resume {
        tags,
        since,
        serial,
    })))
}

fn pairing(mut word: Reader<'_>, parts: &[Vec<u8>]) -> Result<Arc<Pairing>, PoolError> {
    let room = RoomId(word.id()?);
    let mut outcome = Reader(parts.get(1).ok_or_else(unreadable)?);
    let counting = outcome.byte()?.wrapping_sub(b'0');
    let length = outcome.length()?;
    let (mut arrived, keys, arrived_tags, arrived_marks) = party(Reader(outcome.bytes(length)?))?;
    let (mut waited, _, waited_tags, waited_marks) = party(outcome)?;
    let counts = |tag: &str| {
        // Only its own node knows whether it is a topic of the site.
        let of_tag = [true, false].map(|is_topic| tag_key(tag, is_topic));
        let place = keys
            .chunks(TAG_BYTES)
            .position(|key| of_tag.iter().any(|it| it == key));
        place.is_some_and(|place| counting & (1 << place) != 0)
    };
    let mut common_tags = arrived_tags.common(&waited_tags);
    common_tags.retain(|tag| counts(tag));
    arrived.marks = arrived_marks.of_shared(&arrived_tags, &waited_tags, counts);
    waited.marks = waited_marks.of_shared(&waited_tags, &arrived_tags, counts);
    let mut parties = [arrived, waited];
    rule::tell_apart(&mut parties);
    Ok(Arc::new(Pairing {
        room,
        parties,
        common_tags,
        is_bot: false,
    }))
}

/// A ticket as it is kept, with the bytes of its tags.
fn party(mut kept: Reader<'_>) -> Result<(Party, &[u8], Tags, Marks), PoolError> {
    kept.bytes(FRONT_BYTES)?;
    let ticket = TicketId(kept.id()?);
    let session = SessionId(kept.id()?.into_bytes());
    let address = kept.address()?;
    kept.bytes(8)?;
    let (class, _phase) = (usize::from(kept.byte()?), kept.byte()?);
    let (user, tags) = (usize::from(kept.byte()?), usize::from(kept.byte()?));
    let (blocked, recent) = (kept.length()?, kept.length()?);
    kept.bytes(PREFIXES_BYTES)?;
    let user_id = std::str::from_utf8(kept.bytes(user)?).ok();
    let user_id = user_id.and_then(UserId::parse).ok_or_else(unreadable)?;
    let keys = kept.bytes(tags)?;
    for length in [blocked, recent] {
        kept.bytes(length)?;
    }
    let mut marks = Marks::default();
    for mark in &mut marks.0 {
        let number = u64::from_be_bytes(kept.fixed()?);
        *mark = (number != 0).then_some(Mark(number));
    }
    let held = usize::from(kept.byte()?);
    kept.bytes(held * MARK_BYTES)?;
    let UnpackedBody(nickname, avatar, mood, tags, own_nickname) =
        serde_json::from_slice(kept.0).map_err(|_| unreadable())?;
    let gender = Gender::ALL.get(class / PreferredGender::ALL.len());
    let profile = Profile {
        nickname,
        own_nickname,
        avatar,
        mood,
        gender: *gender.ok_or_else(unreadable)?,
    };
    let party = Party {
        ticket,
        session,
        persona: Persona { user_id, profile },
        address,
        marks: Vec::new(),
    };
    Ok((party, keys, tags, marks))
}

/// What is left to read of an answer.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], PoolError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or_else(unreadable)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], PoolError> {
        self.bytes(N)?.try_into().map_err(|_| unreadable())
    }

    fn byte(&mut self) -> Result<u8, PoolError> {
        self.fixed().map(|[byte]| byte)
    }

    fn length(&mut self) -> Result<usize, PoolError> {
        usize::try_from(u32::from_be_bytes(self.fixed()?)).map_err(|_| unreadable())
    }

    /// A name, without its letter.
    fn id(&mut self) -> Result<Uuid, PoolError> {
        self.byte()?;
        self.fixed().map(Uuid::from_bytes)
    }

    fn address(&mut self) -> Result<Address, PoolError> {
        let [node, number] = [self.fixed()?, self.fixed()?].map(u64::from_be_bytes);
        Ok(Address {
            node: NodeId(node),
            number,
        })
    }
}

fn unreadable() -> PoolError {
    PoolError::Unavailable("Redis answered what this version does not know".into())
}
