use crate::rules::rules;

rules! {
    /// Constants of `video/original-1`, as the system in the field has them.
    pub struct OriginalRules {
        /// Probability that an answer's clip is fetched and compared in all modalities.
        check_probability: f64 = 0.1, in 0.0, 1.0;
        /// Least novelty of a clip.
        novelty_least: f64 = 0.1, in -1.0, 2.0;
        /// Above this cosine (exclusive) two vectors are the same.
        similar_above: f64 = 0.95, in -1.0, 1.0;
        /// Least reward of an answer that is not punished.
        least_score: f64 = 0.005, in 0.0, 1.0;
        /// Reward of a miner that does not answer.
        no_response_reward: f64 = 0.005, in 0.0, 1.0;
        /// Reward of an answer with a fake video or a false vector.
        fake_punishment: f64 = -5.0, in -1e6, 0.0;
        /// Reward of an answer with a stuffed description.
        stuffed_punishment: f64 = -5.0, in -1e6, 0.0;
        /// Weight of query relevance.
        query_factor: f64 = 1.3, in 0.0, 1e6;
        /// Weight of description relevance.
        description_factor: f64 = 0.7, in 0.0, 1e6;
        /// Share of the video vector in description relevance; sound has the rest.
        video_share: f64 = 0.65, in 0.0, 1.0;
        /// How much of description relevance depends on the description's length.
        length_weight: f64 = 0.35, in 0.0, 1.0;
        /// Up to so many different tokens a description counts as short.
        length_tokens_least: u32 = 100, in 1, u32::MAX;
        /// From so many different tokens a description has full length.
        length_tokens_full: u32 = 300, in 1, u32::MAX;
        /// Most that the squared text cosine adds to query relevance.
        text_relevance_most: f64 = 0.5, in 0.0, 1.0;
        /// Above this confidence (exclusive) a stuffed description is punished.
        stuffing_confidence: f64 = 0.75, in 0.0, 1.0;
        /// Below this share of the best chunk's likeness a chunk is of low quality.
        low_quality_share: f64 = 0.6, in 0.0, 1.0;
        /// Below this likeness a chunk is really bad.
        really_bad_below: f64 = 0.12, in -1.0, 1.0;
        /// Most really bad chunks without punishment.
        really_bad_most: u32 = 5, in 0, u32::MAX;
        /// Most chunks of low quality without punishment.
        low_quality_most: u32 = 15, in 0, u32::MAX;
        /// Most chunks of a description.
        chunks_most: u32 = 50, in 0, u32::MAX;
        /// Shortest clip, in seconds, inclusive.
        shortest_clip_s: i64 = 5, in 0, i64::MAX;
        /// Longest clip, in seconds, inclusive.
        longest_clip_s: i64 = 120, in 0, i64::MAX;
    }
}
