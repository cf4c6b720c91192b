// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <set>
#include <thread>

#include "http/grammar.h"
#include "http/rate_limit.h"

namespace fiducia::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

/// What a client still sends after a response that ends the connection is read and thrown away, up
/// to here: closing with unread bytes would make its system discard the response.
constexpr std::uint64_t drained_bytes_max = 1 << 20;
constexpr milliseconds drain_timeout{2'000};
/// How long to wait when the system has no more file descriptors.
constexpr milliseconds accept_pause{100};
constexpr std::size_t read_bytes = 4'096;

/// RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date() {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  // Not strftime's names, which follow the locale.
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  return text.data();
}

Response plain(unsigned status, std::string_view text) {
  Response response{.status = status, .headers = {{"content-type", "text/plain; charset=utf-8"}}};
  append(response.body, as_bytes(text));
  append(response.body, as_bytes("\n"));
  return response;
}

/// Whether the server, not the handler, writes this field.
bool is_own_field(std::string_view name) {
  const std::string lower = lower_case(name);
  return lower == "content-length" || lower == "connection" || lower == "date" ||
         lower == "transfer-encoding" || lower == "keep-alive";
}

bool may_have_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

/// Status line and header of `response`.
std::string write_head(const Response& response, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head +=
      std::string_view{beast::http::obsolete_reason(beast::http::int_to_status(response.status))};
  head += "\r\n";
  for (const auto& [name, value] : response.headers)
    if (!is_own_field(name)) head.append(name).append(": ").append(value).append("\r\n");
  if (may_have_body(response.status))
    head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  head += "Date: " + http_date() + "\r\n";
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

/// A handler's word is not taken for it: a value with a line end would forge a header field.
bool is_sound(const Response& response) {
  return response.status >= 200 && response.status <= 599 &&
         std::ranges::all_of(response.headers, [](const auto& field) {
           return is_token(field.first) && is_field_value(field.second);
         });
}

/// Runs the handler; whatever it throws ends here.
Response answer(const Handler& handler, const Request& request) {
  try {
    Response response = handler(request);
    return is_sound(response) ? std::move(response) : plain(500, "Internal error.");
  } catch (const std::bad_alloc&) {
    return plain(503, "Out of memory; try again later.");
  } catch (...) {
    return plain(500, "Internal error.");
  }
}

/// IPv4 addresses that came in over IPv6 as IPv4.
asio::ip::address plain_address(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address;
}

/// What counts as one client for the rate limit: an IPv4 address, or the 64 bits of an IPv6 network
/// (one client has all addresses of it).
std::string client_of(const asio::ip::address& address) {
  if (!address.is_v6()) return address.to_string();
  const auto bytes = address.to_v6().to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), 8};
}

class Session;

}  // namespace

/// Everything but `pool` and the two members of `wait` belongs to the one thread that runs `io`
/// once that is started.
struct Server::State {
  State(const ServerOptions& wanted, Handler to_run, ServedLog to_tell)
      : options(wanted),
        handler(std::move(to_run)),
        log(std::move(to_tell)),
        rate(wanted.requests_per_second_max, limits::http_peers_max),
        pool(std::max(1U, wanted.workers)) {}

  Status listen();
  void accept();
  void add(tcp::socket socket);
  void remove(Session* session);
  void begin_stop();
  void finish_if_stopped();
  [[nodiscard]] bool is_full() const { return sessions.size() >= options.connections_max; }

  const ServerOptions options;
  const Handler handler;
  const ServedLog log;
  RateLimit rate;
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{
      asio::make_work_guard(io)};
  tcp::acceptor acceptor{io};
  asio::steady_timer accept_timer{io};
  asio::steady_timer stop_timer{io};
  std::set<Session*> sessions;  // each is kept alive by what it waits for
  bool accepting = false;
  bool stopping = false;
  tcp::endpoint local;  // not changed after `listen`
  asio::thread_pool pool;
  std::jthread io_thread;
};

