//! Whether the audit log is as it was written.

use super::Operating;
use crate::domain::safety::chain::{Head, Verdict, Verifier};
use crate::store::StoreError;

impl Operating {
    /// Goes through the whole log. Rows that are added meanwhile are looked at, too: the head is read last.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn verify_audit(&self) -> Result<Verdict, StoreError> {
        let mut verifier = Verifier::default();
        let mut last = 0;
        loop {
            let rows = self.safety.audit(last).await?;
            if let Some(row) = rows.last() {
                last = last.max(row.no);
                rows.iter().for_each(|row| verifier.row(row));
                continue;
            }
            let (no, hash) = self.safety.audit_head().await?;
            // The head may have moved since the last rows were read: then there are more.
            if no <= last || self.safety.audit(last).await?.is_empty() {
                return Ok(verifier.end(Head { no, hash }));
            }
        }
    }
}
