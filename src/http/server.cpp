// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>

#include "http/session.h"

namespace fiducia::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

/// How long to wait when the system has no more file descriptors.
constexpr milliseconds accept_pause{100};

}  // namespace

Server::State::State(const ServerOptions& wanted, Routes to_answer, ServedLog to_tell)
    : options(wanted),
      routes(std::move(to_answer)),
      log(std::move(to_tell)),
      rate(wanted.requests_per_second_max, limits::http_peers_max),
      pool(std::max(1U, wanted.workers)) {}

Status Server::State::listen() {
  FIDUCIA_TRY(endpoint, net::listen(acceptor, options.address, options.port));
  local = endpoint;
  return {};
}

void Server::State::accept() {
  accepting = true;
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (stopping || !acceptor.is_open()) return;
    if (error && error != asio::error::connection_aborted) return accept_later();
    if (!error) add(std::move(socket));
    // The last place is made free again.
    if (is_full() && !evict_one(nullptr)) {
      accepting = false;
      return accept_later();
    }
    accept();
  });
}

/// Tries again soon, unless a connection that ends comes first.
void Server::State::accept_later() {
  const milliseconds age{options.eviction_age_ms};
  const milliseconds pause =
      is_full() ? std::clamp(age, milliseconds{1}, accept_pause) : accept_pause;
  accept_timer.expires_after(pause);
  accept_timer.async_wait([this](error_code cancelled) {
    if (cancelled || stopping) return;
    accepting = true;
    accepting = !is_full() || evict_one(nullptr);
    if (!accepting) return accept_later();
    accept();
  });
}

bool Server::State::evict_one(const std::string* client) {
  Session* slowest = nullptr;
  for (Session* other : sessions)
    if ((client == nullptr || other->client() == *client) &&
        (slowest == nullptr || other->progress_at() < slowest->progress_at()) &&
        other->may_be_evicted())
      slowest = other;
  if (slowest == nullptr ||
      Steady::now() - slowest->progress_at() < milliseconds{options.eviction_age_ms})
    return false;
  slowest->close();
  return true;
}

void Server::State::add(tcp::socket socket) {
  auto incoming = net::take_in(std::move(socket));
  if (!incoming) return;
  const std::uint32_t share = options.connections_per_client_max;
  if (const auto known = of_client.find(incoming->client); share > 0 && known != of_client.end() &&
                                                           known->second >= share &&
                                                           !evict_one(&incoming->client))
    return;
  std::optional<crypto::TlsEngine> tls;
  if (options.tls) {
    auto engine = crypto::TlsEngine::make(*options.tls);
    if (!engine) return;  // no memory
    tls = std::move(*engine);
  }
  const auto session =
      std::make_shared<Session>(*this, std::move(incoming->socket), incoming->address,
                                std::move(incoming->client), std::move(tls));
  sessions.insert(session.get());
  ++of_client[session->client()];
  session->start();
}

void Server::State::remove(Session* session) {
  if (sessions.erase(session) == 0) return;
  if (const auto known = of_client.find(session->client()); --known->second == 0)
    of_client.erase(known);
  if (!accepting && !stopping && !is_full()) {
    accept_timer.cancel();
    accept();
  }
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
    if (session->phase() != Session::Phase::working && session->phase() != Session::Phase::writing)
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
  Routes routes;
  routes.add_rest(std::move(handler));
  return start(options, std::move(routes), std::move(log));
}

Result<Server> Server::start(const ServerOptions& options, Routes routes, ServedLog log) {
  try {
    auto state = std::make_unique<State>(options, std::move(routes), std::move(log));
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
  const std::string scheme = state_->options.tls ? "https://" : "http://";
  return scheme + (state_->local.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(port());
}

void Server::wait(const std::stop_token& stop) const {
  Mutex mutex;
  StoppableCondition requested;
  MutexLock lock{mutex};
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
