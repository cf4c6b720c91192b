// SPDX-License-Identifier: Apache-2.0
// The listener with DCMTK's tools and with peers that behave badly.
#include "dimse/listener.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

#include "dimse/names.h"
#include "http/raw_socket.h"
#include "odd_images.h"
#include "support/support.h"
#include "tls_support.h"
#include "wire.h"

namespace fiducia::dimse {
namespace {

using test::connect_to;
using test::is_installed;
using test::shell;
using test::Socket;

/// What all services of a test have seen. Waits for something to be so, at most ten seconds.
class Seen {
 public:
  void add_end(const Ending& ending) {
    const std::scoped_lock lock{mutex_};
    ends_.push_back(ending);
    changed_.notify_all();
  }
  void add_data_set(std::string instance, Bytes data) {
    const std::scoped_lock lock{mutex_};
    data_sets_[std::move(instance)] = std::move(data);
    changed_.notify_all();
  }
  void add_peer(const Peer& peer) {
    const std::scoped_lock lock{mutex_};
    peers_.push_back(peer);
    changed_.notify_all();
  }
  void wait_for_peers(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return peers_.size() >= count; });
  }
  std::vector<Ending> wait_for_ends(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return ends_.size() >= count; });
    return ends_;
  }
  std::map<std::string, Bytes> data_sets() {
    const std::scoped_lock lock{mutex_};
    return data_sets_;
  }
  std::vector<Peer> peers() {
    const std::scoped_lock lock{mutex_};
    return peers_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Ending> ends_;
  std::map<std::string, Bytes> data_sets_;
  std::vector<Peer> peers_;
};

