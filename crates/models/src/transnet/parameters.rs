use burn_tensor::{FloatDType, backend::Backend};

use super::{
    network::{Judge, Network},
    size::{DILATIONS, Size, branch},
    volume::{Layer, Stack},
};
use crate::{Error, Result, checkpoint::Checkpoint, parameters::Parameters, placement::Build};

/// What batch normalisation adds to the variance.
const EPSILON: f32 = 1e-3;
/// Pixels of the surroundings, and frames along time.
const AROUND: usize = 9;
const TAPS: usize = 3;

/// What the network is built of.
pub(super) struct JudgeParts<'a> {
    pub(super) checkpoint: &'a mut Checkpoint,
    pub(super) size: Size,
}

impl Build for JudgeParts<'_> {
    type Network = dyn Judge;

    fn build<B: Backend>(self, device: &B::Device, dtype: FloatDType) -> Result<Box<dyn Judge>> {
        let size = self.size;
        // How many batches were seen in training matters to training alone.
        let unused = |name: &str| name.ends_with(".num_batches_tracked");
        let shapes = size.shapes();
        let mut reader = Parameters::<B>::new(self.checkpoint, shapes, unused, device, dtype)?;
        let mut stacks = Vec::with_capacity(size.stacks);
        for stack in 0..size.stacks {
            let layers = (0..size.layers).map(|index| layer(&mut reader, &size, stack, index));
            stacks.push(Stack {
                layers: layers.collect::<Result<_>>()?,
            });
        }
        Ok(Box::new(Network {
            stacks,
            projection: reader.linear("frame_sim_layer.projection")?,
            similarity: reader.linear("frame_sim_layer.fc")?,
            histograms: reader.linear("color_hist_layer.fc")?,
            hidden: reader.linear("fc1")?,
            single_frame: reader.linear("cls_layer1")?,
            many_hot: reader.linear("cls_layer2")?,
        }))
    }
}

/// The normalisation of a layer's outputs is part of its weights: a factor and a shift.
fn layer<B: Backend>(
    reader: &mut Parameters<'_, B>,
    size: &Size,
    stack: usize,
    index: usize,
) -> Result<Layer<B>> {
    let (inputs, filters) = (size.inputs(stack, index), size.filters_of(stack));
    let wide = 2 * filters;
    let norm = |part: &str| format!("SDDCNN.{stack}.DDCNN.{index}.bn.{part}");
    let (variances, _) = reader.values(&norm("running_var"))?;
    let (means, _) = reader.values(&norm("running_mean"))?;
    let (scales, _) = reader.values(&norm("weight"))?;
    let (shifts, _) = reader.values(&norm("bias"))?;
    if let Some(place) = variances.iter().position(|variance| *variance < 0.0) {
        return Err(Error::TensorNotFinite {
            name: format!("1 / sqrt({})", norm("running_var")),
            index: place,
        });
    }
    let factors: Vec<f32> = variances
        .iter()
        .zip(&scales)
        .map(|(variance, scale)| scale / (variance + EPSILON).sqrt())
        .collect();
    let moved = means.iter().zip(&factors).zip(&shifts);
    let shift: Vec<f32> = moved
        .map(|((mean, factor), shift)| shift - mean * factor)
        .collect();

    let outputs = DILATIONS.len() * wide;
    let mut spatial = vec![0.0; AROUND * inputs * outputs];
    let mut temporal = Vec::with_capacity(DILATIONS.len());
    let factors = factors.chunks_exact(filters);
    for (number, (dilation, factors)) in DILATIONS.into_iter().zip(factors).enumerate() {
        // The checkpoint has them as outputs × inputs × surroundings.
        let (values, _) = reader.values(&branch(stack, index, dilation, 0))?;
        for (output, values) in values.chunks_exact(AROUND * inputs).enumerate() {
            for (input, values) in values.chunks_exact(AROUND).enumerate() {
                let column = number * wide + output;
                let places = spatial.iter_mut().skip(input * outputs + column);
                for (place, value) in places.step_by(inputs * outputs).zip(values) {
                    *place = *value;
                }
            }
        }
        let (values, _) = reader.values(&branch(stack, index, dilation, 1))?;
        let mut weights = vec![0.0; values.len()];
        for (output, (values, factor)) in values.chunks_exact(TAPS * wide).zip(factors).enumerate()
        {
            let rows = weights.chunks_exact_mut(TAPS * filters);
            for (row, values) in rows.zip(values.chunks_exact(TAPS)) {
                let places = row.iter_mut().skip(output).step_by(filters);
                for (place, value) in places.zip(values) {
                    *place = value * factor;
                }
            }
        }
        temporal.push(reader.place(weights, [wide, TAPS * filters]));
    }
    Ok(Layer {
        spatial: reader.place(spatial, [AROUND * inputs, outputs]),
        temporal,
        shift,
    })
}
