use std::{borrow::Cow, collections::BTreeSet};

use adit_primitives::{AccountId, Block, BlockHash};
use adit_wallet::Keypair;
use serde_json::Value;
use subxt::rpcs::client::RpcSubscription;

use super::{
    Client, Shared,
    call::ChainCall,
    connection::{Connection, hex_text, unreadable},
    nonce::Reservation,
    offline::{SigningTerms, TransactionEra},
    outcome::{DropReason, SubmissionOutcome, TransactionReport},
    pool::{PoolReason, PoolRefusal},
    snapshot::Snapshot,
    watch::Watched,
};
use crate::{BlockHead, Error, Result};

/// A transaction that is in a block and succeeded there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Included {
    pub(super) head: BlockHead,
    pub(super) extrinsic: BlockHash,
}

/// A signed transaction. Its nonce can be used at most once, and it only up to a block.
pub(super) struct Signed {
    pub(super) call: Cow<'static, str>,
    /// As it is sent, with its hash; before it what was signed first, with the same nonce, for a
    /// runtime that is gone.
    pub(super) texts: Vec<(String, BlockHash)>,
    pub(super) hash: BlockHash,
    pub(super) account: AccountId,
    pub(super) nonce: u64,
    /// It cannot be in this block or before.
    pub(super) anchor: Block,
    /// The block whose hash the signature covers.
    birth: BlockHead,
    /// The runtime the signature is for.
    spec_version: u32,
    /// It cannot be after this block.
    pub(super) expires: Block,
}

impl Signed {
    pub(super) fn text(&self) -> &str {
        self.texts.last().map_or("", |(text, _)| text.as_str())
    }
}

/// How handing a transaction to a node went.
enum Sent {
    /// The node took it and tells how it goes on.
    Watching(RpcSubscription<Value>),
    /// Nobody knows whether the node got it.
    Lost,
    /// The node has it already, from an earlier attempt.
    Known,
    Refused(PoolRefusal),
}

/// What became of a transaction.
pub(super) enum Fate {
    InBlock {
        report: TransactionReport,
        finalized: bool,
    },
    Dropped(DropReason),
    Unknown(String),
    /// In no block, and what was signed can no longer be valid, because the runtime or the block
    /// the signature names is gone.
    Void,
}

/// How often a transaction is signed anew because somebody was faster with its nonce.
const ATTEMPTS: usize = 6;

impl Client {
    /// Signs any call, sends it and waits until its fate is known.
    ///
    /// Several may be on their way at once, of one account or of many: nonces are handed out so
    /// that none is used twice, and another process using the same key is tolerated. Nothing is
    /// ever sent again with another nonce unless the chain cannot include the first any more. Eras
    /// are mortal ([`ClientOptions::mortality`](super::ClientOptions::mortality) blocks from the
    /// newest one), the tip is 0.
    ///
    /// A runtime upgrade between signing and inclusion makes the signature bad; the call is then
    /// signed once more, with the same nonce.
    ///
    /// # Errors
    /// [`Error::NoSuchCall`], [`Error::MissingArgument`], [`Error::UnknownArgument`],
    /// [`Error::Build`], or a failure to reach the chain before anything was sent. Whatever happens
    /// after that is a [`SubmissionOutcome`].
    pub async fn submit(&self, call: &ChainCall, signer: &Keypair) -> Result<SubmissionOutcome> {
        self.shared.carry(call, signer).await
    }
}

impl Shared {
    /// Signs a call, sends it and waits until it is in a block, where it succeeded.
    pub(super) async fn submit(
        &self,
        call: impl Into<ChainCall>,
        signer: &Keypair,
    ) -> Result<Included> {
        let report = self.submit_reported(&call.into(), signer).await?;
        Ok(Included {
            head: BlockHead {
                number: report.receipt.block,
                hash: report.receipt.block_hash,
            },
            extrinsic: BlockHash(report.receipt.extrinsic),
        })
    }

    /// As [`Shared::submit`], with the events.
    pub(super) async fn submit_reported(
        &self,
        call: &ChainCall,
        signer: &Keypair,
    ) -> Result<TransactionReport> {
        self.carry(call, signer).await?.into_success(call.label())
    }

