// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>

#include "http/chunks.h"
#include "http/rate_limit.h"
#include "http/request_head.h"
#include "http/response_head.h"
#include "http/server.h"
#include "net/net.h"

/// Inside http: a server's state, and one connection of it.
namespace fiducia::http {

class Session;

/// Everything but `pool` belongs to the one thread that runs `io` once that is started.
struct Server::State {
  State(const ServerOptions& wanted, Routes to_answer, ServedLog to_tell);

  using tcp = boost::asio::ip::tcp;
  Status listen();
  void accept();
  void add(tcp::socket socket);
  void remove(Session* session);
  void begin_stop();
  void finish_if_stopped();
  [[nodiscard]] bool is_full() const { return sessions.size() >= options.connections_max; }
  /// Closes the connection (of `client`, or of anybody) that has gone longest without progress.
  /// Says whether there was one for which that is long enough.
  bool evict_one(const std::string* client);
  void accept_later();

  const ServerOptions options;
  const Routes routes;
  const ServedLog log;
  RateLimit rate;
  boost::asio::io_context io{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
      boost::asio::make_work_guard(io)};
  tcp::acceptor acceptor{io};
  boost::asio::steady_timer accept_timer{io};
  boost::asio::steady_timer stop_timer{io};
  std::set<Session*> sessions;  // each is kept alive by what it waits for
  std::unordered_map<std::string, std::uint32_t> of_client;  // how many of them
  bool accepting = false;
  bool stopping = false;
  tcp::endpoint local;  // not changed after `listen`
  boost::asio::thread_pool pool;
  std::jthread io_thread;
};

/// One connection: reads a request, has it answered, writes the response, again and again.
/// Runs on the I/O thread; at each time one operation on the socket or one job of a worker is
/// pending, and one timer. A worker's job uses `receiver_`, `response_`, `request_` and the payload
/// in `input_`, which nobody else touches as long as the phase is `working`.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Steady = std::chrono::steady_clock;
  using error_code = boost::system::error_code;
  enum class Phase : std::uint8_t {
    shaking,   // TLS
    waiting,   // for the first byte of a request
    reading,   // a head or a body
    working,   // a worker has it
    writing,   // a response
    draining,  // after the last response
    closed
  };

  Session(Server::State& server, boost::asio::ip::tcp::socket socket,
          const boost::asio::ip::address& address, std::string client,
          std::optional<crypto::TlsEngine> tls);
  void start();
  void close();
  [[nodiscard]] Phase phase() const { return phase_; }
  /// What counts as one client.
  [[nodiscard]] const std::string& client() const { return client_; }
  [[nodiscard]] Steady::time_point progress_at() const { return progress_at_; }
  /// Whether another connection may take its place: not while we are what it waits for, nor when
  /// the client has said something that we did not look at yet.
  [[nodiscard]] bool may_be_evicted() const;

 private:
  using Answer = std::optional<Response>;

  void arm(Steady::duration timeout);
  void disarm() { timer_.expires_at(Steady::time_point::max()); }
  void time_out();
  template <class Work, class Then>
  void on_worker(Work work, Then then);
  void let_go();

  // Bytes that were received and not yet used.
  [[nodiscard]] std::size_t unused() const { return input_end_ - input_begin_; }
  [[nodiscard]] std::span<std::byte> unused_bytes();
  void use(std::size_t count);
  [[nodiscard]] std::span<std::byte> room_for(std::size_t count);
  template <class Then>
  void receive(std::size_t count, Then then);

  void shake_hands();
  void next_request(Steady::duration patience);
  void read_head();
  void scan_head();
  void take_head();
  void route(std::string_view path);
  void answer_early(Response response);
  void begin_body();
  void go_on_with_body();
  void read_body();
  void take_body();
  void deliver(std::size_t used, std::size_t payload, bool is_last);
  void answer_whole();

  void refuse();
  void end_with(Response response);
  void respond(Response response);
  void plan_body();
  void write_next();
  void write_piece(std::span<const ByteView> parts, std::size_t body_bytes, bool is_last);
  void write_from_source(std::size_t count);
  void end_response(bool is_whole);
  void finish();
  void drain(std::uint64_t drained_bytes);
  void tell_log();

  // Time that the client takes for a body, in the direction that is under way.
  void begin_transfer();
  void begin_wait();
  void end_wait();
  void count_moved(std::uint64_t bytes);

  Server::State& server_;
  net::Transport transport_;
  boost::asio::steady_timer timer_;
  const std::string peer_;
  const std::string client_;
  std::optional<crypto::Certificate> certificate_;
  Phase phase_ = Phase::waiting;
  Steady::time_point progress_at_;
  bool timed_out_ = false;

  Bytes input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  HeadScan scan_;
  RequestHead head_;
  Request request_;
  const Route* route_ = nullptr;
  Response early_;      // once the body, which nobody wants, was read
  bool skips_ = false;  // `early_` is set
  std::unique_ptr<Receiver> receiver_;
  std::optional<ChunkReader> chunks_;
  std::uint64_t body_bytes_max_ = 0;
  std::uint64_t body_bytes_ = 0;  // of content, that were received
  bool body_is_whole_ = false;

  Steady::duration waited_{};  // for the client, since 64 KiB were last moved
  Steady::duration waited_in_all_{};
  std::uint64_t moved_bytes_ = 0;  // since then
  Steady::time_point waits_since_;

  Response response_;  // while it is written
  Framing framing_ = Framing::none;
  std::uint64_t announced_bytes_ = 0;
  std::string head_text_;
  Bytes output_;  // a piece of the source, with room for what a chunk has around it
  bool keep_alive_ = false;
  Served served_;
  Steady::time_point since_;  // the request's first byte
};

}  // namespace fiducia::http
