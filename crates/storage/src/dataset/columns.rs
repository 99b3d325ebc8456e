//! Rows to Parquet columns and back: all that knows polars.

use std::{io::Cursor, path::Path};

use adit_embedding::{Embedding, Space};
use polars::prelude::{
    ArrayChunked, Column, DataFrame, DataType, Float32Type, IntoColumn as _, IntoSeries as _,
    ListBuilderTrait as _, ListPrimitiveChunkedBuilder, NamedFrom as _, ParquetReader,
    ParquetWriter, PolarsError, SerReader as _, Series, TimeUnit,
};

use crate::{DatasetRow, DatasetSpaces, Error, Result};

/// What totals need of a row.
pub(super) struct Clip {
    pub(super) source_url: String,
    pub(super) start_ms: u64,
    pub(super) end_ms: u64,
}

pub(super) fn encode(rows: &[DatasetRow], spaces: &DatasetSpaces, path: &Path) -> Result<Vec<u8>> {
    let mut frame = frame(rows, spaces).map_err(parquet("encode", path))?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .finish(&mut frame)
        .map_err(parquet("encode", path))?;
    Ok(bytes)
}

fn frame(rows: &[DatasetRow], spaces: &DatasetSpaces) -> Result<DataFrame, PolarsError> {
    let text = |name: &str, value: fn(&DatasetRow) -> &str| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<&str>>())
    };
    let shown = |name: &str, value: fn(&DatasetRow) -> String| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<String>>())
    };
    let whole = |name: &str, value: fn(&DatasetRow) -> u64| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<u64>>())
    };
    let real = |name: &str, value: fn(&DatasetRow) -> f64| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<f64>>())
    };
    let space = |name: &str, value: fn(&DatasetRow) -> Option<&Embedding>| {
        let names = rows
            .iter()
            .map(|row| value(row).map(|vector| vector.space().to_string()));
        Column::new(name.into(), names.collect::<Vec<Option<String>>>())
    };
    let submitted: Vec<i64> = rows
        .iter()
        .map(|row| row.submitted_at_ms.cast_signed())
        .collect();
    let submitted = Series::new("submitted_at".into(), submitted)
        .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?
        .into_column();
    let columns = vec![
        text("record_id", |row| &row.record_id),
        text("video_id", |row| &row.video_id),
        text("source_url", |row| &row.source_url),
        whole("start_ms", |row| row.start_ms),
        whole("end_ms", |row| row.end_ms),
        text("description", |row| &row.description),
        text("topic", |row| &row.topic),
        vectors(
            "video_embedding",
            &spaces.video,
            rows.iter().map(|row| Some(&row.video)),
        )?,
        space("video_space", |row| Some(&row.video)),
        vectors(
            "audio_embedding",
            &spaces.audio,
            rows.iter().map(|row| row.audio.as_ref()),
        )?,
        space("audio_space", |row| row.audio.as_ref()),
        vectors(
            "text_embedding",
            &spaces.text,
            rows.iter().map(|row| Some(&row.text)),
        )?,
        space("text_space", |row| Some(&row.text)),
        real("relevance", |row| row.relevance),
        real("novelty", |row| row.novelty),
        real("score", |row| row.score),
        shown("miner", |row| row.miner.to_string()),
        shown("validator", |row| row.validator.to_string()),
        shown("task", |row| row.task.to_string()),
        submitted,
    ];
    DataFrame::new_infer_height(columns)
}

/// A column of fixed-size lists; a row without a vector is null.
fn vectors<'a>(
    name: &str,
    space: &Space,
    rows: impl ExactSizeIterator<Item = Option<&'a Embedding>>,
) -> Result<Column, PolarsError> {
    let values = rows.len().saturating_mul(space.dimension());
    let mut lists = ListPrimitiveChunkedBuilder::<Float32Type>::new(
        name.into(),
        rows.len(),
        values,
        DataType::Float32,
    );
    for row in rows {
        match row {
            Some(vector) => lists.append_slice(vector.values()),
            None => lists.append_null(),
        }
    }
    let fixed = DataType::Array(Box::new(DataType::Float32), space.dimension());
    Ok(lists.finish().into_series().cast(&fixed)?.into_column())
}

