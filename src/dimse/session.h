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

#include "dimse/association.h"
#include "dimse/listener.h"
#include "net/net.h"

/// Inside dimse: a listener's state, and one connection of it.
namespace fiducia::dimse {

class Session;

/// Everything but `pool` belongs to the one thread that runs `io` once that is started.
struct Listener::State {
  State(const ListenerOptions& wanted, MakeService to_make);

  using tcp = boost::asio::ip::tcp;
  void accept();
  void accept_later();
  void add(tcp::socket socket);
  void remove(Session* session);
  void begin_stop();
  void finish_if_stopped();
  /// Closes the oldest connection without an association. Whether there was one.
  bool evict_stranger();

  const ListenerOptions options;
  const MakeService make;
  boost::asio::io_context io{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
      boost::asio::make_work_guard(io)};
  tcp::acceptor acceptor{io};
  boost::asio::steady_timer accept_timer{io};
  boost::asio::steady_timer stop_timer{io};
  std::set<Session*> sessions;  // each is kept alive by what it waits for
  std::unordered_map<std::string, std::uint32_t> of_client;  // how many of them
  std::size_t jobs = 0;                                      // of workers, that have not come back
  bool stopping = false;
  tcp::endpoint local;  // not changed after it listens
  boost::asio::thread_pool pool;
  std::jthread io_thread;
};

/// One connection. Runs on the I/O thread; at each time one operation on the socket or one job of a
/// worker is pending. A worker's job uses `service_` and the data that it was given, which nobody
/// else touches meanwhile.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Steady = std::chrono::steady_clock;
  using error_code = boost::system::error_code;

  Session(Listener::State& listener, boost::asio::ip::tcp::socket socket, Peer peer,
          std::string client, std::optional<crypto::TlsEngine> tls);
  void start();
  /// Ends it with an A-ABORT, at once or as soon as the message that is worked on is answered.
  void stop_when_idle();
  void close();
  [[nodiscard]] const std::string& client() const { return client_; }
  [[nodiscard]] bool is_stranger() const { return !is_known_; }
  [[nodiscard]] Steady::time_point since() const { return since_; }

 private:
  template <class Work, class Then>
  void on_worker(Work work, Then then);
  void arm(Steady::duration timeout);
  void disarm() { timer_.expires_at(Steady::time_point::max()); }
  void time_out();

  void stop();
  void shake_hands();
  void begin();
  /// Goes on with whatever is due: what happened, what is to be sent, what is to be read.
  void go_on();
  bool take(Happened happened);
  void answer_request();
  void take_command(const CommandReceived& received);
  void take_data(const DataReceived& received);
  void ask_service();
  void send(Outgoing outgoing);
  void send_data();
  void after_message(bool is_pending_now);
  void flush(std::move_only_function<void()> then);
  void begin_waiting();
  void begin_closing();
  void read();
  void take_bytes(error_code error, std::size_t count);
  [[nodiscard]] bool is_too_slow() const;
  void fail_service(Error error);
  void end(Ending ending);

  Listener::State& listener_;
  net::Transport transport_;
  boost::asio::steady_timer timer_;
  Peer peer_;
  const std::string client_;
  const Steady::time_point since_;
  Association association_;
  std::unique_ptr<Service> service_;
  bool is_known_ = false;  // has proposed an association
  bool is_working_ = false;
  bool is_closed_ = false;
  bool is_ended_ = false;  // the service was told
  bool asks_ = false;      // the service is asked what to send
  bool has_timed_out_ = false;
  Steady::time_point deadline_;  // of a whole message, or of the peer's closing
  Bytes input_;
  Bytes output_;                     // while it is written
  std::optional<Outgoing> sending_;  // its data set is on its way
  bool sends_pending_ = false;
  Bytes piece_;
  bool is_in_message_ = false;
  Steady::time_point waits_since_;
  Steady::duration waited_{};  // for the peer, within this message
  std::uint64_t came_ = 0;     // of this message
};

}  // namespace fiducia::dimse
