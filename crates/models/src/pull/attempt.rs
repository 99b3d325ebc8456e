//! One file from one source, however often the connection breaks.

use std::{collections::BTreeMap, time::Duration};

use backon::BackoffBuilder as _;
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName},
};
use tokio::time::Instant;
use url::Url;

use super::{
    PullError, PullEvent, PullObserver, Puller,
    error::Failure,
    exchange::{Question, shown, told, useless},
    ground::Ground,
    part::Part,
};
use crate::{PublishedFile, Result};

/// Bytes that must come within the idle timeout, or the answer has stalled.
const STRIDE: u64 = 64 << 10;
/// Bytes, and share of the file, gained since the last failure that make a failure a first one.
const GAIN: u64 = 1 << 20;
const GAIN_SHARE: u64 = 100;

/// A file that must be had.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) size: Option<u64>,
    pub(super) most: u64,
    pub(super) sha256: String,
}

impl Wanted {
    pub(super) fn of(file: &PublishedFile, digests: &BTreeMap<String, String>) -> Self {
        Self {
            name: file.name.clone(),
            size: file.size,
            most: file.most_bytes(),
            // Every file's digest was found before; an empty one matches nothing.
            sha256: digests.get(&file.name).cloned().unwrap_or_default(),
        }
    }

    fn wrong_size(&self, url: &Url, found: u64) -> PullError {
        PullError::WrongSize {
            file: self.name.clone(),
            from: shown(url),
            expected: self.most,
            found,
        }
    }

    fn is_whole(&self, part: &Part) -> bool {
        self.size == Some(part.have()) || part.have() > 0 && part.digest() == self.sha256
    }
}

impl Puller {
    /// Brings a file to its place. Fails when this source is of no more use.
    pub(super) async fn download(
        &self,
        url: &Url,
        wanted: &Wanted,
        ground: &Ground,
        observer: &dyn PullObserver,
    ) -> Result<(), Failure> {
        let target = ground.place(&wanted.name)?;
        let mut part = Part::open(&target, wanted.most).await?;
        let mut again_from_nothing = true;
        loop {
            if !wanted.is_whole(&part)
                && let Err(failure) = self.grow(url, wanted, &mut part, ground, observer).await
            {
                // An empty part is of no use to anybody.
                if part.have() == 0 {
                    part.remove()?;
                }
                return Err(failure);
            }
            let found = part.digest();
            if found == wanted.sha256 {
                part.place().await?;
                let file = &wanted.name;
                observer.event(PullEvent::Placed { file });
                return Ok(());
            }
            // Beginnings that an earlier run or another version left are the likeliest reason.
            if part.is_mixed() && again_from_nothing {
                again_from_nothing = false;
                let reason = "the part does not fit its rest; beginning from nothing";
                let pause = Duration::ZERO;
                observer.event(PullEvent::Retrying { reason, pause });
                part.restart().await?;
                continue;
            }
            part.remove()?;
            return Err(Failure::Wrong(PullError::WrongBytes {
                file: wanted.name.clone(),
                from: shown(url),
                expected: wanted.sha256.clone(),
                found,
            }));
        }
    }

    /// Asks until the part has all bytes of the file, whatever they are.
    async fn grow(
        &self,
        url: &Url,
        wanted: &Wanted,
        part: &mut Part,
        ground: &Ground,
        observer: &dyn PullObserver,
    ) -> Result<(), Failure> {
        let mut pauses = self.settings.pauses().build();
        let mut failures = 0;
        let mut had = part.have();
        loop {
            let grown = self.receive(url, wanted, part, ground, observer).await;
            part.flush().await?;
            let (reason, after) = match grown {
                Ok(()) => return Ok(()),
                Err(Failure::Passing { reason, after }) => (reason, after),
                Err(Failure::NoSuchRange) if part.have() > 0 => {
                    part.restart().await?;
                    ("it has no rest of the part".to_owned(), None)
                }
                Err(other) => return Err(other),
            };
            if part.have() >= had.saturating_add(GAIN.max(wanted.most / GAIN_SHARE)) {
                had = part.have();
                failures = 0;
                pauses = self.settings.pauses().build();
            }
            failures += 1;
            let pause = pauses.next();
            let pause = pause.ok_or_else(|| useless(format!("{reason}, {failures} times")))?;
            let pause = pause.max(after.unwrap_or(Duration::ZERO));
            if pause > self.settings.longest_pause {
                return Err(useless(format!("{reason}, and asks to wait for {pause:?}")));
            }
            let reason = &reason;
            observer.event(PullEvent::Retrying { reason, pause });
            tokio::time::sleep(pause).await;
        }
    }

