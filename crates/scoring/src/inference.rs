//! Judging answers of language models by consensus: text quality, outliers, clusters, emissions, sybils.
