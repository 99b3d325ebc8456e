use std::fs;

#[expect(dead_code, reason = "the example's main is not called here")]
#[path = "../../examples/generate.rs"]
mod generate;

#[test]
fn generated_code_equals_the_contract() {
    let scratch = tempfile::tempdir().unwrap();
    let fresh = generate::generate(scratch.path()).unwrap();
    let folder = generate::folder();
    let message = "run scripts/gen-proto and commit src/gen";
    assert!(
        fs::read_to_string(folder.join("v1.rs")).unwrap() == fresh.rust,
        "{message}"
    );
    assert!(
        fs::read(folder.join("adit.v1.bin")).unwrap() == fresh.descriptors,
        "{message}"
    );
}
