//! What visitors do: report, and look after their reports.

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{self, get};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, int};
use super::evidence::Scene;
use super::line::Line;
use super::sanctions;
use super::{automatic, cases};
use crate::domain::id::{RoomId, SessionId, Side, Timestamp};
use crate::domain::safety::report::{
    ACCURACY_REPORTS, NETWORK_LOOK, NETWORK_STANDING, RETALIATION, STANDING, WITHDRAWN_COUNTS,
};
use crate::domain::safety::{
    Accuracy, CaseId, CaseKind, CaseState, Chosen, Networks, OwnReport, OwnReportState,
    ReportDraft, ReportId, Verdict, Weight, WeightFacts, figures, weight,
};
use crate::store::safety::{ReportRefusal, Reported, Withdrawn};

/// Most of a session's own reports that it is told.
const OWN: i64 = 50;

/// See [`crate::store::safety::Reports::note_networks`].
pub(super) async fn note_networks(
    shared: &Shared,
    room: RoomId,
    side: Side,
    networks: Networks,
) -> Result<(), BackendError> {
    let sql = "INSERT INTO room_networks (room, side, networks) \
         SELECT no, $2, $3 FROM rooms WHERE id = $1 AND NOT erasing \
         ON CONFLICT (room, side) DO UPDATE SET networks = excluded.networks";
    let params: Params<'_> = &[
        &room.0,
        &rows::side_code(side),
        &columns::networks(networks),
    ];
    shared.pool.query(sql, params).await?;
    Ok(())
}

/// See [`crate::store::safety::Reports::report`].
pub(super) async fn report(shared: &Shared, draft: &ReportDraft) -> Result<Reported, BackendError> {
    let mut line = Line::begin(shared).await?;
    let outcome = take(&mut line, draft).await?;
    line.commit(outcome).await
}

async fn take(line: &mut Line, draft: &ReportDraft) -> Result<Reported, BackendError> {
    if let Some(before) = repeat(line, draft).await? {
        return Ok(before);
    }
    let Some(scene) = Scene::of(line, draft.room).await? else {
        return Ok(Reported::Refused(ReportRefusal::NoSuchRoom));
    };
    if scene.session(draft.side) != draft.reporter {
        return Ok(Reported::Refused(ReportRefusal::NotYours));
    }
    let reported = scene.session(draft.side.other());
    if reported == draft.reporter {
        return Ok(Reported::Refused(ReportRefusal::Own));
    }
    if let Some((standing, case)) = standing(line, draft).await? {
        scene.freeze(line, case, &draft.chosen).await?;
        return Ok(Reported::Already(standing));
    }
    let enough = undecided(line, draft.reporter).await? >= STANDING as u64;
    if enough || network_has_enough(line, draft).await? {
        return Ok(Reported::Refused(ReportRefusal::TooMany));
    }
    let case = match cases::open_about(line, reported).await? {
        Some(case) => case,
        None => cases::open(line, CaseKind::Reports, reported, draft.reason, "").await?,
    };
    insert(line, draft, case, reported, &scene).await?;
    scene.freeze(line, case, &draft.chosen).await?;
    count(line).await?;
    let imposed = automatic::step(line, case, reported, draft.id).await?;
    cases::recompute(line, case).await?;
    Ok(Reported::Done {
        report: draft.id,
        automatic: imposed,
    })
}

/// What was answered to this report before.
async fn repeat(line: &Line, draft: &ReportDraft) -> Result<Option<Reported>, BackendError> {
    let sql = "SELECT reporter, automatic FROM reports WHERE id = $1";
    let Some(row) = line.maybe(sql, &[&draft.id.0]).await? else {
        return Ok(None);
    };
    if columns::session(&row, "reporter")? != draft.reporter {
        return Err(BackendError::Conflict);
    }
    let automatic = match columns::some_number(&row, "automatic")? {
        Some(id) => sanctions::by_id(line, id).await?,
        None => None,
    };
    Ok(Some(Reported::Done {
        report: draft.id,
        automatic,
    }))
}

/// The report of this session about this room that stands in a case that is not closed.
async fn standing(
    line: &Line,
    draft: &ReportDraft,
) -> Result<Option<(ReportId, CaseId)>, BackendError> {
    let sql = "SELECT r.id, r.case_id FROM reports r JOIN cases c ON c.id = r.case_id \
         WHERE r.reporter = $1 AND r.room = $2 AND r.side = $3 AND r.withdrawn IS NULL \
             AND r.verdict IS DISTINCT FROM 3 AND c.closed_at IS NULL ORDER BY c.id, r.no LIMIT 1";
    let (by, side) = (
        rows::session(draft.reporter),
        rows::side_code(draft.side.other()),
    );
    let row = line.maybe(sql, &[&by, &draft.room.0, &side]).await?;
    let read = |row| {
        let case = CaseId(columns::number(&row, "case_id")?);
        Ok((ReportId(get(&row, "id")?), case))
    };
    row.map(read).transpose()
}

