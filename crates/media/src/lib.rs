//! Probe, cut, decode and fetch untrusted media through ffmpeg children under limits.
