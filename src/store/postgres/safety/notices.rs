//! What people are told of decisions, and their appeals against it.

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{self, get, size};
use super::super::shared::Shared;
use super::Params;
use super::cases::{self, FEW};
use super::columns::{self, int, number};
use super::line::Line;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{
    AppealState, CaseKind, Notice, NoticeId, NoticeKind, Reason, SanctionId,
};
use crate::store::safety::{Appealed, LISTED};

/// What a person is told.
pub(super) struct Tells<'a> {
    pub(super) to: SessionId,
    pub(super) kind: NoticeKind,
    pub(super) rule: Option<Reason>,
    pub(super) text: &'a str,
    pub(super) until: Option<Timestamp>,
    pub(super) automatic: bool,
    pub(super) acted: Option<bool>,
    pub(super) sanction: Option<SanctionId>,
}

impl Tells<'_> {
    /// Writes it down.
    pub(super) async fn insert(&self, line: &Line) -> Result<(), BackendError> {
        let sql = "INSERT INTO notices (id, recipient, kind, rule, text, at, until, automatic, acted, sanction) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let params: Params<'_> = &[
            &NoticeId::fresh().0,
            &rows::session(self.to),
            &i16::from(self.kind.code()),
            &self.rule.map(|it| i16::from(it.code())),
            &self.text.as_bytes(),
            &line.now.0,
            &self.until.map(|it| it.0),
            &self.automatic,
            &self.acted,
            &self.sanction.map(|it| int(it.0)),
        ];
        line.change(sql, params).await?;
        Ok(())
    }
}

/// What [`notice`] takes; `$1` is whose.
const NOTICE: &str = "SELECT n.*, n.appealed IS NOT NULL AS appeals, \
         coalesce((SELECT c.closed_at IS NOT NULL FROM cases c WHERE c.id = n.appealed), true) AS decided, \
         EXISTS (SELECT FROM sanctions l WHERE l.lifts = n.sanction) AS lifted \
     FROM notices n WHERE n.recipient = $1";

fn notice(row: &Row) -> Result<Notice, BackendError> {
    let kind: i16 = get(row, "kind")?;
    let kind = NoticeKind::from_code(kind.into());
    let kind = kind.ok_or(BackendError::Damaged("a notice of no known kind"))?;
    let sanction = columns::some_number(row, "sanction")?.map(SanctionId);
    let imposes = matches!(
        kind,
        NoticeKind::Warning | NoticeKind::Mute | NoticeKind::Ban
    );
    let appeal = match (get(row, "appeals")?, get(row, "decided")?) {
        (true, true) => AppealState::Decided,
        (true, false) => AppealState::Pending,
        (false, _) if imposes && sanction.is_some() && !get::<bool>(row, "lifted")? => {
            AppealState::Possible
        }
        (false, _) => AppealState::None,
    };
    Ok(Notice {
        id: NoticeId(get(row, "id")?),
        to: columns::session(row, "recipient")?,
        kind,
        rule: columns::some_reason(row, "rule")?,
        text: columns::text(row, "text")?,
        from: Timestamp(get(row, "at")?),
        until: columns::moment(row, "until")?,
        automatic: get(row, "automatic")?,
        acted: get(row, "acted")?,
        sanction,
        acknowledged: columns::moment(row, "acknowledged")?,
        appeal,
    })
}

/// See [`crate::store::safety::Sanctions::notices`].
pub(super) async fn notices(shared: &Shared, to: SessionId) -> Result<Vec<Notice>, BackendError> {
    let sql = format!("{NOTICE} ORDER BY n.no DESC LIMIT $2");
    let found = shared.pool.query(&sql, &[&rows::session(to), &FEW]).await?;
    Ok(columns::readable(&found, notice))
}

/// See [`crate::store::safety::Sanctions::unread_since`].
pub(super) async fn unread_since(
    shared: &Shared,
    after: u64,
) -> Result<Vec<(u64, SessionId)>, BackendError> {
    let sql = "SELECT no, recipient FROM notices WHERE no > $1 AND acknowledged IS NULL ORDER BY no LIMIT $2";
    let params: Params<'_> = &[&int(after), &size(LISTED)];
    let found = shared.pool.query(sql, params).await?;
    let whose = |row: &Row| Ok((number(row, "no")?, columns::session(row, "recipient")?));
    Ok(columns::readable(&found, whose))
}

/// See [`crate::store::safety::Sanctions::acknowledge`].
pub(super) async fn acknowledge(
    shared: &Shared,
    to: SessionId,
    notice: NoticeId,
) -> Result<bool, BackendError> {
    let sql = "UPDATE notices SET acknowledged = coalesce(acknowledged, moment($3)) \
         WHERE id = $1 AND recipient = $2 RETURNING no";
    let params: Params<'_> = &[&notice.0, &rows::session(to), &shared.now()];
    Ok(!shared.pool.query(sql, params).await?.is_empty())
}

/// See [`crate::store::safety::Sanctions::appeal`].
pub(super) async fn appeal(
    shared: &Shared,
    by: SessionId,
    id: NoticeId,
    text: &str,
) -> Result<Appealed, BackendError> {
    let line = Line::begin(shared).await?;
    let sql = format!("{NOTICE} AND n.id = $2");
    let row = line.maybe(&sql, &[&rows::session(by), &id.0]).await?;
    let Some(told) = row.as_ref().map(notice).transpose()? else {
        return line.commit(Appealed::Unknown).await;
    };
    let sanction = match (told.appeal, told.sanction) {
        (AppealState::Possible, Some(sanction)) => sanction,
        (AppealState::Pending | AppealState::Decided, _) => {
            return line.commit(Appealed::Already).await;
        }
        _ => return line.commit(Appealed::NotPossible).await,
    };
    let rule = told.rule.unwrap_or(Reason::Other);
    let case = cases::open(&line, CaseKind::Appeal(sanction), by, rule, text).await?;
    let sql = "UPDATE notices SET appealed = $2 WHERE sanction = $1";
    line.change(sql, &[&int(sanction.0), &int(case.0)]).await?;
    line.commit(Appealed::Done(case)).await
}