async fn undecided(line: &Line, reporter: SessionId) -> Result<u64, BackendError> {
    let sql = "SELECT count(*) AS count FROM reports r JOIN cases c ON c.id = r.case_id \
         WHERE r.reporter = $1 AND (r.withdrawn > $2 \
             OR r.withdrawn IS NULL AND r.verdict IS NULL AND c.closed_at IS NULL)";
    let since = line.now.minus(WITHDRAWN_COUNTS).0;
    let row = line.one(sql, &[&rows::session(reporter), &since]).await?;
    columns::number(&row, "count")
}

async fn network_has_enough(line: &Line, draft: &ReportDraft) -> Result<bool, BackendError> {
    let Some(networks) = draft.networks else {
        return Ok(false);
    };
    let sql = "SELECT count(*) AS count FROM (SELECT FROM \
             (SELECT case_id, networks, withdrawn, verdict FROM reports ORDER BY no DESC LIMIT $2) r \
             JOIN cases c ON c.id = r.case_id WHERE substring(r.networks FROM 18) = $1 \
             AND r.withdrawn IS NULL AND r.verdict IS NULL AND c.closed_at IS NULL LIMIT $3) open";
    let (look, most) = (rows::size(NETWORK_LOOK), rows::size(NETWORK_STANDING));
    let params: Params<'_> = &[&columns::network(networks.wide), &look, &most];
    let row = line.one(sql, params).await?;
    Ok(columns::number(&row, "count")? >= NETWORK_STANDING as u64)
}

async fn insert(
    line: &Line,
    draft: &ReportDraft,
    case: CaseId,
    reported: SessionId,
    scene: &Scene,
) -> Result<(), BackendError> {
    let weighs = weight(&facts(line, draft, reported, scene).await?);
    let chosen = match &draft.chosen {
        Chosen::All => None,
        Chosen::Messages(seqs) => Some(seqs.iter().map(|seq| rows::int(*seq)).collect::<Vec<_>>()),
    };
    let claims = serde_json::to_vec(&draft.claims);
    let claims = claims.map_err(|_| BackendError::Damaged("claims that cannot be written"))?;
    let sql = "INSERT INTO reports (id, case_id, reporter, reported, room, side, reason, note, chosen, claims, \
             weight, networks, met, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let params: Params<'_> = &[
        &draft.id.0,
        &int(case.0),
        &rows::session(draft.reporter),
        &rows::session(reported),
        &draft.room.0,
        &rows::side_code(draft.side.other()),
        &i16::from(draft.reason.code()),
        &draft.note.as_bytes(),
        &chosen,
        &claims,
        &i32::try_from(weighs.0).unwrap_or(i32::MAX),
        &draft.networks.map(columns::networks),
        &scene.met,
        &line.now.0,
    ];
    line.change(sql, params).await?;
    Ok(())
}

async fn facts(
    line: &Line,
    draft: &ReportDraft,
    reported: SessionId,
    scene: &Scene,
) -> Result<WeightFacts, BackendError> {
    let (me, them) = (rows::session(draft.reporter), rows::session(reported));
    let sql = "SELECT EXISTS (SELECT FROM reports WHERE reporter = $2 AND reported = $1 \
             AND withdrawn IS NULL AND at >= $3 AND verdict IS DISTINCT FROM 3 AND weight > $5) AS retaliation, \
         EXISTS (SELECT FROM sanctions s WHERE s.session = $1 AND s.kind = 6 AND s.lifts IS NULL \
             AND (s.until IS NULL OR s.until > $4) \
             AND NOT EXISTS (SELECT FROM sanctions l WHERE l.lifts = s.id)) AS muted";
    let since = line.now.minus(RETALIATION).0;
    let light = i32::try_from(Weight::LEAST.0).unwrap_or(i32::MAX);
    let params: Params<'_> = &[&me, &them, &since, &line.now.0, &light];
    let row = line.one(sql, params).await?;
    let decided = line
        .query(ACCURACY, &[&me, &rows::size(ACCURACY_REPORTS), &NO_CASE])
        .await?;
    Ok(WeightFacts {
        accuracy: accuracy_of(&decided)?,
        muted: get(&row, "muted")?,
        retaliation: get(&row, "retaliation")?,
        silent: !scene.has_spoken(line, draft.side.other()).await?,
    })
}