pub(super) fn decode(
    bytes: Vec<u8>,
    spaces: &DatasetSpaces,
    path: &Path,
) -> Result<Vec<DatasetRow>> {
    let frame = ParquetReader::new(Cursor::new(bytes))
        .finish()
        .map_err(parquet("decode", path))?;
    let reader = Reader {
        frame: &frame,
        path,
    };
    let videos = reader.vectors("video_embedding", "video_space", &spaces.video)?;
    let audios = reader.vectors("audio_embedding", "audio_space", &spaces.audio)?;
    let texts = reader.vectors("text_embedding", "text_space", &spaces.text)?;
    let [ids, video_ids, urls] =
        ["record_id", "video_id", "source_url"].map(|name| reader.texts(name));
    let (mut ids, mut video_ids, mut urls) =
        (ids?.into_iter(), video_ids?.into_iter(), urls?.into_iter());
    let [descriptions, topics] = ["description", "topic"].map(|name| reader.texts(name));
    let (mut descriptions, mut topics) = (descriptions?.into_iter(), topics?.into_iter());
    let [miners, validators, tasks] = ["miner", "validator", "task"].map(|name| reader.texts(name));
    let (mut miners, mut validators, mut tasks) = (
        miners?.into_iter(),
        validators?.into_iter(),
        tasks?.into_iter(),
    );
    let [starts, ends] = ["start_ms", "end_ms"].map(|name| reader.wholes(name));
    let (mut starts, mut ends) = (starts?.into_iter(), ends?.into_iter());
    let [relevances, novelties, scores] =
        ["relevance", "novelty", "score"].map(|name| reader.reals(name));
    let (mut relevances, mut novelties, mut scores) = (
        relevances?.into_iter(),
        novelties?.into_iter(),
        scores?.into_iter(),
    );
    let mut submitted = reader.times("submitted_at")?.into_iter();
    let short = || reader.corrupt("columns differ in length");
    let mut rows = Vec::with_capacity(frame.height());
    for ((video, audio), text) in videos.into_iter().zip(audios).zip(texts) {
        rows.push(DatasetRow {
            record_id: ids.next().ok_or_else(short)?,
            video_id: video_ids.next().ok_or_else(short)?,
            source_url: urls.next().ok_or_else(short)?,
            start_ms: starts.next().ok_or_else(short)?,
            end_ms: ends.next().ok_or_else(short)?,
            description: descriptions.next().ok_or_else(short)?,
            topic: topics.next().ok_or_else(short)?,
            video: video.ok_or_else(|| reader.corrupt("a video vector is missing"))?,
            audio,
            text: text.ok_or_else(|| reader.corrupt("a text vector is missing"))?,
            relevance: relevances.next().ok_or_else(short)?,
            novelty: novelties.next().ok_or_else(short)?,
            score: scores.next().ok_or_else(short)?,
            miner: reader.parsed("miner", &miners.next().ok_or_else(short)?)?,
            validator: reader.parsed("validator", &validators.next().ok_or_else(short)?)?,
            task: reader.parsed("task", &tasks.next().ok_or_else(short)?)?,
            submitted_at_ms: submitted.next().ok_or_else(short)?,
        });
    }
    Ok(rows)
}

pub(super) fn decode_clips(bytes: Vec<u8>, path: &Path) -> Result<Vec<Clip>> {
    let wanted = ["source_url", "start_ms", "end_ms"]
        .map(str::to_owned)
        .to_vec();
    let frame = ParquetReader::new(Cursor::new(bytes))
        .with_columns(Some(wanted))
        .finish()
        .map_err(parquet("decode", path))?;
    let reader = Reader {
        frame: &frame,
        path,
    };
    let times = reader
        .wholes("start_ms")?
        .into_iter()
        .zip(reader.wholes("end_ms")?);
    let clips = reader.texts("source_url")?.into_iter().zip(times);
    Ok(clips
        .map(|(source_url, (start_ms, end_ms))| Clip {
            source_url,
            start_ms,
            end_ms,
        })
        .collect())
}

/// Columns of a decoded shard; a null or another type where none belongs is corruption.
struct Reader<'a> {
    frame: &'a DataFrame,
    path: &'a Path,
}

impl Reader<'_> {
    fn corrupt(&self, reason: &str) -> Error {
        Error::Corrupt {
            path: self.path.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn series(&self, name: &str) -> Result<&Series> {
        let column = self
            .frame
            .column(name)
            .map_err(parquet("decode", self.path))?;
        Ok(column.as_materialized_series())
    }

    fn all<T>(&self, name: &str, values: impl Iterator<Item = Option<T>>) -> Result<Vec<T>> {
        let values: Option<Vec<T>> = values.collect();
        values.ok_or_else(|| self.corrupt(&format!("column {name} has a null")))
    }

    fn texts(&self, name: &str) -> Result<Vec<String>> {
        let texts = self
            .series(name)?
            .str()
            .map_err(parquet("decode", self.path))?;
        self.all(name, texts.iter().map(|text| text.map(str::to_owned)))
    }

    fn wholes(&self, name: &str) -> Result<Vec<u64>> {
        let numbers = self
            .series(name)?
            .u64()
            .map_err(parquet("decode", self.path))?;
        self.all(name, numbers.iter())
    }

    fn reals(&self, name: &str) -> Result<Vec<f64>> {
        let numbers = self
            .series(name)?
            .f64()
            .map_err(parquet("decode", self.path))?;
        self.all(name, numbers.iter())
    }

    fn times(&self, name: &str) -> Result<Vec<u64>> {
        let times = self
            .series(name)?
            .datetime()
            .map_err(parquet("decode", self.path))?;
        let times = times
            .physical()
            .iter()
            .map(|time| time.and_then(|time| u64::try_from(time).ok()));
        self.all(name, times)
    }

    fn vectors(
        &self,
        name: &str,
        space_name: &str,
        space: &Space,
    ) -> Result<Vec<Option<Embedding>>> {
        let lists: &ArrayChunked = self
            .series(name)?
            .array()
            .map_err(parquet("decode", self.path))?;
        if lists.width() != space.dimension() {
            return Err(self.corrupt(&format!("column {name} has {} components", lists.width())));
        }
        let named = self
            .series(space_name)?
            .str()
            .map_err(parquet("decode", self.path))?;
        let expected = space.to_string();
        let mut rows = Vec::with_capacity(lists.len());
        for (list, named) in lists.amortized_iter().zip(named.iter()) {
            let Some(list) = list else {
                rows.push(None);
                continue;
            };
            if named != Some(&expected) {
                return Err(self.corrupt(&format!("column {space_name} names another space")));
            }
            let values = list.as_ref().f32().map_err(parquet("decode", self.path))?;
            let values = self.all(name, values.iter())?;
            rows.push(Some(Embedding::new(space.clone(), values)?));
        }
        Ok(rows)
    }

    fn parsed<T: std::str::FromStr<Err: ToString>>(&self, name: &str, text: &str) -> Result<T> {
        text.parse()
            .map_err(|error: T::Err| self.corrupt(&format!("column {name}: {}", error.to_string())))
    }
}

fn parquet(doing: &'static str, path: &Path) -> impl Fn(PolarsError) -> Error {
    move |source| Error::Parquet {
        doing,
        path: path.to_owned(),
        source: Box::new(source),
    }
}
