use std::sync::Arc;

use adit_primitives::Block;
use backon::BackoffBuilder as _;
use subxt::ext::codec::Decode as _;
use tokio::time::{Instant, timeout};

use super::{
    Shared,
    connection::{Connection, read_hash, unreadable},
    outcome::{DropReason, TransactionReport},
    pool::{PoolReason, PoolRefusal},
    submit::{Fate, Signed},
};
use crate::{BlockHead, Error, Result};

/// Blocks the best chain must be past the last possible one before absence is believed; a shorter
/// reorganisation could still bring the transaction.
pub(super) const SETTLED: u64 = 8;

/// What one look at the chain showed.
enum Step {
    Found(TransactionReport),
    Gone(DropReason),
    /// Not in a block, and its signature is worth nothing any more.
    Void,
    NotYet,
}

impl Shared {
    /// Finds out what became of a transaction that was sent when the connection broke.
    ///
    /// The blocks it could be in are searched. A transaction that got lost on the way is sent
    /// again, the same bytes with the same signature and nonce, which the chain includes once at
    /// most.
    pub(super) async fn determine(&self, signed: &Signed) -> Fate {
        tracing::warn!(call = %signed.call, extrinsic = %signed.hash, "looking for a transaction whose connection was lost");
        let deadline = Instant::now() + self.options.determination_wait;
        let mut pauses = self.options.endless_backoff().build();
        let mut search = Search::new(signed);
        loop {
            let reason = match self.step(signed, &mut search).await {
                Ok(Step::Found(report)) => match self.finality(&report, deadline).await {
                    Some(finalized) => return Fate::InBlock { report, finalized },
                    None => {
                        // It left the best chain again: from the beginning.
                        search = Search::new(signed);
                        "its block left the best chain".to_owned()
                    }
                },
                Ok(Step::Gone(reason)) => return Fate::Dropped(reason),
                Ok(Step::Void) => return Fate::Void,
                Ok(Step::NotYet) => "not yet included".to_owned(),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Fate::Unknown(reason);
            }
            // A new block is the earliest moment at which anything can have changed.
            let mut tip = self.tip.clone();
            tip.mark_unchanged();
            let pause = pauses.next().unwrap_or(self.options.longest_pause);
            let _ = timeout(pause, tip.changed()).await;
        }
    }

    /// A pool that gave a transaction up may have done so because it is already in a block.
    pub(super) async fn given_up(&self, signed: &Signed, reason: DropReason) -> Fate {
        let look = async {
            let connection = self.link.connection().await?;
            let head = connection.newest().await?.number;
            let mut search = Search::new(signed);
            self.scan(&connection, signed, &mut search, head).await
        };
        match look.await {
            Ok(None) => match self.is_void(signed).await {
                Ok(true) => Fate::Void,
                Ok(false) => Fate::Dropped(reason),
                Err(_) => self.determine(signed).await,
            },
            Ok(Some(_)) | Err(_) => self.determine(signed).await,
        }
    }

    async fn step(&self, signed: &Signed, search: &mut Search) -> Result<Step> {
        let connection = self.link.connection().await?;
        let head = connection.newest().await?.number;
        if let Some(report) = self.scan(&connection, signed, search, head).await? {
            return Ok(Step::Found(report));
        }
        if head.0 > signed.expires.0.saturating_add(SETTLED) {
            // The last word: everything once more, because blocks seen earlier may have been
            // replaced.
            let mut search = Search::new(signed);
            let last = signed.expires;
            let found = self.scan(&connection, signed, &mut search, last).await?;
            return Ok(found.map_or(Step::Gone(DropReason::Expired), Step::Found));
        }
        match self.is_usurped(&connection, signed, search).await {
            Ok(true) => return Ok(Step::Gone(DropReason::Usurped)),
            Ok(false) => {}
            Err(error) if error.is_retryable() => return Err(error),
            // A node that cannot say so must not keep us from sending again.
            Err(error) => tracing::debug!(%error, "whether the nonce is used up is not known"),
        }
        if head <= signed.expires && search.is_new(&connection) {
            let refusal = send_again(&connection, signed).await?;
            search.sent_to = Some(connection);
            let bad = refusal.is_some_and(|refusal| refusal.reason == PoolReason::BadSignature);
            if bad && self.is_void(signed).await? {
                return Ok(Step::Void);
            }
        }
        Ok(Step::NotYet)
    }

