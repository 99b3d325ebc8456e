//! Says how well a picture would be liked.
//!
//! ```text
//! ffmpeg -v error -i fixtures/videos/bikes.mp4 -frames:v 1 -f rawvideo -pix_fmt rgb24 picture.rgb
//! cargo run --release -p adit-models --example rate_picture -- \
//!     clip-vit-large-patch14 sac+logos+ava1-l14-linearMSE.safetensors 640 272 picture.rgb
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::{error::Error, fs, path::Path};

use adit_embedding::Frame;
use adit_models::{AestheticHead, ClipVision, Device};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, head, width, height, picture] = arguments.as_slice() else {
        return Err("usage: rate_picture FOLDER HEAD WIDTH HEIGHT PICTURE.rgb".into());
    };
    let model = ClipVision::load(Path::new(folder), Device::Cpu)?;
    let head = AestheticHead::load(Path::new(head))?;
    let picture = Frame {
        width: width.parse()?,
        height: height.parse()?,
        rgb: fs::read(picture)?,
    };
    for embedding in model.embed_pictures(&[picture])? {
        println!("{:.3}", head.score(&embedding)?);
    }
    Ok(())
}
