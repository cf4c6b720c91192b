// SPDX-License-Identifier: Apache-2.0
// Our side against DCMTK's tools, in both directions: what they send arrives as it is, what we send
// arrives as it is.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "dimse/dimse.h"
#include "dimse/names.h"
#include "http/raw_socket.h"
#include "odd_images.h"
#include "support/support.h"
#include "wire.h"

namespace fiducia::dimse {
namespace {

namespace fs = std::filesystem;
using test::Socket;

/// Runs an association over a connection until it closes. `act` may use the association, and says
/// what to do with each thing that happened.
void drive(const Socket& socket, Association& association,
           const std::function<void(Association&, const Happened&)>& act) {
  Bytes input(64 << 10);
  const auto tell = [&] {
    while (const auto happened = association.next()) act(association, *happened);
  };
  for (;;) {
    tell();
    while (!association.output().empty()) {
      const Bytes part{association.output().begin(), association.output().end()};
      if (!socket.send(as_text(part))) return;
      association.sent(part.size());
      tell();
    }
    if (association.closes()) return;
    const ssize_t count = ::recv(socket.fd(), input.data(), input.size(), 0);
    if (count <= 0) {
      association.connection_closed();
      tell();
      return;
    }
    association.receive(ByteView{input}.first(static_cast<std::size_t>(count)));
  }
}

/// What a server has heard.
struct Heard {
  std::vector<Command> commands;
  std::vector<Bytes> data_sets;
  std::vector<std::string> syntaxes;
  std::vector<std::string> ends;
};

/// Takes everything in the first syntax that is proposed, answers success.
void serve(const Socket& socket, Heard& heard) {
  Association association = Association::acceptor();
  Command open;
  drive(socket, association, [&](Association& side, const Happened& happened) {
    if (const auto* requested = std::get_if<Requested>(&happened)) {
      ASSERT_TRUE(side.accept(test::ordinary_answer(requested->request)));
    } else if (const auto* command = std::get_if<CommandReceived>(&happened)) {
      open = command->command;
      heard.commands.push_back(open);
      if (open.has_data_set) {
        heard.data_sets.emplace_back();
        heard.syntaxes.emplace_back(side.transfer_syntax_of(command->context_id));
      } else {
        ASSERT_TRUE(side.send(command->context_id, respond(open, status::success)));
      }
    } else if (const auto* data = std::get_if<DataReceived>(&happened)) {
      append(heard.data_sets.back(), data->bytes);
      if (data->is_last) {
        ASSERT_TRUE(side.send(data->context_id, respond(open, status::success)));
      }
    } else if (std::holds_alternative<ReleaseRequested>(happened)) {
      heard.ends.emplace_back("released");
      ASSERT_TRUE(side.answer_release());
    } else if (const auto* aborted = std::get_if<Aborted>(&happened)) {
      heard.ends.push_back(aborted->error ? to_sentence(*aborted->error) : "aborted");
    }
  });
}

TEST(Peers, echoscu_is_answered) {
  if (!test::is_installed("echoscu")) GTEST_SKIP() << "DCMTK is not installed";
  Heard heard;
  int code = -1;
  {
    const test::ScriptedServer server{1, [&](const Socket& socket) { serve(socket, heard); }};
    code = test::shell("echoscu --repeat 3 127.0.0.1 " + std::to_string(server.port()));
  }
  EXPECT_EQ(code, 0);
  EXPECT_EQ(heard.commands.size(), 3U);
  EXPECT_EQ(heard.ends, std::vector<std::string>{"released"});
}

TEST(Peers, what_storescu_sends_arrives_as_it_is) {
  if (!test::is_installed("storescu")) GTEST_SKIP() << "DCMTK is not installed";
  const test::ScratchFolder folder;
  std::vector<Bytes> data_sets;
  std::string files;
  for (const std::size_t pixel_bytes : {0U, 2U, 131'066U, 1'000'000U}) {
    const std::string instance = "1.2.3." + std::to_string(pixel_bytes + 1);
    data_sets.push_back(test::odd_data_set(instance, pixel_bytes));
    const fs::path path = folder.path() / (instance + ".dcm");
    test::write_file(path, instance, data_sets.back());
    files += " " + path.string();
  }
  for (const std::string_view tool :
       {"storescu --max-send-pdu 4096", "storescu -pdu 131072", "storescu --max-send-pdu 131072"}) {
    Heard heard;
    int code = -1;
    {
      const test::ScriptedServer server{1, [&](const Socket& socket) { serve(socket, heard); }};
      code = test::shell(std::string{tool} + " 127.0.0.1 " + std::to_string(server.port()) + files);
    }
    EXPECT_EQ(code, 0) << tool;
    EXPECT_EQ(heard.commands.size(), data_sets.size());
    ASSERT_EQ(heard.data_sets.size(), data_sets.size());
    for (std::size_t i = 0; i < data_sets.size(); ++i) {
      EXPECT_EQ(heard.syntaxes[i], test::explicit_uid);
      EXPECT_TRUE(test::same_behind_sequences(heard.data_sets[i], data_sets[i]))
          << tool << " " << i;
    }
  }
}

TEST(Peers, storescp_keeps_what_we_send_byte_by_byte) {
  if (!test::is_installed("storescp")) GTEST_SKIP() << "DCMTK is not installed";
  const test::ScratchFolder folder;
  // A port that was free a moment ago.
  std::uint16_t port = 0;
  {
    port = test::ScriptedServer{0, [](const Socket&) {}}.port();
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("storescp", "storescp", "+B", "-od", folder.path().c_str(),
             std::to_string(port).c_str(), nullptr);
    ::_exit(127);
  }
  Socket socket = test::connect_to(port);
  for (int tries = 0; socket.fd() < 0 && tries < 500; ++tries) {
    pause_between_tries(std::chrono::milliseconds{20});
    socket = test::connect_to(port);
  }
  ASSERT_GE(socket.fd(), 0) << "storescp listens";
  std::vector<Bytes> data_sets;
  std::vector<std::string> instances;
  for (const std::size_t pixel_bytes : {2U, 16'000U, 1'000'000U}) {
    instances.push_back("1.2.3." + std::to_string(pixel_bytes + 1));
    data_sets.push_back(test::odd_data_set(instances.back(), pixel_bytes));
  }
  auto association = Association::requestor(test::ordinary_request());
  ASSERT_TRUE(association);
  std::size_t next = 0;
  std::vector<std::uint16_t> answers;
  const auto send_next = [&](Association& side) {
    if (next == data_sets.size()) {
      ASSERT_TRUE(side.request_release());
      return;
    }
    const std::size_t i = next++;
    ASSERT_TRUE(side.send(3, test::store(static_cast<std::uint16_t>(i + 1), instances[i])));
    const ByteView data = data_sets[i];
    for (std::size_t at = 0; at < data.size(); at += 50'000)
      ASSERT_TRUE(side.send_data(3,
                                 data.subspan(at, std::min<std::size_t>(50'000, data.size() - at)),
                                 at + 50'000 >= data.size()));
  };
  bool is_released = false;
  drive(socket, *association, [&](Association& side, const Happened& happened) {
    if (std::holds_alternative<Accepted>(happened)) {
      EXPECT_EQ(side.transfer_syntax_of(3), test::explicit_uid);
      send_next(side);
    } else if (const auto* command = std::get_if<CommandReceived>(&happened)) {
      answers.push_back(*command->command.status);
      send_next(side);
    } else if (std::holds_alternative<Released>(happened)) {
      is_released = true;
    }
  });
  socket.close();
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(is_released);
  EXPECT_EQ(answers, std::vector<std::uint16_t>(data_sets.size(), 0));
  for (std::size_t i = 0; i < data_sets.size(); ++i) {
    const auto stored = read_file(folder.path() / ("CT." + instances[i]), 2 << 20);
    ASSERT_TRUE(stored) << to_sentence(stored.error());
    ASSERT_GT(stored->size(), data_sets[i].size());
    EXPECT_TRUE(same_bytes(ByteView{*stored}.last(data_sets[i].size()), data_sets[i])) << i;
  }
}

}  // namespace
}  // namespace fiducia::dimse
