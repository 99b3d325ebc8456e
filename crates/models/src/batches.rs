//! Cuts batches into the passes that a network makes over them.

use rayon::prelude::*;

use crate::Device;

/// Pictures, sounds or texts in one pass on the CPU; attention over one view of ImageBind's huge trunk
/// takes some 20 MB.
const CPU_PASS: usize = 8;
/// The same on CUDA.
const CUDA_PASS: usize = 64;

/// How many inputs a device takes at once, all its passes together.
pub(crate) fn at_once(device: Device) -> usize {
    match device {
        Device::Cpu => CPU_PASS * rayon::current_num_threads(),
        Device::Cuda(_) => CUDA_PASS,
    }
}

/// Runs inputs a few at a time, so that memory is bounded whatever the batch. On the CPU a pass keeps one
/// thread busy, so each thread of rayon's pool gets a share.
pub(crate) fn passes<T: Sync>(
    device: Device,
    inputs: &[T],
    run: impl Fn(&[T]) -> Vec<Vec<f32>> + Send + Sync,
) -> Vec<Vec<f32>> {
    match device {
        Device::Cpu => {
            let share = inputs.len().div_ceil(rayon::current_num_threads());
            inputs
                .par_chunks(share.clamp(1, CPU_PASS))
                .flat_map_iter(run)
                .collect()
        }
        Device::Cuda(_) => inputs.chunks(CUDA_PASS).flat_map(run).collect(),
    }
}

/// Groups the indices of `lengths` so that each group has at most `most_tokens` tokens, counted as
/// the group's size times its longest length; a sequence longer than that stands alone. Within and
/// across groups lengths fall, so the heaviest group starts first and little is padded.
pub(crate) fn group_by_length(lengths: &[usize], most_tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    let length = |index: &usize| lengths.get(*index).copied().unwrap_or_default();
    order.sort_by_key(|index| std::cmp::Reverse(length(index)));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut longest = 0;
    for index in order {
        match groups.last_mut() {
            Some(group) if (group.len() + 1) * longest <= most_tokens => group.push(index),
            _ => {
                longest = length(&index);
                groups.push(vec![index]);
            }
        }
    }
    groups
}

/// What passes over the groups gave, in the order of the indices.
pub(crate) fn in_order<T>(groups: &[Vec<usize>], passes: Vec<Vec<T>>) -> Vec<T> {
    let indices = groups.iter().flatten().copied();
    let mut results: Vec<(usize, T)> = indices.zip(passes.into_iter().flatten()).collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{group_by_length, in_order};

    proptest! {
        #[test]
        fn every_index_once_and_no_group_too_large(
            lengths in prop::collection::vec(1_usize..300, 0..80),
            most_tokens in 1_usize..2000,
        ) {
            let groups = group_by_length(&lengths, most_tokens);
            let mut seen: Vec<usize> = groups.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for group in &groups {
                let longest = group.iter().map(|index| lengths[*index]).max().unwrap();
                prop_assert!(group.len() == 1 || group.len() * longest <= most_tokens);
            }
            let order: Vec<usize> = groups.iter().flatten().map(|index| lengths[*index]).collect();
            prop_assert!(order.is_sorted_by(|a, b| a >= b));
            let passes = groups
                .iter()
                .map(|group| group.iter().map(|index| lengths[*index]).collect())
                .collect();
            prop_assert_eq!(in_order(&groups, passes), lengths);
        }
    }
}
