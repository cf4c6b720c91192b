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
#include "support/support.h"
#include "wire.h"

namespace fiducia::dimse {
namespace {

namespace fs = std::filesystem;
using test::Socket;

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null").c_str()) == 0;
}

/// The exit code of a command line.
int shell(const std::string& line) {
  const int status = std::system((line + " > /dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

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

/// What a server has seen.
struct Seen {
  std::vector<Command> commands;
  std::vector<Bytes> data_sets;
  std::vector<std::string> syntaxes;
  std::vector<std::string> ends;
};

/// Takes everything in the first syntax that is proposed, answers success.
void serve(const Socket& socket, Seen& seen) {
  Association association = Association::acceptor();
  Command open;
  drive(socket, association, [&](Association& side, const Happened& happened) {
    if (const auto* requested = std::get_if<Requested>(&happened)) {
      ASSERT_TRUE(side.accept(test::ordinary_answer(requested->request)));
    } else if (const auto* command = std::get_if<CommandReceived>(&happened)) {
      open = command->command;
      seen.commands.push_back(open);
      if (open.has_data_set) {
        seen.data_sets.emplace_back();
        seen.syntaxes.emplace_back(side.transfer_syntax_of(command->context_id));
      } else {
        ASSERT_TRUE(side.send(command->context_id, respond(open, status::success)));
      }
    } else if (const auto* data = std::get_if<DataReceived>(&happened)) {
      append(seen.data_sets.back(), data->bytes);
      if (data->is_last) {
        ASSERT_TRUE(side.send(data->context_id, respond(open, status::success)));
      }
    } else if (std::holds_alternative<ReleaseRequested>(happened)) {
      seen.ends.emplace_back("released");
      ASSERT_TRUE(side.answer_release());
    } else if (const auto* aborted = std::get_if<Aborted>(&happened)) {
      seen.ends.push_back(aborted->error ? to_sentence(*aborted->error) : "aborted");
    }
  });
}

/// A data set in explicit VR little endian with private elements and undefined lengths, that nobody
/// would write the same way again.
Bytes odd_data_set(std::string_view instance, std::size_t pixel_bytes) {
  Bytes out;
  const auto add = [&](std::uint32_t tag, std::string_view vr, std::string value, char pad) {
    if (value.size() % 2 != 0) value += pad;
    append_le(out, static_cast<std::uint16_t>(tag >> 16));
    append_le(out, static_cast<std::uint16_t>(tag));
    append(out, as_bytes(vr));
    append_le(out, static_cast<std::uint16_t>(value.size()));
    append(out, as_bytes(value));
  };
  add(0x00080016, "UI", std::string{test::ct_uid}, '\0');
  add(0x00080018, "UI", std::string{instance}, '\0');
  append(out, test::bytes("0800401153510000FFFFFFFFFEFF00E0FFFFFFFF"));
  add(0x00081150, "UI", "1.2.3", '\0');
  append(out, test::bytes("FEFF0DE000000000FEFFDDE000000000"));
  add(0x00090010, "LO", "SOMEBODY", ' ');
  add(0x00091001, "LO", "private", ' ');
  add(0x00100010, "PN", "A^B", ' ');
  append(out, test::bytes("E07F10004F570000"));
  append_le(out, static_cast<std::uint32_t>(pixel_bytes));
  std::mt19937_64 prng{pixel_bytes};
  append(out, test::random_bytes(prng, pixel_bytes));
  return out;
}

/// The same as a file (PS3.10).
void write_file(const fs::path& path, std::string_view instance, ByteView data_set) {
  Bytes meta;
  const auto add = [&](std::uint16_t element, std::string value) {
    if (value.size() % 2 != 0) value += '\0';
    append_le(meta, std::uint16_t{2});
    append_le(meta, element);
    append(meta, as_bytes("UI"));
    append_le(meta, static_cast<std::uint16_t>(value.size()));
    append(meta, as_bytes(value));
  };
  append(meta, test::bytes("020001004F420000020000000001"));
  add(2, std::string{test::ct_uid});
  add(3, std::string{instance});
  add(0x10, std::string{test::explicit_uid});
  add(0x12, "1.2.3.4");
  Bytes file(128);
  append(file, as_bytes("DICM"));
  append(file, test::bytes("02000000554C0400"));
  append_le(file, static_cast<std::uint32_t>(meta.size()));
  append(file, meta);
  append(file, data_set);
  std::ofstream stream{path, std::ios::binary};
  stream.write(reinterpret_cast<const char*>(file.data()),
               static_cast<std::streamsize>(file.size()));
}

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "fiducia-dimse-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchFolder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(Peers, echoscu_is_answered) {
  if (!is_installed("echoscu")) GTEST_SKIP() << "DCMTK is not installed";
  Seen seen;
  int code = -1;
  {
    const test::ScriptedServer server{1, [&](const Socket& socket) { serve(socket, seen); }};
    code = shell("echoscu --repeat 3 127.0.0.1 " + std::to_string(server.port()));
  }
  EXPECT_EQ(code, 0);
  EXPECT_EQ(seen.commands.size(), 3U);
  EXPECT_EQ(seen.ends, std::vector<std::string>{"released"});
}

TEST(Peers, what_storescu_sends_arrives_as_it_is) {
  if (!is_installed("storescu")) GTEST_SKIP() << "DCMTK is not installed";
  const ScratchFolder folder;
  std::vector<Bytes> data_sets;
  std::string files;
  for (const std::size_t pixel_bytes : {0U, 2U, 131'066U, 1'000'000U}) {
    const std::string instance = "1.2.3." + std::to_string(pixel_bytes + 1);
    data_sets.push_back(odd_data_set(instance, pixel_bytes));
    const fs::path path = folder.path() / (instance + ".dcm");
    write_file(path, instance, data_sets.back());
    files += " " + path.string();
  }
  for (const std::string_view tool : {"storescu --max-send-pdu 4096", "storescu -pdu 131072",
                                      "storescu --max-send-pdu 131072"}) {
    Seen seen;
    int code = -1;
    {
      const test::ScriptedServer server{1, [&](const Socket& socket) { serve(socket, seen); }};
      code = shell(std::string{tool} + " 127.0.0.1 " + std::to_string(server.port()) + files);
    }
    EXPECT_EQ(code, 0) << tool;
    EXPECT_EQ(seen.commands.size(), data_sets.size());
    ASSERT_EQ(seen.data_sets.size(), data_sets.size());
    for (std::size_t i = 0; i < data_sets.size(); ++i) {
      EXPECT_EQ(seen.syntaxes[i], test::explicit_uid);
      // storescu writes sequences with lengths; what stands behind ours is the same.
      const ByteView sent = data_sets[i];
      const ByteView tail = sent.subspan(as_text(sent).find({"\x09\x00\x10\x00LO", 6}));
      ASSERT_GE(seen.data_sets[i].size(), tail.size());
      EXPECT_TRUE(same_bytes(ByteView{seen.data_sets[i]}.last(tail.size()), tail))
          << tool << " " << i;
    }
  }
}

TEST(Peers, storescp_keeps_what_we_send_byte_by_byte) {
  if (!is_installed("storescp")) GTEST_SKIP() << "DCMTK is not installed";
  const ScratchFolder folder;
  // A port that was free a moment ago.
  std::uint16_t port = 0;
  { port = test::ScriptedServer{0, [](const Socket&) {}}.port(); }
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
    data_sets.push_back(odd_data_set(instances.back(), pixel_bytes));
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
      ASSERT_TRUE(side.send_data(3, data.subspan(at, std::min<std::size_t>(50'000, data.size() - at)),
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
