//! Values of people's safety as columns, and back. What cannot be read is damage.

use tokio_postgres::Row;
use uuid::Uuid;

use super::super::error::BackendError;
use super::super::rows::{self, get};
use crate::domain::id::{RoomId, SessionId, Timestamp};
use crate::domain::safety::{
    AuditAct, AuditDraft, AuditRow, Case, CaseClaim, CaseId, CaseKind, CaseState, Chosen, Finding,
    NetworkHash, NetworkLength, Networks, Operator, OperatorId, OperatorName, Priority, Reason,
    Report, ReportId, Role, Sanction, SanctionId, SanctionKind, SanctionTarget, Verdict, Weight,
};

/// Length of a network as a column.
const NETWORK: usize = 17;

/// A number as a column.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from a column.
pub(super) fn number(row: &Row, column: &str) -> Result<u64, BackendError> {
    let number: i64 = get(row, column)?;
    u64::try_from(number).map_err(|_| BackendError::Damaged("a negative number"))
}

/// A number that may be absent.
pub(super) fn some_number(row: &Row, column: &str) -> Result<Option<u64>, BackendError> {
    Ok(get::<Option<i64>>(row, column)?.and_then(|it| u64::try_from(it).ok()))
}

/// So many bytes.
pub(super) fn bytes<const N: usize>(row: &Row, column: &str) -> Result<[u8; N], BackendError> {
    let found: &[u8] = get(row, column)?;
    let wrong = BackendError::Damaged("bytes of a wrong length");
    found.try_into().map_err(|_| wrong)
}

/// The rows of a list that can be read. A damaged one is counted and left out, so that it keeps nothing else from
/// being seen, worked on or taken into effect.
pub(super) fn readable<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, BackendError>) -> Vec<T> {
    let read = rows.iter().map(|row| undamaged(read(row)));
    read.flatten().collect()
}

/// What was read of a row; `None`: it is damaged, which is counted.
pub(super) fn undamaged<T>(read: Result<T, BackendError>) -> Option<T> {
    read.inspect_err(BackendError::count).ok()
}

/// A text.
pub(super) fn text(row: &Row, column: &str) -> Result<String, BackendError> {
    rows::text(get(row, column)?)
}

/// A moment that may be absent.
pub(super) fn moment(row: &Row, column: &str) -> Result<Option<Timestamp>, BackendError> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp))
}

/// A session.
pub(super) fn session(row: &Row, column: &str) -> Result<SessionId, BackendError> {
    Ok(rows::session_id(get(row, column)?))
}

/// A value that is kept as a small number.
fn coded<T>(
    row: &Row,
    column: &str,
    read: impl Fn(i64) -> Option<T>,
    unknown: &'static str,
) -> Result<T, BackendError> {
    let code: i16 = get(row, column)?;
    read(code.into()).ok_or(BackendError::Damaged(unknown))
}

/// A rule.
pub(super) fn reason(row: &Row, column: &str) -> Result<Reason, BackendError> {
    coded(row, column, Reason::from_code, "a rule that is not known")
}

/// A rule that may be absent.
pub(super) fn some_reason(row: &Row, column: &str) -> Result<Option<Reason>, BackendError> {
    match get::<Option<i16>>(row, column)? {
        None => Ok(None),
        Some(_) => reason(row, column).map(Some),
    }
}

/// A role.
pub(super) fn role(row: &Row) -> Result<Role, BackendError> {
    coded(row, "role", Role::from_code, "a role that is not known")
}

/// Both networks as a column.
pub(super) fn networks(networks: Networks) -> Vec<u8> {
    [network(networks.near), network(networks.wide)].concat()
}

/// One network as a column.
pub(super) fn network(network: NetworkHash) -> Vec<u8> {
    [&[network.length.bits()], &network.hash[..]].concat()
}

fn network_of(bytes: &[u8]) -> Result<NetworkHash, BackendError> {
    let damaged = || BackendError::Damaged("a network that cannot be read");
    let (bits, hash) = bytes.split_first().ok_or_else(damaged)?;
    Ok(NetworkHash {
        length: NetworkLength::from_bits((*bits).into()).ok_or_else(damaged)?,
        hash: hash.try_into().map_err(|_| damaged())?,
    })
}

/// Both networks from a column.
pub(super) fn networks_of(row: &Row, column: &str) -> Result<Option<Networks>, BackendError> {
    let Some(bytes) = get::<Option<&[u8]>>(row, column)? else {
        return Ok(None);
    };
    let (near, wide) = bytes.split_at(bytes.len().min(NETWORK));
    Ok(Some(Networks {
        near: network_of(near)?,
        wide: network_of(wide)?,
    }))
}

