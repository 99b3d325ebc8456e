use crate::rules::rules;

rules! {
    /// Constants of `audio/original-1`, as the system in the field has them.
    pub struct OriginalAudioRules {
        /// Probability that an answer's clip is fetched and compared sample for sample.
        check_probability: f64 = 0.1, in 0.0, 1.0;
        /// Least novelty of a clip within its answer.
        novelty_least: f64 = 0.1, in -1.0, 2.0;
        /// Above this cosine (exclusive) two vectors are the same.
        similar_above: f64 = 0.95, in -1.0, 1.0;
        /// Reward of an answer that keeps no clip.
        least_score: f64 = 0.005, in 0.0, 1.0;
        /// Reward of a miner that does not answer.
        no_response_reward: f64 = 0.005, in 0.0, 1.0;
        /// Reward of an answer with a fake video or other sound than its source's.
        fake_punishment: f64 = -5.0, in -1e6, 0.0;
        /// Shortest clip that is looked at, in seconds, inclusive.
        shortest_clip_s: i64 = 5, in 0, i64::MAX;
        /// Longest clip that is looked at, in seconds, inclusive.
        longest_clip_s: i64 = 120, in 0, i64::MAX;
        /// Shortest clip that scores, in seconds, inclusive.
        shortest_scored_s: i64 = 45, in 0, i64::MAX;
        /// Longest clip that scores, in seconds, inclusive.
        longest_scored_s: i64 = 80, in 1, i64::MAX;
        /// Shortest overlap of speakers that is cut out of a diarization, in seconds, inclusive.
        overlap_least_s: f64 = 0.7, in 0.0, 1e6;
        /// Signal to noise ratio from which noise costs nothing, in decibels.
        noise_full_db: f64 = 50.0, in 1e-3, 1e6;
        /// The ratio of a recording whose noise floor is exactly silent, in decibels.
        silent_floor_db: f64 = 100.0, in 0.0, 1e6;
        /// Weight of speech content in quality.
        speech_weight: f64 = 0.2, in 0.0, 1e6;
        /// Weight of the speakers' balance in quality.
        balance_weight: f64 = 0.2, in 0.0, 1e6;
        /// Weight of background noise in quality.
        noise_weight: f64 = 0.1, in 0.0, 1e6;
        /// Weight of the number of speakers in quality.
        speakers_weight: f64 = 0.5, in 0.0, 1e6;
        /// Weight of the agreement of the diarizations in the reward.
        agreement_factor: f64 = 0.6, in 0.0, 1e6;
        /// Weight of the clips' length in the reward.
        length_factor: f64 = 0.1, in 0.0, 1e6;
        /// Weight of quality in the reward.
        quality_factor: f64 = 0.2, in 0.0, 1e6;
        /// Weight of query relevance in the reward.
        query_factor: f64 = 0.1, in 0.0, 1e6;
    }
}
