use super::component::Component;
use crate::{Error, Result};

/// The inner product of two vectors in whatever range.
///
/// # Errors
/// [`Error::Length`] for vectors of different lengths, [`Error::NotFinite`] for a component that is
/// not finite, or a product beyond `f64`.
pub(super) fn inner_product<T: Component>(left: &[T], right: &[T]) -> Result<f64> {
    if left.len() != right.len() {
        return Err(Error::Length {
            left: left.len(),
            right: right.len(),
        });
    }
    let product = T::inner_product(left, right);
    if product.is_finite() {
        return Ok(product);
    }
    // Single precision overflows where double does not.
    let wide: f64 = left
        .iter()
        .zip(right)
        .map(|(left, right)| (*left).into() * (*right).into())
        .sum();
    if wide.is_finite() {
        Ok(wide)
    } else {
        Err(Error::NotFinite {
            what: "an embedding",
        })
    }
}

/// A vector and its length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured<'a, T> {
    pub(super) values: &'a [T],
    pub(super) length: f64,
}

impl<'a, T: Component> Measured<'a, T> {
    pub(super) fn new(values: &'a [T]) -> Result<Self> {
        let length = inner_product(values, values)?.sqrt();
        Ok(Self { values, length })
    }

    pub(super) fn all<V: AsRef<[T]>>(rows: &'a [V]) -> Result<Vec<Self>> {
        rows.iter().map(|row| Self::new(row.as_ref())).collect()
    }

    /// 0 when one of the two is zero.
    pub(super) fn cosine(&self, other: &Self) -> Result<f64> {
        let product = inner_product(self.values, other.values)?;
        Ok(cosine(product, self.length, other.length))
    }
}

fn cosine(product: f64, left: f64, right: f64) -> f64 {
    if left > 0.0 && right > 0.0 {
        product / left / right
    } else {
        0.0
    }
}

/// The inner products of all pairs of a text's sentences, from which every signal of theirs follows.
#[derive(Debug, Clone)]
pub(super) struct Gram {
    count: usize,
    products: Vec<f64>,
    lengths: Vec<f64>,
}

impl Gram {
    /// Takes n²/2 inner products and 8 n² bytes.
    pub(super) fn new<T: Component>(rows: &[Measured<'_, T>]) -> Result<Self> {
        let count = rows.len();
        let mut products = vec![0.0; count * count];
        for (first, left) in rows.iter().enumerate() {
            for (second, right) in rows.iter().enumerate().skip(first) {
                let product = if first == second {
                    left.length * left.length
                } else {
                    inner_product(left.values, right.values)?
                };
                for place in [first * count + second, second * count + first] {
                    if let Some(slot) = products.get_mut(place) {
                        *slot = product;
                    }
                }
            }
        }
        Ok(Self {
            count,
            products,
            lengths: rows.iter().map(|row| row.length).collect(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn row(&self, of: usize) -> &[f64] {
        let start = of * self.count;
        self.products
            .get(start..start + self.count)
            .unwrap_or_default()
    }

    pub(super) fn product(&self, first: usize, second: usize) -> f64 {
        self.row(first).get(second).copied().unwrap_or_default()
    }

    fn length(&self, of: usize) -> f64 {
        self.lengths.get(of).copied().unwrap_or_default()
    }

    pub(super) fn cosine(&self, first: usize, second: usize) -> f64 {
        cosine(
            self.product(first, second),
            self.length(first),
            self.length(second),
        )
    }

    /// Euclidean.
    pub(super) fn distance(&self, first: usize, second: usize) -> f64 {
        let squares = self.product(first, first) + self.product(second, second);
        (squares - 2.0 * self.product(first, second))
            .max(0.0)
            .sqrt()
    }

    /// The cosine of each with the one that follows.
    pub(super) fn adjacent(&self) -> impl Iterator<Item = f64> {
        (1..self.count).map(|second| self.cosine(second - 1, second))
    }

    /// The cosine of each with the mean of all.
    pub(super) fn to_centroid(&self) -> impl Iterator<Item = f64> {
        let sums = |of: usize| self.row(of).iter().sum::<f64>();
        let square: f64 = (0..self.count).map(sums).sum();
        let length = square.max(0.0).sqrt();
        (0..self.count).map(move |of| cosine(sums(of), self.length(of), length))
    }

    /// The cosine of each two.
    pub(super) fn pairs(&self) -> impl Iterator<Item = f64> {
        (0..self.count).flat_map(move |first| {
            (first + 1..self.count).map(move |second| self.cosine(first, second))
        })
    }
}