/// What a case is about, as columns: its kind and the sanction of an appeal.
pub(super) fn kind_code(kind: CaseKind) -> (i16, Option<i64>) {
    match kind {
        CaseKind::Reports => (1, None),
        CaseKind::ByHand => (2, None),
        CaseKind::Appeal(sanction) => (3, Some(int(sanction.0))),
    }
}

/// What a case is about.
pub(super) fn kind(row: &Row) -> Result<CaseKind, BackendError> {
    match (get::<i16>(row, "kind")?, some_number(row, "sanction")?) {
        (1, _) => Ok(CaseKind::Reports),
        (2, _) => Ok(CaseKind::ByHand),
        (3, Some(sanction)) => Ok(CaseKind::Appeal(SanctionId(sanction))),
        _ => Err(BackendError::Damaged("a case of no known kind")),
    }
}

/// How far a case is.
pub(super) fn state(row: &Row) -> Result<CaseState, BackendError> {
    coded(
        row,
        "state",
        CaseState::from_code,
        "a case in no known state",
    )
}

/// The last claim, which may have run out.
pub(super) fn claim(row: &Row) -> Result<Option<CaseClaim>, BackendError> {
    let by = some_number(row, "claimed_by")?.map(OperatorId);
    let until = moment(row, "claimed_until")?;
    Ok(by.zip(until).map(|(by, until)| CaseClaim { by, until }))
}

/// A case, from all columns of its row, as of this moment.
pub(super) fn case(row: &Row, now: Timestamp) -> Result<Case, BackendError> {
    let state = state(row)?;
    let claim = claim(row)?.filter(|claim| !state.closed() && now < claim.until);
    Ok(Case {
        id: CaseId(number(row, "id")?),
        kind: kind(row)?,
        subject: session(row, "subject")?,
        state,
        reason: reason(row, "reason")?,
        priority: Priority(number(row, "priority")?),
        reports: u32::try_from(get::<i32>(row, "reports")?).unwrap_or(0),
        claim,
        opened_at: Timestamp(get(row, "opened_at")?),
        closed_at: moment(row, "closed_at")?,
        reopened: get(row, "reopened")?,
        held_until: moment(row, "held_until")?.filter(|until| now < *until),
        text: text(row, "text")?,
    })
}

/// What became of a report, as a column.
pub(super) fn verdict_code(verdict: Verdict) -> i16 {
    match verdict {
        Verdict::Upheld => 1,
        Verdict::NotUpheld => 2,
        Verdict::Invalid => 3,
    }
}

/// What became of a report.
pub(super) fn verdict(row: &Row) -> Result<Option<Verdict>, BackendError> {
    match get::<Option<i16>>(row, "verdict")? {
        None => Ok(None),
        Some(1) => Ok(Some(Verdict::Upheld)),
        Some(2) => Ok(Some(Verdict::NotUpheld)),
        Some(3) => Ok(Some(Verdict::Invalid)),
        Some(_) => Err(BackendError::Damaged("a verdict that is not known")),
    }
}

/// A report, from all columns of its row.
pub(super) fn report(row: &Row) -> Result<Report, BackendError> {
    let verdict = verdict(row)?;
    let weight = match verdict {
        Some(Verdict::Invalid) => Weight(0),
        _ => weight(row)?,
    };
    let chosen: Option<Vec<i64>> = get(row, "chosen")?;
    let chosen = chosen.map_or(Ok(Chosen::All), |seqs| {
        let seqs: Result<_, BackendError> = seqs.into_iter().map(rows::seq).collect();
        seqs.map(Chosen::Messages)
    });
    let claims = serde_json::from_slice(get(row, "claims")?);
    Ok(Report {
        id: ReportId(get(row, "id")?),
        case: CaseId(number(row, "case_id")?),
        reporter: session(row, "reporter")?,
        reported: session(row, "reported")?,
        room: RoomId(get(row, "room")?),
        side: rows::side(get::<i16>(row, "side")?.into())?,
        reason: reason(row, "reason")?,
        note: text(row, "note")?,
        chosen: chosen?,
        claims: claims.map_err(|_| BackendError::Damaged("claims that cannot be read"))?,
        weight,
        met: get(row, "met")?,
        at: Timestamp(get(row, "at")?),
        withdrawn: moment(row, "withdrawn")?,
        verdict,
    })
}

