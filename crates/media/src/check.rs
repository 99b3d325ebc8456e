use crate::{
    Error, Media, Result,
    child::{self, Bounds},
};

/// Side of the picture that is drawn, in pixels.
const SIDE: usize = 16;

impl Media {
    /// Draws and decodes one small picture, to tell a broken machine from broken media.
    ///
    /// # Errors
    /// What keeps ffmpeg from working here; [`Error::Undecodable`] when it answers something else
    /// than that picture.
    pub async fn self_check(&self) -> Result<()> {
        let source = format!("color=c=red:s={SIDE}x{SIDE}");
        let arguments = child::arguments([
            "-nostdin",
            "-hide_banner",
            "-loglevel",
            "error",
            "-f",
            "lavfi",
            "-i",
            &source,
            "-frames:v",
            "1",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "pipe:1",
        ]);
        let expected = SIDE * SIDE * 3;
        let bounds = Bounds {
            stdout: expected as u64,
            file: 0,
        };
        let picture = self.ffmpeg(arguments, bounds).await?;
        // Colour conversion may be off by a few steps.
        let is_red = |pixel: &[u8]| matches!(*pixel, [red, green, blue] if red > 240 && green < 16 && blue < 16);
        if picture.len() == expected && picture.chunks_exact(3).all(is_red) {
            return Ok(());
        }
        Err(Error::Undecodable {
            reason: "a drawn red picture did not come back red".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MediaConfig;

    #[tokio::test]
    async fn this_machine_can_decode() {
        let media = Media::new(MediaConfig::default()).unwrap();
        media.self_check().await.unwrap();
    }
}
