use crate::{
    Result,
    inference::{
        SimilarityMatrix, TextStatistics,
        answer_shape::{has_code_fence, is_bulleted, is_numbered},
        words::{line_starts, trim},
    },
};

const FEATURES: usize = 7;
/// Features of no length are divided by this.
const LEAST_LENGTH: f32 = 1e-9;

/// How alike the form of each two texts is, 0 to 1 up to rounding: the cosine of seven numbers, in
/// single precision: characters / 10,000, pieces between stops / 50, whether a line is numbered, whether
/// one has a bullet, whether there is a code fence, paragraphs / 20, and words per piece / 50. An empty
/// text is like nothing. O(text + n²).
///
/// ```
/// use adit_scoring::inference::sybil::structural_similarity;
///
/// let matrix = structural_similarity(&["- one\n- two", "* three\n* four", "one and two"])?;
/// assert!(matrix.get(0, 1).unwrap() > 0.99);
/// assert!(matrix.get(0, 2).unwrap() < 0.2);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// None that texts can bring about.
pub fn structural_similarity<S: AsRef<str>>(texts: &[S]) -> Result<SimilarityMatrix> {
    let forms: Vec<[f32; FEATURES]> = texts.iter().map(|text| form(text.as_ref())).collect();
    let rows: Vec<Vec<f64>> = forms
        .iter()
        .map(|left| {
            forms
                .iter()
                .map(|right| f64::from(product(left, right)))
                .collect()
        })
        .collect();
    SimilarityMatrix::from_rows(&rows)
}

/// The features of a text, scaled to length 1.
fn form(text: &str) -> [f32; FEATURES] {
    let statistics = TextStatistics::of(text);
    let flag = |so: bool| if so { 1.0 } else { 0.0 };
    let paragraphs = text.split("\n\n").filter(|part| !trim(part).is_empty());
    let words = statistics.piece_words as f64 / statistics.pieces.max(1) as f64;
    let mut features = [
        text.chars().count() as f64 / 10_000.0,
        statistics.pieces as f64 / 50.0,
        flag(line_starts(text).any(is_numbered)),
        flag(line_starts(text).any(is_bulleted)),
        flag(has_code_fence(text)),
        paragraphs.count() as f64 / 20.0,
        words / 50.0,
    ]
    .map(|feature| feature as f32);
    let length = product(&features, &features).sqrt().max(LEAST_LENGTH);
    features.iter_mut().for_each(|feature| *feature /= length);
    features
}

fn product(left: &[f32; FEATURES], right: &[f32; FEATURES]) -> f32 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}
