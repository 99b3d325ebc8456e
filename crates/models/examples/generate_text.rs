//! Continues a text with a language model of the Llama, Qwen2 or Qwen3 family, printing as it goes.
//!
//! ```text
//! cargo run --release -p adit-models --example generate_text -- FOLDER "The capital of France is" [bf16]
//! ```
//!
//! FOLDER holds `config.json`, `model.safetensors` and `tokenizer.json`, as on Hugging Face. No chat
//! template is applied: what is continued is the text itself.
#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::{
    error::Error,
    io::{Write, stdout},
    ops::ControlFlow,
    path::PathBuf,
    time::Instant,
};

use adit_models::{
    CausalModel, CausalTokenizer, Device, GenerationOptions, Placement, Precision, TokenSampling,
};
use rand::{SeedableRng, rngs::StdRng};

const USAGE: &str = "usage: generate_text FOLDER TEXT [f32|f16|bf16]";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().map(PathBuf::from).ok_or(USAGE)?;
    let text = arguments.next().ok_or(USAGE)?;
    let precision: Precision = match arguments.next() {
        Some(name) => name.to_string_lossy().parse()?,
        None => Precision::F32,
    };
    let placement = Placement::from(Device::Cpu).with_precision(precision);
    let model = CausalModel::load(&folder, placement)?;
    let tokenizer = CausalTokenizer::load(&folder)?;
    let prompt = tokenizer.encode(&text.to_string_lossy(), true)?;
    let options = GenerationOptions {
        most_tokens: 100,
        sampling: TokenSampling {
            temperature: 0.7,
            top_k: Some(20),
            top_p: Some(0.8),
        },
        ..GenerationOptions::default()
    };
    let all = prompt.len() + options.most_tokens;
    println!(
        "{} tokens of {}; the cache takes up to {} KiB\n",
        prompt.len(),
        model.context(),
        model.cache_bytes(all) >> 10
    );
    print!("{}", text.to_string_lossy());
    let (mut session, mut stream) = (model.session(), tokenizer.stream());
    let (start, mut fault) = (Instant::now(), None);
    let mut rng = StdRng::seed_from_u64(1);
    let generation = model.generate_in(&mut session, &prompt, &options, &mut rng, |token| {
        let told = stream.push(token).map_err(Box::<dyn Error>::from);
        match told
            .and_then(|piece| Ok(write!(stdout(), "{piece}").and_then(|()| stdout().flush())?))
        {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                fault = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    let rate = generation.tokens.len() as f64 / start.elapsed().as_secs_f64();
    println!(
        "{}\n\n{:?} at {rate:.1} tokens per second",
        stream.finish()?,
        generation.end
    );
    Ok(())
}