namespace {

/// One connection: reads a request, has it answered, writes the response, again and again.
/// Runs on the I/O thread; at each time one operation on the socket and one timer are pending.
class Session : public std::enable_shared_from_this<Session> {
 public:
  enum class Phase : std::uint8_t { waiting, reading, answering, writing, draining, closed };

  Session(Server::State& server, tcp::socket socket)
      : server_(server), socket_(std::move(socket)), timer_(server.io) {}

  void start() {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored);
    error_code gone;
    const tcp::endpoint remote = socket_.remote_endpoint(gone);
    if (gone) return close();
    address_ = plain_address(remote.address());
    // Whoever connects has something to say at once.
    next_request(milliseconds{server_.options.request_timeout_ms});
  }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Steady::time_point since() const { return since_; }

  void close() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    server_.remove(this);
  }

 private:
  using Parser = beast::http::request_parser<beast::http::string_body>;

  /// After `timeout` what is pending is given up, unless another `arm` or `disarm` comes first.
  void arm(milliseconds timeout) {
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled && self->timer_.expiry() <= Steady::now()) self->time_out();
    });
  }
  void disarm() { timer_.expires_at(Steady::time_point::max()); }
  void time_out() {
    if (phase_ != Phase::reading) return close();
    timed_out_ = true;
    error_code ignored;
    socket_.cancel(ignored);  // the pending read ends with an error, and the client is told
  }

  void next_request(milliseconds patience) {
    parser_.emplace();
    parser_->header_limit(server_.options.header_bytes_max);
    parser_->body_limit(server_.options.body_bytes_max);
    timed_out_ = false;
    served_ = {};
    served_.peer = address_.to_string();
    phase_ = Phase::waiting;
    since_ = Steady::now();
    if (buffer_.size() > 0) return read_header();  // pipelined
    arm(patience);
    socket_.async_read_some(buffer_.prepare(read_bytes),
                            [self = shared_from_this()](error_code error, std::size_t count) {
                              if (self->phase_ == Phase::closed) return;
                              if (error) return self->close();
                              self->buffer_.commit(count);
                              self->read_header();
                            });
  }

  void read_header() {
    phase_ = Phase::reading;
    since_ = Steady::now();
    arm(milliseconds{server_.options.request_timeout_ms});  // for the body as well
    beast::http::async_read_header(socket_, buffer_, *parser_,
                                   [self = shared_from_this()](error_code error, std::size_t) {
                                     if (self->phase_ == Phase::closed) return;
                                     if (error) return self->refuse(error);
                                     self->take_header();
                                   });
  }

  void take_header() {
    const auto& message = parser_->get();
    served_.method = std::string_view{message.method_string()};
    const auto target = read_target(std::string_view{message.target()});
    const std::size_t hosts = message.count(beast::http::field::host);
    if (!target || hosts > 1 || (hosts == 0 && message.version() == 11))
      return end_with(plain(400, "Bad request."));
    served_.path = target->path;
    if (!server_.rate.take(client_of(address_), Steady::now())) {
      Response response = plain(429, "Too many requests; wait a second.");
      response.headers.emplace_back("retry-after", "1");
      return end_with(std::move(response));
    }
    if (beast::iequals(message[beast::http::field::expect], "100-continue") &&
        message.version() == 11 && !parser_->is_done()) {
      static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(socket_, asio::buffer(go_on),
                        [self = shared_from_this()](error_code error, std::size_t) {
                          if (self->phase_ == Phase::closed) return;
                          if (error) return self->refuse(error);
                          self->read_body();
                        });
      return;
    }
    read_body();
  }

  void read_body() {
    beast::http::async_read(socket_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (self->phase_ == Phase::closed) return;
                              if (error) return self->refuse(error);
                              self->have_answered();
                            });
  }

  void have_answered() {
    disarm();
    phase_ = Phase::answering;
    keep_alive_ = parser_->get().keep_alive();
    Request request{.method = served_.method,
                    .path = served_.path,
                    .query = {},
                    .headers = {},
                    .body = {},
                    .peer = served_.peer};
    const auto& message = parser_->get();
    if (const auto target = read_target(std::string_view{message.target()}))
      request.query = target->query;
    for (const auto& field : message)
      request.headers.emplace_back(lower_case(std::string_view{field.name_string()}),
                                   std::string{std::string_view{field.value()}});
    append(request.body, as_bytes(message.body()));
    parser_.reset();
    asio::post(server_.pool, [self = shared_from_this(), asked = std::move(request)] {
      Response response = answer(self->server_.handler, asked);
      asio::post(self->server_.io, [self, given = std::move(response)]() mutable {
        if (self->phase_ != Phase::closed) self->respond(std::move(given));
      });
    });
  }

  /// Answers a request that could not be read to its end, where there is somebody to answer.
  void refuse(error_code error) {
    namespace http = beast::http;
    if (timed_out_) return end_with(plain(408, "The request took too long."));
    if (error == http::error::body_limit)
      return end_with(plain(413, "The body of the request is too long."));
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return end_with(plain(431, "The header of the request is too long."));
    if (error == http::error::end_of_stream || error == http::error::partial_message)
      return close();
    if (error.category() == http::make_error_code(http::error::bad_method).category())
      return end_with(plain(400, "Bad request."));
    close();
  }
  void end_with(Response response) {
    keep_alive_ = false;
    respond(std::move(response));
  }

  void respond(Response response) {
    phase_ = Phase::writing;
    // A full server wants its connections back; so does one that stops.
    keep_alive_ = keep_alive_ && !server_.stopping && server_.accepting;
    response_ = std::move(response);
    served_.status = response_.status;
    head_ = write_head(response_, keep_alive_);
    const bool bodiless = served_.method == "HEAD" || !may_have_body(response_.status);
    const std::array<asio::const_buffer, 2> parts{
        asio::buffer(head_),
        bodiless ? asio::const_buffer{}
                 : asio::const_buffer{response_.body.data(), response_.body.size()}};
    arm(milliseconds{server_.options.response_timeout_ms});
    asio::async_write(socket_, parts,
                      [self = shared_from_this()](error_code error, std::size_t count) {
                        self->end_response(error, count);
                      });
  }

  void end_response(error_code error, std::size_t sent_bytes) {
    served_.body_bytes = sent_bytes - std::min(sent_bytes, head_.size());
    served_.duration =
        std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - since_);
    if (server_.log) server_.log(served_);
    response_ = {};
    if (phase_ == Phase::closed) return;
    if (error) return close();
    if (keep_alive_ && !server_.stopping)
      return next_request(milliseconds{server_.options.idle_timeout_ms});
    socket_.shutdown(tcp::socket::shutdown_send, error);
    if (error || server_.stopping) return close();
    phase_ = Phase::draining;
    arm(drain_timeout);
    drain(0);
  }

  void drain(std::uint64_t drained_bytes) {
    buffer_.clear();
    socket_.async_read_some(buffer_.prepare(read_bytes), [self = shared_from_this(), drained_bytes](
                                                             error_code error, std::size_t count) {
      if (self->phase_ == Phase::closed) return;
      if (error || drained_bytes + count > drained_bytes_max) return self->close();
      self->drain(drained_bytes + count);
    });
  }

  Server::State& server_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  asio::ip::address address_;
  beast::flat_buffer buffer_;  // what was received and not yet parsed
  std::optional<Parser> parser_;
  Phase phase_ = Phase::waiting;
  Steady::time_point since_;  // of waiting, later of the request's first byte
  bool timed_out_ = false;
  bool keep_alive_ = false;
  Response response_;  // while it is written
  std::string head_;
  Served served_;
};

}  // namespace

