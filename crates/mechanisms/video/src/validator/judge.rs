use std::{
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    sync::PoisonError,
};

use adit_embedding::{Embedding, cosine};
use adit_neuron::{Assigned, JudgedAnswer, JudgedItem, Judgement, Received, Unavailable};
use adit_primitives::{Hotkey, TaskId};
use adit_scoring::video::{
    AnswerEvidence, ClipVerdict, PairCosine, Standing, Verification, VideoPolicy, judge,
    verification_plan,
};
use futures::{FutureExt as _, StreamExt as _, stream};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{
    JudgedEvidence, VideoMechanism,
    claims::{self, Claim},
};
use crate::{Error, VideoAnswer, VideoTask, dataset::records::BatchRecord};

/// Answers verified at the same time.
const AT_ONCE: usize = 4;

/// One answer after verification.
struct Examined {
    claims: Vec<Claim>,
    /// Set when our own code failed on this answer, and only on this one.
    crashed: bool,
}

impl VideoMechanism {
    pub(super) async fn judge_answers(
        &self,
        task: &Assigned<VideoTask>,
        answers: &[Received<VideoAnswer>],
        seeds: &[u64],
    ) -> Result<Judgement, Unavailable> {
        let topic = &self.topic(&task.task.topic).await?;
        let mut examining = Vec::with_capacity(answers.len());
        for (answer, seed) in answers.iter().zip(seeds) {
            examining.push(self.examine_guarded(task, answer, topic, *seed).boxed());
        }
        // `buffered` keeps the order of arrival.
        let examined: Vec<Result<Examined, Error>> =
            stream::iter(examining).buffered(AT_ONCE).collect().await;
        let mut kept = Vec::with_capacity(answers.len());
        for outcome in examined {
            kept.push(outcome.map_err(|error| Unavailable::new("verification", error))?);
        }
        self.measure_novelty(&mut kept).await?;
        self.own_failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(counted, _), _| *counted != task.id);
        self.decide(task, answers, kept)
    }

    /// A panic in decoding or embedding one answer must not touch the others.
    async fn examine_guarded(
        &self,
        task: &Assigned<VideoTask>,
        answer: &Received<VideoAnswer>,
        topic: &Embedding,
        seed: u64,
    ) -> Result<Examined, Error> {
        let examined = self.examine(task, answer, topic, seed);
        match AssertUnwindSafe(examined).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(_panic) => {
                tracing::error!(uid = %answer.uid, "verifying this answer panicked");
                let clips = &answer.answer.clips;
                let claims =
                    claims::read(task.id, &task.task, &answer.hotkey, clips, &self.embedders);
                Ok(Examined {
                    claims,
                    crashed: true,
                })
            }
        }
    }

    async fn topic(&self, topic: &str) -> Result<Embedding, Unavailable> {
        let embedded = self.embedders.texts(vec![topic.to_owned()]).await;
        let embedded = embedded.map_err(|error| Unavailable::new("text model", error))?;
        embedded
            .into_iter()
            .next()
            .ok_or_else(|| Unavailable::new("text model", "it answered nothing"))
    }

    /// Everything about one answer that does not depend on the others.
    async fn examine(
        &self,
        task: &Assigned<VideoTask>,
        answer: &Received<VideoAnswer>,
        topic: &Embedding,
        seed: u64,
    ) -> Result<Examined, Error> {
        let mut claims = claims::read(
            task.id,
            &task.task,
            &answer.hotkey,
            &answer.answer.clips,
            &self.embedders,
        );
        if let Err(error) = self.measure_texts(&mut claims, topic).await {
            self.blame(task.id, answer, error).await?;
            return Ok(Examined {
                claims,
                crashed: true,
            });
        }
        let wanted = task.task.clips_wanted as usize;
        let mut order: Vec<usize> = (0..claims.len().min(wanted))
            .filter(|place| claims[*place].is_sound())
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let planned: BTreeSet<usize> = verification_plan(&self.policy, &mut rng, order.len())
            .into_iter()
            .collect();
        let mut place_in_order = 0;
        order.retain(|_| {
            place_in_order += 1;
            planned.contains(&(place_in_order - 1))
        });
        for place in order {
            let Some(claim) = claims.get_mut(place) else {
                continue;
            };
            match self.verify(claim, origin_attempts(&self.policy)).await {
                Ok(verified) => {
                    claim.evidence.verification = verified.verification;
                    claim.evidence.source_duration_ms = verified.source_duration_ms;
                }
                Err(error) => {
                    let attempts = self.blame(task.id, answer, error).await?;
                    claim.evidence.verification = Verification::OwnFailure { attempts };
                }
            }
        }
        share_durations(&mut claims);
        Ok(Examined {
            claims,
            crashed: false,
        })
    }

    /// Relevance and text similarity by our own embeddings of the descriptions.
    async fn measure_texts(&self, claims: &mut [Claim], topic: &Embedding) -> Result<(), Error> {
        let sound: Vec<usize> = (0..claims.len())
            .filter(|place| claims[*place].is_sound())
            .collect();
        let texts = sound
            .iter()
            .map(|place| claims[*place].clip.description.clone())
            .collect();
        let ours = self.embedders.texts(texts).await?;
        for (place, ours) in sound.into_iter().zip(ours) {
            let claim = &mut claims[place];
            claim.evidence.query_relevance = Some(f64::from(cosine(&ours, topic)?));
            if let Some(vectors) = &claim.vectors {
                claim.evidence.text_similarity = Some(f64::from(cosine(&ours, &vectors.text)?));
            }
        }
        Ok(())
    }

    /// One question to the dataset for all sound clips of all answers.
    async fn measure_novelty(&self, examined: &mut [Examined]) -> Result<(), Unavailable> {
        let mut places = Vec::new();
        let mut vectors = Vec::new();
        for (answer, examined) in examined.iter().enumerate() {
            for (place, claim) in examined.claims.iter().enumerate() {
                if let (true, Some(claimed)) = (claim.is_sound(), &claim.vectors) {
                    places.push((answer, place));
                    vectors.push(claimed.video.clone());
                }
            }
        }
        let novelty = self.dataset.novelty(&vectors).await?;
        for ((answer, place), novelty) in places.into_iter().zip(novelty) {
            if let Some(claim) = examined
                .get_mut(answer)
                .and_then(|examined| examined.claims.get_mut(place))
            {
                claim.evidence.global_novelty = Some(novelty);
            }
        }
        Ok(())
    }

    /// Judges the answers in the order they arrived: what was accepted from one is no news from the next.
    fn decide(
        &self,
        task: &Assigned<VideoTask>,
        answers: &[Received<VideoAnswer>],
        examined: Vec<Examined>,
    ) -> Result<Judgement, Unavailable> {
        let mut judgement = Judgement::default();
        let mut records = Vec::new();
        let mut accepted: Vec<Embedding> = Vec::new();
        for (answer, mut examined) in answers.iter().zip(examined) {
            for claim in &mut examined.claims {
                claim.evidence.nearest_in_task = claim
                    .vectors
                    .as_ref()
                    .and_then(|vectors| nearest(&vectors.video, &accepted));
            }
            if examined.crashed {
                let attempts = own_attempts(&self.policy);
                for claim in &mut examined.claims {
                    claim.evidence.verification = Verification::OwnFailure { attempts };
                }
            }
            let evidence = AnswerEvidence {
                clips_wanted: task.task.clips_wanted,
                answered_within_deadline: true,
                within_answer: pairs(&examined.claims),
                clips: examined
                    .claims
                    .iter()
                    .map(|claim| claim.evidence.clone())
                    .collect(),
            };
            let verdict = judge(&self.policy, &evidence);
            if verdict.standing == Standing::Pending {
                return Err(Unavailable::new(
                    "verification",
                    "something outside the answers is missing",
                ));
            }
            for (claim, decided) in examined.claims.iter().zip(&verdict.clips) {
                judgement.items.push(item(answer, claim, decided));
                if let (true, Some(vectors)) = (decided.accepted, &claim.vectors) {
                    accepted.push(vectors.video.clone());
                    records.push(BatchRecord::new(
                        task.id,
                        &task.task.topic,
                        answer,
                        claim_parts(claim, vectors),
                        decided,
                    ));
                }
            }
            let mut reasons: Vec<String> = verdict
                .refusal
                .iter()
                .map(|refusal| refusal.code().to_owned())
                .collect();
            let refused: BTreeSet<&str> = verdict
                .clips
                .iter()
                .filter_map(|clip| clip.refusal.map(|refusal| refusal.code()))
                .collect();
            reasons.extend(
                refused
                    .into_iter()
                    .filter(|code| *code != "answer_refused")
                    .map(str::to_owned),
            );
            let stored = JudgedEvidence {
                rules: self.policy.clone(),
                answer: evidence,
            };
            judgement.scores.push(JudgedAnswer {
                uid: answer.uid,
                hotkey: answer.hotkey,
                score: verdict.score,
                verdict: if verdict.refusal.is_some() {
                    "refused"
                } else {
                    "scored"
                }
                .to_owned(),
                reasons,
                evidence: serde_json::to_value(&stored).unwrap_or_default(),
            });
        }
        if !records.is_empty() {
            judgement.batch = serde_json::to_value(&records).ok();
        }
        Ok(judgement)
    }

    /// Counts a failure of our own code on an answer, and gives the error back until it failed so
    /// often on it, and works so well on sound input, that the answer must be to blame.
    async fn blame(
        &self,
        task: TaskId,
        answer: &Received<VideoAnswer>,
        error: Error,
    ) -> Result<u32, Error> {
        let attempts = self.count_own_failure(task, answer.hotkey);
        if attempts < own_attempts(&self.policy)
            || is_of_the_machine(&error)
            || self.embedders.self_check().await.is_err()
        {
            return Err(error);
        }
        tracing::error!(uid = %answer.uid, %error, "only this answer makes our own code fail");
        Ok(attempts)
    }

    fn count_own_failure(&self, task: TaskId, miner: Hotkey) -> u32 {
        let mut failures = self
            .own_failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry((task, miner)).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

/// Failures that no answer can be blamed for, however often they come.
fn is_of_the_machine(error: &Error) -> bool {
    use adit_media::Error as Media;
    matches!(
        error,
        Error::Media(Media::DiskFull | Media::Io { .. } | Media::Configuration { .. })
    )
}

/// What fetching one clip told of its source holds for the answer's other clips of that source.
fn share_durations(claims: &mut [Claim]) {
    let known: HashMap<String, u64> = claims
        .iter()
        .filter(|claim| claim.evidence.verification != Verification::NotSampled)
        .filter_map(|claim| {
            Some((
                claim.evidence.source.clone(),
                claim.evidence.source_duration_ms?,
            ))
        })
        .collect();
    for claim in claims {
        if let Some(duration) = known.get(&claim.evidence.source) {
            claim.evidence.source_duration_ms = Some(*duration);
        }
    }
}

fn claim_parts<'a>(
    claim: &'a Claim,
    vectors: &'a claims::ClaimedVectors,
) -> crate::dataset::records::AcceptedClip<'a> {
    crate::dataset::records::AcceptedClip {
        record_id: &claim.record_id,
        clip: &claim.clip,
        video: &vectors.video,
        audio: vectors.audio.as_ref(),
        text: &vectors.text,
    }
}

