//! Evidence: the entries of a room copied by the database itself, within the transaction of the report. What is
//! copied is read only when it is asked for, so a damaged entry keeps no report back.

use std::collections::HashSet;

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{self, get};
use super::super::shared::Shared;
use super::columns;
use super::line::Line;
use crate::domain::Persona;
use crate::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::safety::evidence::{EVIDENCE_ROOMS, EXTENDED_ENTRIES};
use crate::domain::safety::{CaseId, Chosen, Evidence, frozen};

/// What a report needs to know of its room.
pub(super) struct Scene {
    no: i64,
    pub(super) room: RoomId,
    pub(super) sessions: [SessionId; 2],
    /// Both sides had come.
    pub(super) met: bool,
    last_seq: Seq,
}

impl Scene {
    /// That room; `None` when it was never there or is erased. It is not locked: what is said meanwhile is not
    /// yet part of it.
    pub(super) async fn of(line: &Line, room: RoomId) -> Result<Option<Self>, BackendError> {
        let sql = "SELECT no, session_a, session_b, joined_a IS NOT NULL AND joined_b IS NOT NULL AS met, \
             last_seq FROM rooms WHERE id = $1 AND NOT erasing";
        let row = line.maybe(sql, &[&room.0]).await?;
        let read = |row: Row| {
            Ok(Self {
                no: get(&row, "no")?,
                room,
                sessions: [
                    columns::session(&row, "session_a")?,
                    columns::session(&row, "session_b")?,
                ],
                met: get(&row, "met")?,
                last_seq: rows::seq(get(&row, "last_seq")?)?,
            })
        };
        row.map(read).transpose()
    }

    /// The session of this side.
    pub(super) fn session(&self, side: Side) -> SessionId {
        self.sessions[side.index()]
    }

    /// Whether this side has said something here that the other was to hear.
    pub(super) async fn has_spoken(&self, line: &Line, side: Side) -> Result<bool, BackendError> {
        let sql = "SELECT FROM entries WHERE room = $1 AND side = $2 AND kind = 0 AND hidden & $3 = 0 LIMIT 1";
        let unheard = rows::unheard_bit(side.other());
        let params: super::Params<'_> = &[&self.no, &rows::side_code(side), &unheard];
        Ok(line.maybe(sql, params).await?.is_some())
    }

    /// Adds what was chosen to the evidence of this case. What was frozen before stays as it is.
    pub(super) async fn freeze(
        &self,
        line: &Line,
        case: CaseId,
        chosen: &Chosen,
    ) -> Result<(), BackendError> {
        let Some(evidence) = self.evidence(line, case).await? else {
            return Ok(());
        };
        let wanted: Vec<i64> = frozen(self.last_seq, chosen)
            .into_iter()
            .map(rows::int)
            .collect();
        let sql = "SELECT seq FROM evidence_entries WHERE evidence = $1";
        let kept = line.query(sql, &[&evidence]).await?;
        let kept: Result<HashSet<i64>, _> = kept.iter().map(|row| get(row, "seq")).collect();
        let kept = kept?;
        let left = EXTENDED_ENTRIES.saturating_sub(kept.len());
        let missing = wanted.into_iter().filter(|seq| !kept.contains(seq));
        let missing: Vec<i64> = missing.take(left).collect();
        let sql = "INSERT INTO evidence_entries \
                 (evidence, seq, kind, side, client_id, body, target, target_side, target_body, reason, at) \
             SELECT $1, e.seq, e.kind, e.side, e.client_id, e.body, e.target, t.side, \
                 substring(t.body FROM 1 FOR 804), e.reason, e.at \
             FROM entries e LEFT JOIN entries t ON t.room = e.room AND t.seq = e.target \
             WHERE e.room = $2 AND e.seq = ANY ($3)";
        let copied = line.change(sql, &[&evidence, &self.no, &missing]).await?;
        if copied != missing.len() as u64 {
            let sql = "UPDATE evidence SET damaged = true WHERE no = $1";
            line.change(sql, &[&evidence]).await?;
        }
        Ok(())
    }

    /// The evidence of this case and room, begun if there is none; `None` when the case has that of so many rooms
    /// that no more is kept.
    async fn evidence(&self, line: &Line, case: CaseId) -> Result<Option<i64>, BackendError> {
        let case = columns::int(case.0);
        let sql = "SELECT no FROM evidence WHERE case_id = $1 AND room = $2";
        if let Some(row) = line.maybe(sql, &[&case, &self.room.0]).await? {
            let no: i64 = get(&row, "no")?;
            // What was not known then may be now.
            let sql = "UPDATE evidence v SET networks_a = coalesce(v.networks_a, (SELECT networks FROM room_networks \
                     WHERE room = $2 AND side = 0)), \
                 networks_b = coalesce(v.networks_b, (SELECT networks FROM room_networks WHERE room = $2 AND side = 1)) \
                 WHERE v.no = $1";
            line.change(sql, &[&no, &self.no]).await?;
            return Ok(Some(no));
        }
        let sql = "INSERT INTO evidence \
                 (case_id, room, at, opened_at, session_a, session_b, people, networks_a, networks_b, damaged) \
             SELECT $1, r.id, $2, r.opened_at, r.session_a, r.session_b, r.people, a.networks, b.networks, false \
             FROM rooms r LEFT JOIN room_networks a ON a.room = r.no AND a.side = 0 \
                 LEFT JOIN room_networks b ON b.room = r.no AND b.side = 1 \
             WHERE r.no = $3 AND (SELECT count(*) FROM evidence WHERE case_id = $1) < $4 RETURNING no";
        let most = rows::size(EVIDENCE_ROOMS);
        let begun = line
            .maybe(sql, &[&case, &line.now.0, &self.no, &most])
            .await?;
        begun.map(|row| get(&row, "no")).transpose()
    }
}

/// See [`crate::store::safety::Cases::evidence`].
pub(super) async fn read(
    shared: &Shared,
    case: CaseId,
    room: RoomId,
) -> Result<Option<Evidence>, BackendError> {
    // One statement, so that evidence that is being erased is there or not.
    let sql = "SELECT v.room, v.at AS frozen_at, v.opened_at, v.session_a, v.session_b, v.people, v.networks_a, \
             v.networks_b, v.damaged, e.seq, e.kind, e.side, e.client_id, e.body, e.target, e.target_side, \
             e.target_body, e.reason, e.at \
         FROM evidence v LEFT JOIN evidence_entries e ON e.evidence = v.no \
         WHERE v.case_id = $1 AND v.room = $2 ORDER BY e.seq";
    let found = shared
        .pool
        .query(sql, &[&columns::int(case.0), &room.0])
        .await?;
    let Some(first) = found.first() else {
        return Ok(None);
    };
    let mut damaged: bool = get(first, "damaged")?;
    let mut entries = Vec::with_capacity(found.len());
    for row in &found {
        if get::<Option<i64>>(row, "seq")?.is_none() {
            break;
        }
        match rows::entry(row) {
            Ok(entry) => entries.push(entry),
            Err(_) => damaged = true,
        }
    }
    let personas: [Persona; 2] = rows::json(get(first, "people")?)?;
    Ok(Some(Evidence {
        case,
        room,
        at: Timestamp(get(first, "frozen_at")?),
        opened_at: Timestamp(get(first, "opened_at")?),
        sessions: [
            columns::session(first, "session_a")?,
            columns::session(first, "session_b")?,
        ],
        personas,
        networks: [
            columns::networks_of(first, "networks_a")?,
            columns::networks_of(first, "networks_b")?,
        ],
        entries,
        damaged,
    }))
}
