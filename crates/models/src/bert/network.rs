use std::fmt::Debug;

use burn_tensor::{FloatDType, backend::Backend};

use crate::{
    Device, Placement, Precision, Result, SentencePooling,
    bert::{BertConfig, PackedBert, PaddedBert},
    checkpoint::Checkpoint,
    placement::{Build, place},
};

/// A network without the backend it runs on.
pub(crate) trait SentenceNetwork: Debug + Send + Sync {
    /// One vector per sequence, in their order. Sequences have 1 to [`BertConfig::longest`] ids, each
    /// below the vocabulary's size.
    fn pooled(&self, sequences: &[&[u32]], pooling: SentencePooling) -> Vec<Vec<f32>>;
}

struct Parts<'a> {
    checkpoint: &'a mut Checkpoint,
    config: &'a BertConfig,
}

impl Build for Parts<'_> {
    type Network = dyn SentenceNetwork;

    fn build<B: Backend>(
        self,
        device: &B::Device,
        dtype: FloatDType,
    ) -> Result<Box<dyn SentenceNetwork>> {
        let network = PaddedBert::<B>::load(self.checkpoint, self.config, device, dtype)?;
        Ok(Box::new(network))
    }
}

/// Builds the network where it is to run.
pub(crate) fn load(
    checkpoint: &mut Checkpoint,
    config: &BertConfig,
    placement: Placement,
) -> Result<Box<dyn SentenceNetwork>> {
    match (placement.device, placement.precision) {
        (Device::Cpu, Precision::F32) => Ok(Box::new(PackedBert::load(checkpoint, config)?)),
        _ => place(placement, Parts { checkpoint, config }),
    }
}
