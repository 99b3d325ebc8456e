use burn_flex::FlexTensor;
use burn_tensor::TensorData;

/// Tokens of a page.
pub(super) const PAGE: usize = 256;

/// The keys and values of one layer, in pages that never move: a text grows without copying what is
/// there.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) groups: usize,
    pub(super) head: usize,
    pub(super) pages: Vec<Page>,
}

/// `groups × PAGE × head` each.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) keys: FlexTensor,
    pub(super) values: FlexTensor,
}

impl Pages {
    pub(super) fn new(groups: usize, head: usize) -> Self {
        Self {
            groups,
            head,
            pages: Vec::new(),
        }
    }

    /// Writes the keys and values of rows that hold `queries` other values before them, as tokens
    /// `past` and on.
    pub(super) fn append(&mut self, past: usize, projected: &[f32], queries: usize) {
        let (groups, head) = (self.groups, self.head);
        let width = groups * head;
        let rows = projected.len() / (queries + 2 * width);
        let last = past + rows;
        while self.pages.len() * PAGE < last {
            let shape = [groups, PAGE, head];
            let [keys, values] = [(); 2].map(|()| {
                FlexTensor::from_data(TensorData::new(vec![0.0_f32; PAGE * width], shape))
            });
            self.pages.push(Page { keys, values });
        }
        let mut rows = projected
            .chunks_exact(queries + 2 * width)
            .enumerate()
            .peekable();
        for (index, page) in self.pages.iter_mut().enumerate().skip(past / PAGE) {
            let keys: &mut [f32] = page.keys.storage_mut();
            let values: &mut [f32] = page.values.storage_mut();
            let end = (index + 1) * PAGE;
            while let Some((row, projected)) = rows.next_if(|(row, _)| past + row < end) {
                let place = past + row - index * PAGE;
                let (_, both) = projected.split_at(queries);
                let (new_keys, new_values) = both.split_at(width);
                for (pages, new) in [(&mut *keys, new_keys), (&mut *values, new_values)] {
                    let heads = pages.chunks_exact_mut(PAGE * head);
                    for (page, new) in heads.zip(new.chunks_exact(head)) {
                        page[place * head..(place + 1) * head].copy_from_slice(new);
                    }
                }
            }
        }
    }
}
