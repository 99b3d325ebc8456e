use adit_testkit::GoldenSuite;

pub(super) fn register(_suite: &mut GoldenSuite) {}
