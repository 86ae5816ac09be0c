//! Every rule of the suite, and the macro that makes tests of them.

use crate::testing::run::Rule;

/// Hands every rule to a macro: those of the module `calls` as `calls { name, name, }`, and so on.
///
/// A rule that is written and not listed here is dead code, which the compiler reports.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_rules {
    ($($macro:tt)*) => {
        $($macro)*! {
            access {
                everything_may_be_called_without_a_policy,
                names_with_an_underscore_can_be_hidden,
                only_what_is_listed_can_be_called,
                a_list_with_a_name_that_does_not_exist_does_not_start,
                a_policy_goes_by_peer_api_and_method,
                a_policy_that_panics_says_no,
                a_hidden_cast_is_refused_and_does_not_run,
                describe_shows_what_may_be_called,
            }
            blocking {
                handlers_that_block_keep_nobody_from_running,
                a_panic_on_a_thread_is_caught,
                a_stream_may_be_made_on_a_thread,
                a_handler_on_a_thread_is_dropped_at_its_next_await,
                a_blocked_handler_sees_that_it_was_cancelled,
                a_blocked_handler_sees_that_the_server_ends,
                a_thread_that_is_stuck_is_not_waited_for,
                the_place_of_a_blocked_handler_is_taken_until_it_ends,
            }
            calls {
                a_call_returns_the_value,
                a_megabyte_goes_through,
                awaited_calls_run_in_order,
                the_methods_error_arrives_as_itself,
                many_calls_are_answered_each_with_its_own,
                metadata_travels,
                too_much_metadata_is_refused_before_sending,
                a_panic_fails_only_its_request,
                dropping_a_call_drops_the_handler,
                a_lost_link_is_peer_lost_and_nothing_is_sent_again,
                wrong_arguments_are_named,
                an_unknown_method_is_no_such_method,
                a_kind_mismatch_is_refused,
                a_reply_of_another_type_is_a_decode_error,
                closing_a_transport_fails_what_waits,
                a_call_without_a_topic_is_an_invalid_target,
                a_lost_link_does_not_cancel_a_call,
            }
            cancellation {
                a_call_that_was_not_sent_does_not_run,
                a_call_that_waits_for_a_place_does_not_run,
                a_call_that_waits_in_the_queue_does_not_run,
                a_call_that_runs_is_dropped,
                a_cancel_that_meets_its_reply_harms_nobody,
                a_method_that_is_not_cancelled_runs_on,
                a_method_that_is_not_cancelled_does_not_begin_for_nobody,
                a_method_that_is_not_cancelled_is_cut_off,
                every_task_of_a_request_learns_that_it_was_cancelled,
                a_timed_out_request_is_cancelled,
                a_dropped_stream_is_cancelled,
                a_lost_link_cancels_streams_and_no_calls,
                a_server_that_ends_cancels,
                a_cast_is_never_cancelled_and_has_no_deadline,
                a_handler_sees_its_deadline,
                calls_for_a_cancelled_request_are_cancelled,
                calls_with_a_detached_context_are_not,
                streams_for_a_cancelled_request_end,
            }
            caps {
                a_cap_holds_for_calls_and_casts,
                a_question_about_a_version_is_answered_as_the_cap_is,
            }
            casts {
                a_fanout_goes_out_at_once,
                a_retry_keeps_the_transport_and_the_deadline,
                a_second_holder_of_a_name_makes_a_fanout_incomplete,
                a_fanout_counts_each_server,
                a_cast_is_accepted_and_runs,
                a_cast_is_accepted_before_it_has_run,
                a_cast_to_nobody_is_undeliverable,
                a_refused_cast_does_not_run,
                dropping_an_accepted_cast_does_not_cancel_it,
                a_casts_handler_has_no_deadline,
                a_fanout_reaches_every_server_once,
                a_fanout_to_nobody_is_undeliverable,
                a_fanout_to_a_named_server_reaches_only_it,
                a_refused_fanout_is_incomplete_and_can_be_retried,
                an_unreached_node_makes_a_fanout_incomplete,
                a_capped_fanout_is_not_sent,
                a_cast_without_a_topic_is_an_invalid_target,
            }
            concurrency {
                what_exceeds_the_limit_of_a_method_waits_and_keeps_no_other_from_running,
                a_method_with_a_limit_runs_in_order,
                the_queue_holds_for_methods_with_a_limit,
                a_cancelled_request_of_a_method_with_a_limit_makes_room,
                a_limit_for_a_method_that_does_not_exist_does_not_start,
                stop_runs_what_waits_for_its_method,
            }
            context {
                each_message_has_an_id_of_its_own,
                messages_of_one_context_share_the_id_that_it_was_given,
                a_handlers_calls_inherit_id_metadata_and_trace,
                a_typed_entry_travels_if_its_type_says_so,
                an_entry_that_does_not_travel_stays,
                a_handler_sees_who_sent_the_request,
                more_metadata_than_may_travel_is_refused_before_it_is_sent,
            }
            deadlines {
                a_call_that_was_sent_times_out,
                a_call_to_nobody_is_undeliverable,
                the_methods_timeout_holds,
                prepare_wins_over_the_methods_timeout,
                an_inherited_deadline_wins_over_a_longer_timeout,
                a_deadline_travels_as_remaining_time,
                a_timed_out_handler_is_dropped,
                a_zero_timeout_ends_at_once,
                a_request_that_waited_too_long_does_not_run,
                a_long_call_delays_no_other_and_ends_at_its_own_time,
            }
            drain {
                a_draining_server_still_takes_in_methods_that_say_so,
                a_draining_server_is_asked_in_turn_only_if_there_is_no_other,
                a_fanout_goes_to_draining_servers_only_if_there_is_no_other,
                an_operation_in_steps_comes_to_its_end,
                a_wait_ends_although_methods_of_the_drain_keep_coming,
                a_cut_ends_methods_of_the_drain,
            }
            endpoints {
                the_endpoint_that_serves_the_version_answers,
                a_version_between_two_endpoints_is_unsupported,
                one_endpoint_runs_a_message_with_its_context_and_arguments,
            }
            errors {
                a_methods_error_arrives_as_itself,
                a_class_that_only_the_server_knows_is_other,
                a_streams_error_is_other_too,
                without_other_an_unknown_class_is_decode_reply_and_named,
                a_panics_traceback_stays_at_the_server,
                a_panics_traceback_travels_if_the_server_says_so,
                an_error_says_how_often_it_was_tried,
                an_error_names_the_request_that_was_sent,
                what_cannot_be_encoded_is_the_source,
            }
            gather {
                every_server_answers_once,
                an_answer_is_that_of_a_call_to_this_server_alone,
                who_does_not_answer_in_time_is_a_timeout,
                a_lost_server_is_peer_lost,
                a_node_that_is_not_reached_is_undeliverable,
                a_named_server_is_asked_alone,
                what_can_be_sent_to_nobody_is_one_item,
                each_server_is_asked_in_a_version_that_it_speaks,
                older_answers_are_made_present_ones,
                a_dropped_gather_cancels_every_call,
                a_dropped_wait_loses_no_answer,
                many_servers_all_answer,
                past_its_limit_a_gather_waits_for_answers,
                who_comes_later_is_not_asked,
                a_gather_is_served_as_a_call,
                a_gather_that_is_changed_after_it_was_sent_is_cancelled,
            }
            life {
                replies_have_left_when_a_wait_ends,
                a_closed_transport_starts_no_server,
                stop_refuses_what_is_new_and_runs_what_was_accepted,
                stop_runs_the_queue,
                wait_ends_at_its_limit,
                stop_and_wait_are_idempotent_in_any_order,
                a_server_without_topic_or_name_does_not_start,
                two_endpoints_with_a_common_method_do_not_start,
                several_endpoints_share_a_server,
                a_taken_name_does_not_start,
                a_server_that_is_not_up_yet_is_waited_for,
                a_dropped_server_takes_no_more,
                a_local_client_needs_no_server,
                a_limit_ends_every_wait,
            }
            limits {
                a_call_takes_the_first_place_that_becomes_free,
                a_server_without_room_for_the_bytes_is_passed_over,
                a_cancelled_request_makes_room_in_the_queue,
                a_full_window_is_waited_for,
                a_full_window_sends_to_another_server,
                a_place_in_the_window_is_waited_for_only_until_the_deadline,
                a_withdrawn_call_gives_its_place_back,
                requests_larger_than_the_byte_window_go_one_at_a_time,
                an_overloaded_server_refuses_at_once,
                an_overloaded_server_is_passed_over,
                what_waits_in_the_queue_runs,
            }
            majors {
                one_implementation_serves_two_majors,
                a_client_steps_down_a_major_when_all_servers_are_older,
                a_fanout_goes_to_each_server_in_a_version_that_it_speaks,
            }
            middleware {
                a_clients_middleware_sees_all_that_is_sent,
                middleware_runs_in_the_order_in_which_it_was_given,
                what_a_clients_middleware_adds_to_the_context_arrives,
                what_it_adds_is_bounded_too,
                a_clients_middleware_refuses_before_anything_is_sent,
                an_error_after_it_was_sent_never_says_that_it_did_not_run,
                a_clients_middleware_that_hangs_ends_by_the_deadline,
                a_refused_cast_is_refused_for_its_caller,
                a_refusal_that_says_so_goes_to_another_server,
                a_request_that_is_admitted_brings_what_was_set,
                the_end_of_a_handler_is_seen_whatever_it_is,
                a_handler_that_is_cut_off_is_seen,
                a_servers_middleware_answers_in_place_of_the_handler,
                a_middleware_that_panics_fails_that_request_only,
                ping_goes_through_middleware_of_both_sides,
            }
            monitor {
                a_call_lives_as_long_as_its_server_is_heard_of,
                a_call_that_waits_in_the_queue_is_heard_of,
                the_timeout_holds_besides,
                none_takes_the_monitor_back,
            }
            namespaces {
                a_namespace_picks_its_endpoint,
                a_version_picks_its_endpoint,
                a_version_that_no_endpoint_serves_is_unsupported,
                an_api_is_served_in_its_older_namespaces,
                a_client_uses_the_apis_own_namespace,
                a_method_that_is_missing_in_an_older_namespace_is_no_such_method,
                older_namespaces_may_not_clash,
                describe_shows_the_older_namespaces,
            }
            negotiation {
                negotiation_finds_the_lowest_minor,
                negotiation_asks_again_and_never_raises_a_configured_cap,
                negotiation_fails_when_a_node_is_missing,
                negotiation_does_not_remember_nobody,
                negotiation_needs_a_common_major,
                ping_and_describe,
            }
            prepare {
                an_option_overrides_what_was_set_and_none_takes_it_back,
                an_api_says_what_is_not_set,
                timeouts_go_prepare_method_default,
                a_timeout_of_zero_is_zero,
                a_call_or_multicall_of_a_fanout_is_an_invalid_target,
                another_namespace_is_looked_up_as_it_is_announced,
                what_was_negotiated_holds_for_one_namespace,
            }
            prepared_caps {
                what_is_above_the_cap_is_not_sent,
                what_may_be_sent_is_known_before,
                a_version_that_is_none_is_an_error,
            }
            retry {
                without_retries_a_message_is_given_up_after_one_round,
                retries_are_counted,
                a_server_that_comes_in_time_is_found,
                a_mandatory_message_is_given_up_at_once,
                by_default_somebody_is_waited_for,
                every_kind_of_message_is_given_up,
                a_client_knows_when_it_is_ready,
                a_server_that_is_too_old_is_not_ready,
            }
            routing {
                calls_go_round_in_turn,
                calls_go_round_by_version,
                calls_go_round_by_life,
                no_server_of_the_version_is_unsupported_and_unsent,
                an_unknown_namespace_is_unsupported,
                a_cap_is_checked_before_sending,
                a_cap_of_another_major_refuses_everything,
                a_cap_that_is_no_version_refuses_everything,
                what_a_named_server_announced_is_a_cap,
                a_named_server_is_called_by_name,
                an_unknown_name_is_never_replaced,
                exchanges_are_isolated,
                topics_are_isolated,
            }
            servers {
                what_is_sent_to_a_server_runs_there_in_order,
                casts_go_round_in_turn,
                every_cast_runs_once,
                a_server_that_refuses_is_asked_once,
            }
            streams {
                a_deadline_holds_while_items_are_ready,
                a_stream_ends_with_the_transport_of_its_server,
                items_are_numbered_from_zero,
                an_empty_stream_ends,
                a_stream_can_carry_none,
                items_before_an_error_are_delivered,
                a_consumer_that_does_not_read_stops_the_producer_at_the_window,
                large_items_stop_the_producer_at_the_byte_window,
                an_item_larger_than_the_window_goes_through,
                a_dropped_stream_ends_the_producer,
                an_item_that_does_not_come_is_a_timeout,
                a_slow_consumer_is_no_timeout,
                a_deadline_ends_a_stream,
                items_before_a_lost_link_are_delivered,
                many_streams_at_once,
                a_dropped_wait_loses_no_item,
                a_stream_to_nobody_is_undeliverable,
            }
            to_all {
                a_cast_goes_to_all_when_it_is_prepared_to,
                a_prepared_fanout_that_some_refuse_says_that_it_may_have_run,
                a_cast_can_be_a_fanout,
            }
            untyped {
                a_method_is_named_at_run_time,
                arguments_are_anything_that_is_a_map_by_name,
                an_error_of_the_method_is_of_any_type,
                the_version_is_the_one_that_is_chosen,
                every_kind_of_message_can_be_untyped,
                a_client_of_an_api_sends_untyped_to_where_it_sends_anyway,
                what_the_server_does_not_have_is_refused,
            }
            values {
                a_value_arrives_as_it_is,
                replies_in_any_order_find_their_callers,
                a_reply_that_comes_before_it_is_waited_for_is_kept,
            }
            versions {
                an_old_server_serves_what_a_new_client_leaves_out,
                a_new_server_fills_in_defaults,
                an_argument_that_is_set_goes_where_it_is_known,
                what_a_named_server_announced_is_a_cap,
                a_cap_names_the_argument_that_it_refuses,
                a_release_is_a_version_wherever_one_is_configured,
                a_floor_is_the_lowest_version_sent,
                pins_and_proofs,
                an_argument_set_twice_counts_once,
                a_call_that_is_changed_after_it_was_sent_fails,
                a_call_without_a_value_can_be_cast,
            }
        }
    };
}