    /// Carries a call to its end, whatever that is.
    pub(super) async fn carry(
        &self,
        call: &ChainCall,
        signer: &Keypair,
    ) -> Result<SubmissionOutcome> {
        let (reservation, mut signed, mut connection, mut sent) = self.start(call, signer).await?;
        let mut renewed = false;
        loop {
            let fate = match sent {
                Sent::Refused(refusal) => return Ok(SubmissionOutcome::Rejected(refusal)),
                Sent::Watching(statuses) => {
                    let watched = self.watch(&connection, statuses, signed.expires).await;
                    self.after(&connection, watched, &signed).await
                }
                Sent::Lost | Sent::Known => self.determine(&signed).await,
            };
            let extrinsic = signed.hash.0;
            let outcome = match fate {
                Fate::InBlock { report, finalized } => {
                    reservation.included(report.receipt.block);
                    match finalized {
                        true => SubmissionOutcome::Finalized(report),
                        false => SubmissionOutcome::Included(report),
                    }
                }
                Fate::Dropped(reason) => SubmissionOutcome::Dropped { extrinsic, reason },
                Fate::Unknown(reason) => SubmissionOutcome::Unknown {
                    extrinsic,
                    expires: signed.expires,
                    reason,
                },
                Fate::Void if renewed => SubmissionOutcome::Dropped {
                    extrinsic,
                    reason: DropReason::Invalid,
                },
                Fate::Void => {
                    renewed = true;
                    tracing::warn!(call = %signed.call, nonce = signed.nonce, "signing again: the runtime or the block signed for is gone");
                    let nonce = signed.nonce;
                    match self.renew(call, signer, nonce, signed).await {
                        Ok((again, taken_by, state)) => {
                            (signed, connection, sent) = (again, taken_by, state);
                            continue;
                        }
                        Err((old, error)) => SubmissionOutcome::Unknown {
                            extrinsic: old.hash.0,
                            expires: old.expires,
                            reason: error.to_string(),
                        },
                    }
                }
            };
            if matches!(outcome, SubmissionOutcome::Dropped { .. }) && reservation.holds_up_others()
            {
                self.fill_gap(&reservation, signer).await;
            }
            return Ok(outcome);
        }
    }

    /// Uses a nonce that stayed free below others on their way, with a remark that does nothing:
    /// they would wait for it until they expire. Costs a fee; an account that cannot pay it has its
    /// later transactions expire, which each of them reports.
    async fn fill_gap(&self, reservation: &Reservation, signer: &Keypair) {
        let remark = ChainCall::new("System.remark", [("remark", Vec::<u8>::new().into())]);
        let filling = async {
            let snapshot = self.snapshot().await?;
            let connection = &snapshot.connection;
            if connection.next_nonce(signer.account()).await? > reservation.nonce {
                return Ok(());
            }
            let (nonce, mortality) = (reservation.nonce, self.options.mortality);
            let signed = sign(&snapshot, &remark, signer, nonce, mortality)?;
            let params = [signed.text().into()];
            connection
                .request("author_submitExtrinsic", &params)
                .await?;
            Ok::<(), Error>(())
        };
        let nonce = reservation.nonce;
        match filling.await {
            Ok(()) => tracing::warn!(nonce, "filled a gap below later transactions"),
            Err(error) => tracing::warn!(nonce, %error, "a gap below later transactions stays"),
        }
    }

    /// Signs and sends for the first time; again with another nonce while a pool says that this one
    /// came too late.
    async fn start(
        &self,
        call: &ChainCall,
        signer: &Keypair,
    ) -> Result<(Reservation, Signed, std::sync::Arc<Connection>, Sent)> {
        let desk = self.nonces.desk(signer.account());
        let turn = desk.turn.lock().await;
        let mut avoided = BTreeSet::new();
        let mut attempt = 1;
        loop {
            let (snapshot, next) = self
                .retrying(|| async {
                    let snapshot = self.snapshot().await?;
                    let next = snapshot.connection.next_nonce(signer.account()).await?;
                    // The chain counts in 32 bits.
                    if next > u64::from(u32::MAX) {
                        return Err(unreadable("a nonce", "no account sends so many"));
                    }
                    Ok((snapshot, next))
                })
                .await?;
            let reservation = desk.reserve(next, snapshot.head.number, &avoided);
            let signed = sign(
                &snapshot,
                call,
                signer,
                reservation.nonce,
                self.options.mortality,
            )?;
            let sent = send(&snapshot.connection, &signed).await?;
            let Sent::Refused(refusal) = &sent else {
                drop(turn);
                return Ok((reservation, signed, snapshot.connection, sent));
            };
            let again = match refusal.reason {
                PoolReason::PriorityTooLow => {
                    // Somebody else's transaction holds it, even where the node's count says not.
                    avoided.insert(signed.nonce);
                    true
                }
                PoolReason::Outdated | PoolReason::AncientBirthBlock => true,
                PoolReason::BadSignature => self.is_void(&signed).await.unwrap_or(false),
                _ => false,
            };
            if !again || attempt == ATTEMPTS {
                drop(turn);
                return Ok((reservation, signed, snapshot.connection, sent));
            }
            tracing::debug!(call = %signed.call, nonce = signed.nonce, %refusal, "signing again");
            attempt += 1;
        }
    }

