//! Judging task recordings: their score, states, purchases and the emission they may take.
