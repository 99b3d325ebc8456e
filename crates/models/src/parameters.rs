//! From a checkpoint's tensors to a network's parameters on a backend.

use std::collections::BTreeMap;

use burn_tensor::{FloatDType, Tensor, TensorData, backend::Backend, bf16, f16};

use crate::{
    Result,
    checkpoint::{Checkpoint, Number, Wanted},
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

    /// A tensor's values at 32 bits, row by row, and its shape.
    pub(crate) fn values(&mut self, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        let wanted = self.wanted(name);
        let values = self.checkpoint.tensor(&wanted)?;
        Ok((values, wanted.shape))
    }

    fn wanted(&self, name: &str) -> Wanted {
        Wanted {
            name: name.to_owned(),
            shape: self.shapes.0.get(name).cloned().unwrap_or_default(),
        }
    }

    /// Tensors one after the other as one row, in a format.
    fn row<T: Number>(&mut self, names: &[&str]) -> Result<TensorData> {
        let mut row: Vec<T> = Vec::new();
        for name in names {
            let wanted = self.wanted(name);
            self.checkpoint
                .pieces(&wanted, 1, |piece| row.extend_from_slice(piece))?;
        }
        let length = row.len();
        Ok(TensorData::new(row, [length]))
    }

    /// Tensors one after the other as one row, in the network's format: no wider copy is ever made.
    fn narrow_row(&mut self, names: &[&str]) -> Result<TensorData> {
        match self.dtype {
            FloatDType::F16 => self.row::<f16>(names),
            FloatDType::BF16 => self.row::<bf16>(names),
            _ => self.row::<f32>(names),
        }
    }

    fn on_device<const D: usize>(&self, data: TensorData) -> Tensor<B, D> {
        let dtype = data.dtype;
        Tensor::from_data(data, (self.device, dtype))
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
        let mut data = self.narrow_row(&[name])?;
        data.shape = self.wanted(name).shape.into();
        Ok(self.on_device(data))
    }

    /// A tensor's values as one row.
    pub(crate) fn vector(&mut self, name: &str) -> Result<Tensor<B, 1>> {
        let data = self.narrow_row(&[name])?;
        Ok(self.on_device(data))
    }

    /// `PREFIX.weight` and `PREFIX.bias`, at 32 bits: normalisation is computed there.
    pub(crate) fn norm(&mut self, prefix: &str, epsilon: f64) -> Result<LayerNorm<B>> {
        let scale = self.row::<f32>(&[&format!("{prefix}.weight")])?;
        let shift = self.row::<f32>(&[&format!("{prefix}.bias")])?;
        Ok(LayerNorm {
            scale: self.on_device(scale),
            shift: self.on_device(shift),
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
        let weight = match self.dtype {
            FloatDType::F16 => self.transposed::<f16>(weights)?,
            FloatDType::BF16 => self.transposed::<bf16>(weights)?,
            _ => self.transposed::<f32>(weights)?,
        };
        let bias = match biases {
            [] => None,
            _ => Some(self.narrow_row(biases)?),
        };
        Ok(Dense {
            weight: self.on_device(weight),
            bias: bias.map(|bias| self.on_device(bias)),
        })
    }

    /// Weights of `outputs × inputs` as one of `inputs × all outputs`.
    fn transposed<T: Number>(&mut self, weights: &[&str]) -> Result<TensorData> {
        let wanted: Vec<Wanted> = weights.iter().map(|name| self.wanted(name)).collect();
        let rows = |wanted: &Wanted| wanted.shape.first().copied().unwrap_or_default();
        let all: usize = wanted.iter().map(rows).sum();
        let sides = wanted.first().and_then(|first| first.shape.get(1..));
        let inputs: usize = sides.unwrap_or_default().iter().product();
        let mut transposed = vec![T::ZERO; inputs * all];
        let mut first = 0;
        for wanted in &wanted {
            self.checkpoint.pieces::<T>(wanted, inputs, |piece| {
                let rows = piece.len() / inputs.max(1);
                for (input, line) in transposed.chunks_exact_mut(all.max(1)).enumerate() {
                    let places = line.iter_mut().skip(first).take(rows);
                    let column = piece.iter().skip(input).step_by(inputs.max(1));
                    for (place, value) in places.zip(column) {
                        *place = *value;
                    }
                }
                first += rows;
            })?;
        }
        Ok(TensorData::new(transposed, [inputs, all]))
    }
}