    /// One answer.
    async fn receive(
        &self,
        url: &Url,
        wanted: &Wanted,
        part: &mut Part,
        ground: &Ground,
        observer: &dyn PullObserver,
    ) -> Result<(), Failure> {
        let question = Question {
            from: part.have(),
            version: part.version(url),
            accept: None,
        };
        let answer = self.exchange.ask(&self.settings, url, question).await?;
        let headers = answer.headers();
        if text(headers, CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(useless("it sends the file encoded"));
        }
        match answer.status() {
            // Without a range the whole file comes, also when the version asked for is gone.
            StatusCode::OK => part.restart().await?,
            StatusCode::PARTIAL_CONTENT if part.have() > 0 => {
                let (start, total) = text(headers, CONTENT_RANGE)
                    .and_then(range)
                    .ok_or_else(|| useless("it sends a range that it does not name"))?;
                if start != part.have() {
                    return Err(useless("it sends another range than asked for"));
                }
                if let (Some(total), Some(size)) = (total, wanted.size)
                    && total != size
                {
                    return Err(Failure::Wrong(wanted.wrong_size(url, total)));
                }
            }
            status => return Err(useless(format!("it answers {status}"))),
        }
        let tag = text(headers, ETAG).map(str::to_owned);
        let announced = answer.content_length();
        if let Some(announced) = announced {
            let whole = part.have().saturating_add(announced);
            if whole > wanted.most || wanted.size.is_some_and(|size| size != whole) {
                return Err(Failure::Wrong(wanted.wrong_size(url, whole)));
            }
            if wanted.size.is_none() {
                ground.must_hold(std::iter::empty(), announced)?;
            }
        }
        part.follow(url, tag.as_deref())?;
        observer.event(PullEvent::Started {
            file: &wanted.name,
            from: &shown(url),
            have: part.have(),
            size: wanted
                .size
                .or(announced.map(|rest| rest.saturating_add(part.have()))),
        });
        self.drain(url, answer, wanted, part, observer).await
    }

    /// The body of an answer.
    async fn drain(
        &self,
        url: &Url,
        mut answer: Response,
        wanted: &Wanted,
        part: &mut Part,
        observer: &dyn PullObserver,
    ) -> Result<(), Failure> {
        let mut deadline = Instant::now() + self.settings.idle_timeout;
        let mut stride = 0;
        loop {
            let Ok(chunk) = tokio::time::timeout_at(deadline, answer.chunk()).await else {
                let limit = self.settings.idle_timeout;
                return Err(Failure::passing(format!(
                    "hardly anything came for {limit:?}"
                )));
            };
            let chunk = chunk.map_err(|error| Failure::passing(told(error)))?;
            let Some(bytes) = chunk else { break };
            let whole = part.have().saturating_add(bytes.len() as u64);
            if whole > wanted.most {
                part.restart().await?;
                return Err(Failure::Wrong(wanted.wrong_size(url, whole)));
            }
            part.write(&bytes).await?;
            observer.event(PullEvent::Received { have: whole });
            stride += bytes.len() as u64;
            if stride >= STRIDE {
                stride = 0;
                deadline = Instant::now() + self.settings.idle_timeout;
            }
        }
        match wanted.size {
            Some(size) if part.have() < size => Err(Failure::passing(format!(
                "it ends after {} of {size} bytes",
                part.have()
            ))),
            _ => Ok(()),
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Reads `bytes 5-9/10`: the first byte, and the bytes of the whole if they are told.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    let is_sound = start <= end && total.is_none_or(|total: u64| end < total);
    is_sound.then_some((start, total))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_range_is_what_it_says_or_none(text in "(bytes )?[0-9]{0,22}-[0-9]{0,22}/([0-9]{0,22}|\\*)|.{0,60}") {
            if let Some((start, total)) = range(&text) {
                let told = text.contains(&start.to_string());
                prop_assert!(told && total.is_none_or(|total| start < total));
            }
        }

        #[test]
        fn a_sound_range_is_read(start in 0..u64::MAX - 2, more in 0..1_u64 << 40) {
            let end = start.saturating_add(more).min(u64::MAX - 1);
            let total = end + 1;
            prop_assert_eq!(range(&format!("bytes {start}-{end}/{total}")), Some((start, Some(total))));
        }
    }

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(range("bytes 0-0/*"), Some((0, None)));
        for text in [
            "",
            "5-9/10",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes */10",
            "bytes -9/10",
            "items 5-9/10",
            "bytes 5-99999999999999999999/*",
        ] {
            assert_eq!(range(text), None, "{text:?}");
        }
    }
}
