//! From a checkpoint's tensors to a network's parameters on a backend.

use std::collections::BTreeMap;

use burn_tensor::{FloatDType, Tensor, TensorData, backend::Backend};

use crate::{
    Result,
    checkpoint::{Checkpoint, Wanted},
    layers::{Dense, LayerNorm},
};

/// The tensors that a configuration needs, by name.
#[derive(Debug, Default)]
pub(crate) struct Shapes(BTreeMap<String, Vec<usize>>);

impl Shapes {
    pub(crate) fn add(&mut self, name: impl Into<String>, shape: &[usize]) {
        self.0.insert(name.into(), shape.to_vec());
    }

    /// Names and shapes, by name.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Vec<usize>)> {
        self.0.iter()
    }

    /// A weight and a bias of one length.
    pub(crate) fn norm(&mut self, prefix: &str, width: usize) {
        self.add(format!("{prefix}.weight"), &[width]);
        self.add(format!("{prefix}.bias"), &[width]);
    }

    /// The weight and bias of a linear layer.
    pub(crate) fn linear(&mut self, prefix: &str, outputs: usize, inputs: usize) {
        self.add(format!("{prefix}.weight"), &[outputs, inputs]);
        self.add(format!("{prefix}.bias"), &[outputs]);
    }
}

/// Reads parameters of known shapes onto a device.
pub(crate) struct Parameters<'a, B: Backend> {
    checkpoint: &'a mut Checkpoint,
    shapes: Shapes,
    device: &'a B::Device,
    dtype: FloatDType,
}

impl<'a, B: Backend> Parameters<'a, B> {
    /// # Errors
    /// As [`Checkpoint::expect`]: the checkpoint must hold exactly these tensors, besides those that
    /// are `ignored`.
    pub(crate) fn new(
        checkpoint: &'a mut Checkpoint,
        shapes: Shapes,
        ignored: impl Fn(&str) -> bool,
        device: &'a B::Device,
        dtype: FloatDType,
    ) -> Result<Self> {
        let wanted: Vec<Wanted> = shapes
            .0
            .iter()
            .map(|(name, shape)| Wanted {
                name: name.clone(),
                shape: shape.clone(),
            })
            .collect();
        checkpoint.expect(&wanted, ignored)?;
        Ok(Self {
            checkpoint,
            shapes,
            device,
            dtype,
        })
    }

    /// Whether the configuration has this tensor.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.shapes.0.contains_key(name)
    }

    /// A tensor's values, row by row, and its shape.
    pub(crate) fn values(&mut self, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        let shape = self.shapes.0.get(name).cloned().unwrap_or_default();
        let values = self.checkpoint.tensor(&Wanted {
            name: name.to_owned(),
            shape: shape.clone(),
        })?;
        Ok((values, shape))
    }

    /// Values that did not come straight from one tensor.
    pub(crate) fn place<const D: usize>(
        &self,
        values: Vec<f32>,
        shape: [usize; D],
    ) -> Tensor<B, D> {
        Tensor::<B, D>::from_data(TensorData::new(values, shape), self.device).cast(self.dtype)
    }

    /// A tensor of the checkpoint's own shape.
    pub(crate) fn tensor<const D: usize>(&mut self, name: &str) -> Result<Tensor<B, D>> {
        let (values, shape) = self.values(name)?;
        Ok(Tensor::<B, D>::from_data(TensorData::new(values, shape), self.device).cast(self.dtype))
    }

    /// A tensor's values as one row.
    pub(crate) fn vector(&mut self, name: &str) -> Result<Tensor<B, 1>> {
        let (values, _) = self.values(name)?;
        let length = values.len();
        Ok(self.place(values, [length]))
    }

    /// `PREFIX.weight` and `PREFIX.bias`.
    pub(crate) fn norm(&mut self, prefix: &str, epsilon: f64) -> Result<LayerNorm<B>> {
        Ok(LayerNorm {
            scale: self.vector(&format!("{prefix}.weight"))?,
            shift: self.vector(&format!("{prefix}.bias"))?,
            epsilon,
        })
    }

    /// `PREFIX.weight` and `PREFIX.bias`.
    pub(crate) fn linear(&mut self, prefix: &str) -> Result<Dense<B>> {
        let bias = format!("{prefix}.bias");
        self.dense(&format!("{prefix}.weight"), Some(&bias))
    }

    /// A weight of `outputs × inputs`, of however many dimensions the inputs are.
    pub(crate) fn dense(&mut self, weight: &str, bias: Option<&str>) -> Result<Dense<B>> {
        match bias {
            Some(bias) => self.dense_of(&[weight], &[bias]),
            None => self.dense_of(&[weight], &[]),
        }
    }

    /// Several layers of the same inputs, side by side as one product. Their weights are transposed in
    /// memory: products over a transposed view are slower on the CPU.
    pub(crate) fn dense_of(&mut self, weights: &[&str], biases: &[&str]) -> Result<Dense<B>> {
        let mut parts = Vec::with_capacity(weights.len());
        for name in weights {
            let (values, shape) = self.values(name)?;
            parts.push((values, shape.first().copied().unwrap_or_default().max(1)));
        }
        let all: usize = parts.iter().map(|(_, outputs)| outputs).sum();
        let inputs = parts
            .first()
            .map_or(0, |(values, outputs)| values.len() / outputs);
        let mut transposed = vec![0.0; inputs * all];
        let rows = parts
            .iter()
            .flat_map(|(values, _)| values.chunks_exact(inputs.max(1)));
        for (output, row) in rows.enumerate() {
            let column = transposed.iter_mut().skip(output).step_by(all.max(1));
            for (place, value) in column.zip(row) {
                *place = *value;
            }
        }
        let mut shifts = Vec::new();
        for name in biases {
            shifts.extend(self.values(name)?.0);
        }
        let length = shifts.len();
        Ok(Dense {
            weight: self.place(transposed, [inputs, all]),
            bias: (length > 0).then(|| self.place(shifts, [length])),
        })
    }
}
