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
            .filter(|it| it.stands())
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
pub(super) mod tests {
    use super::*;
    use crate::domain::id::Timestamp;
    use crate::domain::profile::{Profile, UserId};
    use crate::domain::safety::{CaseId, Reason, ReportId, Weight};
    use serde_json::{Value, json};

    pub(in crate::console) const SUBJECT: SessionId = SessionId([2; 16]);
    pub(in crate::console) const REPORTER: SessionId = SessionId([1; 16]);

    fn persona(name: &str) -> Persona {
        Persona {
            user_id: UserId::parse("u-1").unwrap(),
            profile: Profile::parse(name, "3", "sad", "female"),
        }
    }

    pub(in crate::console) fn message(seq: u64, side: Side, content: Option<&str>) -> Entry {
        Entry {
            seq: Seq(seq),
            at: Timestamp(1000),
            kind: EntryKind::Message {
                side,
                client_id: "c".into(),
                content: content.map(str::to_owned),
                reply: None,
            },
        }
    }

    pub(in crate::console) fn evidence(entries: Vec<Entry>) -> Evidence {
        Evidence {
            case: CaseId(1),
            room: RoomId::parse("01900000-0000-7000-8000-000000000001").unwrap(),
            at: Timestamp(5000),
            opened_at: Timestamp(900),
            sessions: [REPORTER, SUBJECT],
            personas: [persona("Mei"), persona("<b>\u{202e}x</b>")],
            networks: [None, None],
            entries,
            damaged: false,
        }
    }

    pub(in crate::console) fn report(chosen: Chosen, claims: Vec<TextClaim>) -> Report {
        Report {
            id: ReportId::fresh(),
            case: CaseId(1),
            reporter: REPORTER,
            reported: SUBJECT,
            room: evidence(Vec::new()).room,
            side: Side::B,
            reason: Reason::Harassment,
            note: String::new(),
            chosen,
            claims,
            weight: Weight::ONE,
            met: true,
            at: Timestamp(4000),
            withdrawn: None,
            verdict: None,
        }
    }

    fn claim(seq: u64, content: &str, verified: bool) -> TextClaim {
        TextClaim {
            seq: Seq(seq),
            content: content.into(),
            verified,
        }
    }

    fn shown(evidence: &Evidence, reports: &[Report], after: u64) -> Value {
        let room = RoomJson::of(evidence, SUBJECT, reports, Seq(after));
        serde_json::to_value(room).unwrap()
    }

    #[test]
    fn what_was_reported_is_marked_and_claims_stand_where_they_belong() {
        let evidence = evidence(vec![
            message(1, Side::A, Some("hello")),
            message(2, Side::B, None),
            message(3, Side::B, Some("unsent later")),
            Entry {
                seq: Seq(4),
                at: Timestamp(2000),
                kind: EntryKind::Recall {
                    side: Side::B,
                    target: Seq(3),
                    client_id: "r".into(),
                },
            },
        ]);
        let reports = [
            report(
                Chosen::Messages(vec![Seq(3), Seq(2)]),
                vec![claim(2, "a lie", false), claim(3, "unsent later", true)],
            ),
            report(
                Chosen::All,
                vec![claim(2, "rude", true), claim(1, "never said", false)],
            ),
        ];
        let room = shown(&evidence, &reports, 0);
        let of = |key: &str| -> Vec<Value> {
            let entries = room["entries"].as_array().unwrap();
            entries.iter().map(|it| it[key].clone()).collect()
        };
        assert_eq!(of("reported"), [false, true, true, false].map(Value::from));
        assert_eq!(of("recalled"), [false, true, true, false].map(Value::from));
        let proved = json!({"content": "rude", "verified": true});
        assert_eq!(of("claim"), [Value::Null, proved, Value::Null, Value::Null]);
        assert_eq!(of("kind")[3], "recall");
        assert_eq!(of("target")[3], 3);
        assert_eq!(room["subject"], "b");
        assert_eq!(room["sides"]["a"]["name"], "Mei");
        assert_eq!(room["next"], Value::Null);
    }

    #[test]
    fn what_was_withdrawn_or_made_invalid_marks_nothing() {
        let evidence = evidence(vec![message(1, Side::B, Some("x"))]);
        let withdrawn = Report {
            withdrawn: Some(Timestamp(1)),
            ..report(Chosen::Messages(vec![Seq(1)]), Vec::new())
        };
        let room = shown(&evidence, &[withdrawn], 0);
        assert_eq!(room["entries"][0]["reported"], false);
    }

    #[test]
    fn texts_are_as_they_were_written() {
        let evil = "<img src=x onerror=alert(1)>\u{202e}\u{200b}\u{0}";
        let evidence = evidence(vec![message(1, Side::B, Some(evil))]);
        let room = shown(&evidence, &[], 0);
        assert_eq!(room["entries"][0]["content"], evil);
    }

    #[test]
    fn an_answer_is_bounded_in_bytes_and_nothing_is_left_out() {
        let long = "字".repeat(2000);
        let entries = (1..=500).map(|seq| message(seq, Side::B, Some(&long)));
        let evidence = evidence(entries.collect());
        let (mut after, mut seen, mut answers) = (0, Vec::new(), 0);
        loop {
            let room = shown(&evidence, &[], after);
            assert!(room.to_string().len() < TEXT_BYTES + 64 * 1024);
            let entries = room["entries"].as_array().unwrap();
            seen.extend(entries.iter().map(|it| it["seq"].as_u64().unwrap()));
            answers += 1;
            match room["next"].as_u64() {
                Some(next) => after = next,
                None => break,
            }
        }
        assert_eq!(seen, (1..=500).collect::<Vec<u64>>());
        assert!(answers > 1);
    }

    #[test]
    fn the_newest_report_that_stands_says_which_room_is_read_first() {
        let rooms = [RoomId::fresh(), RoomId::fresh(), RoomId::fresh()];
        let of = |room: RoomId, withdrawn: bool| Report {
            room,
            withdrawn: withdrawn.then_some(Timestamp(1)),
            ..report(Chosen::All, Vec::new())
        };
        let reports = [
            of(RoomId::fresh(), false),
            of(rooms[2], true),
            of(rooms[1], false),
        ];
        assert_eq!(first_room(&reports, &rooms), Some(rooms[1]));
        assert_eq!(first_room(&reports[..2], &rooms), Some(rooms[2]));
        assert_eq!(first_room(&[], &rooms), Some(rooms[0]));
        assert_eq!(first_room(&reports, &[]), None);
    }
}