macro_rules! table {
    ($($module:ident { $($rule:ident,)* })*) => {
        &[$($((
            concat!(stringify!($module), "::", stringify!($rule)),
            |world| Box::pin(super::$module::$rule(world)),
        ),)*)*]
    };
}

pub(in crate::testing) static RULES: &[(&str, Rule)] = __conformance_rules!(table);

/// Makes a test of each rule, over a [`Network`](crate::testing::Network): see [`testing`](crate::testing).
///
/// ```
/// mod conformance {
///     rpc_core::testing::conformance! {
///         rpc_core::testing::MemoryNetwork::new(),
///         except {
///             casts::an_unreached_node_makes_a_fanout_incomplete: "on a bus nobody is listed, and so nobody is missing",
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    (
        $network:expr
        $(, except { $($module:ident :: $rule:ident : $reason:literal),* $(,)? })?
        $(,)?
    ) => {
        const __EXCEPTIONS: &[(&str, &str)] =
            &[$($((concat!(stringify!($module), "::", stringify!($rule)), $reason),)*)?];

        fn __conform(rule: &str) {
            $crate::testing::__conform(|| $network, rule, __EXCEPTIONS);
        }

        #[test]
        fn every_exception_is_a_rule() {
            $crate::testing::__check_exceptions(__EXCEPTIONS);
        }

        $crate::__conformance_rules! { $crate::__conformance_tests }
    };
}

/// A module of tests for each module of rules.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($($module:ident { $($rule:ident,)* })*) => {
        $(mod $module {
            $(#[test]
            fn $rule() {
                super::__conform(concat!(stringify!($module), "::", stringify!($rule)));
            })*
        })*
    };
}
