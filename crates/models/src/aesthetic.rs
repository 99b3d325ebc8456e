//! How well pictures would be liked.

use std::path::Path;

use adit_embedding::Embedding;

use crate::{
    Error, Result,
    checkpoint::{Checkpoint, Wanted},
};

/// Most layers.
const MOST_LAYERS: usize = 64;
/// Widest layer.
const WIDEST: usize = 1 << 16;

/// LAION's aesthetic predictor: how people would rate a picture, from about 1 to 10, by its CLIP
/// embedding of length 1.
///
/// The published one, `sac+logos+ava1-l14-linearMSE`, takes [`crate::ClipVision`] of OpenAI's ViT-L/14:
/// 768 → 1,024 → 128 → 64 → 16 → 1. Nothing bends between its layers and its dropouts are for training
/// only, so that all of it is one weighted sum, which is computed when it is loaded. Scores equal
/// PyTorch's to 1e-4.
///
/// Which score is good enough is for those who curate to say: the field keeps 3.5 and more, of the
/// worst or the mean of a clip's frames at one a second.
#[derive(Debug, Clone, PartialEq)]
pub struct AestheticHead {
    weights: Vec<f64>,
    bias: f64,
}

impl AestheticHead {
    /// Loads a safetensors file with the original's names, `layers.0.weight`, `layers.0.bias` and so
    /// on. Widths are the file's own; numbers of layers may be left out, as the dropouts are.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`] and [`Error::Header`] for the file itself.
    /// - [`Error::Config`] for layers that do not follow one another to a single score.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names.
    pub fn load(weights: &Path) -> Result<Self> {
        let mut checkpoint = Checkpoint::open(weights)?;
        let layers = layers(&checkpoint).map_err(|reason| Error::Config {
            path: weights.to_owned(),
            reason,
        })?;
        let wanted: Vec<Wanted> = layers.iter().flatten().cloned().collect();
        checkpoint.expect(&wanted, |_| false)?;
        // From the score back to the embedding.
        let mut head = Self {
            weights: vec![1.0],
            bias: 0.0,
        };
        for [weight, bias] in layers.iter().rev() {
            let (weight, bias) = (checkpoint.tensor(weight)?, checkpoint.tensor(bias)?);
            head = head.after(&weight, &bias);
        }
        Ok(head)
    }

    /// Components of the embeddings that it takes.
    pub fn dimension(&self) -> usize {
        self.weights.len()
    }

    /// The score of a picture.
    ///
    /// # Errors
    /// [`Error::Input`] for an embedding of another dimension.
    pub fn score(&self, picture: &Embedding) -> Result<f32> {
        let values = picture.values();
        if values.len() != self.dimension() {
            return Err(Error::Input {
                reason: format!(
                    "an embedding of {} components, not {}",
                    values.len(),
                    self.dimension()
                ),
            });
        }
        let products = self.weights.iter().zip(values);
        let sum: f64 = products
            .map(|(weight, value)| weight * f64::from(*value))
            .sum();
        Ok((sum + self.bias) as f32)
    }

    /// This sum over what a layer of `outputs × inputs` gives.
    fn after(&self, weight: &[f32], bias: &[f32]) -> Self {
        let inputs = weight.len() / self.weights.len().max(1);
        let mut weights = vec![0.0; inputs];
        let mut sum = self.bias;
        let rows = weight.chunks_exact(inputs.max(1)).zip(bias);
        for (share, (row, bias)) in self.weights.iter().zip(rows) {
            sum += share * f64::from(*bias);
            for (weight, value) in weights.iter_mut().zip(row) {
                *weight += share * f64::from(*value);
            }
        }
        Self { weights, bias: sum }
    }
}

/// Weight and bias of each layer, from the first, by the names and shapes of the file.
fn layers(checkpoint: &Checkpoint) -> Result<Vec<[Wanted; 2]>, String> {
    let mut numbered = Vec::new();
    for (name, entry) in checkpoint.entries() {
        let number = name
            .strip_prefix("layers.")
            .and_then(|rest| rest.strip_suffix(".weight"))
            .and_then(|number| number.parse::<u32>().ok());
        if let Some(number) = number {
            numbered.push((number, name.clone(), entry.shape.clone()));
        }
    }
    numbered.sort_unstable();
    if numbered.is_empty() || numbered.len() > MOST_LAYERS {
        return Err(format!(
            "{} tensors layers.NUMBER.weight, 1 to {MOST_LAYERS} are allowed",
            numbered.len()
        ));
    }
    let mut layers = Vec::with_capacity(numbered.len());
    let mut width = None;
    for (_, name, shape) in numbered {
        let [outputs, inputs] = *shape.as_slice() else {
            return Err(format!("{name} has {} dimensions, not 2", shape.len()));
        };
        let sound = [outputs, inputs]
            .iter()
            .all(|side| (1..=WIDEST).contains(side));
        if !sound || width.is_some_and(|width| width != inputs) {
            return Err(format!(
                "{name} leads from {inputs} to {outputs} components, after a layer of {width:?}"
            ));
        }
        width = Some(outputs);
        let bias = name.replace(".weight", ".bias");
        layers.push([
            Wanted { name, shape },
            Wanted {
                name: bias,
                shape: vec![outputs],
            },
        ]);
    }
    match width {
        Some(1) => Ok(layers),
        _ => Err(format!("the last layer gives {width:?} components, not 1")),
    }
}
