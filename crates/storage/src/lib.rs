//! SQL state, crash-safe Parquet datasets and exact vector indexes.
