// SPDX-License-Identifier: Apache-2.0
#include "net/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <memory>
#include <vector>

namespace fiducia::net {
namespace {

// One record of TLS (RFC 8446 section 5.1) and what goes around it.
constexpr std::size_t fetch_bytes = 17 << 10;

}  // namespace

/// Not called in place: whoever asked would recurse.
void Transport::finish_soon(Done done, error_code error, std::size_t count) {
  boost::asio::post(socket_.get_executor(),
                    [done = std::move(done), error, count]() mutable { done(error, count); });
}

/// Sends the alert that says why, then reports.
void Transport::fail_over_tls(Error error, Done done) {
  tls_error_ = std::move(error);
  flush([done = std::move(done)](error_code, std::size_t) mutable {
    done(boost::asio::error::connection_aborted, 0);
  });
}

void Transport::flush(Done done) {
  output_ = tls_->take_output();
  if (output_.empty()) return finish_soon(std::move(done), {}, 0);
  boost::asio::async_write(
      socket_, boost::asio::buffer(output_),
      [this, done = std::move(done)](error_code error, std::size_t count) mutable {
        output_ = {};
        done(error, count);
      });
}

/// Takes encrypted bytes from the socket. No connection has a buffer for them while it waits.
void Transport::fetch(Done done) {
  socket_.async_wait(boost::asio::socket_base::wait_read,
                     [this, done = std::move(done)](error_code error) mutable {
                       if (error) return done(error, 0);
                       std::array<std::byte, fetch_bytes> some;
                       const std::size_t count =
                           socket_.read_some(boost::asio::buffer(some), error);
                       if (error == boost::asio::error::would_block) return fetch(std::move(done));
                       if (error) return done(error, 0);
                       if (!tls_->take(std::span{some}.first(count)))
                         error = boost::asio::error::no_memory;
                       done(error, count);
                     });
}

void Transport::shake_hands(Done done) { go_on_shaking(std::move(done)); }

void Transport::go_on_shaking(Done done) {
  auto complete = tls_->shake_hands();
  if (!complete) return fail_over_tls(std::move(complete).error(), std::move(done));
  flush([this, is_complete = *complete, done = std::move(done)](error_code error,
                                                                std::size_t) mutable {
    if (error || is_complete) return done(error, 0);
    fetch([this, done = std::move(done)](error_code fetched, std::size_t) mutable {
      if (fetched) return done(fetched, 0);
      go_on_shaking(std::move(done));
    });
  });
}

void Transport::read_some(std::span<std::byte> to, Done done) {
  if (!tls_) {
    socket_.async_read_some(boost::asio::buffer(to.data(), to.size()), std::move(done));
    return;
  }
  auto count = tls_->read(to);
  if (!count) return fail_over_tls(std::move(count).error(), std::move(done));
  if (*count > 0) return finish_soon(std::move(done), {}, *count);
  if (tls_->is_ended()) return finish_soon(std::move(done), boost::asio::error::eof, 0);
  const auto fetch_and_read = [this, to](Done after) {
    fetch([this, to, after = std::move(after)](error_code error, std::size_t) mutable {
      if (error) return after(error, 0);
      read_some(to, std::move(after));
    });
  };
  if (!tls_->has_output()) return fetch_and_read(std::move(done));
  // The answer to a change of keys.
  flush([fetch_and_read, done = std::move(done)](error_code error, std::size_t) mutable {
    if (error) return done(error, 0);
    fetch_and_read(std::move(done));
  });
}

void Transport::write(std::span<const ByteView> parts, Done done) {
  if (!tls_) {
    std::vector<boost::asio::const_buffer> buffers;
    for (const ByteView part : parts) buffers.emplace_back(part.data(), part.size());
    boost::asio::async_write(socket_, buffers, std::move(done));
    return;
  }
  std::size_t plain_bytes = 0;
  for (const ByteView part : parts) {
    if (auto written = tls_->write(part); !written)
      return fail_over_tls(std::move(written).error(), std::move(done));
    plain_bytes += part.size();
  }
  flush([plain_bytes, done = std::move(done)](error_code error, std::size_t) mutable {
    done(error, error ? 0 : plain_bytes);
  });
}

void Transport::end(Done done) {
  const auto shut = [this](error_code error) {
    if (!error) socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
    return error;
  };
  if (!tls_) return finish_soon(std::move(done), shut({}), 0);
  tls_->end();
  flush([shut, done = std::move(done)](error_code error, std::size_t) mutable {
    done(shut(error), 0);
  });
}

void Transport::discard_some(Done done) {
  socket_.async_wait(boost::asio::socket_base::wait_read,
                     [this, done = std::move(done)](error_code error) mutable {
                       if (error) return done(error, 0);
                       std::array<std::byte, fetch_bytes> some;
                       const std::size_t count =
                           socket_.read_some(boost::asio::buffer(some), error);
                       if (error == boost::asio::error::would_block) error = {};
                       done(error, count);
                     });
}

void Transport::acknowledge_at_once() {
  const int on = 1;
  // Only how fast it goes: not done, nothing is lost.
  static_cast<void>(
      ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
}

void Transport::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  error_code ignored;
  socket_.close(ignored);
}

bool Transport::has_unread() const {
  error_code error;
  return socket_.available(error) > 0 && !error;
}

Result<std::optional<crypto::Certificate>> Transport::peer_certificate() const {
  if (!tls_) return std::nullopt;
  return tls_->peer_certificate();
}

}  // namespace fiducia::net
