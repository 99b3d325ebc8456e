//! What users ask for (`spec/chain.md` §8.3) and what has hurt them (§9), each by name, as far as
//! reading goes. The tests themselves stand where their subject is; this is the list.

// §8.3 (5, 7) and §9: what transactions answer
mod submissions;
// §8.3 (6) and §9: what becomes of weights
mod weights;

use crate::{cache, event_stream, faults, pinned, scripted, upgrades};

// §8.3 (1): one client, endpoints, health by block arrival

#[test]
fn point_1_a_watchdog_on_block_arrival() {
    faults::a_node_that_stands_still_is_left_for_the_next();
}

#[test]
fn point_1_bounded_connect_timeout() {
    faults::a_socket_that_hangs_is_given_up_in_time();
}

#[test]
fn point_1_a_rate_limiter() {
    faults::requests_go_out_as_often_as_the_endpoint_allows();
}

#[test]
fn point_1_http_429_is_honoured() {
    faults::too_many_requests_at_the_door_leads_to_the_next_endpoint();
}

#[test]
fn point_1_archive_routing_when_state_is_discarded() {
    faults::a_discarded_state_is_read_from_the_archive_and_nothing_else_is();
}

#[test]
fn point_1_head_lag_against_the_best_seen() {
    faults::an_endpoint_far_behind_is_passed_over();
}

// §8.3 (2): pinned snapshots

#[test]
fn point_2_every_part_is_read_at_one_block() {
    pinned::rows_mechanisms_and_stake_are_read_at_one_block();
}

// §8.3 (3): metagraph cache

#[test]
fn point_3_a_cache_with_diff_events() {
    cache::a_replaced_hotkey_is_told_when_the_chain_tells_it();
}

#[test]
fn point_3_stale_data_with_its_age_and_disk_persistence() {
    cache::it_reads_anew_after_so_many_blocks_and_serves_what_it_has_meanwhile();
}

#[test]
fn point_3_one_runtime_call_and_one_reading_of_storage() {
    cache::the_runtimes_own_metagraph_says_the_same_in_fewer_requests();
}

// §8.3 (4): streams

#[test]
fn point_4_gap_fill_and_resume() {
    event_stream::events_come_once_each_across_a_break();
}

#[test]
fn point_4_reorganisation_notices_best_and_finalized() {
    event_stream::a_reorganisation_is_told_on_the_best_chain_and_unseen_on_the_final_one();
}

#[test]
fn point_4_an_unfillable_gap_is_told() {
    event_stream::a_gap_that_cannot_be_filled_is_told_and_an_archive_fills_it();
}

// §8.3 (7): names from metadata

#[test]
fn point_7_errors_are_named_from_metadata() {
    scripted::a_scripted_transaction_goes_its_way();
}

// §9

#[test]
fn pain_hung_reconnect_makes_a_zombie() {
    faults::a_node_that_stands_still_is_left_for_the_next();
}

#[test]
fn pain_idle_sockets_are_closed() {
    faults::an_idle_socket_that_was_closed_is_opened_again();
}

#[test]
fn pain_connections_leak() {
    faults::many_reads_share_one_socket();
}

#[test]
fn pain_429_on_public_endpoints() {
    faults::too_many_requests_as_an_answer_is_waited_out();
}

#[test]
fn pain_netuid_newtype_outage() {
    pinned::newtypes_around_numbers_are_transparent();
}

#[test]
fn pain_decode_failure_after_an_upgrade() {
    upgrades::an_upgrade_is_noticed_and_the_old_runtime_still_reads_old_blocks();
}

#[test]
fn pain_upgrade_block_event_decoding() {
    event_stream::events_of_an_upgrade_block_are_read_with_the_old_metadata();
}

#[test]
fn pain_a_poisoned_metadata_cache() {
    upgrades::metadata_that_does_not_fit_is_fetched_once_more();
}

#[test]
fn pain_state_already_discarded() {
    faults::a_discarded_state_is_read_from_the_archive_and_nothing_else_is();
}

#[test]
fn pain_clock_skew() {
    pinned::the_doctor_names_every_trouble();
}
