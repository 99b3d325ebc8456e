use std::path::Path;

use crate::{Error, Result};

/// Most topics a file may list.
const MOST_TOPICS: usize = 100_000;
/// Longest topic, in bytes: what a record of the dataset can hold.
const LONGEST_TOPIC: usize = 1_024;
/// Largest topics file, in bytes.
const LARGEST_FILE: u64 = 16 << 20;

/// Reads topics, one a line; blank lines, lines that start with `#` and repetitions are left out.
///
/// # Errors
/// [`Error::Topics`] when the file cannot be read, is too large, lists nothing, or lists a topic of
/// more than 1,024 bytes.
pub fn read_topics(path: &Path) -> Result<Vec<String>> {
    let refuse = |reason: String| Error::Topics {
        path: path.to_owned(),
        reason,
    };
    let size = std::fs::metadata(path)
        .map_err(|error| refuse(error.to_string()))?
        .len();
    if size > LARGEST_FILE {
        return Err(refuse("larger than 16 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let topics = parse(&text);
    if let Some(topic) = topics.iter().find(|topic| topic.len() > LONGEST_TOPIC) {
        let start: String = topic.chars().take(40).collect();
        return Err(refuse(format!(
            "a topic has more than {LONGEST_TOPIC} bytes: {start}…"
        )));
    }
    if topics.is_empty() {
        return Err(refuse("it lists no topic".to_owned()));
    }
    Ok(topics)
}

fn parse(text: &str) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| seen.insert(*line))
        .take(MOST_TOPICS)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_is_no_topic() {
        assert_eq!(
            parse("# topics\nrivers\n\n  bridges \nrivers\n"),
            ["rivers", "bridges"]
        );
        assert!(read_topics(Path::new("/nonexistent/topics.txt")).is_err());
    }

    #[test]
    fn a_file_without_topics_or_with_endless_ones_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("topics.txt");
        let longest = "t".repeat(LONGEST_TOPIC);
        for text in ["", "# none\n\n", &format!("rivers\n{longest}t\n")] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(read_topics(&path), Err(Error::Topics { .. })));
        }
        std::fs::write(&path, format!("rivers\n{longest}\n")).unwrap();
        assert_eq!(read_topics(&path).unwrap(), ["rivers", &longest]);
    }
}
