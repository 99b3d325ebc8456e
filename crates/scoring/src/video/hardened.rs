//! The rules of `video/hardened-1`. Evidence reaches them finite and with distinct places.

use super::{
    AnswerRefusal, ClipDefect, ClipEvidence, ClipRefusal, DescriptionMeasure, HardenedRules,
    SoundComparison, Verification,
    footage::{Footage, Newness, ramp},
    judge::{Measures, unit},
    sampled::{ClipPolicy, ClipRules, Fetched, SampledClip},
};

impl SampledClip for ClipEvidence {
    fn fetched(&self) -> Fetched {
        match self.verification {
            Verification::NotSampled => Fetched::NotSampled,
            Verification::Compared { .. } => Fetched::Compared,
            Verification::OriginUnreachable { attempts } => Fetched::OriginUnreachable { attempts },
            Verification::SourceInvalid { .. } => Fetched::SourceInvalid,
            Verification::OwnFailure { attempts } => Fetched::OwnFailure { attempts },
        }
    }

    fn footage(&self) -> Footage<'_> {
        Footage {
            place: self.place,
            source: &self.source,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            nearest_in_task: self.nearest_in_task,
            global_novelty: self.global_novelty,
        }
    }

    fn defect(&self) -> Option<ClipDefect> {
        self.defect
    }

    fn source_duration_ms(&self) -> Option<u64> {
        self.source_duration_ms
    }
}

impl ClipPolicy for HardenedRules {
    type Clip = ClipEvidence;
    type Measures = Measures;

    fn rules(&self) -> ClipRules {
        ClipRules {
            shortest_clip_ms: self.shortest_clip_ms,
            longest_clip_ms: self.longest_clip_ms,
            source_slack_ms: self.source_slack_ms,
            origin_attempts: self.origin_attempts,
            own_attempts: self.own_attempts,
            newness: Newness {
                duplicate_cosine: self.duplicate_cosine,
                novel_cosine: self.novel_cosine,
                overlap_most: self.overlap_most,
            },
        }
    }

    fn condemns(&self, clip: &ClipEvidence) -> Option<AnswerRefusal> {
        let place = clip.place;
        let matches = match &clip.verification {
            Verification::Compared { video, sound } => {
                let sound = match sound {
                    SoundComparison::Compared { cosine } => *cosine >= self.sound_match,
                    SoundComparison::Invented => false,
                    SoundComparison::Absent | SoundComparison::Withheld => true,
                };
                *video >= self.video_match && sound
            }
            _ => true,
        };
        if !matches {
            return Some(AnswerRefusal::Mismatch { place });
        }
        let lies = clip
            .text_similarity
            .is_some_and(|cosine| cosine < self.text_match);
        lies.then_some(AnswerRefusal::TextMismatch { place })
    }

    fn form(&self, clip: &ClipEvidence) -> Option<ClipRefusal> {
        let withheld = matches!(
            clip.verification,
            Verification::Compared {
                sound: SoundComparison::Withheld,
                ..
            }
        );
        description_refusal(self, &clip.description)
            .or_else(|| withheld.then_some(ClipRefusal::SoundWithheld))
    }

    fn measure(&self, clip: &ClipEvidence, novelty: f64) -> Result<Measures, ClipRefusal> {
        measure(self, clip, novelty)
    }

    fn score(measures: &Measures) -> f64 {
        measures.score
    }
}

fn description_refusal(rules: &HardenedRules, text: &DescriptionMeasure) -> Option<ClipRefusal> {
    if text.words == 0 {
        return Some(ClipRefusal::DescriptionEmpty);
    }
    if text.bytes > rules.description_bytes_most {
        return Some(ClipRefusal::DescriptionTooLong);
    }
    let share = |count: u32| f64::from(count) / f64::from(text.words);
    let stuffed = text.words >= rules.stuffing_words
        && (share(text.distinct_words) < rules.distinct_share_least
            || share(text.commonest_word) > rules.commonest_share_most);
    stuffed.then_some(ClipRefusal::DescriptionStuffed)
}

fn measure(
    rules: &HardenedRules,
    clip: &ClipEvidence,
    novelty: f64,
) -> Result<Measures, ClipRefusal> {
    if clip.text_similarity.is_none() {
        return Err(ClipRefusal::OwnFailure);
    }
    let cosine = clip.query_relevance.ok_or(ClipRefusal::OwnFailure)?;
    if cosine < rules.relevance_least {
        return Err(ClipRefusal::NotRelevant);
    }
    let relevance = ramp(cosine, rules.relevance_least, rules.relevance_full);
    let beyond = f64::from(clip.description.words_beyond_topic);
    let detail = unit(beyond.ln_1p() / f64::from(rules.detail_words_full.max(1)).ln_1p());
    let weights = rules.relevance_weight + rules.novelty_weight + rules.detail_weight;
    let weighted = rules.relevance_weight * relevance
        + rules.novelty_weight * novelty
        + rules.detail_weight * detail;
    Ok(Measures {
        relevance,
        novelty,
        detail,
        score: if weights > 0.0 {
            unit(weighted / weights)
        } else {
            0.0
        },
    })
}
