// SPDX-License-Identifier: Apache-2.0
#include "dimse/listener.h"

#include <algorithm>

#include "dimse/session.h"

namespace fiducia::dimse {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Listener::State::State(const ListenerOptions& wanted, MakeService to_make)
    : options(wanted), make(std::move(to_make)), pool(std::max(1U, wanted.workers)) {}

void Listener::State::accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (stopping || !acceptor.is_open()) return;
    if (error && error != asio::error::connection_aborted) return accept_later();
    if (!error) add(std::move(socket));
    accept();
  });
}

/// The system has no more file descriptors.
void Listener::State::accept_later() {
  accept_timer.expires_after(std::chrono::milliseconds{100});
  accept_timer.async_wait([this](error_code cancelled) {
    if (!cancelled && !stopping) accept();
  });
}

bool Listener::State::evict_stranger() {
  Session* oldest = nullptr;
  for (Session* each : sessions)
    if (each->is_stranger() && (oldest == nullptr || each->since() < oldest->since()))
      oldest = each;
  if (oldest == nullptr) return false;
  oldest->close();
  return true;
}

void Listener::State::add(tcp::socket socket) {
  auto incoming = net::take_in(std::move(socket));
  if (!incoming) return;
  const auto known = of_client.find(incoming->client);
  if (known != of_client.end() && known->second >= options.connections_per_client_max) return;
  if (sessions.size() >= options.connections_max && !evict_stranger()) return;
  std::optional<crypto::TlsEngine> tls;
  if (options.tls) {
    auto engine = crypto::TlsEngine::make(*options.tls);
    if (!engine) return;  // no memory
    tls = std::move(*engine);
  }
  const auto session = std::make_shared<Session>(
      *this, std::move(incoming->socket),
      Peer{.address = incoming->address.to_string(), .port = incoming->port},
      std::move(incoming->client), std::move(tls));
  sessions.insert(session.get());
  ++of_client[session->client()];
  session->start();
}

void Listener::State::remove(Session* session) {
  if (sessions.erase(session) == 0) return;
  if (const auto known = of_client.find(session->client()); --known->second == 0)
    of_client.erase(known);
  finish_if_stopped();
}

void Listener::State::begin_stop() {
  if (std::exchange(stopping, true)) return;
  error_code ignored;
  acceptor.close(ignored);
  accept_timer.cancel();
  // Those that a worker is busy with come to the end of their message, if that is soon.
  const std::vector<Session*> all{sessions.begin(), sessions.end()};
  for (Session* each : all) each->stop_when_idle();
  stop_timer.expires_after(std::chrono::milliseconds{options.stop_timeout_ms});
  stop_timer.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    const std::vector<Session*> rest{sessions.begin(), sessions.end()};
    for (Session* each : rest) each->close();
  });
  finish_if_stopped();
}

void Listener::State::finish_if_stopped() {
  if (!stopping || !sessions.empty() || jobs > 0) return;
  stop_timer.cancel();
  work.reset();
}

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&& other) noexcept {
  stop();
  state_ = std::move(other.state_);
  return *this;
}
Listener::~Listener() { stop(); }

Result<Listener> Listener::start(const ListenerOptions& options, MakeService make) {
  try {
    auto state = std::make_unique<State>(options, std::move(make));
    FIDUCIA_TRY(local, net::listen(state->acceptor, options.address, options.port));
    state->local = local;
    state->accept();
    state->io_thread = std::jthread{[state_in_use = state.get()] { state_in_use->io.run(); }};
    return Listener{std::move(state)};
  } catch (const std::exception&) {  // no thread, or no epoll, to be had
    return fail(ErrorCode::io_unreadable, "The system has no thread or file to spare.",
                "Raise the limits of this process, or stop others.");
  }
}

std::uint16_t Listener::port() const { return state_->local.port(); }

void Listener::stop() {
  if (state_ == nullptr || !state_->io_thread.joinable()) return;
  asio::post(state_->io, [state = state_.get()] { state->begin_stop(); });
  state_->io_thread.join();
  state_->pool.join();  // services are told how they ended
}

}  // namespace fiducia::dimse
