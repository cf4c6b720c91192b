// SPDX-License-Identifier: Apache-2.0
#include "dimse/state.h"

#include <array>

#include "core/core.h"

namespace fiducia::dimse {
namespace {

using enum Action;
using Row = std::array<Action, 13>;  // by state, Sta1 first

// clang-format off
constexpr std::array<Row, event_count> table{{
  //  1     2     3     4     5     6     7     8     9     10    11    12    13
  {{ae_1, none, none, none, none, none, none, none, none, none, none, none, none}},  // request_association
  {{none, none, none, ae_2, none, none, none, none, none, none, none, none, none}},  // connected
  {{none, aa_1, aa_8, none, ae_3, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_6}},  // accept_received
  {{none, aa_1, aa_8, none, ae_4, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_6}},  // reject_received
  {{ae_5, none, none, none, none, none, none, none, none, none, none, none, none}},  // connection_accepted
  {{none, ae_6, aa_8, none, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_7}},  // request_received
  {{none, none, ae_7, none, none, none, none, none, none, none, none, none, none}},  // accept_association
  {{none, none, ae_8, none, none, none, none, none, none, none, none, none, none}},  // reject_association
  {{none, none, none, none, none, dt_1, none, ar_7, none, none, none, none, none}},  // send_data
  {{none, aa_1, aa_8, none, aa_8, dt_2, ar_6, aa_8, aa_8, aa_8, aa_8, aa_8, aa_6}},  // data_received
  {{none, none, none, none, none, ar_1, none, none, none, none, none, none, none}},  // request_release
  {{none, aa_1, aa_8, none, aa_8, ar_2, ar_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_6}},  // release_received
  {{none, aa_1, aa_8, none, aa_8, aa_8, ar_3, aa_8, aa_8, ar_10, ar_3, aa_8, aa_6}}, // release_answer_received
  {{none, none, none, none, none, none, none, ar_4, ar_9, none, none, ar_4, none}},  // answer_release
  {{none, none, aa_1, aa_2, aa_1, aa_1, aa_1, aa_1, aa_1, aa_1, aa_1, aa_1, none}},  // abort
  {{none, aa_2, aa_3, none, aa_3, aa_3, aa_3, aa_3, aa_3, aa_3, aa_3, aa_3, aa_2}},  // abort_received
  {{none, aa_5, aa_4, aa_4, aa_4, aa_4, aa_4, aa_4, aa_4, aa_4, aa_4, aa_4, ar_5}},  // closed
  {{none, aa_2, none, none, none, none, none, none, none, none, none, none, aa_2}},  // timed_out
  {{none, aa_1, aa_8, none, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_8, aa_7}},  // unknown_received
}};
// clang-format on

}  // namespace

Action action_of(State state, Event event) {
  return table[static_cast<std::size_t>(event)][static_cast<std::size_t>(state) - 1];
}

State state_after(Action action, State state, bool is_other) {
  switch (action) {
    case none:
    case dt_1:
    case dt_2:
    case ar_6:
    case ar_7:
    case aa_6:
    case aa_7:
      return state;
    case ae_1:
      return State::awaiting_connection;
    case ae_2:
      return State::awaiting_answer;
    case ae_3:
    case ae_7:
      return State::ready;
    case ae_5:
      return State::awaiting_request;
    case ae_6:
      return is_other ? State::awaiting_close : State::awaiting_local_answer;
    case ar_1:
      return State::awaiting_release;
    case ar_2:
      return State::awaiting_local_release;
    case ar_8:
      return is_other ? State::collision_acceptor_peer : State::collision_requestor_local;
    case ar_9:
      return State::collision_requestor_peer;
    case ar_10:
      return State::collision_acceptor_local;
    case ae_8:
    case ar_4:
    case aa_1:
    case aa_8:
      return State::awaiting_close;
    case ae_4:
    case ar_3:
    case ar_5:
    case aa_2:
    case aa_3:
    case aa_4:
    case aa_5:
      return State::idle;
  }
  FIDUCIA_ASSERT(false);
  return state;
}

}  // namespace fiducia::dimse
