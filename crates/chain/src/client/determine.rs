use std::sync::Arc;

use adit_primitives::Block;
use backon::BackoffBuilder as _;
use tokio::time::{Instant, timeout};

use super::{
    Shared,
    connection::Connection,
    submit::{Included, Signed},
};
use crate::{Error, Result};

/// Blocks the best chain must be past the last possible one before absence is believed; a shorter
/// reorganisation could still bring the transaction.
const SETTLED: u64 = 8;

impl Shared {
    /// Finds out what became of a transaction that was sent when the connection broke.
    ///
    /// The blocks it could be in are searched. A transaction that got lost on the way is sent
    /// again, the same bytes with the same signature and nonce, which the chain includes once at
    /// most.
    ///
    /// # Errors
    /// [`Error::Refused`] when it failed in its block, [`Error::Expired`] when it never got into
    /// one and no longer can, [`Error::Undetermined`] when the chain cannot be asked.
    pub(super) async fn determine(&self, signed: &Signed) -> Result<Included> {
        tracing::warn!(call = signed.call, extrinsic = %signed.hash, "looking for a transaction whose connection was lost");
        let deadline = Instant::now() + self.options.determination_wait;
        let mut pauses = self.options.endless_backoff().build();
        let mut search = Search::new(signed);
        loop {
            let reason = match self.step(signed, &mut search).await {
                Ok(Some(included)) => return Ok(included),
                Ok(None) => "not yet included".to_owned(),
                Err(error @ (Error::Refused { .. } | Error::Expired { .. })) => return Err(error),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Err(Error::Undetermined {
                    call: signed.call,
                    extrinsic: signed.hash,
                    reason,
                });
            }
            // A new block is the earliest moment at which anything can have changed.
            let mut tip = self.tip.clone();
            tip.mark_unchanged();
            let pause = pauses.next().unwrap_or(self.options.longest_pause);
            let _ = timeout(pause, tip.changed()).await;
        }
    }

    /// Looks through all blocks that could hold the transaction, once.
    pub(super) async fn find(&self, signed: &Signed) -> Result<Option<Included>> {
        let connection = self.link.connection().await?;
        let head = connection.newest().await?.number;
        let mut search = Search::new(signed);
        self.scan(&connection, signed, &mut search, head).await
    }

    async fn step(&self, signed: &Signed, search: &mut Search) -> Result<Option<Included>> {
        let connection = self.link.connection().await?;
        let head = connection.newest().await?.number;
        if let Some(included) = self.scan(&connection, signed, search, head).await? {
            return Ok(Some(included));
        }
        if head.0 > signed.expires.0.saturating_add(SETTLED) {
            return self.settle(&connection, signed).await;
        }
        if head <= signed.expires && search.is_new(&connection) {
            send_again(&connection, signed).await?;
            search.sent_to = Some(connection);
        }
        Ok(None)
    }

    /// The last word: everything once more, because blocks seen earlier may have been replaced.
    async fn settle(&self, connection: &Connection, signed: &Signed) -> Result<Option<Included>> {
        let mut search = Search::new(signed);
        match self
            .scan(connection, signed, &mut search, signed.expires)
            .await?
        {
            Some(included) => Ok(Some(included)),
            None => Err(Error::Expired {
                call: signed.call,
                extrinsic: signed.hash,
            }),
        }
    }

    async fn scan(
        &self,
        connection: &Connection,
        signed: &Signed,
        search: &mut Search,
        head: Block,
    ) -> Result<Option<Included>> {
        let last = head.min(signed.expires);
        while search.next <= last {
            let Some(hash) = connection.block_hash(search.next).await? else {
                return Ok(None);
            };
            if let Some(included) = self.conclude(connection, hash, signed).await? {
                return Ok(Some(included));
            }
            search.next = Block(search.next.0 + 1);
        }
        Ok(None)
    }
}

struct Search {
    /// The first block not searched yet.
    next: Block,
    sent_to: Option<Arc<Connection>>,
}

impl Search {
    fn new(signed: &Signed) -> Self {
        Self {
            next: Block(signed.anchor.0 + 1),
            sent_to: None,
        }
    }

    fn is_new(&self, connection: &Arc<Connection>) -> bool {
        let sent_to = self.sent_to.as_ref();
        sent_to.is_none_or(|old| !Arc::ptr_eq(old, connection))
    }
}

/// Sends the same bytes again unless the node already knows them or has moved past their nonce.
async fn send_again(connection: &Connection, signed: &Signed) -> Result<()> {
    if connection.next_nonce(signed.account).await? > signed.nonce {
        return Ok(());
    }
    let params = [signed.text.clone().into()];
    match connection.request("author_submitExtrinsic", &params).await {
        Ok(_) => {
            tracing::info!(call = signed.call, extrinsic = %signed.hash, "sent the same transaction again");
            Ok(())
        }
        // Known to the pool, banned for a while or stale: searching goes on and tells.
        Err(Error::Rpc { code, message, .. }) => {
            tracing::debug!(code, message, "the node did not take the transaction again");
            Ok(())
        }
        Err(error) => Err(error),
    }
}