/// Reports of all cases are counted.
const NO_CASE: Option<i64> = None;

const ACCURACY: &str = "SELECT verdict FROM reports \
     WHERE reporter = $1 AND verdict IS NOT NULL AND withdrawn IS NULL AND case_id IS DISTINCT FROM $3 \
     ORDER BY decided_at DESC, no DESC LIMIT $2";

fn accuracy_of(decided: &[Row]) -> Result<Accuracy, BackendError> {
    let mut accuracy = Accuracy::default();
    for row in decided {
        accuracy.decided += 1;
        accuracy.upheld += u32::from(columns::verdict(row)? == Some(Verdict::Upheld));
    }
    Ok(accuracy)
}

/// One report more in this month.
async fn count(line: &Line) -> Result<(), BackendError> {
    let sql = "INSERT INTO report_months (month, reports) VALUES ($1, 1) \
         ON CONFLICT (month) DO UPDATE SET reports = report_months.reports + 1";
    line.change(sql, &[&figures::month(line.now)]).await?;
    Ok(())
}

/// See [`crate::store::safety::Reports::reports_by`].
pub(super) async fn by(
    shared: &Shared,
    reporter: SessionId,
) -> Result<Vec<OwnReport>, BackendError> {
    let sql = "SELECT r.id, r.room, r.reason, r.at, r.withdrawn, r.verdict, \
             coalesce(c.closed_at IS NOT NULL, true) AS closed \
         FROM reports r LEFT JOIN cases c ON c.id = r.case_id \
         WHERE r.reporter = $1 ORDER BY r.no DESC LIMIT $2";
    let found = shared
        .pool
        .query(sql, &[&rows::session(reporter), &OWN])
        .await?;
    let read = |row: &Row| {
        let verdict = columns::verdict(row)?;
        let state = match verdict {
            _ if columns::moment(row, "withdrawn")?.is_some() => OwnReportState::Withdrawn,
            Some(Verdict::Invalid) => OwnReportState::Decided { acted: false },
            verdict if get(row, "closed")? => OwnReportState::Decided {
                acted: verdict == Some(Verdict::Upheld),
            },
            _ => OwnReportState::Open,
        };
        Ok(OwnReport {
            id: ReportId(get(row, "id")?),
            room: RoomId(get(row, "room")?),
            reason: columns::reason(row, "reason")?,
            at: Timestamp(get(row, "at")?),
            state,
        })
    };
    Ok(columns::readable(&found, read))
}

/// See [`crate::store::safety::Reports::withdraw`].
pub(super) async fn withdraw(
    shared: &Shared,
    reporter: SessionId,
    report: ReportId,
) -> Result<Withdrawn, BackendError> {
    let mut line = Line::begin(shared).await?;
    let sql = "SELECT r.case_id, r.withdrawn, r.verdict, c.kind, c.state, c.sanction \
         FROM reports r JOIN cases c ON c.id = r.case_id WHERE r.id = $1 AND r.reporter = $2";
    let Some(row) = line
        .maybe(sql, &[&report.0, &rows::session(reporter)])
        .await?
    else {
        return line.commit(Withdrawn::Unknown).await;
    };
    if columns::moment(&row, "withdrawn")?.is_some() {
        return line.commit(Withdrawn::Done).await;
    }
    let invalid = columns::verdict(&row)? == Some(Verdict::Invalid);
    if invalid || columns::state(&row)?.closed() {
        return line.commit(Withdrawn::Decided).await;
    }
    let sql = "UPDATE reports SET withdrawn = $2 WHERE id = $1";
    line.change(sql, &[&report.0, &line.now.0]).await?;
    let case = CaseId(columns::number(&row, "case_id")?);
    let left = cases::recompute(&line, case).await?;
    if left == 0 && columns::kind(&row)? == CaseKind::Reports {
        cases::set_state(&line, case, CaseState::Skipped).await?;
    }
    automatic::lift_ungrounded(&mut line, case).await?;
    line.commit(Withdrawn::Done).await
}

/// See [`crate::store::safety::Reports::accuracy`].
pub(super) async fn accuracy(
    shared: &Shared,
    reporter: SessionId,
    besides: Option<CaseId>,
) -> Result<Accuracy, BackendError> {
    let params: Params<'_> = &[
        &rows::session(reporter),
        &rows::size(ACCURACY_REPORTS),
        &besides.map(|it| int(it.0)),
    ];
    accuracy_of(&shared.pool.query(ACCURACY, params).await?)
}
