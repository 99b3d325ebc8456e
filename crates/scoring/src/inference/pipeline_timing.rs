use serde::{Serialize, Serializer, ser::SerializeMap};

/// When the stages of one request began and ended, in seconds of Unix time, as the original writes it
/// into the metadata of a challenge.
///
/// Serialised with every time also as a date (`…_datetime`, UTC, without a zone, up to microseconds)
/// and with what has both ends also as a duration in milliseconds, rounded to 2 digits. Times that are
/// not finite, or beyond the years 1 to 9999, have no date.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PipelineTiming {
    /// Id of the request through all systems.
    pub correlation_id: String,
    /// When the request came in.
    pub request_start: f64,
    /// When it was answered.
    pub request_end: Option<f64>,
    /// The stages in the order they were recorded.
    pub stages: Vec<TimingStage>,
}

/// One stage of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimingStage {
    /// Its name, such as `validator_evaluation`.
    pub name: String,
    /// When it began.
    pub start: f64,
    /// When it ended.
    pub end: Option<f64>,
}

impl Serialize for PipelineTiming {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("correlation_id", &self.correlation_id)?;
        map.serialize_entry("request_start_timestamp", &self.request_start)?;
        map.serialize_entry("request_start_datetime", &date(self.request_start))?;
        map.serialize_entry("stages", &self.stages)?;
        if let Some(end) = self.request_end {
            map.serialize_entry("request_end_timestamp", &end)?;
            map.serialize_entry("request_end_datetime", &date(end))?;
            map.serialize_entry("total_elapsed_ms", &elapsed_ms(self.request_start, end))?;
        }
        map.end()
    }
}

impl Serialize for TimingStage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stage_name", &self.name)?;
        map.serialize_entry("start_timestamp", &self.start)?;
        map.serialize_entry("start_datetime", &date(self.start))?;
        if let Some(end) = self.end {
            map.serialize_entry("end_timestamp", &end)?;
            map.serialize_entry("end_datetime", &date(end))?;
            map.serialize_entry("elapsed_ms", &elapsed_ms(self.start, end))?;
        }
        map.end()
    }
}

/// Rounded half to even in decimal, as Python rounds.
fn elapsed_ms(start: f64, end: f64) -> f64 {
    let elapsed = (end - start) * 1_000.0;
    format!("{elapsed:.2}").parse().unwrap_or(elapsed)
}

/// `2023-11-14T22:13:20.250000`; without the fraction when it is 0.
fn date(time: f64) -> Option<String> {
    const YEAR_1: f64 = -62_135_596_800.0;
    const YEAR_10000: f64 = 253_402_300_800.0;
    if !(YEAR_1..YEAR_10000).contains(&time) {
        return None;
    }
    // Below 2^58, so that the conversion is exact.
    let whole = time.floor();
    let micros = ((time - whole) * 1e6).round_ties_even() as i64;
    let seconds = whole as i64 + micros / 1_000_000;
    let micros = micros % 1_000_000;
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if micros != 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    Some(text)
}

/// Year, month and day of a number of days since 1 January 1970, in the Gregorian calendar. Counted
/// from 1 March, so that the leap day is the last of a year; 400 years have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let date = |time: f64| date(time).unwrap();
        assert_eq!(date(0.0), "1970-01-01T00:00:00");
        assert_eq!(date(951_782_400.0), "2000-02-29T00:00:00");
        assert_eq!(date(-0.25), "1969-12-31T23:59:59.750000");
        assert_eq!(date(1_700_000_003.283_1), "2023-11-14T22:13:23.283100");
        assert_eq!(date(0.999_999_9), "1970-01-01T00:00:01");
        assert_eq!(super::date(f64::NAN), None);
        assert_eq!(super::date(1e300), None);
    }

    #[test]
    fn durations_have_two_digits() {
        assert_eq!(elapsed_ms(1.0, 2.283_146), 1_283.15);
        assert!(elapsed_ms(0.0, f64::NAN).is_nan());
    }
}