    /// Signs and sends a second time with the same nonce, so that only one of the two can ever be
    /// included.
    async fn renew(
        &self,
        call: &ChainCall,
        signer: &Keypair,
        nonce: u64,
        old: Signed,
    ) -> Result<(Signed, std::sync::Arc<Connection>, Sent), (Box<Signed>, Error)> {
        let made = self
            .retrying(|| async {
                let snapshot = self.snapshot().await?;
                let signed = sign(&snapshot, call, signer, nonce, self.options.mortality)?;
                Ok((snapshot, signed))
            })
            .await;
        let (snapshot, mut signed) = match made {
            Ok(made) => made,
            Err(error) => return Err((Box::new(old), error)),
        };
        signed.anchor = old.anchor.min(signed.anchor);
        signed.texts.splice(..0, old.texts);
        let sent = match send(&snapshot.connection, &signed).await {
            // The first one may have come through after all: the chain tells.
            Ok(Sent::Refused(refusal)) if refusal.is_stale() => Sent::Known,
            Ok(sent) => sent,
            Err(error) => return Err((Box::new(signed), error)),
        };
        Ok((signed, snapshot.connection, sent))
    }

    /// What follows from where watching ended.
    async fn after(&self, connection: &Connection, watched: Watched, signed: &Signed) -> Fate {
        match watched {
            Watched::InBlock { hash, finalized } => {
                match self.conclude(connection, hash, signed).await {
                    Ok(Some(report)) => {
                        // A node may have fallen silent although finality has passed.
                        let finalized =
                            finalized || matches!(self.stands(&report).await, Ok((true, true)));
                        Fate::InBlock { report, finalized }
                    }
                    // Left the best chain, or the node can no longer be asked.
                    Ok(None) | Err(_) => self.determine(signed).await,
                }
            }
            Watched::GivenUp(reason) => self.given_up(signed, reason).await,
            Watched::Lost => self.determine(signed).await,
        }
    }

    /// Whether a signature can no longer be valid although its era has not ended: the chain runs
    /// another runtime now, or the block it names left the best chain.
    pub(super) async fn is_void(&self, signed: &Signed) -> Result<bool> {
        let snapshot = self.snapshot().await?;
        // A node that lags behind shows an older runtime, or not yet the block: that is no proof.
        if snapshot.runtime.spec_version > signed.spec_version {
            return Ok(true);
        }
        let birth = snapshot.connection.block_hash(signed.birth.number).await?;
        Ok(birth.is_some_and(|hash| hash != signed.birth.hash))
    }
}

async fn send(connection: &Connection, signed: &Signed) -> Result<Sent> {
    let params = [signed.text().into()];
    let sent = connection
        .subscribe(
            "author_submitAndWatchExtrinsic",
            &params,
            "author_unwatchExtrinsic",
        )
        .await;
    tracing::debug!(call = %signed.call, extrinsic = %signed.hash, nonce = signed.nonce, taken = sent.is_ok(), "sent");
    match sent {
        Ok(statuses) => Ok(Sent::Watching(statuses)),
        Err(Error::Rpc { code, message, .. }) => {
            let refusal = PoolRefusal::read(code, &message);
            Ok(match refusal.reason {
                PoolReason::AlreadyImported => Sent::Known,
                _ => Sent::Refused(refusal),
            })
        }
        // Whatever else came back, the node may have taken it.
        Err(error) => {
            tracing::debug!(%error, "no answer to a transaction");
            Ok(Sent::Lost)
        }
    }
}

/// Builds and signs, with everything the signature covers taken from one block.
pub(super) fn sign(
    snapshot: &Snapshot,
    call: &ChainCall,
    signer: &Keypair,
    nonce: u64,
    mortality: u64,
) -> Result<Signed> {
    let terms = terms(snapshot, nonce, mortality);
    let transaction = snapshot.runtime.sign(call, &terms, signer)?;
    let birth = snapshot.head;
    Ok(Signed {
        call: call.label(),
        texts: vec![(hex_text(&transaction.bytes), BlockHash(transaction.hash))],
        hash: BlockHash(transaction.hash),
        account: signer.account(),
        nonce,
        anchor: birth.number,
        birth,
        spec_version: snapshot.runtime.spec_version,
        expires: Block(birth.number.0.saturating_add(period(mortality))),
    })
}

/// Up to 4096 blocks an era can begin at any block; beyond, only at some.
fn period(mortality: u64) -> u64 {
    mortality.clamp(4, 4096).next_power_of_two()
}

/// An era that begins at the snapshot's block, no tip.
pub(super) fn terms(snapshot: &Snapshot, nonce: u64, mortality: u64) -> SigningTerms {
    SigningTerms {
        nonce,
        tip: 0,
        era: TransactionEra::Mortal {
            period: period(mortality),
            current: snapshot.head.number,
            birth_hash: snapshot.head.hash,
        },
    }
}