/// A weight.
pub(super) fn weight(row: &Row) -> Result<Weight, BackendError> {
    let weight = u32::try_from(get::<i32>(row, "weight")?);
    weight
        .map(Weight)
        .map_err(|_| BackendError::Damaged("a negative weight"))
}

/// What was found, as a column.
pub(super) fn finding_code(finding: Finding) -> i16 {
    match finding {
        Finding::Violation => 1,
        Finding::NoViolation => 2,
    }
}

/// What was found.
pub(super) fn finding(row: &Row) -> Result<Finding, BackendError> {
    match get::<i16>(row, "finding")? {
        1 => Ok(Finding::Violation),
        2 => Ok(Finding::NoViolation),
        _ => Err(BackendError::Damaged("a finding that is not known")),
    }
}

/// The target of a sanction, as columns: its session, or its network.
pub(super) fn target_columns(target: SanctionTarget) -> (Option<Uuid>, Option<Vec<u8>>) {
    match target {
        SanctionTarget::Session(session) => (Some(rows::session(session)), None),
        SanctionTarget::Network(hash) => (None, Some(network(hash))),
    }
}

/// The columns that [`sanction`] takes; `s` is the sanction, `l` what lifted it.
pub(super) const SANCTION: &str = "SELECT s.*, l.id AS lifted_by \
     FROM sanctions s LEFT JOIN sanctions l ON l.lifts = s.id";

/// A sanction, from a row of [`SANCTION`].
pub(super) fn sanction(row: &Row) -> Result<Sanction, BackendError> {
    let session: Option<Uuid> = get(row, "session")?;
    let network: Option<&[u8]> = get(row, "network")?;
    let target = match (session, network) {
        (Some(session), _) => SanctionTarget::Session(rows::session_id(session)),
        (None, Some(network)) => SanctionTarget::Network(network_of(network)?),
        (None, None) => return Err(BackendError::Damaged("a sanction on no one")),
    };
    Ok(Sanction {
        id: SanctionId(number(row, "id")?),
        target,
        kind: coded(
            row,
            "kind",
            SanctionKind::from_code,
            "a sanction of no known kind",
        )?,
        rule: reason(row, "rule")?,
        at: Timestamp(get(row, "at")?),
        until: moment(row, "until")?,
        lifts: some_number(row, "lifts")?.map(SanctionId),
        lifted_by: some_number(row, "lifted_by")?.map(SanctionId),
        automatic: get(row, "automatic")?,
        by: some_number(row, "by")?.map(OperatorId),
        case: some_number(row, "case_id")?.map(CaseId),
    })
}

/// The columns that [`operator`] takes.
pub(super) const OPERATOR: &str = "SELECT o.*, \
     (SELECT count(*) FROM recovery_codes c WHERE c.operator = o.id) AS codes FROM operators o";

/// An operator, from a row of [`OPERATOR`].
pub(super) fn operator(row: &Row) -> Result<Operator, BackendError> {
    let name = OperatorName::parse(&text(row, "name")?);
    Ok(Operator {
        id: OperatorId(number(row, "id")?),
        name: name.ok_or(BackendError::Damaged("an operator without a name"))?,
        role: role(row)?,
        password: text(row, "password")?,
        totp: get(row, "totp")?,
        recovery_codes: u32::try_from(number(row, "codes")?).unwrap_or(u32::MAX),
        since: Timestamp(get(row, "since")?),
        disabled: moment(row, "disabled")?,
    })
}

/// What was done.
pub(super) fn act(row: &Row) -> Result<AuditAct, BackendError> {
    coded(row, "act", AuditAct::from_code, "an act that is not known")
}

/// A row of the audit log.
pub(super) fn audit_row(row: &Row) -> Result<AuditRow, BackendError> {
    let name: Option<Vec<u8>> = get(row, "name")?;
    Ok(AuditRow {
        no: number(row, "no")?,
        at: Timestamp(get(row, "at")?),
        name: name.map(rows::text).transpose()?,
        what: AuditDraft {
            by: some_number(row, "by")?.map(OperatorId),
            act: act(row)?,
            case: some_number(row, "case_id")?.map(CaseId),
            sanction: some_number(row, "sanction")?.map(SanctionId),
            took_ms: get(row, "took_ms")?,
            details: text(row, "details")?,
        },
        before: bytes(row, "before")?,
        hash: bytes(row, "hash")?,
    })
}
