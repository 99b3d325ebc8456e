use std::sync::{Arc, PoisonError};

use adit_neuron::{Call, QueryFailure};
use adit_primitives::{Hotkey, Neuron};
use adit_protocol::{
    client::{SignedChannel, connect_lazy},
    status, v1,
};
use tonic::Code;

use super::VideoMechanism;
use crate::{ClaimedClip, VideoAnswer, VideoTask};

impl VideoMechanism {
    pub(super) async fn scrape(
        &self,
        call: Call<'_, VideoTask>,
    ) -> Result<VideoAnswer, QueryFailure> {
        let mut client = self.channel(call.miner)?.video_miner();
        let constraints = &call.task.constraints;
        let request = v1::ScrapeRequest {
            task_id: call.id.to_string(),
            topic: call.task.topic.clone(),
            clips_wanted: call.task.clips_wanted,
            constraints: Some(v1::ClipConstraints {
                min_duration_ms: constraints.min_duration_ms,
                max_duration_ms: constraints.max_duration_ms,
                max_description_bytes: constraints.max_description_bytes,
                video_space: self.embedders.video.space().to_string(),
                audio_space: self.embedders.audio.space().to_string(),
                text_space: self.embedders.text.space().to_string(),
            }),
            deadline_unix_ms: call.deadline_unix_ms,
        };
        let answer = match client.scrape(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                self.forget_channel(&call.miner.hotkey);
                return Err(failure(&status));
            }
        };
        if answer.task_id != call.id.to_string() {
            return Err(QueryFailure::Malformed(
                "the answer is to another task".to_owned(),
            ));
        }
        Ok(VideoAnswer {
            clips: answer.clips.into_iter().map(ClaimedClip::from).collect(),
        })
    }

    /// A connection bound to the miner's hotkey, kept between rounds while its address stays.
    fn channel(&self, miner: &Neuron) -> Result<SignedChannel, QueryFailure> {
        let Some(axon) = miner.axon.filter(|axon| axon.is_serving()) else {
            return Err(QueryFailure::Unreachable("it announces no axon".to_owned()));
        };
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((address, channel)) = channels.get(&miner.hotkey)
            && *address == axon.socket()
        {
            return Ok(channel.clone());
        }
        let options = self.connections.clone();
        let channel = connect_lazy(
            axon.socket(),
            Arc::clone(&self.keypair),
            miner.hotkey,
            options,
        )
        .map_err(|error| QueryFailure::Unreachable(error.to_string()))?;
        channels.insert(miner.hotkey, (axon.socket(), channel.clone()));
        Ok(channel)
    }

    fn forget_channel(&self, hotkey: &Hotkey) {
        self.channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(hotkey);
    }
}

fn failure(status: &tonic::Status) -> QueryFailure {
    let message: String = status.message().chars().take(300).collect();
    if status::answer_refused(status).is_some() {
        return QueryFailure::Unauthenticated(message);
    }
    match status.code() {
        // Whoever sent it did not sign it: nothing is known of the miner.
        _ if status::is_unsigned(status) => {
            QueryFailure::Unreachable(format!("unsigned {}: {message}", status.code()))
        }
        Code::DeadlineExceeded | Code::Cancelled => QueryFailure::Timeout,
        Code::Unavailable | Code::Unknown => QueryFailure::Unreachable(message),
        Code::OutOfRange | Code::Internal | Code::DataLoss | Code::ResourceExhausted => {
            QueryFailure::Malformed(message)
        }
        code => QueryFailure::Refused(format!("{code}: {message}")),
    }
}
