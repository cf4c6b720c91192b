// SPDX-License-Identifier: Apache-2.0
#include "net/listen.h"

namespace fiducia::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

asio::ip::address plain_address(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address;
}

std::string client_of(const asio::ip::address& address) {
  if (!address.is_v6()) return address.to_string();
  const auto bytes = address.to_v6().to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), 8};
}

}  // namespace

Result<tcp::endpoint> listen(tcp::acceptor& acceptor, const std::string& address,
                             std::uint16_t port) {
  boost::system::error_code error;
  const asio::ip::address read = asio::ip::make_address(address, error);
  if (error)
    return fail(ErrorCode::usage_invalid, "\"" + address + "\" is not an IP address.",
                "Give an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all.");
  const tcp::endpoint wanted{read, port};
  acceptor.open(wanted.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error && read.is_v6() && read.is_unspecified())
    acceptor.set_option(asio::ip::v6_only{false}, error);
  if (!error) acceptor.bind(wanted, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  tcp::endpoint local;
  if (!error) local = acceptor.local_endpoint(error);
  if (error)
    return fail(ErrorCode::io_unreadable,
                "Cannot listen on " + address + " port " + std::to_string(port) + ": " +
                    error.message() + ".",
                "Choose another port, or stop the program that has it.");
  return local;
}

std::optional<Incoming> take_in(tcp::socket socket) {
  boost::system::error_code error;
  socket.set_option(tcp::no_delay{true}, error);
  socket.non_blocking(true, error);
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return std::nullopt;
  const asio::ip::address address = plain_address(remote.address());
  return Incoming{.socket = std::move(socket),
                  .address = address,
                  .port = remote.port(),
                  .client = client_of(address)};
}

}  // namespace fiducia::net
