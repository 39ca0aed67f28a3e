//! Rows of people's safety to values and back. Decides nothing.

use rusqlite::Row;
use rusqlite::types::FromSql;
use uuid::Uuid;

use super::super::error::SqliteError;
use super::super::rows;
use crate::domain::id::Seq;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::report::Chosen;
use crate::domain::safety::{
    Case, CaseClaim, CaseId, CaseKind, CaseState, NetworkHash, NetworkLength, Networks, OperatorId,
    Priority, Reason, Report, ReportId, Sanction, SanctionId, SanctionKind, SanctionTarget,
    Verdict, Weight,
};

const HASH: usize = 17;

/// A number of ours as SQLite counts.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A list's length as SQLite takes it.
pub(super) use super::super::rows::size;

/// A column that may be absent, as another type.
pub(super) fn optional<T: FromSql, U>(
    row: &Row<'_>,
    at: usize,
    into: impl FnOnce(T) -> U,
) -> Result<Option<U>, SqliteError> {
    Ok(row.get::<_, Option<T>>(at)?.map(into))
}

/// A number that was counted up.
pub(super) fn counted(row: &Row<'_>, at: usize) -> Result<u64, SqliteError> {
    Ok(row.get::<_, i64>(at)?.cast_unsigned())
}

pub(super) fn time(row: &Row<'_>, at: usize) -> Result<Option<Timestamp>, SqliteError> {
    optional(row, at, Timestamp)
}

pub(super) fn reason(code: i64) -> Result<Reason, SqliteError> {
    Reason::from_code(code).ok_or(SqliteError::Damaged("a rule of no known kind"))
}

pub(super) fn uuid(row: &Row<'_>, at: usize) -> Result<Uuid, SqliteError> {
    Ok(Uuid::from_bytes(row.get(at)?))
}

pub(super) fn network_bytes(network: &NetworkHash) -> [u8; HASH] {
    let mut bytes = [0; HASH];
    bytes[0] = network.length.bits();
    bytes[1..].copy_from_slice(&network.hash);
    bytes
}

pub(super) fn network(bytes: [u8; HASH]) -> Result<NetworkHash, SqliteError> {
    let [bits, hash @ ..] = bytes;
    let length = NetworkLength::from_bits(bits.into());
    let length = length.ok_or(SqliteError::Damaged("a network of no known length"))?;
    Ok(NetworkHash { length, hash })
}

pub(super) fn networks_bytes(networks: &Networks) -> [u8; 2 * HASH] {
    let mut bytes = [0; 2 * HASH];
    bytes[..HASH].copy_from_slice(&network_bytes(&networks.near));
    bytes[HASH..].copy_from_slice(&network_bytes(&networks.wide));
    bytes
}

pub(super) fn networks(row: &Row<'_>, at: usize) -> Result<Option<Networks>, SqliteError> {
    let Some(bytes) = row.get::<_, Option<[u8; 2 * HASH]>>(at)? else {
        return Ok(None);
    };
    let half = |from: usize| {
        let mut half = [0; HASH];
        half.copy_from_slice(&bytes[from..from + HASH]);
        network(half)
    };
    Ok(Some(Networks {
        near: half(0)?,
        wide: half(HASH)?,
    }))
}

/// JSON as a column holds it.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, SqliteError> {
    serde_json::to_string(value).map_err(|_| SqliteError::Damaged("a value that cannot be written"))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, SqliteError> {
    serde_json::from_str(text).map_err(|_| SqliteError::Damaged("a value that cannot be read"))
}

/// What [`case`] reads.
pub(super) const CASE: &str = "SELECT no, kind, sanction, subject, state, reason, priority, reports, claim_by, \
     claim_until, opened_at, closed_at, reopened, held_until, text FROM cases";

/// A case; its claim as it was made, whether it holds or not.
pub(super) fn case(row: &Row<'_>) -> Result<Case, SqliteError> {
    let claim_by = optional(row, 8, |by: i64| OperatorId(by.cast_unsigned()))?;
    let state = CaseState::from_code(row.get(4)?);
    Ok(Case {
        id: CaseId(counted(row, 0)?),
        kind: kind(row.get(1)?, row.get(2)?)?,
        subject: SessionId(row.get(3)?),
        state: state.ok_or(SqliteError::Damaged("a case of no known state"))?,
        reason: reason(row.get(5)?)?,
        priority: Priority(counted(row, 6)?),
        reports: row.get(7)?,
        claim: claim_by
            .zip(time(row, 9)?)
            .map(|(by, until)| CaseClaim { by, until }),
        opened_at: Timestamp(row.get(10)?),
        closed_at: time(row, 11)?,
        reopened: row.get(12)?,
        held_until: time(row, 13)?,
        text: row.get(14)?,
    })
}

