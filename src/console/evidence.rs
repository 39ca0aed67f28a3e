//! What was kept of a room, as operators read it: the conversation with what was reported marked, and with claims
//! where they belong. Texts are as they were written, whatever is in them: making them safe to look at is the page's.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::EntryKind;
use crate::domain::id::{RoomId, Seq, SessionId, Side};
use crate::domain::profile::{Gender, Mood, Persona};
use crate::domain::safety::{Chosen, Evidence, Report, TextClaim};
use crate::domain::{Entry, Quote};

/// So many bytes of text are in one answer; what is behind them is asked for with the next.
pub const TEXT_BYTES: usize = 512 * 1024;

/// A room.
#[derive(Debug, Serialize)]
pub struct RoomJson<'a> {
    room: String,
    at_ms: i64,
    opened_at_ms: i64,
    damaged: bool,
    /// The side of the person that the case is about.
    subject: &'static str,
    sides: SidesJson<'a>,
    entries: Vec<EntryJson<'a>>,
    /// There is more after this entry.
    next: Option<u64>,
}

#[derive(Debug, Serialize)]
struct SidesJson<'a> {
    a: SideJson<'a>,
    b: SideJson<'a>,
}

#[derive(Debug, Serialize)]
struct SideJson<'a> {
    name: &'a str,
    user_id: &'a str,
    gender: Gender,
    mood: Mood,
    avatar: u8,
    /// Its networks are known: a sanction can be on them.
    network: bool,
}

#[derive(Debug, Default, Serialize)]
struct EntryJson<'a> {
    seq: u64,
    at_ms: i64,
    side: &'static str,
    kind: &'static str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<u64>,
    /// What the message that is answered said, where it is not among the entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<QuoteJson<'a>>,
    /// Which message is recalled or reacted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<&'static str>,
    /// Why the room closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    reported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimJson<'a>>,
    recalled: bool,
}

#[derive(Debug, Serialize)]
struct QuoteJson<'a> {
    side: &'static str,
    content: Option<&'a str>,
    cut: bool,
}

#[derive(Debug, Serialize)]
struct ClaimJson<'a> {
    content: &'a str,
    verified: bool,
}

impl<'a> RoomJson<'a> {
    /// Of what was kept for a case about this session, from after an entry on. `reports`: all of the case.
    pub fn of(
        evidence: &'a Evidence,
        subject: SessionId,
        reports: &'a [Report],
        after: Seq,
    ) -> Self {
        let marks = Marks::of(evidence, reports);
        let mut entries = Vec::new();
        let mut next = None;
        let mut bytes = 0;
        for entry in evidence.entries.iter().filter(|it| it.seq > after) {
            let shown = marks.entry(entry);
            bytes += shown.bytes();
            if bytes > TEXT_BYTES && !entries.is_empty() {
                next = entries.last().map(|it: &EntryJson<'_>| it.seq);
                break;
            }
            entries.push(shown);
        }
        let [a, b] = [0, 1].map(|at| SideJson {
            network: evidence.networks[at].is_some(),
            ..SideJson::of(&evidence.personas[at])
        });
        Self {
            room: evidence.room.0.to_string(),
            at_ms: evidence.at.0,
            opened_at_ms: evidence.opened_at.0,
            damaged: evidence.damaged,
            subject: side_word(subject_side(evidence, subject, reports)),
            sides: SidesJson { a, b },
            entries,
            next,
        }
    }
}

impl RoomJson<'_> {
    /// There is more after this entry.
    pub fn next(&self) -> Option<Seq> {
        self.next.map(Seq)
    }
}

/// The side of the person that a case is about: as a report says it, else by the session.
pub fn subject_side(evidence: &Evidence, subject: SessionId, reports: &[Report]) -> Side {
    let reported = reports.iter().find(|it| it.room == evidence.room);
    match reported {
        Some(report) => report.side,
        None if evidence.sessions[1] == subject => Side::B,
        None => Side::A,
    }
}

impl<'a> SideJson<'a> {
    fn of(persona: &'a Persona) -> Self {
        Self {
            name: &persona.profile.nickname,
            user_id: persona.user_id.as_str(),
            gender: persona.profile.gender,
            mood: persona.profile.mood,
            avatar: persona.profile.avatar,
            network: false,
        }
    }
}

impl EntryJson<'_> {
    fn bytes(&self) -> usize {
        let quote = self.quote.as_ref().and_then(|it| it.content);
        let claim = self.claim.as_ref().map(|it| it.content);
        let texts = [self.content, quote, claim];
        texts.into_iter().flatten().map(str::len).sum()
    }
}