    /// Whether the finalised chain, every block of which was searched, has used the nonce.
    async fn is_usurped(
        &self,
        connection: &Connection,
        signed: &Signed,
        search: &Search,
    ) -> Result<bool> {
        let finalised = finalised(connection).await?;
        if finalised.number <= signed.anchor || finalised.number >= search.next {
            return Ok(false);
        }
        let account = signed.account.as_bytes();
        let answer = connection
            .call("AccountNonceApi_account_nonce", account, finalised.hash)
            .await?;
        let nonce = u32::decode(&mut &*answer)
            .map_err(|error| unreadable("a nonce", &error.to_string()))?;
        if u64::from(nonce) <= signed.nonce {
            return Ok(false);
        }
        // Blocks searched before they were final may have been replaced since.
        let mut again = Search::new(signed);
        let found = self.scan(connection, signed, &mut again, finalised.number);
        Ok(found.await?.is_none())
    }

    async fn scan(
        &self,
        connection: &Connection,
        signed: &Signed,
        search: &mut Search,
        head: Block,
    ) -> Result<Option<TransactionReport>> {
        let last = head.min(signed.expires);
        while search.next <= last {
            let Some(hash) = connection.block_hash(search.next).await? else {
                return Ok(None);
            };
            if let Some(report) = self.conclude(connection, hash, signed).await? {
                return Ok(Some(report));
            }
            search.next = Block(search.next.0 + 1);
        }
        Ok(None)
    }

    /// Waits until finality has passed a block that was on the best chain and looks at its height
    /// again. `None` when another block is there now, `Some(false)` when finality did not come in
    /// time.
    async fn finality(&self, report: &TransactionReport, deadline: Instant) -> Option<bool> {
        let deadline = deadline.min(Instant::now() + self.options.finality_wait);
        let mut tip = self.tip.clone();
        loop {
            match self.stands(report).await {
                Ok((true, true)) => return Some(true),
                Ok((false, _)) => return None,
                Ok((true, false)) | Err(_) if Instant::now() >= deadline => return Some(false),
                Ok((true, false)) | Err(_) => {}
            }
            tip.mark_unchanged();
            let pause = self
                .options
                .longest_pause
                .min(deadline.saturating_duration_since(Instant::now()));
            let _ = timeout(pause, tip.changed()).await;
        }
    }

    /// Whether a block is still on the best chain, and whether it is final.
    pub(super) async fn stands(&self, report: &TransactionReport) -> Result<(bool, bool)> {
        let connection = self.link.connection().await?;
        let receipt = &report.receipt;
        // Finality first, so that the hash read afterwards cannot change any more.
        let finalized = finalised(&connection).await?.number >= receipt.block;
        let there = connection.block_hash(receipt.block).await? == Some(receipt.block_hash);
        Ok((there, finalized))
    }
}

/// The newest final block.
async fn finalised(connection: &Connection) -> Result<BlockHead> {
    let hash = connection.request("chain_getFinalizedHead", &[]).await?;
    let hash = read_hash(&hash, "the finalised block's hash")?;
    let number = connection.number_of(hash).await?;
    Ok(BlockHead { number, hash })
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
/// Gives the node's refusal, if it refused.
async fn send_again(connection: &Connection, signed: &Signed) -> Result<Option<PoolRefusal>> {
    if connection.next_nonce(signed.account).await? > signed.nonce {
        return Ok(None);
    }
    let params = [signed.text().into()];
    match connection.request("author_submitExtrinsic", &params).await {
        Ok(_) => {
            tracing::info!(call = %signed.call, extrinsic = %signed.hash, "sent the same transaction again");
            Ok(None)
        }
        // Known to the pool, banned for a while or stale: searching goes on and tells.
        Err(Error::Rpc { code, message, .. }) => {
            let refusal = PoolRefusal::read(code, &message);
            tracing::debug!(%refusal, "the node did not take the transaction again");
            Ok(Some(refusal))
        }
        Err(error) => Err(error),
    }
}