/// The same as the queue shows it.
pub(super) fn shown(mut case: Case, now: Timestamp) -> Case {
    case.claim = case.claim.filter(|claim| now < claim.until);
    case
}

fn kind(code: i64, sanction: Option<i64>) -> Result<CaseKind, SqliteError> {
    match (code, sanction) {
        (1, _) => Ok(CaseKind::Reports),
        (2, _) => Ok(CaseKind::ByHand),
        (3, Some(no)) => Ok(CaseKind::Appeal(SanctionId(no.cast_unsigned()))),
        _ => Err(SqliteError::Damaged("a case of no known kind")),
    }
}

/// What [`report`] reads.
pub(super) const REPORT: &str = "SELECT id, case_no, reporter, reported, room, side, reason, note, chosen, claims, \
     weight, met, at, withdrawn, verdict FROM reports";

pub(super) fn report(row: &Row<'_>) -> Result<Report, SqliteError> {
    let chosen: Option<String> = row.get(8)?;
    let claims: String = row.get(9)?;
    let verdict = verdict(row.get(14)?)?;
    Ok(Report {
        id: ReportId(uuid(row, 0)?),
        case: CaseId(counted(row, 1)?),
        reporter: SessionId(row.get(2)?),
        reported: SessionId(row.get(3)?),
        room: rows::room_id(row.get(4)?),
        side: rows::side(row.get(5)?)?,
        reason: reason(row.get(6)?)?,
        note: row.get(7)?,
        chosen: match chosen {
            None => Chosen::All,
            Some(seqs) => Chosen::Messages(from_json::<Vec<Seq>>(&seqs)?),
        },
        claims: from_json(&claims)?,
        // Kept as it was: what is invalid may be made valid again.
        weight: match verdict {
            Some(Verdict::Invalid) => Weight(0),
            _ => Weight(row.get(10)?),
        },
        met: row.get(11)?,
        at: Timestamp(row.get(12)?),
        withdrawn: time(row, 13)?,
        verdict,
    })
}

fn verdict(code: Option<i64>) -> Result<Option<Verdict>, SqliteError> {
    code.map(|code| match code {
        1 => Ok(Verdict::Upheld),
        2 => Ok(Verdict::NotUpheld),
        3 => Ok(Verdict::Invalid),
        _ => Err(SqliteError::Damaged("a verdict of no known kind")),
    })
    .transpose()
}

/// What [`sanction`] reads.
pub(super) const SANCTION: &str = "SELECT s.no, s.session, s.network, s.kind, s.rule, s.at, s.until, s.lifts, \
     (SELECT l.no FROM sanctions l WHERE l.lifts = s.no), s.automatic, s.by, s.case_no FROM sanctions s";

pub(super) fn sanction(row: &Row<'_>) -> Result<Sanction, SqliteError> {
    let session: Option<[u8; 16]> = row.get(1)?;
    let target = match session {
        Some(session) => SanctionTarget::Session(SessionId(session)),
        None => SanctionTarget::Network(network(row.get(2)?)?),
    };
    let kind = SanctionKind::from_code(row.get(3)?);
    let id = |no: i64| SanctionId(no.cast_unsigned());
    Ok(Sanction {
        id: id(row.get(0)?),
        target,
        kind: kind.ok_or(SqliteError::Damaged("a sanction of no known kind"))?,
        rule: reason(row.get(4)?)?,
        at: Timestamp(row.get(5)?),
        until: time(row, 6)?,
        lifts: optional(row, 7, id)?,
        lifted_by: optional(row, 8, id)?,
        automatic: row.get(9)?,
        by: optional(row, 10, |no: i64| OperatorId(no.cast_unsigned()))?,
        case: optional(row, 11, |no: i64| CaseId(no.cast_unsigned()))?,
    })
}

/// All rows of a query, read one by one.
pub(super) fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, SqliteError>,
) -> Result<Vec<T>, SqliteError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// The rows of a list that can be read. A damaged one is counted and left out, so that it keeps nothing else from
/// being seen, worked on or taken into effect.
pub(super) fn readable<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, SqliteError>,
) -> Result<Vec<T>, SqliteError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(undamaged(read(row))?);
    }
    Ok(all)
}

/// What was read of a row; `None`: it is damaged, which is counted.
pub(super) fn undamaged<T>(read: Result<T, SqliteError>) -> Result<Option<T>, SqliteError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(damage) if damage.is_private() => {
            damage.count();
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// The row of a query that has one or none.
pub(super) fn one<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, SqliteError>,
) -> Result<Option<T>, SqliteError> {
    rows.next()?.map(read).transpose()
}
