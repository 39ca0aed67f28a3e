//! Tickets and pairings as the scripts take and give them. What the scripts look into (sessions, tags,
//! blocks) is passed in bytes of its own; the rest is JSON that they only carry. All of it is bounded
//! by the bounds of its parts: a ticket has at most about ten kilobytes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::id::{Address, NodeId, RoomId, SessionId, TicketId};
use crate::matching::{Census, Entered, PoolError, Renewed, Ticket};
use crate::model::{Gender, Pairing, Party, Persona, PreferredGender, Tags};

/// How many bytes of a tag's digest stand for it.
const TAG_BYTES: usize = 8;

/// What a script answers: a word, then what belongs to it.
pub(super) type Answer = Vec<Vec<u8>>;

/// What the scripts carry without looking into it.
#[derive(Serialize)]
struct Body<'a> {
    persona: &'a Persona,
    tags: &'a Tags,
}

/// The same when it comes back.
#[derive(Deserialize)]
struct OwnedBody {
    persona: Persona,
    tags: Tags,
}

/// The arguments of `enter` that are the ticket's own, in the script's order.
pub(super) fn ticket(ticket: &Ticket) -> [Vec<u8>; 11] {
    let gender = ticket.persona.profile.gender.index();
    let class = gender * PreferredGender::ALL.len() + ticket.wish.gender.index();
    let body = Body {
        persona: &ticket.persona,
        tags: &ticket.wish.tags,
    };
    [
        id(ticket.room.0),
        id(ticket.id.0),
        ticket.session.0.to_vec(),
        ticket.persona.user_id.as_str().into(),
        class.to_string().into(),
        (ticket.phase as u8).to_string().into(),
        tag_keys(&ticket.wish.tags),
        address(ticket.address),
        sessions(&ticket.blocked),
        sessions(&ticket.recent),
        serde_json::to_vec(&body).expect("names and words are always JSON"),
    ]
}

/// An id as the scripts know it.
pub(super) fn id(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// What `enter` came to.
pub(super) fn entered(answer: Answer) -> Result<Entered, PoolError> {
    let mut parts = answer.into_iter();
    match parts.next().as_deref() {
        Some(b"W") => Ok(Entered::Waiting {
            replaced: replaced(&mut parts)?,
        }),
        Some(b"P") => Ok(Entered::Paired {
            replaced: replaced(&mut parts)?,
            pairing: pairing(&mut parts)?,
        }),
        Some(b"T") => Err(PoolError::TooManyTickets),
        Some(b"F") => Err(PoolError::Full),
        _ => Err(unreadable()),
    }
}

/// What `renew` came to.
pub(super) fn renewed(answer: Answer) -> Result<Renewed, PoolError> {
    let mut parts = answer.into_iter();
    match parts.next().as_deref() {
        Some(b"W") => Ok(Renewed::Waiting),
        Some(b"P") => {
            replaced(&mut parts)?;
            Ok(Renewed::Paired(pairing(&mut parts)?))
        }
        Some(b"G") => Ok(Renewed::Gone),
        _ => Err(unreadable()),
    }
}

/// The numbers of `census`: more are due to be taken out, and who waits.
pub(super) fn census(numbers: &[u32]) -> Result<(bool, Census), PoolError> {
    let wishes = PreferredGender::ALL.len();
    let (more, counts) = numbers.split_first().ok_or_else(unreadable)?;
    if counts.len() != Gender::ALL.len() * wishes {
        return Err(unreadable());
    }
    let mut census = Census::default();
    for (class, count) in counts.iter().enumerate() {
        census.waiting[class / wishes][class % wishes] = *count;
    }
    Ok((*more > 0, census))
}

/// A digest of each tag, sorted, end to end. Unkeyed, because all nodes must agree; two tags that
/// collide on purpose only let their inventor meet themself.
fn tag_keys(tags: &Tags) -> Vec<u8> {
    let folded = tags.folded().into_iter();
    let mut keys: Vec<Vec<u8>> = folded
        .map(|tag| Sha256::digest(tag.as_bytes())[..TAG_BYTES].to_vec())
        .collect();
    keys.sort_unstable();
    keys.concat()
}

fn sessions(all: &[SessionId]) -> Vec<u8> {
    all.iter().flat_map(|session| session.0).collect()
}

fn address(address: Address) -> Vec<u8> {
    let [node, number] = [address.node.0, address.number].map(u64::to_be_bytes);
    [node, number].concat()
}

fn replaced(
    parts: &mut impl Iterator<Item = Vec<u8>>,
) -> Result<Option<(TicketId, Address)>, PoolError> {
    let ticket = parts.next().ok_or_else(unreadable)?;
    let told_at = parts.next().ok_or_else(unreadable)?;
    if ticket.is_empty() {
        return Ok(None);
    }
    Ok(Some((TicketId(uuid(&ticket)?), parse_address(&told_at)?)))
}

fn pairing(parts: &mut impl Iterator<Item = Vec<u8>>) -> Result<Arc<Pairing>, PoolError> {
    let room = RoomId(uuid(&parts.next().ok_or_else(unreadable)?)?);
    let met_before = parts.next().ok_or_else(unreadable)? == b"1";
    let (arrived, arrived_tags) = party(parts)?;
    let (waited, waited_tags) = party(parts)?;
    Ok(Arc::new(Pairing {
        room,
        parties: [arrived, waited],
        common_tags: arrived_tags.common(&waited_tags),
        met_before,
        is_bot: false,
    }))
}

fn party(parts: &mut impl Iterator<Item = Vec<u8>>) -> Result<(Party, Tags), PoolError> {
    let mut next = || parts.next().ok_or_else(unreadable);
    let (ticket, session, address, body) = (next()?, next()?, next()?, next()?);
    let body: OwnedBody = serde_json::from_slice(&body).map_err(|_| unreadable())?;
    let party = Party {
        ticket: TicketId(uuid(&ticket)?),
        session: SessionId(fixed(&session)?),
        persona: body.persona,
        address: parse_address(&address)?,
    };
    Ok((party, body.tags))
}

fn parse_address(bytes: &[u8]) -> Result<Address, PoolError> {
    let [node, number]: [[u8; 8]; 2] = [
        fixed(&bytes[..bytes.len() / 2])?,
        fixed(&bytes[bytes.len() / 2..])?,
    ];
    Ok(Address {
        node: NodeId(u64::from_be_bytes(node)),
        number: u64::from_be_bytes(number),
    })
}

fn uuid(bytes: &[u8]) -> Result<Uuid, PoolError> {
    Uuid::from_slice(bytes).map_err(|_| unreadable())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], PoolError> {
    bytes.try_into().map_err(|_| unreadable())
}

fn unreadable() -> PoolError {
    PoolError::Unavailable("Redis answered what this version does not know".into())
}