/// Bytes as a source.
class Given final : public ByteSource {
 public:
  explicit Given(Bytes bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read(std::span<std::byte> to) override {
    const std::size_t count = std::min({to.size(), bytes_.size() - at_, std::size_t{1'000}});
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, to.begin());
    at_ += count;
    return count;
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

/// Takes everything that is proposed, keeps what is stored, answers queries with `answers` data
/// sets, and a C-GET with one instance.
class Archive final : public Service {
 public:
  explicit Archive(Seen& seen, int answers = 0) : seen_(seen), answers_(answers) {}
  std::variant<AssociateAccept, AssociateReject> begin(const AssociateRequest& request) override {
    if (request.called_ae_title == "NOBODY") return AssociateReject{.reason = 7};
    AssociateAccept accept = test::ordinary_answer(request);
    accept.user.roles = request.user.roles;
    for (std::size_t i = 0; i < request.contexts.size(); ++i) {
      const ProposedContext& context = request.contexts[i];
      if (context.abstract_syntax != test::ct_uid ||
          std::ranges::find(context.transfer_syntaxes, test::explicit_uid) ==
              context.transfer_syntaxes.end())
        continue;
      store_context_ = context.id;
      accept.contexts[i].transfer_syntax = test::explicit_uid;  // as our images are
    }
    return accept;
  }
  void take(std::uint8_t context_id, std::string_view transfer_syntax,
            const Command& command) override {
    EXPECT_FALSE(transfer_syntax.empty());
    if (command.field == CommandField::c_store_rsp) {
      if (is_done(*command.status)) ++completed_;
      return;
    }
    context_id_ = context_id;
    request_ = command;
    is_open_ = true;
    data_.clear();
    if (command.affected_sop_instance == "1.2.3.666") throw std::runtime_error{"no"};
  }
  void take_data(ByteView part, bool is_last) override {
    append(data_, part);
    if (is_last && request_.field == CommandField::c_store_rq)
      seen_.add_data_set(*request_.affected_sop_instance, data_);
  }
  std::optional<Outgoing> next() override {
    if (!is_open_) return std::nullopt;
    if (request_.field == CommandField::c_find_rq && !is_cancelled_ && answers_ > 0) {
      --answers_;
      Command pending = respond(request_, status::pending);
      pending.has_data_set = true;
      return Outgoing{context_id_, pending, std::make_unique<Given>(query_answer())};
    }
    if (request_.field == CommandField::c_get_rq && !was_sent_) {
      was_sent_ = true;
      waits_ = true;
      return Outgoing{store_context_, test::store(77, "1.2.3.42"),
                      std::make_unique<Given>(test::odd_data_set("1.2.3.42", 5'000))};
    }
    if (std::exchange(waits_, false)) return std::nullopt;
    is_open_ = false;
    Command last = respond(request_, is_cancelled_ ? status::cancelled : status::success);
    if (request_.field == CommandField::c_get_rq) last.completed = completed_;
    return Outgoing{context_id_, last};
  }
  void cancel(std::uint16_t message_id) override {
    is_cancelled_ = message_id == request_.message_id;
  }
  void end(const Ending& ending) noexcept override { seen_.add_end(ending); }

 private:
  /// (0008,0052) STUDY, implicit VR little endian.
  static Bytes query_answer() { return test::bytes("0800520006000000535455445920"); }

  Seen& seen_;
  int answers_;
  std::uint8_t context_id_ = 0;
  std::uint8_t store_context_ = 0;
  Command request_;
  Bytes data_;
  bool is_open_ = false;
  bool is_cancelled_ = false;
  bool was_sent_ = false;
  bool waits_ = false;
  std::uint16_t completed_ = 0;
};

Listener start(Seen& seen, ListenerOptions options = {}, int answers = 0) {
  auto listener = Listener::start(options, [&seen, answers](const Peer& peer) {
    seen.add_peer(peer);
    return std::make_unique<Archive>(seen, answers);
  });
  if (!listener) throw std::runtime_error{to_sentence(listener.error())};
  return std::move(*listener);
}

std::string at(const Listener& listener) { return " 127.0.0.1 " + std::to_string(listener.port()); }

Bytes proposal(const AssociateRequest& request) {
  Bytes out;
  EXPECT_TRUE(write_associate_request(out, request));
  return out;
}

/// A connection with an association.
Socket associated(const Listener& listener) {
  Socket socket = connect_to(listener.port());
  EXPECT_TRUE(socket.send(as_text(proposal(test::ordinary_request()))));
  const std::string header = socket.read_exactly(pdu_header_bytes);
  EXPECT_EQ(header.substr(0, 1), "\x02");
  static_cast<void>(socket.read_exactly(load_be<std::uint32_t>(&as_bytes(header)[2])));
  return socket;
}

Bytes message(const Command& command) {
  Bytes out;
  write_p_data(
      out,
      {.context_id = 3, .is_command = true, .is_last = true, .fragment = *write_command(command)});
  return out;
}

TEST(Listener, takes_what_eight_peers_store_at_once_as_it_was_sent) {
  if (!is_installed("storescu")) GTEST_SKIP() << "DCMTK is not installed";
  Seen seen;
  Listener listener = start(seen, {.workers = 3});
  const test::ScratchFolder folder;
  std::map<std::string, Bytes> sent;
  std::vector<std::jthread> peers;
  for (int peer = 0; peer < 8; ++peer) {
    std::string files;
    for (int file = 0; file < 4; ++file) {
      const std::string instance =
          "1.2.3." + std::to_string(1'000 + peer) + "." + std::to_string(file);
      sent[instance] = test::odd_data_set(instance, static_cast<std::size_t>(40'000 * (file + 1)));
      test::write_file(folder.path() / instance, instance, sent[instance]);
      files += " " + (folder.path() / instance).string();
    }
    peers.emplace_back([line = "storescu" + at(listener) + files] { EXPECT_EQ(shell(line), 0); });
  }
  peers.clear();
  for (const Ending& ending : seen.wait_for_ends(8)) EXPECT_EQ(ending.how, Ending::How::released);
  const auto came = seen.data_sets();
  ASSERT_EQ(came.size(), sent.size());
  for (const auto& [instance, data] : sent)
    EXPECT_TRUE(test::same_behind_sequences(came.at(instance), data)) << instance;
}

TEST(Listener, answers_queries_and_hears_that_enough_is_enough) {
  if (!is_installed("findscu")) GTEST_SKIP() << "DCMTK is not installed";
  Seen seen;
  const Listener listener = start(seen, {}, 1'000'000);
  EXPECT_EQ(shell("timeout 60 findscu -S -k 0008,0052=STUDY --cancel 5" + at(listener)), 0);
  EXPECT_EQ(seen.wait_for_ends(1).at(0).how, Ending::How::released);
  const Listener short_one = start(seen, {}, 25);
  EXPECT_EQ(shell("timeout 60 findscu -S -k 0008,0052=STUDY" + at(short_one)), 0);
  EXPECT_EQ(seen.wait_for_ends(2).at(1).how, Ending::How::released);
}

TEST(Listener, sends_instances_on_the_association_that_asked_for_them) {
  if (!is_installed("getscu")) GTEST_SKIP() << "DCMTK is not installed";
  Seen seen;
  const Listener listener = start(seen);
  const test::ScratchFolder folder;
  EXPECT_EQ(shell("timeout 60 getscu +B -S -k 0008,0052=STUDY -k 0020,000D=1.2 -od " +
                  folder.path().string() + at(listener)),
            0);
  const std::filesystem::directory_iterator first{folder.path()};
  ASSERT_NE(first, std::filesystem::directory_iterator{}) << "nothing was stored";
  const auto stored = read_file(first->path(), 1 << 20);
  ASSERT_TRUE(stored) << to_sentence(stored.error());
  const Bytes sent = test::odd_data_set("1.2.3.42", 5'000);
  ASSERT_GT(stored->size(), sent.size());
  EXPECT_TRUE(same_bytes(ByteView{*stored}.last(sent.size()), sent));
}

TEST(Listener, knows_the_peer_by_its_certificate) {
  if (shell("echoscu +tls 2>&1 | grep -q 'nknown option'") == 0 || !is_installed("echoscu"))
    GTEST_SKIP() << "DCMTK without TLS";
  const test::TlsAuthority authority{"authority"};
  const test::TlsAuthority stranger{"stranger"};
  Seen seen;
  ListenerOptions options;
  options.tls = crypto::TlsContext::make_server(
                    {.identity = authority.server(), .authorities_pem = authority.pem()})
                    .value();
  const Listener listener = start(seen, options);
  const test::ScratchFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream{folder.path() / name} << text;
    return " " + (folder.path() / name).string();
  };
  const auto echo_as = [&](const crypto::TlsIdentity& identity) {
    return shell("timeout 60 echoscu +tls" + write("key.pem", identity.key_pem) +
                 write("cert.pem", identity.chain_pem) + " +cf" + write("ca.pem", authority.pem()) +
                 at(listener));
  };
  EXPECT_EQ(echo_as(authority.client("CT-1")), 0);
  ASSERT_EQ(seen.peers().size(), 1U);
  ASSERT_TRUE(seen.peers()[0].certificate);
  EXPECT_EQ(seen.peers()[0].certificate->common_name(), "CT-1");
  EXPECT_NE(echo_as(stranger.client("CT-1")), 0);
  EXPECT_NE(shell("timeout 60 echoscu" + at(listener)), 0) << "without TLS";
  EXPECT_EQ(seen.peers().size(), 1U) << "no service was made for a stranger";
}

TEST(Listener, says_nothing_to_whoever_proposes_no_association) {
  Seen seen;
  for (const bool is_silent : {true, false}) {
    ListenerOptions options;
    options.is_silent_to_strangers = is_silent;
    const Listener listener = start(seen, options);
    for (const std::string& text :
         {std::string{"GET / HTTP/1.1\r\n\r\n"}, std::string{"\x16\x03\x01\x02"},
          std::string(200, '\0'), std::string{"\x01\x00\xFF\xFF\xFF\xFF", 6},
          std::string{"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00", 10}}) {
      const Socket socket = connect_to(listener.port());
      ASSERT_TRUE(socket.send(text));
      socket.shut_sending();
      const std::string answer = socket.read_all();
      EXPECT_EQ(answer.size(), is_silent ? 0U : 10U) << text;
      if (!is_silent) {
        EXPECT_EQ(answer.substr(0, 1), "\x07");
      }
    }
  }
}

TEST(Listener, closes_without_a_byte_where_there_is_no_service) {
  auto listener = Listener::start({}, [](const Peer&) { return nullptr; });
  ASSERT_TRUE(listener);
  const Socket socket = connect_to(listener->port());
  static_cast<void>(socket.send(as_text(proposal(test::ordinary_request()))));
  EXPECT_EQ(socket.read_all(), "");
}

TEST(Listener, rejects_in_the_words_of_the_service) {
  Seen seen;
  const Listener listener = start(seen);
  AssociateRequest request = test::ordinary_request();
  request.called_ae_title = "NOBODY";
  const Socket socket = connect_to(listener.port());
  ASSERT_TRUE(socket.send(as_text(proposal(request))));
  EXPECT_EQ(socket.read_exactly(10), std::string("\x03\x00\x00\x00\x00\x04\x00\x01\x01\x07", 10));
}

TEST(Listener, is_there_for_others_while_hundreds_say_nothing) {
  Seen seen;
  const Listener listener = start(seen, {.connections_max = 64});
  std::vector<Socket> silent;
  for (std::uint32_t i = 0; i < 300; ++i)
    silent.push_back(test::connect_from(0x7F000100U + i % 200, listener.port()));
  const Socket other = associated(listener);
  ASSERT_TRUE(other.send(as_text([] {
    Bytes out;
    write_p_data(out, {.context_id = 1,
                       .is_command = true,
                       .is_last = true,
                       .fragment = *write_command(test::echo(1))});
    return out;
  }())));
  EXPECT_EQ(other.read_exactly(1), "\x04");
}

TEST(Listener, gives_one_client_its_share_and_no_more) {
  const ListenerOptions usual;
  EXPECT_EQ(usual.connections_max, limits::dimse_connections_max);
  EXPECT_EQ(usual.connections_per_client_max, limits::dimse_connections_per_client_max);
  Seen seen;
  const Listener listener = start(seen, {.connections_per_client_max = 3});
  std::vector<Socket> own;
  for (int i = 0; i < 3; ++i) own.push_back(associated(listener));
  const Socket past = connect_to(listener.port());
  EXPECT_EQ(past.read_all(), "") << "closed at once";
  const Socket other = test::connect_from(0x7F000105U, listener.port());
  ASSERT_TRUE(other.send(as_text(proposal(test::ordinary_request()))));
  EXPECT_EQ(other.read_exactly(1), "\x02");
}

TEST(Listener, gives_up_on_peers_that_keep_it_waiting) {
  struct Row {
    std::string what;
    ListenerOptions options;
    Bytes then;  // after the association, where there is one
    bool associates = true;
  };
  ListenerOptions request;
  request.request_timeout_ms = 50;
  ListenerOptions idle;
  idle.idle_timeout_ms = 50;
  ListenerOptions data;
  data.data_timeout_ms = 50;
  const Bytes store = message(test::store(1));
  for (const Row& row : {Row{"no proposal", request, {}, false},
                         Row{"half a proposal", request, test::bytes("0100000000"), false},
                         Row{"no message", idle, {}},
                         Row{"half a command", idle, Bytes{store.begin(), store.begin() + 20}},
                         Row{"no data set", data, store}}) {
    Seen seen;
    const Listener listener = start(seen, row.options);
    const Socket socket = row.associates ? associated(listener) : connect_to(listener.port());
    ASSERT_TRUE(socket.send(as_text(row.then)));
    const std::string last = socket.read_all();
    EXPECT_EQ(last.substr(0, 1), row.associates ? "\x07" : "") << row.what;
    EXPECT_EQ(seen.wait_for_ends(1).at(0).how, Ending::How::timed_out) << row.what;
  }
}

TEST(Listener, gives_up_on_a_peer_that_drips) {
  Seen seen;
  ListenerOptions options;
  options.data_timeout_ms = 200;  // each byte comes in time
  options.bytes_per_second_min = 1'000'000;
  const Listener listener = start(seen, options);
  const Socket socket = associated(listener);
  ASSERT_TRUE(socket.send(as_text(message(test::store(1)))));
  Bytes data;
  write_p_data(data, {.context_id = 3, .fragment = Bytes(60'000)});
  std::size_t sent = 0;
  while (sent < data.size() && !socket.is_readable(5) &&
         socket.send(as_text(ByteView{data}.subspan(sent, 1))))
    ++sent;
  EXPECT_LT(sent, data.size());
  EXPECT_EQ(seen.wait_for_ends(1).at(0).how, Ending::How::timed_out);
}

TEST(Listener, ends_an_association_whose_service_fails) {
  Seen seen;
  const Listener listener = start(seen);
  const Socket socket = associated(listener);
  ASSERT_TRUE(socket.send(as_text(message(test::store(1, "1.2.3.666")))));
  EXPECT_EQ(socket.read_exactly(1), "\x07");
  const auto ends = seen.wait_for_ends(1);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].how, Ending::How::aborted_by_us);
  EXPECT_EQ(code_word(*ends[0].error), "internal");
}

TEST(Listener, tells_the_service_what_was_wrong_with_the_peer) {
  Seen seen;
  const Listener listener = start(seen);
  const Socket socket = associated(listener);
  Bytes data;
  write_p_data(data, {.context_id = 3, .is_last = true, .fragment = test::bytes("0102")});
  ASSERT_TRUE(socket.send(as_text(data)));
  EXPECT_EQ(socket.read_exactly(1), "\x07");
  const auto ends = seen.wait_for_ends(1);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].how, Ending::How::aborted_by_us);
  EXPECT_EQ(code_word(*ends[0].error), "malformed.pdu");
}

TEST(Listener, stops_with_associations_open) {
  Seen seen;
  Listener listener = start(seen, {.stop_timeout_ms = 100});
  const Socket idle = associated(listener);
  const Socket storing = associated(listener);
  ASSERT_TRUE(storing.send(as_text(message(test::store(1)))));
  const Socket silent = connect_to(listener.port());
  seen.wait_for_peers(3);
  listener.stop();
  EXPECT_EQ(seen.wait_for_ends(3).size(), 3U);
  EXPECT_EQ(idle.read_exactly(1), "\x07");
}

TEST(Listener, closes_new_connections_where_all_are_associations) {
  Seen seen;
  const Listener listener = start(seen, {.connections_max = 2});
  const Socket first = associated(listener);
  const Socket second = associated(listener);
  EXPECT_EQ(connect_to(listener.port()).read_all(), "");
  ASSERT_TRUE(first.send(as_text(message(test::store(1)))));
  EXPECT_FALSE(first.is_readable(20)) << "it waits for the data set";
}

TEST(Listener, refuses_a_port_that_is_taken) {
  Seen seen;
  const Listener first = start(seen);
  const auto second = Listener::start({.port = first.port()}, [](const Peer&) { return nullptr; });
  ASSERT_FALSE(second);
  EXPECT_EQ(code_word(second.error()), "io.unreadable");
}

}  // namespace
}  // namespace fiducia::dimse