Status Server::State::listen() {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error)
    return fail(ErrorCode::usage_invalid, "\"" + options.address + "\" is not an IP address.",
                "Give an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all.");
  const tcp::endpoint wanted{address, options.port};
  acceptor.open(wanted.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error && address.is_v6() && address.is_unspecified())
    acceptor.set_option(asio::ip::v6_only{false}, error);
  if (!error) acceptor.bind(wanted, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) local = acceptor.local_endpoint(error);
  if (error)
    return fail(ErrorCode::io_unreadable,
                "Cannot listen on " + options.address + " port " + std::to_string(options.port) +
                    ": " + error.message() + ".",
                "Choose another port, or stop the program that has it.");
  return {};
}

void Server::State::accept() {
  accepting = true;
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (stopping || !acceptor.is_open()) return;
    if (error && error != asio::error::connection_aborted) {
      accept_timer.expires_after(accept_pause);
      accept_timer.async_wait([this](error_code cancelled) {
        if (!cancelled && !stopping) accept();
      });
      return;
    }
    if (!error) add(std::move(socket));
    accepting = !is_full();
    if (accepting) accept();
  });
}

void Server::State::add(tcp::socket socket) {
  const auto session = std::make_shared<Session>(*this, std::move(socket));
  // The last place is made free again, at the cost of whoever has been silent for longest.
  if (sessions.size() + 1 >= options.connections_max) {
    Session* silent = nullptr;
    for (Session* other : sessions)
      if (other->phase() == Session::Phase::waiting &&
          (silent == nullptr || other->since() < silent->since()))
        silent = other;
    if (silent != nullptr) silent->close();
  }
  sessions.insert(session.get());
  session->start();
}