/// What is known of the entries of a room beside themselves.
struct Marks<'a> {
    reported: Vec<Seq>,
    recalled: Vec<Seq>,
    there: Vec<Seq>,
    claims: BTreeMap<Seq, &'a TextClaim>,
}

impl<'a> Marks<'a> {
    fn of(evidence: &Evidence, reports: &'a [Report]) -> Self {
        let here: Vec<&Report> = reports
            .iter()
            .filter(|it| it.room == evidence.room)
            .collect();
        let mut reported: Vec<Seq> = here
            .iter()
            // Bad faith takes its weight from a report; what it was about is seen all the same.
            .filter(|it| it.withdrawn.is_none())
            .filter_map(|it| match &it.chosen {
                Chosen::Messages(seqs) => Some(seqs),
                Chosen::All => None,
            })
            .flatten()
            .copied()
            .collect();
        reported.sort_unstable();
        let mut claims: BTreeMap<Seq, &TextClaim> = BTreeMap::new();
        for claim in here.iter().flat_map(|it| &it.claims) {
            let known = claims.entry(claim.seq).or_insert(claim);
            // What is proved stands before what is only said.
            if claim.verified && !known.verified {
                *known = claim;
            }
        }
        let recalled = evidence.entries.iter().filter_map(|it| match it.kind {
            EntryKind::Recall { target, .. } => Some(target),
            _ => None,
        });
        Self {
            reported,
            recalled: recalled.collect(),
            there: evidence.entries.iter().map(|it| it.seq).collect(),
            claims,
        }
    }

    fn entry<'e>(&self, entry: &'e Entry) -> EntryJson<'e>
    where
        'a: 'e,
    {
        let base = EntryJson {
            seq: entry.seq.0,
            at_ms: entry.at.0,
            reported: self.reported.binary_search(&entry.seq).is_ok(),
            ..EntryJson::default()
        };
        match &entry.kind {
            EntryKind::Message {
                side,
                content,
                reply,
                ..
            } => {
                let content = content.as_deref();
                // Where the words themselves were kept, what is said of them stands with the report alone.
                let lost = content.is_none();
                let claim = self.claims.get(&entry.seq).filter(|_| lost);
                EntryJson {
                    side: side_word(*side),
                    kind: "message",
                    content,
                    reply_to: reply.as_ref().map(|it| it.seq.0),
                    quote: reply.as_ref().and_then(|it| self.quote(it)),
                    claim: claim.map(|it| ClaimJson {
                        content: &it.content,
                        verified: it.verified,
                    }),
                    recalled: lost || self.recalled.contains(&entry.seq),
                    ..base
                }
            }
            EntryKind::Recall { side, target, .. } => EntryJson {
                side: side_word(*side),
                kind: "recall",
                target: Some(target.0),
                ..base
            },
            EntryKind::Reaction {
                side,
                target,
                reaction,
            } => EntryJson {
                side: side_word(*side),
                kind: "reaction",
                target: Some(target.0),
                reaction: reaction.map(crate::domain::Reaction::as_str),
                ..base
            },
            EntryKind::Departure { side, reason } => EntryJson {
                side: side_word(*side),
                kind: "departure",
                reason: Some(reason.as_str()),
                ..base
            },
        }
    }

    /// What was quoted, unless the message itself is there.
    fn quote<'e>(&self, quote: &'e Quote) -> Option<QuoteJson<'e>> {
        let there = self.there.binary_search(&quote.seq).is_ok();
        (!there).then(|| QuoteJson {
            side: side_word(quote.side),
            content: quote.content.as_deref(),
            cut: quote.cut,
        })
    }
}

/// A side of a room.
pub fn side_word(side: Side) -> &'static str {
    match side {
        Side::A => "a",
        Side::B => "b",
    }
}

/// The side that this word names.
pub fn side_named(word: &str) -> Option<Side> {
    Side::BOTH.into_iter().find(|it| side_word(*it) == word)
}

/// The room that a case is read with at once: that of the newest report whose evidence is there, or else the first.
pub fn first_room(reports: &[Report], rooms: &[RoomId]) -> Option<RoomId> {
    let kept = |report: &&Report| rooms.contains(&report.room);
    let standing = reports.iter().filter(|it| it.stands()).find(kept);
    let any = standing.or_else(|| reports.iter().find(kept));
    any.map(|it| it.room).or_else(|| rooms.first().copied())
}

#[cfg(test)]
pub(super) mod tests;
