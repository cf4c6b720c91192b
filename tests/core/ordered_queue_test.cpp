// SPDX-License-Identifier: Apache-2.0
#include "core/ordered_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace fiducia {
namespace {

TEST(OrderedQueue, hands_out_in_the_order_of_indices_what_came_in_any_order) {
  OrderedQueue<int> queue(4);
  queue.put(2, 20);
  EXPECT_EQ(queue.try_take(), std::nullopt);
  queue.put(0, 0);
  queue.put(1, 10);
  EXPECT_EQ(queue.try_take(), 0);
  EXPECT_EQ(queue.take(), 10);
  EXPECT_EQ(queue.take(), 20);
  EXPECT_EQ(queue.try_take(), std::nullopt);
  queue.put(3, 30);
  EXPECT_EQ(queue.take(), 30);
}

TEST(OrderedQueue, many_workers_lose_nothing_and_hold_no_more_than_the_window) {
  constexpr std::size_t count = 5000;
  for (const std::size_t window : {1U, 2U, 7U}) {
    OrderedQueue<std::unique_ptr<std::size_t>> queue(window);
    std::atomic<std::size_t> started{0};
    std::atomic<std::size_t> held{0};
    std::atomic<std::size_t> held_max{0};
    std::vector<std::jthread> workers;
    for (int worker = 0; worker < 4; ++worker)
      workers.emplace_back([&](const std::stop_token& stop) {
        for (std::size_t i = started++; i < count; i = started++) {
          if (!queue.wait_for_room(i, stop)) return;
          const std::size_t now = ++held;
          for (std::size_t most = held_max; most < now;)
            if (held_max.compare_exchange_weak(most, now)) break;
          queue.put(i, std::make_unique<std::size_t>(i));
        }
      });
    for (std::size_t i = 0; i < count; ++i) {
      const auto taken = queue.take();
      // Room is told before it is counted here: one more may have begun.
      --held;
      ASSERT_EQ(*taken, i);
    }
    EXPECT_LE(held_max.load(), window + 1);
  }
}

TEST(OrderedQueue, a_worker_too_far_ahead_waits_until_there_is_room_or_a_stop) {
  OrderedQueue<int> queue(2);
  std::stop_source stop;
  EXPECT_TRUE(queue.wait_for_room(1, stop.get_token()));
  std::atomic<bool> had_room{true};
  {
    const std::jthread ahead{[&] { had_room = queue.wait_for_room(2, stop.get_token()); }};
    stop.request_stop();
  }
  EXPECT_FALSE(had_room);
  {
    const std::jthread ahead{[&] { queue.put(2, 2); }};
    queue.put(1, 1);
    queue.put(0, 0);
    EXPECT_EQ(queue.take(), 0);
  }
  EXPECT_EQ(queue.take(), 1);
  EXPECT_EQ(queue.take(), 2);
}

}  // namespace
}  // namespace fiducia
