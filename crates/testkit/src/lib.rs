//! Fixtures, golden vectors and the architecture tests; for development only.
//!
//! Every crate may use it as a dev-dependency, so it depends on no crate of Adit. Golden vectors
//! are answers recorded from the original systems; `fixtures/*/PROVENANCE.md` says how.
//!
//! ```
//! let wallet = adit_testkit::fixture("golden/chain/wallet.json");
//! assert!(wallet.is_file());
//! ```

mod error;
mod golden;
mod imagebind;

pub use error::{Error, Result};
pub use golden::{
    Deviation, Elsewhere, Failure, FunctionReport, GoldenCase, GoldenFile, GoldenReport,
    GoldenRules, GoldenSuite, NotNeeded, Outcome, Real, Tolerance, Totals, difference, load_json,
    real, recipe_vector,
};
pub use imagebind::write_imagebind;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .unwrap_or(manifest)
        .to_path_buf()
}

/// The path of a fixture: `fixture("golden/chain/wallet.json")` is `fixtures/golden/chain/wallet.json`
/// in the workspace. Whether it exists shows when it is opened.
pub fn fixture(relative: &str) -> PathBuf {
    workspace_root().join("fixtures").join(relative)
}
