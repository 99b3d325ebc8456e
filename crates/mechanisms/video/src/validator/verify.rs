use adit_embedding::cosine;
use adit_media::Fault;
use adit_scoring::video::{SoundComparison, Verification};

use super::{VideoMechanism, claims::Claim};
use crate::Error;

/// What fetching and embedding one clip showed.
pub(super) struct Verified {
    pub(super) verification: Verification,
    pub(super) source_duration_ms: Option<u64>,
}

impl VideoMechanism {
    /// Fetches a clip's source, embeds the interval and compares. An origin that does not deliver
    /// is tried again after a pause, `attempts` times in all.
    ///
    /// # Errors
    /// Only for faults of our own machinery.
    pub(super) async fn verify(&self, claim: &Claim, attempts: u32) -> Result<Verified, Error> {
        let mut attempt = 1;
        loop {
            let error = match self.compare(claim).await {
                Ok(verified) => return Ok(verified),
                Err(error) => error,
            };
            let verification = match error.fault() {
                Fault::Media => Verification::SourceInvalid {
                    reason: error.to_string(),
                },
                Fault::Origin if attempt >= attempts => {
                    Verification::OriginUnreachable { attempts: attempt }
                }
                Fault::Origin => {
                    tracing::info!(clip = claim.record_id, attempt, %error, "origin does not deliver; trying again");
                    tokio::time::sleep(self.backoff(attempt)).await;
                    attempt += 1;
                    continue;
                }
                Fault::Local => return Err(error),
            };
            tracing::info!(clip = claim.record_id, %error, "a claimed clip cannot be verified");
            return Ok(Verified {
                verification,
                source_duration_ms: None,
            });
        }
    }

    async fn compare(&self, claim: &Claim) -> Result<Verified, Error> {
        let (Some(url), Some(claimed)) = (&claim.url, &claim.vectors) else {
            return Ok(Verified {
                verification: Verification::NotSampled,
                source_duration_ms: None,
            });
        };
        let fetched = self.fetcher.fetch(url).await?;
        let probe = self.embedders.media.probe(fetched.path()).await?;
        let source_duration_ms = Some(probe.duration_ms);
        let (start, end) = (
            claim.clip.start_ms,
            claim.clip.end_ms.min(probe.duration_ms),
        );
        if start >= end {
            let reason = format!(
                "the source ends at {} ms, the clip starts at {start} ms",
                probe.duration_ms
            );
            return Ok(Verified {
                verification: Verification::SourceInvalid { reason },
                source_duration_ms,
            });
        }
        let ours = self.embedders.clip(fetched.path(), start, end).await?;
        let video = f64::from(cosine(&ours.video, &claimed.video)?);
        let sound = match (&ours.audio, &claimed.audio) {
            (None, None) => SoundComparison::Absent,
            (Some(_), None) => SoundComparison::Withheld,
            (None, Some(_)) => SoundComparison::Invented,
            (Some(ours), Some(theirs)) => SoundComparison::Compared {
                cosine: f64::from(cosine(ours, theirs)?),
            },
        };
        Ok(Verified {
            verification: Verification::Compared { video, sound },
            source_duration_ms,
        })
    }
}