fn item(answer: &Received<VideoAnswer>, claim: &Claim, decided: &ClipVerdict) -> JudgedItem {
    JudgedItem {
        record_id: claim.record_id.clone(),
        uid: answer.uid,
        hotkey: answer.hotkey,
        accepted: decided.accepted,
        reason: decided.refusal.map(|refusal| refusal.code().to_owned()),
        payload: json!({
            "source": claim.clip.source_url,
            "start_ms": claim.clip.start_ms,
            "end_ms": claim.clip.end_ms,
            "relevance": decided.relevance,
            "novelty": decided.novelty,
            "detail": decided.detail,
            "score": decided.score,
        }),
    }
}

/// Largest cosine to what was accepted before in this task.
fn nearest(vector: &Embedding, accepted: &[Embedding]) -> Option<f64> {
    accepted
        .iter()
        .filter_map(|other| cosine(vector, other).ok())
        .map(f64::from)
        .max_by(f64::total_cmp)
}

fn pairs(claims: &[Claim]) -> Vec<PairCosine> {
    let mut pairs = Vec::new();
    for (second, right) in claims.iter().enumerate() {
        for (first, left) in claims.iter().enumerate().take(second) {
            if let (Some(left), Some(right)) = (&left.vectors, &right.vectors)
                && let Ok(cosine) = cosine(&left.video, &right.video)
            {
                pairs.push(PairCosine {
                    first: first as u32,
                    second: second as u32,
                    cosine: f64::from(cosine),
                });
            }
        }
    }
    pairs
}

fn origin_attempts(policy: &VideoPolicy) -> u32 {
    match policy {
        VideoPolicy::Hardened(rules) => rules.origin_attempts,
        VideoPolicy::Original(_) => 1,
    }
}

fn own_attempts(policy: &VideoPolicy) -> u32 {
    match policy {
        VideoPolicy::Hardened(rules) => rules.own_attempts,
        VideoPolicy::Original(_) => 1,
    }
}
