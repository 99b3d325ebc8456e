use burn_flex::{Flex, FlexTensor};
use burn_tensor::{Tensor, TensorData, TensorPrimitive};
use half::{bf16, f16, slice::HalfFloatSliceExt};
use rayon::prelude::*;

use super::kernels::{dot, dot_bf16};
use crate::Precision;

/// Outputs that one thread computes at a time for one row, and for several rows of weights in half
/// precision.
const TASK: usize = 64;
const PANEL: usize = 1024;

/// A linear layer in the layout of checkpoints: `outputs × inputs`.
#[derive(Debug)]
pub(super) struct Linear {
    inputs: usize,
    weights: Weights,
    /// Empty where there is none.
    pub(super) bias: Vec<f32>,
}

#[derive(Debug)]
enum Weights {
    /// Being read.
    Values(Vec<f32>),
    F32(FlexTensor),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
}

impl Linear {
    pub(super) fn new(inputs: usize, precision: Precision) -> Self {
        Self {
            inputs,
            weights: match precision {
                Precision::F32 => Weights::Values(Vec::new()),
                Precision::F16 => Weights::F16(Vec::new()),
                Precision::Bf16 => Weights::Bf16(Vec::new()),
            },
            bias: Vec::new(),
        }
    }

    /// Appends outputs.
    pub(super) fn push(&mut self, values: Vec<f32>) {
        match &mut self.weights {
            Weights::Values(all) if all.is_empty() => *all = values,
            Weights::Values(all) => all.extend(values),
            Weights::F32(_) => {}
            Weights::F16(all) => {
                let start = all.len();
                all.resize(start + values.len(), f16::ZERO);
                all[start..].convert_from_f32_slice(&values);
            }
            Weights::Bf16(all) => {
                let start = all.len();
                all.resize(start + values.len(), bf16::ZERO);
                all[start..].convert_from_f32_slice(&values);
            }
        }
    }

    /// The layer once all outputs are there.
    pub(super) fn placed(self) -> Self {
        let weights = match self.weights {
            Weights::Values(values) => Weights::F32(tensor(values, self.inputs)),
            other => other,
        };
        Self { weights, ..self }
    }

    /// Writes one output's weights.
    pub(super) fn row(&self, output: usize, row: &mut [f32]) {
        let start = output * self.inputs;
        let range = start..start + self.inputs;
        match &self.weights {
            Weights::Values(all) => row.copy_from_slice(&all[range]),
            Weights::F32(all) => row.copy_from_slice(&all.storage()[range]),
            Weights::F16(all) => all[range].convert_to_f32_slice(row),
            Weights::Bf16(all) => all[range].convert_to_f32_slice(row),
        }
    }

    /// Of rows of `inputs` values.
    pub(super) fn product(&self, rows: Vec<f32>) -> Vec<f32> {
        let mut product = if rows.len() == self.inputs {
            self.of_one(&rows)
        } else {
            self.of_many(rows)
        };
        if !self.bias.is_empty() {
            for row in product.chunks_exact_mut(self.bias.len()) {
                for (value, bias) in row.iter_mut().zip(&self.bias) {
                    *value += bias;
                }
            }
        }
        product
    }

    fn outputs(&self) -> usize {
        let values = match &self.weights {
            Weights::Values(all) => all.len(),
            Weights::F32(all) => all.storage::<f32>().len(),
            Weights::F16(all) => all.len(),
            Weights::Bf16(all) => all.len(),
        };
        values / self.inputs.max(1)
    }

    /// Bound by memory: every weight is read once, in its order.
    fn of_one(&self, row: &[f32]) -> Vec<f32> {
        let mut product = vec![0.0; self.outputs()];
        let tasks = product.par_chunks_mut(TASK);
        let size = TASK * self.inputs;
        match &self.weights {
            Weights::Values(all) => tasks
                .zip(all.par_chunks(size))
                .for_each(|(outputs, weights)| dot(row, weights, outputs)),
            Weights::F32(all) => tasks
                .zip(all.storage().par_chunks(size))
                .for_each(|(outputs, weights)| dot(row, weights, outputs)),
            Weights::F16(all) => {
                tasks
                    .zip(all.par_chunks(size))
                    .for_each(|(outputs, weights)| {
                        let mut wide = vec![0.0; self.inputs];
                        let weights = weights.chunks_exact(self.inputs);
                        for (output, weights) in outputs.iter_mut().zip(weights) {
                            weights.convert_to_f32_slice(&mut wide);
                            dot(row, &wide, std::slice::from_mut(output));
                        }
                    });
            }
            Weights::Bf16(all) => tasks
                .zip(all.par_chunks(size))
                .for_each(|(outputs, weights)| dot_bf16(row, weights.reinterpret_cast(), outputs)),
        }
        product
    }

    fn of_many(&self, rows: Vec<f32>) -> Vec<f32> {
        let count = rows.len() / self.inputs.max(1);
        let rows = tensor(rows, self.inputs);
        if let Weights::F32(all) = &self.weights {
            return times(rows, all.clone());
        }
        // Weights of half precision are widened a panel at a time.
        let outputs = self.outputs();
        let mut product = vec![0.0; count * outputs];
        for first in (0..outputs).step_by(PANEL) {
            let panel = PANEL.min(outputs - first);
            let range = first * self.inputs..(first + panel) * self.inputs;
            let mut wide = vec![0.0; range.len()];
            match &self.weights {
                Weights::F16(all) => widen(&all[range], &mut wide),
                Weights::Bf16(all) => widen(&all[range], &mut wide),
                Weights::Values(all) => wide.copy_from_slice(&all[range]),
                Weights::F32(_) => {}
            }
            let part = times(rows.clone(), tensor(wide, self.inputs));
            let places = product.chunks_exact_mut(outputs);
            for (place, part) in places.zip(part.chunks_exact(panel)) {
                place[first..first + panel].copy_from_slice(part);
            }
        }
        product
    }
}

fn widen<T: Sync>(values: &[T], wide: &mut [f32])
where
    [T]: HalfFloatSliceExt,
{
    const PIECE: usize = 1 << 14;
    wide.par_chunks_mut(PIECE)
        .zip(values.par_chunks(PIECE))
        .for_each(|(wide, values)| values.convert_to_f32_slice(wide));
}

/// A matrix of so many columns.
fn tensor(values: Vec<f32>, columns: usize) -> FlexTensor {
    let rows = values.len() / columns.max(1);
    FlexTensor::from_data(TensorData::new(values, [rows, columns]))
}

/// `left · rightᵀ`; the transposition is a view.
fn times(left: FlexTensor, right: FlexTensor) -> Vec<f32> {
    let [left, right] =
        [left, right].map(|part| Tensor::<Flex, 2>::from_primitive(TensorPrimitive::Float(part)));
    let product = left.matmul(right.transpose()).into_data();
    // Both are of f32, and so is their product.
    product.into_vec().unwrap_or_default()
}
