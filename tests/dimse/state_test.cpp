// SPDX-License-Identifier: Apache-2.0
#include "dimse/state.h"

#include <gtest/gtest.h>

namespace fiducia::dimse {
namespace {

constexpr int state_count = 13;

/// Events that a peer, or the network, can bring about at any time.
constexpr bool is_from_outside(Event event) {
  switch (event) {
    case Event::accept_received:
    case Event::reject_received:
    case Event::request_received:
    case Event::data_received:
    case Event::release_received:
    case Event::release_answer_received:
    case Event::abort_received:
    case Event::unknown_received:
    case Event::closed:
      return true;
    default:
      return false;
  }
}

TEST(StateTable, has_an_answer_to_whatever_a_peer_does) {
  for (std::size_t event = 0; event < event_count; ++event)
    for (int state = 2; state <= state_count; ++state) {
      if (!is_from_outside(static_cast<Event>(event))) continue;
      // No PDU can come while the connection is only being made.
      if (state == 4 && static_cast<Event>(event) != Event::closed) continue;
      EXPECT_NE(action_of(static_cast<State>(state), static_cast<Event>(event)), Action::none)
          << "event " << event << ", state " << state;
    }
}

TEST(StateTable, leads_to_the_end_when_the_connection_does) {
  for (int state = 2; state <= state_count; ++state) {
    const Action action = action_of(static_cast<State>(state), Event::closed);
    EXPECT_EQ(state_after(action, static_cast<State>(state), false), State::idle) << state;
  }
}

TEST(StateTable, lets_data_through_where_an_association_stands_and_nowhere_else) {
  for (int state = 1; state <= state_count; ++state) {
    const Action action = action_of(static_cast<State>(state), Event::data_received);
    EXPECT_EQ(action == Action::dt_2 || action == Action::ar_6, state == 6 || state == 7) << state;
    const Action sending = action_of(static_cast<State>(state), Event::send_data);
    EXPECT_EQ(sending != Action::none, state == 6 || state == 8) << state;
  }
}

TEST(StateTable, ends_a_collision_of_releases_on_both_sides) {
  // PS3.8 section 9.2: the requestor answers first.
  State requestor = State::awaiting_release;
  State acceptor = State::awaiting_release;
  const auto go = [](State& state, Event event, bool is_acceptor) {
    const Action action = action_of(state, event);
    ASSERT_NE(action, Action::none);
    state = state_after(action, state, is_acceptor);
  };
  go(requestor, Event::release_received, false);
  go(acceptor, Event::release_received, true);
  go(requestor, Event::answer_release, false);
  go(acceptor, Event::release_answer_received, true);
  go(acceptor, Event::answer_release, true);
  go(requestor, Event::release_answer_received, false);
  EXPECT_EQ(requestor, State::idle);
  EXPECT_EQ(acceptor, State::awaiting_close);
}

}  // namespace
}  // namespace fiducia::dimse
