use std::{sync::Arc, thread};

use adit_embedding::TextEmbedder;
#[cfg(not(feature = "cuda"))]
use adit_models::Error;
use adit_models::{Device, MiniLm};

use crate::model::{folder, minilm};

#[test]
fn threads_share_one_model() {
    fn shareable<T: Send + Sync>(_: &T) {}
    let model = minilm();
    shareable(&model);
    let alone = model.embed_texts(&["shared between threads"]).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let model = Arc::clone(&model);
            thread::spawn(move || {
                let other = format!("thread {number} says {}", "hello ".repeat(number * 5));
                model
                    .embed_texts(&[&other, "shared between threads"])
                    .unwrap()
            })
        })
        .collect();
    for thread in threads {
        let embeddings = thread.join().expect("no thread panics");
        let pairs = embeddings[1].values().iter().zip(alone[0].values());
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-5);
    }
}

#[test]
fn it_serves_as_a_boxed_embedder() {
    let embedder: Arc<dyn TextEmbedder> = minilm();
    assert_eq!(embedder.space().to_string(), "minilm-l6-v2/384");
    assert_eq!(minilm().device(), Device::Cpu);
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_device_that_is_not_compiled_in_is_refused() {
    let error = MiniLm::load(&folder(), Device::Cuda(0)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::DeviceUnavailable {
                device: Device::Cuda(0),
                ..
            }
        ),
        "{error}"
    );
}

#[cfg(feature = "cuda")]
#[test]
fn cuda_equals_the_cpu() {
    let gpu = MiniLm::load(&folder(), Device::Cuda(0)).expect("a CUDA device");
    let texts = [
        "short",
        "",
        "a text of rather more tokens than the others have, padded for them",
    ];
    let left = gpu.embed_texts(&texts).unwrap();
    for (left, right) in left.iter().zip(minilm().embed_texts(&texts).unwrap()) {
        let pairs = left.values().iter().zip(right.values());
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-4);
    }
}
