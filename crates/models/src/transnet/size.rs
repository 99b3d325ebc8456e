use crate::{checkpoint::Checkpoint, parameters::Shapes};

/// Frames to either side that a frame is compared with, and itself.
pub(super) const NEIGHBOURS: usize = 101;
/// Components that frames are compared by, and what comparing gives.
pub(super) const SIMILARITY: usize = 128;
/// Frames from one another in time, of the four branches of a layer.
pub(super) const DILATIONS: [usize; 4] = [1, 2, 4, 8];
/// Most stacks: each halves a frame, and this many leave 1 × 3 pixels of it.
const MOST_STACKS: usize = 4;

/// The original's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// `F`: outputs of a branch in the first stack; each stack doubles them.
    pub(super) filters: usize,
    /// `L`.
    pub(super) stacks: usize,
    /// `S`.
    pub(super) layers: usize,
    /// `D`.
    pub(super) hidden: usize,
}

impl Size {
    /// By the names and shapes of the tensors. The bounds keep every product far from overflow.
    pub(super) fn of(checkpoint: &Checkpoint) -> Result<Self, String> {
        let entries = checkpoint.entries();
        let first = |name: &str| {
            let entry = entries.get(name);
            entry.and_then(|entry| entry.shape.first().copied())
        };
        let count = |name: &dyn Fn(usize) -> String| {
            let there = |index: &usize| entries.contains_key(&name(*index));
            (0..256).take_while(there).count()
        };
        let size = Self {
            filters: first(&branch(0, 0, 1, 1)).unwrap_or_default(),
            stacks: count(&|stack| branch(stack, 0, 1, 1)),
            layers: count(&|layer| branch(0, layer, 1, 1)),
            hidden: first("fc1.bias").unwrap_or_default(),
        };
        for (name, found, most) in [
            ("SDDCNN", size.stacks, MOST_STACKS),
            ("DDCNN", size.layers, 16),
            ("filters", size.filters, 1 << 10),
            ("fc1.bias", size.hidden, 1 << 16),
        ] {
            if found == 0 || found > most {
                return Err(format!("the size of {name} is {found}, not 1 to {most}"));
            }
        }
        Ok(size)
    }

    /// Outputs of a branch.
    pub(super) fn filters_of(&self, stack: usize) -> usize {
        self.filters << stack
    }

    /// Channels that a layer takes.
    pub(super) fn inputs(&self, stack: usize, layer: usize) -> usize {
        match (stack, layer) {
            (0, 0) => 3,
            (_, 0) => 4 * self.filters_of(stack - 1),
            _ => 4 * self.filters_of(stack),
        }
    }

    /// Channels of all stacks together.
    pub(super) fn channels(&self) -> usize {
        (0..self.stacks)
            .map(|stack| 4 * self.filters_of(stack))
            .sum()
    }

    /// Values that are left of a frame.
    fn flat(&self) -> usize {
        let halved = |side: usize| side >> self.stacks;
        halved(super::TransNetV2::HEIGHT)
            * halved(super::TransNetV2::WIDTH)
            * 4
            * self.filters_of(self.stacks - 1)
    }

    /// Every tensor.
    pub(super) fn shapes(&self) -> Shapes {
        let mut all = Shapes::default();
        for stack in 0..self.stacks {
            let filters = self.filters_of(stack);
            for layer in 0..self.layers {
                for dilation in DILATIONS {
                    let inputs = self.inputs(stack, layer);
                    let wide = 2 * filters;
                    all.add(branch(stack, layer, dilation, 0), &[wide, inputs, 1, 3, 3]);
                    all.add(branch(stack, layer, dilation, 1), &[filters, wide, 3, 1, 1]);
                }
                let norm = format!("SDDCNN.{stack}.DDCNN.{layer}.bn");
                all.norm(&norm, 4 * filters);
                for part in ["running_mean", "running_var"] {
                    all.add(format!("{norm}.{part}"), &[4 * filters]);
                }
            }
        }
        all.linear("frame_sim_layer.projection", SIMILARITY, self.channels());
        all.linear("frame_sim_layer.fc", SIMILARITY, NEIGHBOURS);
        all.linear("color_hist_layer.fc", SIMILARITY, NEIGHBOURS);
        all.linear("fc1", self.hidden, self.flat() + 2 * SIMILARITY);
        all.linear("cls_layer1", 1, self.hidden);
        all.linear("cls_layer2", 1, self.hidden);
        all
    }
}

/// The name of a branch's product over a frame (0) or over time (1).
pub(super) fn branch(stack: usize, layer: usize, dilation: usize, product: usize) -> String {
    format!("SDDCNN.{stack}.DDCNN.{layer}.Conv3D_{dilation}.layers.{product}.weight")
}
