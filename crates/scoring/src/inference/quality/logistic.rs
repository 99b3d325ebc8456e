/// `1 / (1 + exp(−steepness · (x − midpoint)))`: a soft step from 0 to 1 that is 0.5 at the midpoint.
///
/// ```
/// use adit_scoring::inference::quality::logistic;
///
/// assert_eq!(logistic(0.45, 0.45, 8.0), 0.5);
/// assert!(logistic(1.0, 0.45, 8.0) > 0.98);
/// ```
pub fn logistic(x: f64, midpoint: f64, steepness: f64) -> f64 {
    1.0 / (1.0 + (-steepness * (x - midpoint)).exp())
}
