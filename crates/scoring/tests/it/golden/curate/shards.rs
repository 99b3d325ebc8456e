use std::ops::Range;

use adit_scoring::curation::{
    grouping::{chunks_by_weight, even_chunks},
    shards::{ShardLimits, VideoBin, pack_shards, video_hours_per_gpu_day},
    vision_input::PictureSize,
};
use adit_testkit::{GoldenSuite, Tolerance};
use serde_json::{Value, json};

use super::{exactly, flag, number, settle, whole};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("curate", "grouping.split_by_chunk_size", |_, case| {
        let weights: Vec<u64> = serde_json::from_value(case.input["weights"].clone()).unwrap();
        let drop = flag(case, "drop_incomplete_chunk");
        exactly(
            case,
            Ok(listed(chunks_by_weight(
                weights,
                whole(case, "chunk_size"),
                drop,
            ))),
        )
    });
    suite.on("curate", "grouping.split_into_n_chunks", |_, case| {
        let chunks = even_chunks(
            whole(case, "n") as usize,
            whole(case, "num_chunks") as usize,
        );
        exactly(case, chunks.map(listed))
    });
    suite.on("curate", "shard.video_bin", |_, case| {
        let size = PictureSize {
            width: whole(case, "width"),
            height: whole(case, "height"),
        };
        let bin = VideoBin::of(size, number(case, "seconds"));
        exactly(case, bin.map(|bin| json!(bin.map(|bin| bin.to_string()))))
    });
    suite.on("curate", "shard.group_by_size", |_, case| {
        let limits = ShardLimits {
            bytes: whole(case, "target_size_bytes"),
            drop_small_tail: flag(case, "drop_small_shards"),
            clips_least: whole(case, "min_clips_per_tar") as usize,
            shards_per_part: whole(case, "max_tars_per_part") as usize,
        };
        let sizes: Vec<u64> = serde_json::from_value(case.input["sizes"].clone()).unwrap();
        let told = pack_shards(&sizes, &limits).map(|shards| {
            let told = shards
                .iter()
                .map(|shard| json!([shard.path(), shard.clips.clone().collect::<Vec<_>>()]));
            told.collect()
        });
        exactly(case, told)
    });
    suite.on("curate", "bench.video_hours_per_day_per_gpu", |_, case| {
        let hours = video_hours_per_gpu_day(
            number(case, "video_seconds"),
            number(case, "runtime_minutes"),
            whole(case, "num_nodes") as u32,
            whole(case, "gpus_per_node") as u32,
        );
        let tolerance = Tolerance {
            abs: 0.0,
            rel: 1e-12,
        };
        settle(case, hours.map(|hours| json!(hours)), tolerance)
    });
}

fn listed(chunks: Vec<Range<usize>>) -> Value {
    chunks
        .into_iter()
        .map(|chunk| json!(chunk.collect::<Vec<_>>()))
        .collect()
}
