use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use adit_models::{Device, MiniLm};

/// Where `scripts/fetch-models` puts the model.
pub(crate) fn folder() -> PathBuf {
    let home = std::env::var_os("ADIT_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/adit"),
        PathBuf::from,
    );
    home.join("models").join(MiniLm::FOLDER)
}

/// The real model, loaded once. It is missing? Then the test fails and says what to run.
pub(crate) fn minilm() -> Arc<MiniLm> {
    static MODEL: OnceLock<Arc<MiniLm>> = OnceLock::new();
    let load = || {
        let model = MiniLm::load(&folder(), Device::Cpu)
            .unwrap_or_else(|error| panic!("run scripts/fetch-models first: {error}"));
        Arc::new(model)
    };
    Arc::clone(MODEL.get_or_init(load))
}
