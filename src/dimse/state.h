// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

/// Inside dimse: the state machine of PS3.8 section 9.2 as its tables say it.
namespace fiducia::dimse {

/// PS3.8 tables 9-1 to 9-5; the numbers are the standard's.
enum class State : std::uint8_t {
  idle = 1,
  awaiting_request = 2,           // the connection is open
  awaiting_local_answer = 3,      // to the request
  awaiting_connection = 4,        // the requestor's
  awaiting_answer = 5,            // to our request
  ready = 6,                      // data transfer
  awaiting_release = 7,           // the answer to ours
  awaiting_local_release = 8,     // ours to the peer's
  collision_requestor_local = 9,  // both asked for release
  collision_acceptor_peer = 10,
  collision_requestor_peer = 11,
  collision_acceptor_local = 12,
  awaiting_close = 13,
};

enum class Event : std::uint8_t {
  request_association,  // ours
  connected,
  accept_received,
  reject_received,
  connection_accepted,
  request_received,
  accept_association,  // ours
  reject_association,  // ours
  send_data,           // ours
  data_received,
  request_release,  // ours
  release_received,
  release_answer_received,
  answer_release,  // ours
  abort,           // ours
  abort_received,
  closed,
  timed_out,  // ARTIM
  unknown_received,
};
inline constexpr std::size_t event_count = 19;

/// PS3.8 tables 9-6 to 9-9.
enum class Action : std::uint8_t {
  none,  // no transition: the event cannot happen in this state
  ae_1,
  ae_2,
  ae_3,
  ae_4,
  ae_5,
  ae_6,
  ae_7,
  ae_8,
  dt_1,
  dt_2,
  ar_1,
  ar_2,
  ar_3,
  ar_4,
  ar_5,
  ar_6,
  ar_7,
  ar_8,
  ar_9,
  ar_10,
  aa_1,
  aa_2,
  aa_3,
  aa_4,
  aa_5,
  aa_6,
  aa_7,
  aa_8,
};

/// PS3.8 table 9-10.
[[nodiscard]] Action action_of(State state, Event event);

/// The state after an action. AE-6 leads to 13 where the request is refused, AR-8 to 10 where we
/// are the acceptor: `is_other` says so; elsewhere it means nothing.
[[nodiscard]] State state_after(Action action, State state, bool is_other);

}  // namespace fiducia::dimse
