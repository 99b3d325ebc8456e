use burn_tensor::{DType, FloatDType, Tensor, TensorData, backend::Backend};

use super::PAGE;

/// The score of a key that a query does not see, and what scores are compared with first. Far below
/// all others, and finite: a query's own key, which it always sees, wipes out what it weighed before.
const MASKED: f32 = -1e30;

/// The keys and values of one layer, `groups × PAGE × head` a page: a text grows without copying the
/// pages before the last.
pub(super) struct Pages<B: Backend>(Vec<[Tensor<B, 3>; 2]>);

impl<B: Backend> Pages<B> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Writes keys and values of `groups × tokens × head` as tokens `past` and on.
    pub(super) fn append(&mut self, past: usize, keys: Tensor<B, 3>, values: Tensor<B, 3>) {
        let [groups, count, head] = keys.dims();
        let mut done = 0;
        while done < count {
            let (page, first) = ((past + done) / PAGE, (past + done) % PAGE);
            let more = (PAGE - first).min(count - done);
            if page == self.0.len() {
                let options = (&keys.device(), keys.dtype());
                let empty = Tensor::<B, 3>::zeros([groups, PAGE, head], options);
                self.0.push([empty.clone(), empty]);
            }
            let Some(places) = self.0.get_mut(page) else {
                return;
            };
            for (place, new) in places.iter_mut().zip([&keys, &values]) {
                let new = new.clone().narrow(1, done, more);
                let ranges = [0..groups, first..first + more, 0..head];
                place.inplace(|place| place.slice_assign(ranges, new));
            }
            done += more;
        }
    }
}

/// Causal attention of `groups × rows × head` queries, `count` tokens for each head, over all tokens
/// so far. As in `host`, the softmax is summed up page by page, in f32.
pub(super) fn attend<B: Backend>(
    queries: Tensor<B, 3>,
    pages: &Pages<B>,
    past: usize,
    count: usize,
    window: Option<usize>,
) -> Tensor<B, 3> {
    let [groups, rows, head] = queries.dims();
    let (device, dtype) = (queries.device(), dtype(&queries));
    let seen_from = |place: usize| window.map_or(0, |window| (place + 1).saturating_sub(window));
    let total = past + count;
    let mut greatest = Tensor::<B, 3>::full([groups, rows, 1], MASKED, (&device, DType::F32));
    let mut sum = greatest.zeros_like();
    let mut mixed = Tensor::<B, 3>::zeros([groups, rows, head], (&device, DType::F32));
    let used = pages.0.iter().take(total.div_ceil(PAGE)).enumerate();
    for (index, [keys, values]) in used.skip(seen_from(past) / PAGE) {
        let start = index * PAGE;
        let size = PAGE.min(total - start);
        let [keys, values] = [keys, values].map(|part| part.clone().narrow(1, 0, size));
        let scores = queries.clone().matmul(keys.swap_dims(1, 2));
        let mut scores = scores.cast(FloatDType::F32) / (head as f64).sqrt();
        if start + size > past + 1 || start < seen_from(total - 1) {
            let masked = |row: usize| {
                let place = past + row;
                let seen = seen_from(place)..=place;
                (start..start + size).map(move |key| if seen.contains(&key) { 0.0 } else { MASKED })
            };
            let mask: Vec<f32> = (0..count).flat_map(masked).collect();
            let mask = TensorData::new(mask, [1, 1, count, size]);
            let mask = Tensor::<B, 4>::from_data(mask, (&device, DType::F32));
            let by_head = scores.reshape([groups, rows / count, count, size]) + mask;
            scores = by_head.reshape([groups, rows, size]);
        }
        let top = greatest.clone().max_pair(scores.clone().max_dim(2));
        let factor = (greatest - top.clone()).exp();
        let weights = (scores - top.clone()).exp();
        sum = sum * factor.clone() + weights.clone().sum_dim(2);
        let more = weights.cast(dtype).matmul(values).cast(FloatDType::F32);
        mixed = mixed * factor + more;
        greatest = top;
    }
    mixed / sum
}

fn dtype<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> FloatDType {
    tensor.dtype().into()
}
