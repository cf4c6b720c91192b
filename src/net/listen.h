// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "core/core.h"

namespace fiducia::net {

/// Listens on an IP address, "::" and "0.0.0.0" for every interface, and a port, 0 for a free one;
/// says where. Errors: usage_invalid (no such address), io_unreadable (port taken, not permitted).
[[nodiscard]] Result<boost::asio::ip::tcp::endpoint> listen(
    boost::asio::ip::tcp::acceptor& acceptor, const std::string& address, std::uint16_t port);

/// A connection that was accepted, and from whom.
struct Incoming {
  boost::asio::ip::tcp::socket socket;  // does not block, and does not hold small writes back
  boost::asio::ip::address address;     // an IPv4 address that came in over IPv6 as IPv4
  std::uint16_t port = 0;
  /// What counts as one client: an IPv4 address, or the 64 bits of an IPv6 network (one client has
  /// all addresses of it).
  std::string client;
};
/// Nothing where the peer is gone again.
[[nodiscard]] std::optional<Incoming> take_in(boost::asio::ip::tcp::socket socket);

}  // namespace fiducia::net