void Server::State::remove(Session* session) {
  sessions.erase(session);
  if (!accepting && !stopping && !is_full()) accept();
  finish_if_stopped();
}

void Server::State::begin_stop() {
  if (stopping) return;
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  accept_timer.cancel();
  const std::set<Session*> all = sessions;  // closing changes the set
  for (Session* session : all)
    if (session->phase() != Session::Phase::answering &&
        session->phase() != Session::Phase::writing)
      session->close();
  stop_timer.expires_after(milliseconds{options.stop_timeout_ms});
  stop_timer.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    const std::set<Session*> rest = sessions;
    for (Session* session : rest) session->close();
  });
  finish_if_stopped();
}

void Server::State::finish_if_stopped() {
  if (!stopping || !sessions.empty()) return;
  stop_timer.cancel();
  work.reset();  // `io` returns once nothing is pending
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&& other) noexcept {
  if (this != &other) {
    stop();
    state_ = std::move(other.state_);
  }
  return *this;
}
Server::~Server() { stop(); }

Result<Server> Server::start(const ServerOptions& options, Handler handler, ServedLog log) {
  try {
    auto state = std::make_unique<State>(options, std::move(handler), std::move(log));
    FIDUCIA_CHECK(state->listen());
    state->accept();
    state->io_thread = std::jthread{[state_in_use = state.get()] { state_in_use->io.run(); }};
    return Server{std::move(state)};
  } catch (const std::exception&) {  // no thread, or no epoll, to be had
    return fail(ErrorCode::io_unreadable, "The system has no thread or file to spare.",
                "Raise the limits of this process, or stop others.");
  }
}

std::uint16_t Server::port() const { return state_->local.port(); }

std::string Server::url() const {
  const std::string address = state_->local.address().to_string();
  return "http://" + (state_->local.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(port());
}

void Server::wait(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any requested;
  std::unique_lock lock{mutex};
  requested.wait(lock, stop, [] { return false; });
}

void Server::stop() {
  if (state_ == nullptr || !state_->io_thread.joinable()) return;
  asio::post(state_->io, [state = state_.get()] { state->begin_stop(); });
  state_->io_thread.join();
  state_->pool.stop();  // those who wait for an answer are gone
  state_->pool.join();
}

}  // namespace fiducia::http
