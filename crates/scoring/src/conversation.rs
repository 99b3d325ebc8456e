//! Judging tags of conversation windows: windows, tags, likeness, penalties, ranks, profiles, the Boring Index.
